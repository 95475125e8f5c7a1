//! What is confirmed, of a shop that does not answer: every act fails, and is named for it.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::header::{CONTENT_TYPE, COOKIE, LOCATION};
use axum::http::{Request, StatusCode};
use tower::ServiceExt as _;
use tradewind_testing::eventually;

use super::*;
use crate::plan::shown;
use crate::{Door, Ticket, router};

struct Stand {
    desk: Desk,
    ticket: Ticket,
    _pki: tempfile::TempDir,
}

impl Stand {
    fn new() -> Self {
        // Nobody listens there.
        Self::with_peers_at("127.0.0.1:9".parse().unwrap())
    }

    fn with_peers_at(address: SocketAddr) -> Self {
        let (ticket, pki) = (Ticket::new(), tradewind_testing::pki(&["operator"]));
        let peers = ["analytics", "ordering", "payment"].map(|name| (name.to_owned(), address.to_string()));
        let shop = Clients::new(pki.path(), "operator", BTreeMap::from(peers)).unwrap();
        Self { desk: Desk::new(shop, Door::of(ticket.clone(), "operator")), ticket, _pki: pki }
    }

    fn enter(&self) -> Visitor {
        let shown = self.ticket.path();
        self.desk.door.visitor(&self.desk.door.enter(shown.split('=').nth(1).unwrap()).unwrap(), true).unwrap()
    }

    /// Shows that these orders would be cancelled.
    fn show(&self, visitor: &Visitor, orders: &[&str]) -> String {
        let acts = orders.iter().map(|order| Act::Cancel { order_id: (*order).to_owned() }).collect();
        self.desk.door.with(visitor, |kept| kept.keep("Cancel".to_owned(), acts, "/console/orders".to_owned())).unwrap()
    }

    /// Where somebody is led who says that it is right.
    async fn confirm(&self, visitor: &Visitor, id: &str) -> String {
        self.send(visitor, "/console/bulk/confirm", &format!("&plan={id}")).await
    }

    /// Where a form leads.
    async fn send(&self, visitor: &Visitor, path: &str, fields: &str) -> String {
        let asked = Request::post(path).header(COOKIE, visitor.cookie());
        let asked = asked.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        let body = format!("mark={}{fields}", visitor.mark);
        let answer = router(self.desk.clone()).oneshot(asked.body(Body::from(body)).unwrap()).await.unwrap();
        answer.headers()[LOCATION].to_str().unwrap().to_owned()
    }

