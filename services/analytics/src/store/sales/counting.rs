//! How sums follow the rows of orders, in the transaction that has written them: by what has changed of an order since it was counted
//! last. A row says itself what of it is counted, so nothing is counted twice.

use std::sync::LazyLock;

use sea_orm::sea_query::{
    Alias, Expr, ExprTrait as _, InsertStatement, OnConflict, Query, SelectStatement, UnionType, UpdateStatement,
};
use tradewind_projections::{Follow, Slot};
use tradewind_sql::Then;

use super::facts::table;
use super::sale::Column as Of;
use super::{customer, sale_line, sold, taken_step};
use crate::domain::{EXACT, Span, doublings, last_class};

/// Brings every sum up to the rows of orders that this transaction has written.
pub(super) static COUNT: LazyLock<Follow> = LazyLock::new(|| {
    Follow::new(|slot| {
        vec![
            Then::new(&counted_among_another(slot)),
            Then::new(&settled(slot)),
            Then::new(&sales(slot)),
            Then::new(&steps(slot)),
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

fn sales(slot: Slot) -> InsertStatement {
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
            sea_orm::sea_query::JoinType::InnerJoin,
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
                sea_orm::sea_query::JoinType::InnerJoin,
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

    let each_of = |name: &'static str| Expr::col((Alias::new("each"), Alias::new(name)));
    let span = || Expr::col((Alias::new("span"), Alias::new("number")));
    let start = Expr::case(span().eq(Expr::val(Span::Day.number())), each_of("day"))
        .case(span().eq(Expr::val(Span::Week.number())), each_of("week"))
        .finally(each_of("month"));
    let mut spans = Query::select();
    spans.expr_as(Expr::val(Span::Day.number()), "number");
    spans.unions(
        [Span::Week, Span::Month]
            .map(|span| (UnionType::All, Query::select().expr_as(Expr::val(span.number()), "number").to_owned())),
    );
    let mut sums = Query::select();
    sums.expr_as(each_of("kind"), "kind")
        .expr_as(span(), "span")
        .expr_as(start, "start")
        .expr_as(each_of("key"), "key")
        .expr_as(each_of("currency"), "currency");
    for name in SUMS {
        sums.expr_as(each_of(name).sum(), name);
    }
    // In an order that two transactions agree on.
    sums.from_subquery(each, "each").from_subquery(spans, "span");
    for place in 1..=5 {
        sums.add_group_by([Expr::cust(place.to_string())])
            .order_by_expr(Expr::cust(place.to_string()), sea_orm::Order::Asc);
    }
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

/// Every step that was taken since, with the class of the time it took; and where the cancelled ended.
fn steps(slot: Slot) -> InsertStatement {
    let one = |step: Expr, reason: Expr, ms: Expr| {
        let mut one = Query::select();
        one.expr_as(of(Of::Day), "day")
            .expr_as(step, "step")
            .expr_as(reason, "reason")
            .expr_as(ms, "ms")
            .from_as(table(slot, "sale"), "sale")
            .and_where(changed());
        one
    };
    let taken = |(step, taken, before): (i64, Of, Of)| {
        // Whoever reads a step twice knows of the one before all the same.
        let ms = of(taken).sub(of(before)).div(Expr::val(1_000_i64));
        one(Expr::val(step), Expr::val(-1_i64), ms)
            .and_where(is(taken))
            .and_where(is_counted(bit(step)).not())
            .to_owned()
    };
    let last =
        STEPS[1..].iter().rev().fold(None, |case: Option<sea_orm::sea_query::CaseStatement>, (step, column, _)| {
            let (holds, step) = (is(*column), Expr::val(*step));
            Some(match case {
                None => Expr::case(holds, step),
                Some(case) => case.case(holds, step),
            })
        });
    let last: Expr = last.map_or_else(|| Expr::val(1_i64), |case| case.finally(Expr::val(1_i64)).into());
    let cancelled = one(last, of(Of::Reason), Expr::val(0_i64))
        .and_where(is(Of::Cancelled))
        .and_where(is_counted(CANCELLED).not())
        .to_owned();
    let [first, others @ ..] = STEPS;
    let mut each = taken(first);
    each.unions(others.map(|step| (UnionType::All, taken(step))));
    each.union(UnionType::All, cancelled);
    let ms = || Expr::col((Alias::new("each"), Alias::new("ms")));
    let classes = doublings().fold(
        // A clock that was set back has no class.
        Expr::case(ms().lt(Expr::val(0_i64)), Expr::val(0_i64)).case(ms().lt(Expr::val(EXACT)), ms()),
        |case, of| {
            let class = ms().sub(Expr::val(of.least)).div(Expr::val(of.width)).add(Expr::val(of.first));
            case.case(ms().lt(Expr::val(of.least * 2)), class)
        },
    );
    let class = classes.finally(Expr::val(last_class()));
    let mut sums = Query::select();
    for name in ["day", "step", "reason"] {
        sums.expr_as(Expr::col((Alias::new("each"), Alias::new(name))), name);
    }
    sums.expr_as(class, "class").expr_as(ms().count(), "orders").from_subquery(each, "each");
    for place in 1..=4 {
        sums.add_group_by([Expr::cust(place.to_string())])
            .order_by_expr(Expr::cust(place.to_string()), sea_orm::Order::Asc);
    }
    use taken_step::Column::{Class, Day, Orders, Reason, Step};
    insert(slot, "taken_step", &[Day, Step, Reason, Class], &[Orders], sums)
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
