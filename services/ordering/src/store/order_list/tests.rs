use sea_orm::QueryTrait;
use tradewind_domain::OrderId;
use tradewind_filter::{Sorted, check, order_by, parse};
use tradewind_projections::Slot;
use tradewind_store::{Clock, Store, StoreOptions};
use tradewind_testing::{Database, block_on, plan};

use super::{Filter, Place, rows};
use crate::store::migrations;
use crate::store::order_fields::{By, FILTERED, SORTED, ordered};

/// Every filter that is looked up in an index, and some that are not: on PostgreSQL, in the order in which they are asked for.
const ASKED: [(&str, &str, &str); 9] = [
    ("country = IE", "", "order_list_pkey"),
    ("tea", "", "order_list_pkey"),
    ("status = PAID", "", "order_list_by_status"),
    ("customer_id = ada", "", "order_list_by_customer"),
    ("lines.product_id:tea total.minor > 100", "", "order_line_by_product"),
    ("lines.sku:TEA", "", "order_line_by_sku"),
    ("day = 2026-11-28 status = PAID", "", "order_list_by_created"),
    ("update_time > 2026-11-28T00:00:00Z", "update_time", "order_list_by_updated"),
    ("total.currency = GBP", "total.minor desc", "order_list_by_total_minor"),
];

fn filter(filter: &str, order: &str) -> Filter {
    let wanted = parse(filter).unwrap().map(|tree| check(tree, &FILTERED).unwrap());
    let order: Vec<Sorted<By>> = ordered(order_by(order, &SORTED).unwrap(), wanted.as_ref());
    let behind = Some(place(&order));
    Filter { wanted, order, behind, ..Filter::default() }
}

fn place(order: &[Sorted<By>]) -> Place {
    Place(vec![0; order.len()], OrderId::generate())
}

#[test]
fn what_is_looked_at_for_a_page_is_found_by_an_index() {
    let database = Database::postgres();
    block_on(async {
        let (url, clock) = (database.url(), Clock::system());
        let options = StoreOptions { url, context: "ordering", migrations: migrations(), clock, partitions: None };
        let store = Store::open(options).await.unwrap();
        for (asked, order, index) in ASKED {
            let filter = filter(asked, order);
            let looked = place(&filter.order);
            let query = rows(Slot::First, &filter, Some(&looked)).into_query();
            let plan = plan(store.reader(), &query).await;
            let text = plan.join("\n");
            assert!(text.contains(index), "{asked}: {text}");
            let scans = plan.iter().zip(plan.iter().skip(1)).filter(|(line, _)| line.contains(" on order_"));
            for (scan, next) in scans {
                assert!(scan.contains("Index") && next.contains("Index Cond"), "{asked} reads {scan} whole: {text}");
            }
        }
    });
}
