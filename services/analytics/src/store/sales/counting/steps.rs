//! The sums of steps.

use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait as _, Func, InsertStatement, Query, UnionType};
use tradewind_projections::Slot;

use super::super::sale::Column as Of;
use super::super::tables::table_in as table;
use super::super::taken_step;
use super::{CANCELLED, STEPS, bit, changed, each_of, grouped, insert, is, is_counted, of, span, spans};
use crate::domain::{EXACT, Span, doublings, last_class};

/// Every step that was taken since, with the class of the time it took; and where the cancelled ended.
pub(super) fn sums(slot: Slot) -> InsertStatement {
    let one = |step: Expr, reason: Expr, ms: Expr| {
        let mut one = Query::select();
        one.expr_as(of(Of::Day), "day")
            .expr_as(of(Of::Month), "month")
            .expr_as(step, "step")
            .expr_as(reason, "reason")
            .expr_as(ms, "ms")
            .from_as(table(slot, "sale"), "sale")
            .and_where(changed());
        one
    };
    let taken = |(step, taken, before): (i64, Of, Of)| {
        let before = Func::coalesce([of(before), of(taken)]);
        let ms = of(taken).sub(before).div(Expr::val(1_000_i64));
        one(Expr::val(step), Expr::val(-1_i64), ms)
            .and_where(is(taken))
            .and_where(is_counted(bit(step)).not())
            .to_owned()
    };
    let last = STEPS[1..].iter().rev().fold(None, |case: Option<CaseStatement>, (step, column, _)| {
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
    let ms = || each_of("ms");
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
    sums.expr_as(span(), "span")
        .expr_as(
            Expr::case(span().eq(Expr::val(Span::Day.number())), each_of("day")).finally(each_of("month")),
            "start",
        )
        .expr_as(each_of("step"), "step")
        .expr_as(each_of("reason"), "reason")
        .expr_as(class, "class")
        .expr_as(each_of("step").count(), "orders")
        .from_subquery(each, "each")
        .from_subquery(spans(&[Span::Day, Span::Month]), "span");
    grouped(&mut sums, ["span", "start", "step", "reason", "class"]);
    use taken_step::Column::{Class, Orders, Reason, Span as OfSpan, Start, Step};
    insert(slot, "taken_step", &[OfSpan, Start, Step, Reason, Class], &[Orders], sums)
}
