//! What moved is in the ledger, and what the provider's statement says otherwise is found.

use contracts::tradewind::payment::v1::{
    Account, Difference, DifferenceKind, DifferenceState, GetBalanceRequest, LedgerEntry, ListDifferencesRequest,
    ListEntriesRequest, PaymentStatus, ReconcileRequest, ReconcileResponse, ResolveDifferenceRequest,
    ledger_service_client::LedgerServiceClient,
};
use serde_json::json;
use time::Duration;
use tonic::{Code, Status};
use tradewind_mesh::{Channel, reason};
use tradewind_sql::timestamp;
use tradewind_store::Clock;
use tradewind_testing::{Database, block_on, both_stores, eventually};
use uuid::Uuid;

use crate::surroundings::{DEADLINE, Surroundings, becomes};

type Ledger = LedgerServiceClient<Channel>;

/// Compares the last hour, or what was before it ended so much earlier.
async fn reconcile_until(ledger: &Ledger, earlier: Duration) -> Result<ReconcileResponse, Status> {
    let end = Clock::system().now() - earlier;
    let (start_time, end_time) = (Some(timestamp(end - Duration::HOUR)), Some(timestamp(end)));
    Ok(ledger.clone().reconcile(ReconcileRequest { start_time, end_time }).await?.into_inner())
}

async fn reconcile(ledger: &Ledger) -> ReconcileResponse {
    reconcile_until(ledger, Duration::ZERO).await.unwrap()
}

async fn entries(ledger: &Ledger, request: ListEntriesRequest) -> Vec<LedgerEntry> {
    let mut entries = Vec::new();
    let mut request = request;
    loop {
        let page = ledger.clone().list_entries(request.clone()).await.unwrap().into_inner();
        entries.extend(page.entries);
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            return entries;
        }
    }
}

async fn has_entries(ledger: &Ledger, many: usize) {
    eventually(DEADLINE, "every event is booked", async || {
        let found = entries(ledger, ListEntriesRequest::default()).await;
        if found.len() == many { Ok(()) } else { Err(found) }
    })
    .await;
}

async fn differences(ledger: &Ledger, state: DifferenceState) -> Vec<Difference> {
    let request = ListDifferencesRequest { state: state.into(), ..Default::default() };
    ledger.clone().list_differences(request).await.unwrap().into_inner().differences
}

async fn resolve(ledger: &Ledger, difference_id: &str) -> Result<Difference, Status> {
    let (request_id, note) = (Uuid::now_v7().to_string(), "the provider has put it right".to_owned());
    let request = ResolveDifferenceRequest { request_id, difference_id: difference_id.to_owned(), note };
    Ok(ledger.clone().resolve_difference(request).await?.into_inner().difference.unwrap())
}

fn kinds(found: &[Difference]) -> Vec<(DifferenceKind, String)> {
    let mut kinds: Vec<_> = found.iter().map(|found| (found.kind(), found.order_id.clone())).collect();
    kinds.sort();
    kinds
}

fn refused<T>(answer: Result<T, Status>) -> (Code, Option<String>) {
    answer.map(drop).map_err(|status| (status.code(), reason(&status))).unwrap_err()
}

