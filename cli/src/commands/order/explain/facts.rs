//! What the services say about one order.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use contracts::tradewind::consumer::v1::{GetProgressRequest, GetProgressResponse};
use contracts::tradewind::eventlog::v1::{EventRecord, ReadKeyRequest};
use contracts::tradewind::ordering::v1::GetOrderRequest;
use supervisor::services;
use time::OffsetDateTime;
use tonic::Code;

use super::super::status;
use crate::clients::Clients;
use crate::output::of_each;

/// Everything that is said about one order.
pub(super) struct Facts {
    pub(super) order_id: String,
    /// Its status in words; absent where ordering does not answer.
    pub(super) status: Option<String>,
    /// When the services were asked.
    pub(super) now: OffsetDateTime,
    /// By service.
    pub(super) said: BTreeMap<&'static str, Said>,
    /// What is wrong with the services that do not answer.
    pub(super) away: BTreeMap<&'static str, String>,
}

/// What one service says.
#[derive(Default)]
pub(super) struct Said {
    /// What it has recorded.
    pub(super) events: Vec<EventRecord>,
    /// How far it has come.
    pub(super) progress: GetProgressResponse,
}

/// Asks every service that has a part in orders.
///
/// # Errors
/// What ordering refuses; that nobody knows the order, where ordering does not answer.
pub(super) async fn gather(shop: &Clients, order_id: &str) -> Result<Facts> {
    let request = GetOrderRequest { order_id: order_id.to_owned(), as_of: None };
    let status = match shop.ordering()?.get_order(request).await {
        Ok(answer) => answer.into_inner().order.map(|order| status(&order).into_owned()),
        Err(away) if is_away(away.code()) => None,
        Err(refused) => return Err(refused.into()),
    };
    let (said, away) = of_each(&services::readers(), async |service| ask(shop, service, order_id).await).await;
    let said = BTreeMap::from_iter(said);
    if status.is_none() && said.values().all(|said: &Said| said.events.is_empty()) {
        bail!(
            "ordering does not answer, and no other service knows the order {order_id}; `tradewind status` tells what runs"
        );
    }
    Ok(Facts { order_id: order_id.to_owned(), status, now: now(), said, away })
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

#[expect(clippy::disallowed_methods, reason = "the command line has no clock but the machine's")]
fn now() -> OffsetDateTime {
    std::time::SystemTime::now().into()
}