    async fn read(&self, visitor: &Visitor, path: &str) -> (StatusCode, String) {
        let asked = Request::get(path).header(COOKIE, visitor.cookie()).body(Body::empty()).unwrap();
        let answer = router(self.desk.clone()).oneshot(asked).await.unwrap();
        let status = answer.status();
        let body = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    /// The page of a job, once it has ended.
    async fn ended(&self, visitor: &Visitor, job: &str) -> String {
        eventually(Duration::from_secs(60), "it ends", async || {
            let page = self.read(visitor, job).await.1;
            if page.contains("all ended") || page.contains("not begun") { Ok(page) } else { Err(page) }
        })
        .await
    }
}

#[tokio::test]
async fn exactly_what_was_shown_is_done_and_once() {
    let stand = Stand::new();
    let (visitor, other) = (stand.enter(), stand.enter());
    let id = stand.show(&visitor, &["o-1", "o-2", "o-3"]);
    assert_eq!(stand.confirm(&other, &id).await, "/console", "it was shown to somebody else");
    assert_eq!(stand.confirm(&visitor, &id).await, "/console/jobs/1");
    assert_eq!(stand.confirm(&visitor, &id).await, "/console/jobs/1", "a second click leads to the same");
    let page = stand.ended(&visitor, "/console/jobs/1").await;
    assert!(page.contains("3 of 3") && ["o-1", "o-2", "o-3"].iter().all(|order| page.contains(order)), "{page}");
    assert_eq!(stand.read(&visitor, "/console/jobs/2").await.0, StatusCode::BAD_REQUEST, "there is no other");
}

#[tokio::test(start_paused = true)]
async fn what_was_shown_before_something_else_or_long_ago_is_not_done() {
    let stand = Stand::new();
    let visitor = stand.enter();
    let first = stand.show(&visitor, &["o-1"]);
    let second = stand.show(&visitor, &["o-2"]);
    assert_eq!(stand.confirm(&visitor, &first).await, "/console");
    tokio::time::advance(Duration::from_secs(601)).await;
    assert_eq!(stand.confirm(&visitor, &second).await, "/console");
    assert_eq!(stand.confirm(&visitor, "").await, "/console");
    assert_eq!(stand.read(&visitor, "/console/jobs/1").await.0, StatusCode::BAD_REQUEST, "nothing was begun");
}

/// Time goes on where all wait, as for whoever takes the connection and says nothing.
#[tokio::test(start_paused = true)]
async fn one_at_a_time_goes_on_for_a_session_and_can_be_stopped() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let stand = Stand::with_peers_at(silent.local_addr().unwrap());
    let (visitor, other) = (stand.enter(), stand.enter());
    let orders: Vec<_> = (0..500).map(|n| format!("o-{n}")).collect();
    let id = stand.show(&visitor, &orders.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(stand.confirm(&visitor, &id).await, "/console/jobs/1");
    let id = stand.show(&visitor, &["o-1", "o-2"]);
    assert_eq!(stand.confirm(&visitor, &id).await, "/console/orders");
    let page = stand.read(&other, "/console/jobs/1").await.1;
    assert!(page.contains("Begun by <b><bdi>operator</bdi></b>") && page.contains("id=\"stop\""), "{page}");
    let id = stand.show(&other, &["o-2", "o-3"]);
    assert_eq!(stand.confirm(&other, &id).await, "/console/jobs/2", "it is another session's");
    assert_eq!(stand.send(&other, "/console/jobs/1/stop", "").await, "/console/jobs/1");
    let page = stand.ended(&visitor, "/console/jobs/1").await;
    assert!(page.contains(", stopped, ") && page.contains(" not begun") && !page.contains("id=\"stop\""), "{page}");
    let id = stand.show(&visitor, &["o-1", "o-2"]);
    assert_eq!(stand.confirm(&visitor, &id).await, "/console/jobs/3", "there is room for the next");
}

#[test]
fn every_act_is_shown_and_of_whom_it_is_asked() {
    let discard = |service: &str, number: u32| Act::Discard {
        service: service.to_owned(),
        consumer: format!("{service}.reads"),
        source: "ordering".to_owned(),
        stream: format!("order-{number}"),
        position: "7".to_owned(),
        reason: Reason::default(),
    };
    let acts: Vec<_> = (0..120).map(|n| discard("payment", n)).chain([discard("shipping", 500)]).collect();
    let page = shown(&acts).into_string();
    for act in &acts {
        assert!(page.contains(&format!("<li>{}</li>", act.words())), "{}", act.words());
    }
    assert!(page.contains("<b>121</b> in all"), "{page}");
    assert!(page.contains("<b>payment</b>, payment.reads: 120") && page.contains("<b>shipping</b>, shipping.reads: 1"));
}

#[test]
fn only_the_service_is_asked_that_was_named() {
    let filter = |service: &str| serde_json::from_value::<Filter>(serde_json::json!({ "service": service })).unwrap();
    assert!(filter(" payment ").is_of("payment") && !filter("payment").is_of("shipping") && filter("").is_of("any"));
}

#[tokio::test]
async fn a_reason_is_looked_at_before_anybody_is_asked() {
    let stand = Stand::new();
    let visitor = stand.enter();
    let asked = |reason: &str| {
        let (mark, filter) = (String::new(), Filter::default());
        Asked { mark, kind: Kind::Discard, reason: reason.to_owned(), filter }
    };
    let shop = stand.desk.shop_for(&visitor);
    for (reason, words) in [("", "say why"), (" ", "say why"), (&*"é".repeat(501), "in 500 characters at most")] {
        let error = acts(&shop, &asked(reason)).await.unwrap_err();
        assert!(error.to_string().contains(words), "{error:#}");
    }
    let error = acts(&shop, &asked(&"é".repeat(500))).await.unwrap_err();
    assert!(!error.to_string().contains("say why"), "{error:#}");
}

#[test]
fn a_reason_is_kept_once_however_many_acts_have_it() {
    let reason = Reason::read("  stocktaking ").unwrap();
    assert_eq!(String::from(reason.clone()), "stocktaking");
    assert!(std::ptr::eq(reason.text(), reason.clone().text()));
    assert!(few(10_000).is_ok() && few(10_001).is_err());
}
