use tradewind_domain::{DomainError, Money};
use tradewind_testing::scenario::given;

use super::*;
use crate::domain::{Assortment, AssortmentError, Offer, Order, Wanted};

fn wanted(product_id: &str, quantity: i32) -> Wanted {
    Wanted { product_id: product_id.to_owned(), quantity }
}

fn offer(sku: &str, minor: i64, retired: bool) -> Offer {
    Offer { sku: sku.to_owned(), name: "Tea".to_owned(), unit_price: gbp(minor), retired }
}

fn assortment() -> Assortment {
    [("tea", offer("SKU-TEA", 300, false)), ("old", offer("SKU-OLD", 100, true))]
        .map(|(product, offer)| (product.to_owned(), offer))
        .into_iter()
        .collect()
}

fn place_lines(lines: Vec<Line>) -> Command {
    Command::Place(Box::new(Place { lines, ..place() }))
}

fn line(unit_price: Money, quantity: i32) -> Line {
    Line { product_id: "p".to_owned(), sku: "s".to_owned(), name: String::new(), quantity, unit_price }
}

#[test]
fn an_order_is_placed_at_the_sum_of_its_lines() {
    given::<Order>([]).when(Command::Place(Box::new(place()))).then([placed()]);
}

#[test]
fn placing_the_same_order_again_changes_nothing() {
    given::<Order>([placed()]).when(Command::Place(Box::new(place()))).then([]);
    let OrderEvent::Placed(placed) = placed() else { panic!("an order is placed") };
    let of_before = OrderPlaced { country: String::new(), ..placed };
    given::<Order>([of_before.into()]).when(Command::Place(Box::new(place()))).then([]);
}

#[test]
fn another_order_cannot_take_its_id() {
    let other = Place { customer_id: "c-2".to_owned(), ..place() };
    given::<Order>([placed()]).when(Command::Place(Box::new(other))).then_refused("ORDER_ALREADY_EXISTS");
}

#[test]
fn an_expected_total_that_is_right_is_accepted() {
    let place = Place { expected_total: Some(gbp(2_000)), ..place() };
    given::<Order>([]).when(Command::Place(Box::new(place))).then([placed()]);
}

#[test]
fn an_expected_total_that_is_wrong_is_refused_and_says_what_it_is() {
    for expected in [gbp(1_999), Money::new("EUR", 2_000).unwrap()] {
        let place = Place { expected_total: Some(expected), ..place() };
        given::<Order>([]).when(Command::Place(Box::new(place))).then_refused("PRICE_CHANGED");
    }
    let error = crate::domain::OrderError::PriceChanged { expected: gbp(1_999), actual: gbp(2_000) };
    let metadata = error.metadata();
    for (fact, said) in [
        ("expected", "GBP 19.99"),
        ("expected_minor", "1999"),
        ("actual", "GBP 20.00"),
        ("actual_minor", "2000"),
        ("actual_currency", "GBP"),
    ] {
        assert_eq!(metadata.get(fact).map(String::as_str), Some(said), "{fact}");
    }
}

#[test]
fn lines_that_cannot_be_added_up_are_refused() {
    given::<Order>([]).when(place_lines(vec![])).then_refused("EMPTY_ORDER");
    let mixed = vec![line(gbp(1), 1), line(Money::new("EUR", 1).unwrap(), 1)];
    given::<Order>([]).when(place_lines(mixed)).then_refused("MIXED_CURRENCIES");
    given::<Order>([]).when(place_lines(vec![line(gbp(i64::MAX), 2)])).then_refused("TOTAL_TOO_LARGE");
    let sum = vec![line(gbp(i64::MAX), 1), line(gbp(1), 1)];
    given::<Order>([]).when(place_lines(sum)).then_refused("TOTAL_TOO_LARGE");
}

#[test]
fn nothing_can_happen_to_an_order_that_was_never_placed() {
    for command in [Command::Cancel, Command::ConfirmStock, Command::Expire, Command::Deliver] {
        given::<Order>([]).when(command).then_refused("ORDER_NOT_FOUND");
    }
}

#[test]
fn lines_of_the_same_product_are_added_up() {
    let merged = Wanted::merged(vec![wanted("tea", 1), wanted("pot", 2), wanted("tea", 3)]);
    assert_eq!(merged, [wanted("tea", 4), wanted("pot", 2)]);
}

#[test]
fn products_become_skus_at_their_price() {
    let lines = assortment().price(&[wanted("tea", 4)]).unwrap();
    let expected = Line {
        product_id: "tea".to_owned(),
        sku: "SKU-TEA".to_owned(),
        name: "Tea".to_owned(),
        quantity: 4,
        unit_price: gbp(300),
    };
    assert_eq!(lines, [expected]);
}

#[test]
fn every_unknown_product_is_named() {
    let error = assortment().price(&[wanted("a", 1), wanted("tea", 1), wanted("old", 1), wanted("b", 1)]);
    assert_eq!(error.unwrap_err().products(), ["a", "b"]);
}

#[test]
fn a_retired_product_is_refused() {
    let error = assortment().price(&[wanted("tea", 1), wanted("old", 1)]).unwrap_err();
    assert_eq!(error.reason(), "PRODUCT_RETIRED");
    assert_eq!(error, AssortmentError::Retired(vec!["old".to_owned()]));
}
