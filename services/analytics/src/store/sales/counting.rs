//! How sums follow the rows of orders, in the transaction that has written them: by what has changed of an order since it was counted
//! last. A row says itself what of it is counted, so nothing is counted twice.

mod sold;
mod steps;

use std::sync::LazyLock;

use sea_orm::sea_query::{
    Alias, Expr, ExprTrait as _, InsertStatement, OnConflict, Query, SelectStatement, UnionType, UpdateStatement,
};
use tradewind_projections::{Follow, Slot};
use tradewind_sql::Then;

use super::customer;
use super::sale::Column as Of;
use super::tables::table_in as table;
use crate::domain::Span;

/// Brings every sum up to the rows of orders that this transaction has written.
pub(super) static COUNT: LazyLock<Follow> = LazyLock::new(|| {
    Follow::new(|slot| {
        vec![
            Then::new(&counted_among_another(slot)),
            Then::new(&settled(slot)),
            Then::new(&sold::sums(slot)),
            Then::new(&steps::sums(slot)),
            Then::new(&counted(slot)),
        ]
    })
});

/// The steps of an order, by the contract's numbers, with the column that says when it was taken and the one that says when the step
/// before was.
const STEPS: [(i64, Of, Of); 6] = [
    (1, Of::Placed, Of::Placed),
    (2, Of::StockConfirmed, Of::Placed),
    (3, Of::Paid, Of::StockConfirmed),
    (4, Of::Confirmed, Of::Paid),
    (5, Of::Shipped, Of::Confirmed),
    (6, Of::Delivered, Of::Shipped),
];
const CONFIRMED: i64 = bit(4);
const CANCELLED: i64 = bit(7);

/// The bit that says that a step is counted.
const fn bit(step: i64) -> i64 {
    1 << step
}

fn of(column: Of) -> Expr {
    Expr::col((Alias::new("sale"), column))
}

fn number(holds: Expr) -> Expr {
    Expr::case(holds, Expr::val(1_i64)).finally(Expr::val(0_i64)).into()
}

fn is(column: Of) -> Expr {
    of(column).is_not_null()
}

fn is_counted(bits: i64) -> Expr {
    of(Of::Counted).bit_and(Expr::val(bits)).eq(Expr::val(bits))
}

fn changed() -> Expr {
    of(Of::Changed).eq(Expr::val(1_i64)).and(is(Of::Placed))
}

/// Orders of customers who are counted among another cohort have changed.
fn counted_among_another(slot: Slot) -> UpdateStatement {
    let mut moved = Query::select();
    moved
        .column(customer::Column::CustomerId)
        .from(table(slot, "customer"))
        .and_where(Expr::col(customer::Column::Moved).eq(Expr::val(1_i64)));
    Query::update()
        .table(table(slot, "sale"))
        .value(Of::Changed, Expr::val(1_i64))
        .and_where(Expr::col(Of::CustomerId).in_subquery(moved))
        .to_owned()
}

fn settled(slot: Slot) -> UpdateStatement {
    Query::update()
        .table(table(slot, "customer"))
        .value(customer::Column::Moved, Expr::val(0_i64))
        .and_where(Expr::col(customer::Column::Moved).eq(Expr::val(1_i64)))
        .to_owned()
}

fn each_of(name: &'static str) -> Expr {
    Expr::col((Alias::new("each"), Alias::new(name)))
}

fn span() -> Expr {
    Expr::col((Alias::new("span"), Alias::new("number")))
}

/// These spans by their numbers, so that what is counted is counted in each of them.
fn spans(all: &[Span]) -> SelectStatement {
    let one = |span: &Span| Query::select().expr_as(Expr::val(span.number()), "number").to_owned();
    let mut spans = all.iter().map(one);
    let mut first = spans.next().unwrap_or_default();
    first.unions(spans.map(|more| (UnionType::All, more)));
    first
}

/// Groups by these columns, in an order that two transactions agree on.
fn grouped(sums: &mut SelectStatement, columns: [&'static str; 5]) {
    for name in columns {
        let column = || Expr::col(Alias::new(name));
        sums.add_group_by([column()]).order_by_expr(column(), sea_orm::Order::Asc);
    }
}

/// Adds what a query gives to the rows that have the same key.
#[expect(clippy::expect_used, reason = "it has as many columns, or nothing would ever be counted")]
fn insert<C: sea_orm::ColumnTrait>(
    slot: Slot,
    name: &'static str,
    key: &[C],
    adds: &[C],
    sums: SelectStatement,
) -> InsertStatement {
    let mut on_conflict = OnConflict::columns(key.iter().copied());
    for column in adds {
        let sum = Expr::col((table(slot, name), *column)).add(Expr::col((Alias::new("excluded"), *column)));
        on_conflict.value(*column, sum);
    }
    let mut insert = Query::insert();
    insert
        .into_table(table(slot, name))
        .columns(key.iter().chain(adds).copied())
        .select_from(sums)
        .expect("a value for each column")
        .on_conflict(on_conflict);
    insert
}

/// All that an order is by now has been counted.
fn counted(slot: Slot) -> UpdateStatement {
    let name = || table(slot, "sale");
    let is = |column: Of| Expr::col((name(), column)).is_not_null();
    let bits = STEPS.iter().map(|(step, column, _)| (bit(*step), *column)).chain([(CANCELLED, Of::Cancelled)]);
    let bits =
        bits.map(|(bit, column)| -> Expr { Expr::case(is(column), Expr::val(bit)).finally(Expr::val(0_i64)).into() });
    let bits = bits.reduce(Expr::add).unwrap_or_else(|| Expr::val(0_i64));
    let mut cohort = Query::select();
    cohort
        .column(customer::Column::Cohort)
        .from_as(table(slot, "customer"), "customer")
        .and_where(Expr::col((Alias::new("customer"), customer::Column::CustomerId)).equals((name(), Of::CustomerId)));
    Query::update()
        .table(name())
        .value(Of::Counted, bits)
        .value(Of::Cohort, Expr::from(cohort))
        .value(Of::Changed, Expr::val(0_i64))
        .and_where(Expr::col(Of::Changed).eq(Expr::val(1_i64)))
        .and_where(Expr::col(Of::Placed).is_not_null())
        .to_owned()
}
