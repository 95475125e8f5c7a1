//! Turns rows into what is played: a catalogue, orders in time order, cancellations, and stock that
//! makes the end of every order known beforehand.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use time::PrimitiveDateTime;

use super::rows::{MOST_UNITS, Row};

/// A product as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listing {
    pub(crate) product_id: String,
    pub(crate) sku: String,
    pub(crate) name: String,
    /// Price of one unit in pence: the first one seen.
    pub(crate) pence: i64,
    /// Units to receive before the first order.
    pub(crate) stock: i64,
}

/// How an order must end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum End {
    Confirmed,
    OutOfStock,
    CancelledByCustomer,
}

/// One invoice as an order.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    pub(crate) invoice: String,
    pub(crate) customer: String,
    pub(crate) country: &'static str,
    /// Product ids and units, one entry a product.
    pub(crate) lines: Vec<(String, i32)>,
    pub(crate) end: End,
}

/// Everything that is played, and what was noticed on the way.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) products: Vec<Listing>,
    pub(crate) orders: Vec<Planned>,
    /// Rows whose price is not the product's first.
    pub(crate) differing_prices: usize,
    /// Returns that match an order exactly.
    pub(crate) cancellations: usize,
    /// Returns that do not.
    pub(crate) no_matching_order: usize,
    /// Invoices that cannot be an order, and why.
    pub(crate) impossible: Vec<String>,
}

/// One order in this many may be planned to find nothing on the shelf, at most.
const SHORT_ONE_IN: usize = 33;
const MAX_LINES: usize = 1000;

type Basket = BTreeMap<String, i32>;

struct Invoice {
    number: String,
    at: PrimitiveDateTime,
    customer: String,
    country: String,
    basket: Basket,
}

/// Plans the first `limit` orders.
pub(crate) fn plan(rows: &[Row], limit: usize) -> Plan {
    let mut plan = Plan::default();
    let mut listings: HashMap<String, Listing> = HashMap::new();
    for row in rows {
        let product_id = row.stock_code.to_ascii_lowercase();
        let listing = listings.entry(product_id.clone()).or_insert_with(|| Listing {
            product_id,
            sku: row.stock_code.clone(),
            name: row.stock_code.clone(),
            pence: row.pence,
            stock: 0,
        });
        plan.differing_prices += usize::from(listing.pence != row.pence);
        if listing.name == row.stock_code && !row.description.is_empty() {
            listing.name = row.description.chars().take(200).collect();
        }
    }
    let (returns, mut sales): (Vec<_>, Vec<_>) =
        invoices(rows).into_iter().partition(|invoice| invoice.number.starts_with('C'));
    let at_most = i32::try_from(MOST_UNITS).unwrap_or(i32::MAX);
    sales.retain(|invoice| {
        let (lines, units) = (invoice.basket.len(), invoice.basket.values().copied().max().unwrap_or_default());
        let possible = lines <= MAX_LINES && units <= at_most;
        if !possible {
            plan.impossible
                .push(format!("invoice {}: {lines} lines, up to {units} units of a product", invoice.number));
        }
        possible
    });
    sales.truncate(limit);

    let empty_shelves = empty_shelves(&sales);
    let mut orders: Vec<Planned> = Vec::with_capacity(sales.len());
    for sale in &sales {
        let short = sale.basket.keys().any(|product| empty_shelves.contains(product.as_str()));
        for (product, units) in &sale.basket {
            if let Some(listing) = listings.get_mut(product).filter(|_| !empty_shelves.contains(product.as_str())) {
                listing.stock += i64::from(*units);
            }
        }
        orders.push(Planned {
            invoice: sale.number.clone(),
            customer: if is_customer(&sale.customer) { sale.customer.clone() } else { "anonymous".to_owned() },
            country: country_code(&sale.country),
            lines: sale.basket.iter().map(|(product, units)| (product.clone(), *units)).collect(),
            end: if short { End::OutOfStock } else { End::Confirmed },
        });
    }
    cancel(&mut plan, &sales, &mut orders, &returns);
    let ordered: BTreeSet<&String> = sales.iter().flat_map(|sale| sale.basket.keys()).collect();
    plan.products = ordered.iter().filter_map(|product| listings.remove(*product)).collect();
    plan.orders = orders;
    plan
}

