//! Both who keep sales, asked the same.

use std::time::Duration as Patience;

use contracts::tradewind::analytics::v1::GetStepTimesResponse;
use tradewind_projections::Slot;
use tradewind_runtime::outside::Url;

use super::*;

const PATIENCE: Patience = Patience::from_secs(10);

/// A database of the tests' ClickHouse.
pub(super) fn clickhouse() -> ClickHouse {
    let url = tradewind_testing::ClickHouse::shared().database();
    ClickHouse::new(Url::parse(&url).unwrap(), None, PATIENCE).unwrap()
}

/// Either who keeps sales.
async fn both(database: &Database, other: &Database, facts: &ClickHouse) -> [Books; 2] {
    [Books::open(database, None).await, Books::open(other, Some(facts.clone())).await]
}

async fn times(books: &Books) -> GetStepTimesResponse {
    get_step_times(&books.kept, books.days()).await.unwrap()
}

#[test]
fn either_tells_the_same_also_of_what_was_read_twice_and_is_merged() {
    block_on(async {
        let (database, other, facts) = (Database::sqlite(), Database::sqlite(), clickhouse());
        let [tables, columns] = both(&database, &other, &facts).await;
        let now = tables.now;
        let mut events: Vec<_> = orders(400, now).iter().flat_map(Order::events).collect();
        let of = |sku: &str, location: &str, quantity| Allocation {
            sku: sku.to_owned(),
            location: location.to_owned(),
            quantity,
        };
        for number in 0..200 {
            let (sku, location) = (format!("SKU-{}", number % 23), ["main", "annex"][number % 2]);
            let ago = now - Duration::hours(i64::try_from(number * 5).unwrap());
            let units = i64::try_from(number % 7).unwrap() + 1;
            let received = StockReceived { received: Some(of(&sku, location, 40 * units)) };
            // Twice of the same, in one event.
            let allocations = vec![of(&sku, location, units), of(&sku, location, 2)];
            let reserved = StockReserved { allocations, ..Default::default() };
            let released = StockReleased { allocations: vec![of(&sku, location, 1)], ..Default::default() };
            events.push(recorded(&format!("stock-{number}"), 1, ago, &received));
            events.push(recorded(&format!("reservation-{number}"), 1, ago, &reserved));
            events.push(recorded(&format!("reservation-{number}"), 2, ago, &released));
        }
        for books in [&tables, &columns] {
            books.read(&events, 64).await;
        }
        let same = async || {
            assert_eq!(columns.everything().await, tables.everything().await);
            assert_eq!(times(&columns).await, times(&tables).await);
            let (mut page_token, mut pages) = (String::new(), 0);
            while pages == 0 || !page_token.is_empty() {
                let asked = ForecastStockRequest { page_size: 10, page_token, ..Default::default() };
                let [told, expected] = [columns.forecast(asked.clone()).await, tables.forecast(asked).await];
                assert_eq!(told, expected);
                (page_token, pages) = (expected.next_page_token, pages + 1);
            }
            assert!(pages > 2, "{pages}");
        };
        same().await;
        // Again, in other batches: no table of sums could take stock twice, but its cursor sees to that.
        columns.read(&events, 7).await;
        same().await;
        facts.merge().await;
        same().await;
    });
}

#[test]
fn whatever_a_product_is_called_it_is_found_and_nothing_else_is() {
    block_on(async {
        let (database, other, facts) = (Database::sqlite(), Database::sqlite(), clickhouse());
        let names =
            ["a'b", "a\\", "\\'; DROP TABLE order_placed --", "a\tb\nc", "日本 😀", "\"", "%", "a", "'", "{x:String}"];
        let [tables, columns] = both(&database, &other, &facts).await;
        let now = tables.now;
        let order = |(number, name): (u128, &str)| Order {
            id: Uuid::from_u128(number).to_string(),
            customer: name.to_owned(),
            country: "GB",
            currency: "GBP",
            lines: vec![(name.to_owned(), 1, 100)],
            placed: now,
            steps: vec![1, 1, 1],
            cancelled: None,
        };
        let events: Vec<_> = (0..).zip(names).map(order).flat_map(|order| order.events()).collect();
        for books in [&tables, &columns] {
            books.read(&events, 64).await;
        }
        for name in names {
            let only = columns.sums(SalesKind::Product, SalesSpan::Day, name).await;
            assert_eq!(only.into_keys().map(|(_, product, _)| product).collect::<Vec<_>>(), [name]);
        }
        // Each a page of its own, which the next begins after.
        for books in [&tables, &columns] {
            let mut request = ListSalesRequest { kind: SalesKind::Product.into(), page_size: 1, ..Default::default() };
            let mut told = Vec::new();
            while told.is_empty() || !request.page_token.is_empty() {
                let asked = sales_convert::sales(&request, day_of(now)).unwrap();
                let page = list_sales(&books.kept, asked).await.unwrap();
                told.extend(page.sales.into_iter().map(|row| row.key));
                request.page_token = page.next_page_token;
            }
            let mut sorted = names;
            sorted.sort_unstable();
            assert_eq!(told, sorted);
        }
        for name in names.into_iter().chain(["a\0b", "\u{1}\u{1f}\u{7f}"]) {
            assert_eq!(facts.said(name).await, name);
        }
    });
}

#[test]
fn a_slot_is_emptied_by_itself_also_where_its_tables_are_gone() {
    block_on(async {
        use tradewind_projections::Sink as _;
        let (database, facts) = (Database::sqlite(), clickhouse());
        let books = Books::open(&database, Some(facts.clone())).await;
        books.read(&orders(20, books.now).iter().flat_map(Order::events).collect::<Vec<_>>(), 64).await;
        let before = books.everything().await;
        facts.remove(Slot::Second).await;
        facts.clear(Slot::Second).await.unwrap();
        assert_eq!(books.everything().await, before);
        facts.clear(Slot::First).await.unwrap();
        assert!(books.everything().await.0.iter().all(Sums::is_empty));
    });
}
