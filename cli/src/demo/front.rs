//! The scenarios of whoever comes through the front door: no certificate, a password, and what is theirs.

use anyhow::{Context, Result, bail, ensure};
use contracts::tradewind::ordering::v1::{OrderStatus, PlaceOrderRequest};
use serde_json::Value;

use super::Played;
use super::stage::{Stage, order_of};
use crate::commands::order::new_request_id;
use crate::front::Refusal;
use crate::output::json;
use crate::people::{self, SignedIn};

const PASSWORD: &str = "seven green kettles";
/// More than anybody is let guess.
const GUESSES: usize = 40;

/// How the front door refused: its HTTP status and the reason.
///
/// # Errors
/// When it did not.
fn refusal<T>(answer: Result<T>) -> Result<Refusal> {
    match answer {
        Ok(_) => bail!("the request was not refused"),
        Err(error) => error.downcast::<Refusal>(),
    }
}

fn ensure_is(refusal: &Refusal, http: u16, reason: &str) -> Result<()> {
    ensure!(refusal.http == http && refusal.reason == reason, "the answer was {refusal}");
    Ok(())
}

/// Somebody new of that name, who has signed in.
async fn customer(stage: &Stage<'_>, name: &str) -> Result<(String, SignedIn)> {
    let email = format!("{name}-{}@example.org", uuid::Uuid::now_v7().simple());
    people::sign_up(stage.front(), &stage.outside_url(), &email, PASSWORD).await?;
    let signed_in = people::sign_in(stage.front(), &email, PASSWORD).await?;
    Ok((email, signed_in))
}

/// An account is there once the code is entered that was mailed.
pub(crate) async fn signed_up(stage: &Stage<'_>) -> Result<Played> {
    let (front, email) = (stage.front(), format!("ada-{}@example.org", uuid::Uuid::now_v7().simple()));
    let ticket = people::begin(front, &email, PASSWORD).await?;
    let early = refusal(people::sign_in(front, &email, PASSWORD).await)?;
    ensure_is(&early, 401, "CREDENTIALS_INVALID")?;
    let code = people::code_for(&stage.outside_url(), &email).await?;
    let wrong = if code == "00000000" { "00000001" } else { "00000000" };
    let wrong = refusal(people::verify(front, &ticket, wrong).await)?;
    ensure_is(&wrong, 400, "CODE_INVALID")?;
    let account_id = people::verify(front, &ticket, &code).await?;
    let signed_in = people::sign_in(front, &email, PASSWORD).await?;
    ensure!(signed_in.account_id == account_id, "signed in as {}", signed_in.account_id);
    let own = front.bearing(&signed_in.access_token).get("/v1/profile").await?;
    ensure!(own["profile"]["accountId"] == account_id.as_str(), "the profile is {own}");
    let happened = format!("before: {}; another code: {}; then signed in as {account_id}", early.reason, wrong.reason);
    Ok(Played { orders: Vec::new(), happened })
}

/// An order by REST, sent twice, and followed by events to its end.
pub(crate) async fn ordered(stage: &Stage<'_>) -> Result<Played> {
    let lantern = stage.ware("paper-lantern", 1900, 5).await?;
    let (_, signed_in) = customer(stage, "grace").await?;
    let own = stage.front().bearing(&signed_in.access_token);
    let (key, order) = (new_request_id(), json(&without_customer(order_of(&lantern, 2)))?);
    let placed = own.post_once("/v1/orders", &key, &order).await?;
    let again = own.post_once("/v1/orders", &key, &order).await?;
    let order_id = id_of(&placed)?;
    ensure!(id_of(&again)? == order_id, "the same request made {placed} and {again}");
    ensure!(placed["order"]["customerId"] == signed_in.account_id.as_str(), "the order is {placed}");
    let (mut heard, mut status) = (0_usize, String::new());
    let told = |change: &Value| {
        heard += 1;
        if let Some(now) = change["order"]["status"].as_str() {
            now.trim_start_matches("ORDER_STATUS_").clone_into(&mut status);
        }
    };
    own.follow(&format!("/v1/orders/{order_id}:watch"), told).await?;
    ensure!(status == "CONFIRMED", "the last event says {status}");
    let card = stage.card(&order_id).await?;
    ensure!(card == ["capture 3800"], "the provider says {card:?}");
    let happened = format!("POST twice: one order; {heard} events, the last {status}; {card:?}");
    Ok(Played { orders: vec![order_id], happened })
}

