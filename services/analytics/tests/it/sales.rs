//! What was sold, told by the whole service.

use std::collections::BTreeMap;

use contracts::tradewind::analytics::v1::{
    ForecastStockRequest, GetFunnelRequest, GetStepTimesRequest, ListSalesRequest, SalesKind, SalesSpan, StockOutlook,
};
use contracts::tradewind::inventory::v1::{Allocation, StockReceived, StockReserved};
use contracts::tradewind::money::v1::Money;
use contracts::tradewind::ordering::v1::{
    Address, CancellationReason, OrderCancelled, OrderConfirmed, OrderPaid, OrderPlaced, OrderStockConfirmed,
    PricedLine, Recipient,
};
use tonic::Code;
use tradewind_mesh::{reason, violations};
use tradewind_runtime::Running;
use tradewind_testing::{Database, both_stores, eventually};
use uuid::Uuid;

use super::surroundings::{DEADLINE, Surroundings};

/// Orders of what is sold, with how many units of it, for whom; and whether each is cancelled.
pub(crate) const ORDERS: [(&str, i32, &str, bool); 6] = [
    ("tea", 2, "GB", false),
    ("tea", 5, "DE", false),
    ("cup", 1, "GB", false),
    ("cup", 3, "FR", true),
    ("tea", 1, "GB", false),
    ("pot", 4, "DE", true),
];
const PRICE: i64 = 450;

/// Has orders placed, reserved, paid and confirmed, and those cancelled before that are not to be; the last of them.
pub(crate) async fn sell(around: &Surroundings, orders: &[(&str, i32, &str, bool)]) -> String {
    let mut last = String::new();
    for (product, quantity, country, is_cancelled) in orders {
        let order_id = Uuid::now_v7().to_string();
        let money = |units: i32| Some(Money { currency: "GBP".to_owned(), minor: PRICE * i64::from(units) });
        let address = Some(Address { country: (*country).to_owned(), ..Default::default() });
        let line = PricedLine {
            product_id: (*product).to_owned(),
            sku: product.to_uppercase(),
            quantity: *quantity,
            unit_price: money(1),
            ..PricedLine::default()
        };
        let placed = OrderPlaced {
            order_id: order_id.clone(),
            customer_id: format!("customer-of-{country}"),
            recipient: Some(Recipient { address, ..Default::default() }),
            lines: vec![line],
            total: money(*quantity),
            ..Default::default()
        };
        around.ordering.say(&order_id, placed).await;
        let allocation =
            Allocation { sku: product.to_uppercase(), location: "main".to_owned(), quantity: i64::from(*quantity) };
        let reserved = StockReserved { order_id: order_id.clone(), allocations: vec![allocation] };
        around.inventory.say(&order_id, reserved).await;
        around.ordering.say(&order_id, OrderStockConfirmed { order_id: order_id.clone(), ..Default::default() }).await;
        if *is_cancelled {
            let reason = CancellationReason::PaymentDeclined.into();
            let cancelled = OrderCancelled { order_id: order_id.clone(), reason, ..Default::default() };
            around.ordering.say(&order_id, cancelled).await;
        } else {
            around.ordering.say(&order_id, OrderPaid { order_id: order_id.clone(), ..Default::default() }).await;
            around.ordering.say(&order_id, OrderConfirmed { order_id: order_id.clone(), ..Default::default() }).await;
        }
        last = order_id;
    }
    last
}

/// Orders, units and amount by key, of a month.
type Sums = BTreeMap<String, (i64, i64, i64)>;

async fn told(around: &Surroundings, running: &Running, kind: SalesKind) -> Sums {
    let request =
        ListSalesRequest { kind: kind.into(), span: SalesSpan::Month.into(), page_size: 1000, ..Default::default() };
    let sales = around.sales(running).list_sales(request).await.unwrap().into_inner().sales;
    let mut sums = Sums::new();
    for row in sales {
        // The month may be over between two orders.
        let sum = sums.entry(row.key).or_default();
        *sum = (sum.0 + row.orders, sum.1 + row.units, sum.2 + row.amount.unwrap().minor);
    }
    sums
}

fn computed(orders: &[(&str, i32, &str, bool)], key: impl Fn(&str, &str) -> String) -> Sums {
    let mut sums = Sums::new();
    for (product, quantity, country, _) in orders.iter().filter(|(.., is_cancelled)| !is_cancelled) {
        let sum = sums.entry(key(product, country)).or_default();
        let units = i64::from(*quantity);
        *sum = (sum.0 + 1, sum.1 + units, sum.2 + units * PRICE);
    }
    sums
}