both_stores! {
    async fn a_statement_that_is_wrong_in_four_ways_has_exactly_those_four_differences(database: Database) {
        use DifferenceKind::{AmountDiffers, CurrencyDiffers, MissingHere, MissingThere};
        let around = Surroundings::open(database).await;
        let running = around.start_with(&[("settle_tolerance", "1ms")]).await;
        let (operator, ledger) = (around.client("operator", &running), around.ledger(&running));
        let extra = Uuid::now_v7().to_string();
        around.provider.charge("extra", &extra).await;
        let [right, missing, amount, currency, refunded] = [
            around.order("tok_ok").await,
            around.order("tok_unlisted").await,
            around.order("tok_listed_over").await,
            around.order("tok_listed_currency").await,
            around.order("tok_ok").await,
        ];
        for order in [&right, &missing, &amount, &currency, &refunded] {
            becomes(&operator, order, PaymentStatus::Captured).await;
        }
        around.cancel(&refunded).await;
        becomes(&operator, &refunded, PaymentStatus::Refunded).await;
        has_entries(&ledger, 12).await;

        let balances = ledger.clone().get_balance(GetBalanceRequest {}).await.unwrap().into_inner().balances;
        let balances: Vec<_> = balances.iter().map(|balance| (balance.account(), balance.amount.clone().unwrap().minor)).collect();
        let expected = [
            (Account::ProviderClearing, 8_000), (Account::Customer, 0), (Account::Revenue, -10_000), (Account::Refunds, 2_000),
        ];
        assert_eq!(balances, expected);
        assert_eq!(balances.iter().map(|(_, minor)| minor).sum::<i64>(), 0);

        let first = reconcile(&ledger).await;
        assert_eq!((first.lines, first.entries, first.settled, first.more), (6, 6, 0, false));
        let expected = [(MissingHere, extra), (MissingThere, missing), (AmountDiffers, amount), (CurrencyDiffers, currency)];
        assert_eq!(kinds(&first.found), expected);
        let again = reconcile(&ledger).await;
        assert_eq!((again.lines, again.entries, again.found), (6, 6, vec![]), "none is found twice");
        let mut open = differences(&ledger, DifferenceState::Open).await;
        assert_eq!(kinds(&open), expected);
        shows(&running, "missing_there", 1).await;

        let settled = resolve(&ledger, &open[0].difference_id).await.unwrap();
        assert_eq!((settled.resolved_by.as_str(), settled.note.as_str()), ("operator", "the provider has put it right"));
        assert!(settled.resolved_time.is_some(), "{settled:?}");
        assert_eq!(reconcile(&ledger).await.found, [], "what is resolved stays so");
        open.remove(0);
        assert_eq!(differences(&ledger, DifferenceState::Open).await, open);
        assert_eq!(differences(&ledger, DifferenceState::Resolved).await, std::slice::from_ref(&settled));
        let twice = refused(resolve(&ledger, &settled.difference_id).await);
        assert_eq!(twice, (Code::FailedPrecondition, Some("DIFFERENCE_RESOLVED".to_owned())));
        let unknown = refused(resolve(&ledger, &Uuid::now_v7().to_string()).await);
        assert_eq!(unknown, (Code::NotFound, Some("DIFFERENCE_NOT_FOUND".to_owned())));
    }

    async fn what_is_late_settles_itself_or_is_missing_in_the_end(database: Database) {
        let around = Surroundings::open(database).await;
        let mut running = around.start().await;
        let (operator, ledger) = (around.client("operator", &running), around.ledger(&running));
        let [order, extra] = [(); 2].map(|()| Uuid::now_v7().to_string());
        // The provider has what this context will ask it for.
        around.provider.charge(&format!("charge/{order}"), &order).await;
        around.provider.charge("extra", &extra).await;
        let late = reconcile(&ledger).await.found;
        let expected = [(DifferenceKind::Late, order.clone()), (DifferenceKind::Late, extra.clone())];
        assert_eq!(kinds(&late), expected);

        around.order_of(&order, "tok_ok").await;
        becomes(&operator, &order, PaymentStatus::Captured).await;
        has_entries(&ledger, 2).await;
        let met = reconcile(&ledger).await;
        assert_eq!((met.found, met.settled), (vec![], 1));
        let [settled] = differences(&ledger, DifferenceState::Resolved).await.try_into().unwrap();
        assert_eq!((settled.order_id, settled.resolved_by.as_str()), (order, "reconcile"));

        running.stop();
        running.wait().await.unwrap();
        let running = around.start_with(&[("settle_tolerance", "1ms")]).await;
        let ledger = around.ledger(&running);
        let missing = reconcile(&ledger).await.found;
        assert_eq!(kinds(&missing), [(DifferenceKind::MissingHere, extra.clone())]);
        assert!(late.iter().any(|late| late.difference_id == missing[0].difference_id), "it is the one that was late");
        assert_eq!(differences(&ledger, DifferenceState::Open).await, missing);
    }
}

#[test]
fn a_period_that_cannot_be_compared_is_refused_and_a_provider_that_is_away_changes_nothing() {
    block_on(async {
        let around = Surroundings::open(Database::sqlite()).await;
        let running = around.start_with(&[("settle_tolerance", "1ms")]).await;
        let ledger = around.ledger(&running);
        around.provider.charge("extra", "o").await;
        let future = refused(reconcile_until(&ledger, -Duration::HOUR).await);
        assert_eq!(future, (Code::FailedPrecondition, Some("PERIOD_NOT_OVER".to_owned())));
        let backwards = ReconcileRequest {
            start_time: Some(timestamp(Clock::system().now())),
            end_time: Some(timestamp(Clock::system().now() - Duration::HOUR)),
        };
        let backwards = refused(ledger.clone().reconcile(backwards).await);
        assert_eq!(backwards, (Code::InvalidArgument, Some("PERIOD_EMPTY".to_owned())));

        around.provider.disturb(&json!({"card": {"down": true}})).await;
        let away = refused(reconcile_until(&ledger, Duration::ZERO).await);
        assert_eq!(away, (Code::Unavailable, Some("STATEMENT_UNAVAILABLE".to_owned())));
        assert_eq!(differences(&ledger, DifferenceState::Unspecified).await, []);
        around.provider.calm().await;
        assert_eq!(reconcile(&ledger).await.found.len(), 1);
    });
}