/// Somebody else's order is not there, and neither is one that never was.
pub(crate) async fn somebody_elses(stage: &Stage<'_>) -> Result<Played> {
    let kite = stage.ware("silk-kite", 2700, 1).await?;
    let (owner, other) = (customer(stage, "owner").await?.1, customer(stage, "other").await?.1);
    let (owners, others) = (stage.front().bearing(&owner.access_token), stage.front().bearing(&other.access_token));
    let order = json(&without_customer(order_of(&kite, 1)))?;
    let order_id = id_of(&owners.post_once("/v1/orders", &new_request_id(), &order).await?)?;
    let seen = id_of(&owners.get(&format!("/v1/orders/{order_id}")).await?)?;
    let hidden = refusal(others.get(&format!("/v1/orders/{order_id}")).await)?;
    let never = refusal(others.get(&format!("/v1/orders/{}", uuid::Uuid::now_v7())).await)?;
    ensure_is(&hidden, 404, "ORDER_NOT_FOUND")?;
    ensure_is(&never, 404, "ORDER_NOT_FOUND")?;
    ensure!(seen == order_id, "its owner sees {seen}");
    let cancelled = refusal(others.post(&format!("/v1/orders/{order_id}:cancel"), &serde_json::json!({})).await)?;
    ensure_is(&cancelled, 404, "ORDER_NOT_FOUND")?;
    let nobody = refusal(stage.front().get(&format!("/v1/orders/{order_id}")).await)?;
    ensure_is(&nobody, 401, "NOT_SIGNED_IN")?;
    let settled = stage.settled(&order_id).await?;
    ensure!(settled.status() == OrderStatus::Confirmed, "the order is {}", crate::commands::order::status(&settled));
    let happened = format!(
        "its owner: CONFIRMED; another customer: {} {}, as of one that never was; nobody: {} {}",
        hidden.http, hidden.reason, nobody.http, nobody.reason
    );
    Ok(Played { orders: vec![order_id], happened })
}

/// A refresh token that is shown again after its successor was used has been stolen: the session ends for both.
pub(crate) async fn stolen(stage: &Stage<'_>) -> Result<Played> {
    let front = stage.front();
    let (_, first) = customer(stage, "alan").await?;
    let stolen = first.refresh_token;
    let second = people::refresh(front, &stolen).await?;
    let third = people::refresh(front, &second.refresh_token).await?;
    let thief = refusal(people::refresh(front, &stolen).await)?;
    let owner = refusal(people::refresh(front, &third.refresh_token).await)?;
    for refused in [&thief, &owner] {
        ensure_is(refused, 401, "REFRESH_TOKEN_INVALID")?;
    }
    let happened =
        format!("exchanged twice; the thief: {} {}; then its owner: {}", thief.http, thief.reason, owner.reason);
    Ok(Played { orders: Vec::new(), happened })
}

/// Who guesses is told when to come again, and so is whoever asks from there with the right password.
pub(crate) async fn guessed(stage: &Stage<'_>) -> Result<Played> {
    let (email, _) = customer(stage, "eve").await?;
    let mut looked_at = 0;
    let turned_away = loop {
        ensure!(looked_at < GUESSES, "{looked_at} guesses were looked at");
        let answer = refusal(people::sign_in(stage.front(), &email, "not her password").await)?;
        match answer.http {
            401 => looked_at += 1,
            _ => break answer,
        }
    };
    ensure_is(&turned_away, 429, "TOO_MANY_ATTEMPTS")?;
    let seconds = turned_away.retry_after.context("no Retry-After")?;
    let right = refusal(people::sign_in(stage.front(), &email, PASSWORD).await)?;
    ensure_is(&right, 429, "TOO_MANY_ATTEMPTS")?;
    let happened = format!("{looked_at} guesses looked at, then {} with Retry-After: {seconds}", turned_away.http);
    Ok(Played { orders: Vec::new(), happened })
}

/// Whose an order is, is known at the front door.
fn without_customer(order: PlaceOrderRequest) -> PlaceOrderRequest {
    PlaceOrderRequest { customer_id: String::new(), request_id: String::new(), ..order }
}

fn id_of(answer: &Value) -> Result<String> {
    Ok(answer["order"]["orderId"].as_str().with_context(|| format!("no order in {answer}"))?.to_owned())
}
