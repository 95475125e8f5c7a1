//! Sums of sales in tables of both databases and in ClickHouse, beside the same computed from what was ordered.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test a panic is the verdict")]

mod engines;
mod orders;

use std::collections::BTreeMap;

use contracts::tradewind::analytics::v1::{
    ForecastStockRequest, ForecastStockResponse, GetFunnelResponse, ListSalesRequest, SaleStep, SalesKind, SalesSpan,
    StockOutlook,
};
use contracts::tradewind::inventory::v1::{Allocation, StockCorrected, StockReceived, StockReleased, StockReserved};
use time::{Duration, OffsetDateTime};
use tradewind_store::{Clock, Recorded, Store, StoreOptions};
use tradewind_testing::{Database, block_on, both_stores};
use uuid::Uuid;

use self::orders::{Order, Sums, computed, orders, recorded};
use super::get_funnel::AskedDays;
use super::{Sales, forecast_stock, get_funnel, get_step_times, list_sales};
use crate::clickhouse::ClickHouse;
use crate::domain::{Span, day_of, day_text, month_text};
use crate::grpc::sales_convert;
use crate::store::migrations;

struct Books {
    kept: Sales,
    now: OffsetDateTime,
}

impl Books {
    async fn open(database: &Database, facts: Option<ClickHouse>) -> Self {
        let store = Store::open(StoreOptions {
            url: database.url(),
            context: "analytics",
            migrations: migrations(),
            clock: Clock::system(),
            partitions: None,
        });
        let store = store.await.expect("the database opens");
        Self { now: store.now(), kept: Sales::new(store, facts) }
    }

    /// Reads events in this order, so many in a transaction.
    async fn read(&self, events: &[Recorded], together: usize) {
        let [reactions, _] = self.kept.projection().reactions();
        for events in events.chunks(together) {
            reactions.go_ahead(&events.iter().collect::<Vec<_>>()).await.unwrap();
            let mut tx = self.kept.store().begin().await.unwrap();
            for event in events {
                reactions.react(&mut tx, event).await.unwrap();
            }
            tx.commit().await.unwrap();
        }
    }

    async fn sums(&self, kind: SalesKind, span: SalesSpan, key: &str) -> Sums {
        let mut request = ListSalesRequest {
            from_day: day_text(day_of(self.now) - 100),
            span: span.into(),
            kind: kind.into(),
            key: key.to_owned(),
            page_size: 37,
            ..Default::default()
        };
        let mut sums = Sums::new();
        loop {
            let asked = sales_convert::sales(&request, day_of(self.now)).unwrap();
            let page = list_sales(&self.kept, asked).await.unwrap();
            for row in page.sales {
                let (amount, cancelled) = (row.amount.unwrap(), row.cancelled_amount.unwrap());
                assert_eq!(amount.currency, cancelled.currency);
                let sum =
                    [row.orders, row.units, amount.minor, row.cancelled_orders, row.cancelled_units, cancelled.minor];
                assert_eq!(sums.insert((row.start_day, row.key, amount.currency), sum), None, "told once");
            }
            if page.next_page_token.is_empty() {
                return sums;
            }
            request.page_token = page.next_page_token;
        }
    }

    fn days(&self) -> AskedDays {
        AskedDays { days: (day_of(self.now) - 100, day_of(self.now)), after: Vec::new() }
    }

    async fn funnel(&self) -> GetFunnelResponse {
        get_funnel(&self.kept, self.days()).await.unwrap()
    }

    async fn forecast(&self, request: ForecastStockRequest) -> ForecastStockResponse {
        forecast_stock(&self.kept, sales_convert::forecast(&request).unwrap()).await.unwrap()
    }

    /// All that is told of orders.
    async fn everything(&self) -> (Vec<Sums>, GetFunnelResponse) {
        let mut all = Vec::new();
        for (kind, _) in KINDS {
            for (span, _) in SPANS {
                all.push(self.sums(kind, span, "").await);
            }
        }
        (all, self.funnel().await)
    }
}

