//! What the services say about one order.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};
use contracts::reactions::REACTIONS;
use contracts::tradewind::consumer::v1::{GetProgressRequest, GetProgressResponse};
use contracts::tradewind::eventlog::v1::{EventRecord, ReadKeyRequest};
use contracts::tradewind::ordering::v1::{GetOrderRequest, OrderStatus};
use time::OffsetDateTime;
use tonic::Code;

use crate::Clients;
use crate::{of_each, word};

/// Everything that is said about one order.
pub struct Facts {
    pub order_id: String,
    /// Its status in words; absent where ordering does not answer.
    pub status: Option<String>,
    /// When the services were asked.
    pub now: OffsetDateTime,
    /// By service.
    pub said: BTreeMap<&'static str, Said>,
    /// What is wrong with the services that do not answer.
    pub away: BTreeMap<&'static str, String>,
}

/// What one service says.
#[derive(Default)]
pub struct Said {
    /// What it has recorded.
    pub events: Vec<EventRecord>,
    /// How far it has come.
    pub progress: GetProgressResponse,
}

/// Asks every service that has a part in orders.
///
/// # Errors
/// What ordering refuses; that nobody knows the order, where ordering does not answer.
pub async fn gather(shop: &Clients, order_id: &str) -> Result<Facts> {
    let request = GetOrderRequest { order_id: order_id.to_owned(), as_of: None };
    let status = match shop.ordering()?.get_order(request).await {
        Ok(answer) => answer.into_inner().order.map(|order| status(order.status)),
        Err(away) if is_away(away.code()) => None,
        Err(refused) => return Err(refused.into()),
    };
    let (said, away) = of_each(readers().into_iter().map(|service| (service, ask(shop, service, order_id)))).await;
    let said = BTreeMap::from_iter(said);
    if status.is_none() && said.values().all(|said: &Said| said.events.is_empty()) {
        bail!(
            "ordering does not answer, and no other service knows the order {order_id}; `tradewind status` tells what runs"
        );
    }
    Ok(Facts { order_id: order_id.to_owned(), status, now: now(), said, away })
}

/// The services that follow what others say: whoever takes something on for an order, and whoever tells of it.
fn readers() -> Vec<&'static str> {
    let all: BTreeSet<_> = REACTIONS.iter().map(|each| each.context).collect();
    all.into_iter().collect()
}

fn status(status: i32) -> String {
    word(status, OrderStatus::as_str_name, "ORDER_STATUS_").into_owned()
}

async fn ask(shop: &Clients, service: &str, order_id: &str) -> Result<Said> {
    let request = GetProgressRequest { key: order_id.to_owned() };
    let progress = match shop.consumers_of(service)?.get_progress(request).await {
        Ok(answer) => answer.into_inner(),
        // One of a release before cannot tell.
        Err(refused) if refused.code() == Code::Unimplemented => GetProgressResponse::default(),
        Err(refused) => return Err(refused.into()),
    };
    let (mut log, mut events) = (shop.log_of(service)?, Vec::new());
    let mut request = ReadKeyRequest { key: order_id.to_owned(), ..ReadKeyRequest::default() };
    loop {
        let page = log.read_key(request.clone()).await?.into_inner();
        events.extend(page.events);
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            return Ok(Said { events, progress });
        }
    }
}

fn is_away(code: Code) -> bool {
    matches!(code, Code::Unavailable | Code::DeadlineExceeded | Code::ResourceExhausted | Code::Cancelled)
}

#[expect(clippy::disallowed_methods, reason = "whoever looks has no clock but the machine's")]
fn now() -> OffsetDateTime {
    std::time::SystemTime::now().into()
}
