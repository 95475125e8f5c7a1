//! Checked filters as conditions of a query; every value is bound.

use sea_orm::sea_query::{Expr, ExprTrait, LikeExpr};
use sea_orm::{Condition, Value};

use crate::schema::Check;
use crate::tree::{Operator, Tree};
use crate::value::Bound;

/// The condition of a filter, of whose restrictions `leaf` says what each means in the tables of a service: [`compare`] and
/// [`contains`] do for most. No column may be NULL, for what is not true would not be false then.
pub fn condition<F>(tree: &Tree<Check<F>>, leaf: &impl Fn(&Check<F>) -> Expr) -> Condition {
    match tree {
        Tree::All(parts) => parts.iter().fold(Condition::all(), |all, part| all.add(condition(part, leaf))),
        Tree::Any(parts) => parts.iter().fold(Condition::any(), |any, part| any.add(condition(part, leaf))),
        Tree::Not(part) => condition(part, leaf).not(),
        Tree::Leaf(check) => Condition::all().add(leaf(check)),
    }
}

/// Whether a column compares so with a value.
#[must_use]
pub fn compare(column: Expr, operator: Operator, bound: &Bound) -> Expr {
    let to: Value = match bound {
        Bound::Text(text) => text.as_str().into(),
        Bound::Number(number) => (*number).into(),
        Bound::Bool(is) => (*is).into(),
        Bound::Within(begin, end) => return within(column, operator, *begin, *end),
    };
    match operator {
        Operator::Equal | Operator::Has => column.eq(to),
        Operator::NotEqual => column.ne(to),
        Operator::Less => column.lt(to),
        Operator::LessOrEqual => column.lte(to),
        Operator::Greater => column.gt(to),
        Operator::GreaterOrEqual => column.gte(to),
    }
}

fn within(column: Expr, operator: Operator, begin: i64, end: i64) -> Expr {
    match operator {
        Operator::Equal | Operator::Has => column.clone().gte(begin).and(column.lt(end)),
        Operator::NotEqual => column.clone().lt(begin).or(column.gte(end)),
        Operator::Less => column.lt(begin),
        Operator::LessOrEqual => column.lt(end),
        Operator::Greater => column.gte(end),
        Operator::GreaterOrEqual => column.gte(begin),
    }
}

/// Whether a column, which holds lower case, has a text somewhere, whatever its case.
#[must_use]
pub fn contains(column: Expr, text: &str) -> Expr {
    let mut pattern = String::from("%");
    for c in text.to_lowercase().chars() {
        if ['%', '_', '!'].contains(&c) {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern.push('%');
    column.like(LikeExpr::new(pattern).escape('!'))
}