const KINDS: [(SalesKind, &str); 4] = [
    (SalesKind::All, "all"),
    (SalesKind::Product, "product"),
    (SalesKind::Country, "country"),
    (SalesKind::Cohort, "cohort"),
];
const SPANS: [(SalesSpan, Span); 3] =
    [(SalesSpan::Day, Span::Day), (SalesSpan::Week, Span::Week), (SalesSpan::Month, Span::Month)];

/// Runs each suite in tables over both databases, and in ClickHouse.
macro_rules! wherever_kept {
    ($($name:ident => $suite:ident,)+) => {
        both_stores! {$(
            async fn $name(database: Database) {
                $suite(&Books::open(&database, None).await).await;
            }
        )+}

        mod in_clickhouse {
            use super::*;

            $(#[test]
            fn $name() {
                block_on(async { $suite(&Books::open(&Database::sqlite(), Some(engines::clickhouse())).await).await });
            })+
        }
    };
}

wherever_kept! {
    sums_are_those_of_what_was_ordered_and_reading_it_again_changes_nothing => sums,
    a_customer_who_was_one_before_takes_their_orders_along => customers,
    stock_lasts_as_it_was_taken => stock,
}

async fn sums(books: &Books) {
    let orders = orders(300, books.now);
    let all: Vec<_> = orders.iter().map(Order::events).collect();
    // Of many orders at once, each in its own order, and some alone.
    let longest = all.iter().map(Vec::len).max().unwrap();
    let mut events = Vec::new();
    for some in all.chunks(25) {
        events.extend((0..longest).flat_map(|place| some.iter().filter_map(move |events| events.get(place).cloned())));
    }
    let (many, few) = events.split_at(events.len() - 30);
    books.read(many, 64).await;
    books.read(few, 1).await;
    for (kind, name) in KINDS {
        for (span, same) in SPANS {
            assert_eq!(books.sums(kind, span, "").await, computed(&orders, name, same), "{name} by {same:?}");
        }
    }
    let mut only = computed(&orders, "product", Span::Week);
    only.retain(|(_, product, _), _| product == "tea-1");
    assert!(!only.is_empty());
    assert_eq!(books.sums(SalesKind::Product, SalesSpan::Week, "tea-1").await, only);

    for step in books.funnel().await.steps {
        let taken = usize::try_from(step.step - 1).unwrap();
        let reached = orders.iter().filter(|order| order.steps.len() >= taken).count();
        let mut ended = BTreeMap::new();
        for order in orders.iter().filter(|order| order.steps.len() == taken) {
            if let Some(reason) = order.cancelled {
                *ended.entry(i32::from(reason)).or_insert(0) += 1;
            }
        }
        assert_eq!(step.orders, i64::try_from(reached).unwrap(), "{step:?}");
        let drop_outs: BTreeMap<_, i64> = step.drop_outs.iter().map(|out| (out.reason, out.orders)).collect();
        assert_eq!(drop_outs, ended, "{step:?}");
    }
    for time in get_step_times(&books.kept, books.days()).await.unwrap().steps {
        let step = usize::try_from(time.step - 2).unwrap();
        let mut took: Vec<_> = orders.iter().filter_map(|order| order.steps.get(step).copied()).collect();
        took.sort_unstable();
        assert_eq!(time.orders, i64::try_from(took.len()).unwrap());
        for (share, told) in [(50, time.p50.unwrap()), (95, time.p95.unwrap())] {
            let exact = took[(took.len() * share).div_ceil(100) - 1];
            let told = told.seconds * 1_000 + i64::from(told.nanos / 1_000_000);
            assert!((told - exact).abs() * 64 <= exact, "{share} % took {exact} ms, not {told}");
        }
    }

    let before = books.everything().await;
    books.read(&events, 64).await;
    assert_eq!(books.everything().await, before);
    assert_eq!(before.1.steps[0].step, i32::from(SaleStep::Placed));
}

