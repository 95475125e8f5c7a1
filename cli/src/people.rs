//! People who come through the front door: how they get an account, and sign in.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::front::Front;

/// Within which a code is in the mail of a shop on this machine.
const MAIL_WITHIN: Duration = Duration::from_secs(20);

/// Whoever has signed in.
pub(crate) struct SignedIn {
    /// Their account.
    pub(crate) account_id: String,
    /// Goes along with their requests.
    pub(crate) access_token: String,
    /// Gets the next tokens, once.
    pub(crate) refresh_token: String,
    /// All that was answered.
    pub(crate) answer: Value,
}

impl SignedIn {
    /// Those whom `answer` of a sign-in or a refresh is about.
    pub(crate) fn of(answer: Value) -> Result<Self> {
        let text = |name: &str| {
            let text = answer["tokens"][name].as_str().map(str::to_owned);
            text.with_context(|| format!("the answer has no {name}: something else than the gateway answers there"))
        };
        let (account_id, access_token) = (text("accountId")?, text("accessToken")?);
        Ok(Self { account_id, access_token, refresh_token: text("refreshToken")?, answer })
    }
}

/// Signs in.
///
/// # Errors
/// A [`Refusal`](crate::front::Refusal), or that nobody answers.
pub(crate) async fn sign_in(front: &Front, email: &str, password: &str) -> Result<SignedIn> {
    SignedIn::of(front.post("/v1/sessions", &json!({ "email": email, "password": password })).await?)
}

/// Exchanges a refresh token.
///
/// # Errors
/// As of [`sign_in`].
pub(crate) async fn refresh(front: &Front, refresh_token: &str) -> Result<SignedIn> {
    SignedIn::of(front.post("/v1/sessions:refresh", &json!({ "refreshToken": refresh_token })).await?)
}

/// Begins an account, and returns what goes along with the code.
///
/// # Errors
/// As of [`sign_in`].
pub(crate) async fn begin(front: &Front, email: &str, password: &str) -> Result<String> {
    let begun = front.post("/v1/accounts", &json!({ "email": email, "password": password })).await?;
    let ticket = begun["verificationId"].as_str().context("the answer has no verificationId")?;
    Ok(ticket.to_owned())
}

/// Ends what [`begin`] began, and returns the account.
///
/// # Errors
/// As of [`sign_in`].
pub(crate) async fn verify(front: &Front, ticket: &str, code: &str) -> Result<String> {
    let made = front.post("/v1/accounts:verify", &json!({ "verificationId": ticket, "code": code })).await?;
    Ok(made["accountId"].as_str().context("the answer has no accountId")?.to_owned())
}

/// The code in the first mail to an address at which nothing arrived before, as the outside of a shop on this machine shows it.
///
/// # Errors
/// When the outside cannot be asked, or there is none within a while.
pub(crate) async fn code_for(outside_url: &str, email: &str) -> Result<String> {
    let http = tradewind_runtime::direct().build()?;
    let look = async || -> Result<Option<String>> {
        let answer = http.get(format!("{outside_url}/mail/messages")).query(&[("to", email)]).send().await?;
        let told: Value = answer.error_for_status()?.json().await?;
        let letters = told["messages"].as_array().into_iter().flatten();
        Ok(letters.filter_map(|letter| code_in(letter["body"].as_str()?)).next())
    };
    let found = async {
        loop {
            match look().await.with_context(|| format!("cannot look into the mail at {outside_url}"))? {
                Some(code) => return Ok(code),
                None => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    };
    match tokio::time::timeout(MAIL_WITHIN, found).await {
        Ok(found) => found,
        Err(_) => bail!("no code was mailed to {email} within {} s; is notification there?", MAIL_WITHIN.as_secs()),
    }
}

/// The eight digits of a letter.
fn code_in(letter: &str) -> Option<String> {
    let words = letter.split(|c: char| !c.is_ascii_alphanumeric());
    words.filter(|word| word.len() == 8 && word.bytes().all(|byte| byte.is_ascii_digit())).map(str::to_owned).next()
}

/// Makes an account with an address of a shop on this machine, whose mail is not sent anywhere; returns its id.
///
/// # Errors
/// As of [`begin`], [`code_for`] and [`verify`].
pub(crate) async fn sign_up(front: &Front, outside_url: &str, email: &str, password: &str) -> Result<String> {
    let ticket = begin(front, email, password).await?;
    verify(front, &ticket, &code_for(outside_url, email).await?).await
}
