//! The sums of sales.

use sea_orm::sea_query::{Alias, Expr, ExprTrait as _, InsertStatement, JoinType, Query, SelectStatement, UnionType};
use tradewind_projections::Slot;

use super::super::sale::Column as Of;
use super::super::tables::table_in as table;
use super::super::{customer, sale_line, sold};
use super::{CANCELLED, CONFIRMED, changed, each_of, grouped, insert, is, is_counted, number, of, span, spans};
use crate::domain::Span;

/// What an order is to the sums now, and what it was when it was counted: 1 or 0, as a sale and as a cancelled one.
fn now() -> [Expr; 2] {
    [number(is(Of::Confirmed)), number(is(Of::Confirmed).and(is(Of::Cancelled)))]
}

fn before() -> [Expr; 2] {
    [number(is_counted(CONFIRMED)), number(is_counted(CONFIRMED | CANCELLED))]
}

/// What is added to the sums of a kind: for each order so many times its units and amount.
fn added(
    slot: Slot,
    kind: i64,
    key: Expr,
    [sales, cancelled]: [Expr; 2],
    [units, amount]: [Expr; 2],
) -> SelectStatement {
    let mut added = Query::select();
    added
        .expr_as(Expr::val(kind), "kind")
        .expr_as(key, "key")
        .expr_as(of(Of::Currency), "currency")
        .expr_as(of(Of::Day), "day")
        .expr_as(of(Of::Week), "week")
        .expr_as(of(Of::Month), "month")
        .expr_as(sales.clone(), "orders")
        .expr_as(sales.clone().mul(units.clone()), "units")
        .expr_as(sales.mul(amount.clone()), "amount")
        .expr_as(cancelled.clone(), "cancelled_orders")
        .expr_as(cancelled.clone().mul(units), "cancelled_units")
        .expr_as(cancelled.mul(amount), "cancelled_amount")
        .from_as(table(slot, "sale"), "sale")
        .and_where(changed());
    added
}

/// Adds to the sums of sales what has become of orders since.
pub(super) fn sums(slot: Slot) -> InsertStatement {
    let minus = |[now, then]: [Expr; 2], [was, had]: [Expr; 2]| [now.sub(was), then.sub(had)];
    let differs = || {
        let ([sale, cancelled], [was, had]) = (now(), before());
        sale.ne(was).or(cancelled.ne(had))
    };
    let whole = || [of(Of::Units), of(Of::Amount)];
    let all = added(slot, 1, Expr::val(""), minus(now(), before()), whole()).and_where(differs()).to_owned();
    let line = |column| Expr::col((Alias::new("sale_line"), column));
    let lines = [line(sale_line::Column::Units), line(sale_line::Column::Amount)];
    let product = added(slot, 2, line(sale_line::Column::ProductId), minus(now(), before()), lines)
        .join_as(
            JoinType::InnerJoin,
            table(slot, "sale_line"),
            "sale_line",
            line(sale_line::Column::OrderId).equals((Alias::new("sale"), Of::OrderId)),
        )
        .and_where(differs())
        .to_owned();
    let country = added(slot, 3, of(Of::Country), minus(now(), before()), whole()).and_where(differs()).to_owned();
    // What is counted among one cohort may belong to another by now.
    let cohort = |key: Expr, times: [Expr; 2]| {
        let is_of = |column| Expr::col((Alias::new("customer"), column));
        added(slot, 4, key, times, whole())
            .join_as(
                JoinType::InnerJoin,
                table(slot, "customer"),
                "customer",
                is_of(customer::Column::CustomerId).equals((Alias::new("sale"), Of::CustomerId)),
            )
            .and_where(differs().or(of(Of::Cohort).ne(is_of(customer::Column::Cohort))))
            .to_owned()
    };
    let [was, had] = before();
    let gone = cohort(of(Of::Cohort), [Expr::val(0_i64).sub(was), Expr::val(0_i64).sub(had)])
        .and_where(is_counted(CONFIRMED))
        .to_owned();
    let come = cohort(Expr::col((Alias::new("customer"), customer::Column::Cohort)), now())
        .and_where(is(Of::Confirmed))
        .to_owned();
    let mut each = all;
    each.unions([product, country, gone, come].map(|more| (UnionType::All, more)));

    let mut sums = Query::select();
    sums.expr_as(each_of("kind"), "kind")
        .expr_as(span(), "span")
        .expr_as(start(), "start")
        .expr_as(each_of("key"), "key")
        .expr_as(each_of("currency"), "currency");
    for name in SUMS {
        sums.expr_as(each_of(name).sum(), name);
    }
    sums.from_subquery(each, "each").from_subquery(spans(&Span::ALL), "span");
    grouped(&mut sums, ["kind", "span", "start", "key", "currency"]);
    use sold::Column::{CancelledAmount, CancelledOrders, CancelledUnits, Currency, Key, Kind, Start};
    let key = [Kind, sold::Column::Span, Start, Key, Currency];
    let adds = [
        sold::Column::Orders,
        sold::Column::Units,
        sold::Column::Amount,
        CancelledOrders,
        CancelledUnits,
        CancelledAmount,
    ];
    insert(slot, "sold", &key, &adds, sums)
}

const SUMS: [&str; 6] = ["orders", "units", "amount", "cancelled_orders", "cancelled_units", "cancelled_amount"];

/// The first day of the span.
fn start() -> Expr {
    Expr::case(span().eq(Expr::val(Span::Day.number())), each_of("day"))
        .case(span().eq(Expr::val(Span::Week.number())), each_of("week"))
        .finally(each_of("month"))
        .into()
}