#[test]
fn a_statement_of_many_pages_is_read_whole() {
    block_on(async {
        let around = Surroundings::open(Database::sqlite()).await;
        let running = around.start_with(&[("settle_tolerance", "1ms")]).await;
        let ledger = around.ledger(&running);
        for number in 0..230 {
            around.provider.charge(&format!("extra/{number}"), &format!("o-{number}")).await;
        }
        let all = reconcile(&ledger).await;
        assert_eq!((all.lines, all.found.len(), all.more), (230, 230, false));
        let first = ListDifferencesRequest { page_size: 200, ..Default::default() };
        let first = ledger.clone().list_differences(first).await.unwrap().into_inner();
        let rest = ListDifferencesRequest { page_token: first.next_page_token, ..Default::default() };
        let rest = ledger.clone().list_differences(rest).await.unwrap().into_inner();
        assert_eq!((first.differences.len(), rest.differences.len(), rest.next_page_token.as_str()), (200, 30, ""));
        assert!(first.differences.iter().all(|found| !rest.differences.contains(found)));
    });
}

#[test]
fn entries_are_listed_by_order_account_and_time() {
    block_on(async {
        let around = Surroundings::open(Database::sqlite()).await;
        let running = around.start().await;
        let (operator, ledger) = (around.client("operator", &running), around.ledger(&running));
        let [kept, returned] = [around.order("tok_ok").await, around.order("tok_ok").await];
        becomes(&operator, &kept, PaymentStatus::Captured).await;
        becomes(&operator, &returned, PaymentStatus::Captured).await;
        around.cancel(&returned).await;
        becomes(&operator, &returned, PaymentStatus::Refunded).await;
        has_entries(&ledger, 6).await;
        let all = entries(&ledger, ListEntriesRequest::default()).await;
        assert_eq!(entries(&ledger, ListEntriesRequest { page_size: 1, ..Default::default() }).await, all);
        let legs =
            |entries: &[LedgerEntry]| entries.iter().map(|entry| (entry.debit(), entry.credit())).collect::<Vec<_>>();
        let of_order = entries(&ledger, ListEntriesRequest { order_id: returned.clone(), ..Default::default() }).await;
        let expected = [
            (Account::ProviderClearing, Account::Customer),
            (Account::Customer, Account::Revenue),
            (Account::Refunds, Account::Customer),
            (Account::Customer, Account::ProviderClearing),
        ];
        assert_eq!(legs(&of_order), expected);
        assert!(of_order[3].reference.starts_with("re_"), "{:?}", of_order[3]);
        let of_refunds = ListEntriesRequest { account: Account::Refunds.into(), ..Default::default() };
        assert_eq!(entries(&ledger, of_refunds).await, [of_order[2].clone()]);
        let until = ListEntriesRequest { end_time: of_order[3].time, ..Default::default() };
        assert!(!entries(&ledger, until).await.contains(&of_order[3]));
        let since = ListEntriesRequest { start_time: of_order[3].time, ..Default::default() };
        assert!(entries(&ledger, since).await.contains(&of_order[3]));
    });
}

/// Waits until the metric shows so many open differences of this kind.
async fn shows(running: &tradewind_runtime::Running, kind: &str, many: u64) {
    eventually(DEADLINE, "the open differences are counted", async || {
        let url = format!("http://{}/metrics", running.admin_addr());
        let text = tradewind_runtime::direct().build().unwrap().get(url).send().await.unwrap().text().await.unwrap();
        let of_kind = |line: &str| {
            line.starts_with("tradewind_ledger_differences_open{") && line.contains(&format!("kind=\"{kind}\""))
        };
        let shown = text.lines().find(|line| of_kind(line)).and_then(|line| line.rsplit(' ').next()?.parse().ok());
        if shown == Some(many) { Ok(()) } else { Err(text) }
    })
    .await;
}