pub(crate) async fn eventually_told(around: &Surroundings, running: &Running, orders: &[(&str, i32, &str, bool)]) {
    let of_product = computed(orders, |product, _| product.to_owned());
    eventually(DEADLINE, "what was sold is told", async || {
        let sums = told(around, running, SalesKind::Product).await;
        if sums == of_product { Ok(()) } else { Err(sums) }
    })
    .await;
    assert_eq!(told(around, running, SalesKind::Country).await, computed(orders, |_, country| country.to_owned()));
    assert_eq!(told(around, running, SalesKind::All).await, computed(orders, |_, _| String::new()));
}

both_stores! {
    async fn what_was_sold_is_told_also_after_a_stop_and_a_rebuild(database: Database) {
        let around = Surroundings::open(database).await;
        let mut running = around.start().await;
        let received = Allocation { sku: "TEA".to_owned(), location: "main".to_owned(), quantity: 24 };
        around.inventory.say("TEA", StockReceived { received: Some(received) }).await;
        sell(&around, &ORDERS[..3]).await;
        eventually_told(&around, &running, &ORDERS[..3]).await;
        running.stop();
        running.wait().await.unwrap();
        sell(&around, &ORDERS[3..]).await;
        let running = around.start().await;
        eventually_told(&around, &running, &ORDERS).await;

        let mut sales = around.sales(&running);
        let taken = async || {
            let request = ForecastStockRequest { sku: "TEA".to_owned(), ..Default::default() };
            let found = around.sales(&running).forecast_stock(request).await.unwrap().into_inner().forecasts;
            found.into_iter().map(|one| (one.available, one.taken, one.outlook())).collect::<Vec<_>>()
        };
        // Today is no day yet.
        eventually(DEADLINE, "what was taken is known", async || {
            let taken = taken().await;
            if taken == [(16, 0, StockOutlook::Unknown)] { Ok(()) } else { Err(taken) }
        })
        .await;
        let ends = async |sales: &mut _| -> Vec<(i64, Vec<(i32, i64)>)> {
            let _: &mut contracts::tradewind::analytics::v1::sales_service_client::SalesServiceClient<_> = sales;
            let steps = sales.get_funnel(GetFunnelRequest::default()).await.unwrap().into_inner().steps;
            steps.into_iter().map(|step| (step.orders, step.drop_outs.iter().map(|out| (out.reason, out.orders)).collect())).collect()
        };
        let declined = vec![(CancellationReason::PaymentDeclined.into(), 2)];
        let expected = [(6, vec![]), (6, declined), (4, vec![]), (4, vec![]), (0, vec![]), (0, vec![])];
        // Two of the last were cancelled after what was sold had been told.
        eventually(DEADLINE, "every order is where it is", async || {
            let ends = ends(&mut around.sales(&running)).await;
            if ends == expected { Ok(()) } else { Err(ends) }
        })
        .await;
        let times = sales.get_step_times(GetStepTimesRequest::default()).await.unwrap().into_inner().steps;
        assert_eq!(times.iter().map(|time| time.orders).collect::<Vec<_>>(), [6, 4, 4, 0, 0]);
        assert!(times[0].p50.is_some() && times[4].p50.is_none());

        around.rebuild(&running, "analytics.sales").await;
        eventually_told(&around, &running, &ORDERS).await;
        assert_eq!((ends(&mut sales).await, taken().await), (expected.to_vec(), vec![(16, 0, StockOutlook::Unknown)]));
        // It goes on in the slot that was built.
        sell(&around, &ORDERS[..1]).await;
        eventually_told(&around, &running, &[&ORDERS[..], &ORDERS[..1]].concat()).await;
    }

    async fn malformed_requests_about_sales_name_their_fields(database: Database) {
        let around = Surroundings::open(database).await;
        let running = around.start().await;
        let mut sales = around.sales(&running);
        let backwards = ListSalesRequest {
            from_day: "2026-11-02".to_owned(),
            to_day: "2026-11-01".to_owned(),
            span: 7,
            ..Default::default()
        };
        let refused = sales.list_sales(backwards).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_deref()), (Code::InvalidArgument, Some("INVALID_REQUEST")));
        let fields: Vec<_> = violations(&refused).into_iter().map(|wrong| wrong.field).collect();
        assert_eq!(fields, ["from_day", "span"]);
        let long = GetFunnelRequest { from_day: "2020-01-01".to_owned(), ..Default::default() };
        let refused = sales.get_funnel(long).await.unwrap_err();
        assert_eq!(reason(&refused).as_deref(), Some("PERIOD_TOO_LONG"));
        let refused = sales.forecast_stock(ForecastStockRequest { days: 3, ..Default::default() }).await.unwrap_err();
        assert_eq!(reason(&refused).as_deref(), Some("INVALID_DAYS"));
    }
}