/// Whether an order can be on that name.
fn is_customer(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Rows of one invoice together, in time order; lines of one product are added up.
fn invoices(rows: &[Row]) -> Vec<Invoice> {
    let mut index: HashMap<&str, usize> = HashMap::new();
    let mut invoices: Vec<Invoice> = Vec::new();
    for row in rows {
        let at = *index.entry(&row.invoice).or_insert_with(|| {
            invoices.push(Invoice {
                number: row.invoice.clone(),
                at: row.at,
                customer: row.customer.clone(),
                country: row.country.clone(),
                basket: Basket::new(),
            });
            invoices.len() - 1
        });
        let units = invoices[at].basket.entry(row.stock_code.to_ascii_lowercase()).or_default();
        *units = units.saturating_add(row.quantity);
    }
    invoices.sort_by_key(|invoice| invoice.at);
    invoices
}

/// Marks the orders that a return matches exactly: same customer, same products, same units, later.
fn cancel(plan: &mut Plan, sales: &[Invoice], orders: &mut [Planned], returns: &[Invoice]) {
    for returned in returns {
        let basket: Basket = returned.basket.iter().map(|(product, units)| (product.clone(), -units)).collect();
        let matching = sales.iter().zip(orders.iter_mut()).find(|(sale, order)| {
            order.end == End::Confirmed
                && sale.at <= returned.at
                && !sale.customer.is_empty()
                && sale.customer == returned.customer
                && sale.basket == basket
        });
        match matching {
            Some((_, order)) => {
                order.end = End::CancelledByCustomer;
                plan.cancellations += 1;
            }
            None => plan.no_matching_order += 1,
        }
    }
}

/// The products that get no stock: the rarest ones, together wanted by at most one order in
/// [`SHORT_ONE_IN`]. Every other product gets what all orders want of it, so that no order's end
/// depends on which of two comes first.
fn empty_shelves(sales: &[Invoice]) -> BTreeSet<&str> {
    let mut wanted_by: BTreeMap<&str, usize> = BTreeMap::new();
    for product in sales.iter().flat_map(|sale| sale.basket.keys()) {
        *wanted_by.entry(product).or_default() += 1;
    }
    let mut rarest: Vec<(usize, &str)> = wanted_by.into_iter().map(|(product, orders)| (orders, product)).collect();
    rarest.sort_unstable();
    let mut left = sales.len() / SHORT_ONE_IN;
    let mut empty = BTreeSet::new();
    for (orders, product) in rarest {
        if orders > left {
            break;
        }
        left -= orders;
        empty.insert(product);
    }
    empty
}

/// ISO 3166-1 alpha-2 of the names the data sets use; the shop's own country for what is none.
fn country_code(name: &str) -> &'static str {
    const CODES: &str = "Australia AU;Austria AT;Bahrain BH;Belgium BE;Bermuda BM;Brazil BR;Canada CA;Channel Islands JE;Cyprus CY;\
        Czech Republic CZ;Denmark DK;EIRE IE;Finland FI;France FR;Germany DE;Greece GR;Hong Kong HK;Iceland IS;\
        Israel IL;Italy IT;Japan JP;Korea KR;Lebanon LB;Lithuania LT;Malta MT;Netherlands NL;Nigeria NG;Norway NO;Poland PL;Portugal PT;\
        RSA ZA;Saudi Arabia SA;Singapore SG;Spain ES;Sweden SE;Switzerland CH;Thailand TH;United Arab Emirates AE;\
        United Kingdom GB;USA US";
    CODES
        .split(';')
        .filter_map(|entry| entry.rsplit_once(' '))
        .find(|(known, _)| *known == name)
        .map_or("GB", |(_, code)| code)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    fn row(invoice: &str, code: &str, quantity: i32, pence: i64) -> Row {
        Row {
            invoice: invoice.to_owned(),
            stock_code: code.to_owned(),
            description: String::new(),
            quantity,
            at: datetime!(2010-12-01 08:26:00),
            pence,
            customer: "17850".to_owned(),
            country: "United Kingdom".to_owned(),
        }
    }

    #[test]
    fn lines_of_one_product_are_added_up_and_the_first_price_counts() {
        let plan = plan(&[row("1", "A1", 2, 100), row("1", "A1", 3, 120)], 10);
        assert_eq!(plan.orders[0].lines, [("a1".to_owned(), 5)]);
        assert_eq!((plan.products[0].pence, plan.products[0].stock, plan.differing_prices), (100, 5, 1));
    }

    #[test]
    fn a_return_cancels_only_the_order_it_matches_exactly() {
        let rows = [row("1", "A1", 2, 100), row("2", "B1", 2, 100), row("C3", "A1", -2, 100), row("C4", "B1", -1, 100)];
        let plan = plan(&rows, 10);
        assert_eq!((plan.orders[0].end, plan.orders[1].end), (End::CancelledByCustomer, End::Confirmed));
        assert_eq!((plan.cancellations, plan.no_matching_order), (1, 1));
    }

    #[test]
    fn at_least_95_of_100_orders_find_their_stock() {
        let rows: Vec<_> = (0..200).map(|n| row(&n.to_string(), &format!("P{}", n % 150), 1, 100)).collect();
        let plan = plan(&rows, 1000);
        let short = plan.orders.iter().filter(|order| order.end == End::OutOfStock).count();
        assert!(short > 0 && short * 20 <= plan.orders.len(), "{short} of {}", plan.orders.len());
    }
}