async fn customers(books: &Books) {
    let order = |number: u128, ago: i64| Order {
        id: Uuid::from_u128(number).to_string(),
        customer: "c".to_owned(),
        country: "GB",
        currency: "GBP",
        lines: vec![("tea".to_owned(), 1, 100)],
        placed: books.now - Duration::days(ago),
        steps: vec![1, 1, 1],
        cancelled: None,
    };
    let (late, early) = (order(1, 0), order(2, 60));
    books.read(&late.events(), 9).await;
    let cohorts = async || {
        let sums = books.sums(SalesKind::Cohort, SalesSpan::Month, "").await;
        sums.into_iter().map(|((_, cohort, _), sum)| (cohort, sum[0])).collect::<Vec<_>>()
    };
    let month = |order: &Order| month_text(day_of(order.placed));
    assert_eq!(cohorts().await, [(month(&late), 1)]);
    books.read(&early.events()[..1], 1).await;
    assert_eq!(cohorts().await, [(month(&early), 1)]);
    books.read(&early.events()[1..], 1).await;
    assert_eq!(cohorts().await, [(month(&early), 1), (month(&early), 1)]);
}

async fn stock(books: &Books) {
    let of = |sku: &str, quantity| Allocation { sku: sku.to_owned(), location: "main".to_owned(), quantity };
    let corrected =
        |sku: &str| StockCorrected { sku: sku.to_owned(), location: "main".to_owned(), ..Default::default() };
    let ago = |days| books.now - Duration::days(days);
    let mut events = vec![
        recorded("stock-a", 1, ago(40), &StockReceived { received: Some(of("A", 300)) }),
        recorded("stock-b", 1, ago(40), &StockReceived { received: Some(of("B", 5)) }),
        recorded("stock-b", 2, ago(39), &StockCorrected { change: -2, ..corrected("B") }),
        recorded("stock-c", 1, ago(40), &StockReceived { received: Some(of("C", 2)) }),
        recorded("reservation-c", 1, ago(1), &StockReserved { allocations: vec![of("C", 2)], ..Default::default() }),
    ];
    for day in 1..21 {
        let reserved = StockReserved { allocations: vec![of("A", 12)], ..Default::default() };
        let released = StockReleased { allocations: vec![of("A", 2)], ..Default::default() };
        events.push(recorded(&format!("reservation-{day}"), 1, ago(day), &reserved));
        events.push(recorded(&format!("reservation-{day}"), 2, ago(day), &released));
    }
    books.read(&events, 64).await;
    let first = books.forecast(ForecastStockRequest { page_size: 2, ..Default::default() }).await;
    let page_token = first.next_page_token.clone();
    let rest = books.forecast(ForecastStockRequest { page_size: 2, page_token, ..Default::default() }).await;
    assert_eq!(rest.next_page_token, "");
    let all = [first.forecasts, rest.forecasts].concat();
    let told: Vec<_> = all
        .iter()
        .map(|found| (found.sku.as_str(), found.available, found.taken, found.outlook(), found.days_left))
        .collect();
    assert_eq!(
        told,
        [
            ("A", 100, 200, StockOutlook::RunsOut, 10),
            ("B", 3, 0, StockOutlook::Unknown, 0),
            ("C", 0, 2, StockOutlook::Out, 0),
        ]
    );
    assert_eq!((all[0].mean, all[0].stock_out_day.clone()), (10.0, day_text(day_of(books.now) + 10)));
    let only = books.forecast(ForecastStockRequest { sku: "B".to_owned(), ..Default::default() }).await;
    assert_eq!(only.forecasts, [all[1].clone()]);
    // Nothing was taken in the last week but of C; of A it was, ever since.
    let week = books.forecast(ForecastStockRequest { sku: "A".to_owned(), days: 7, ..Default::default() }).await;
    assert_eq!((week.forecasts[0].taken, week.forecasts[0].trend), (70, 0.0));
}
