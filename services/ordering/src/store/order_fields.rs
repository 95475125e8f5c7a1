//! What orders can be filtered and sorted by, and where that stands in the list. Nothing that is sensitive is here.

use contracts::tradewind::ordering::v1::OrderStatus;
use sea_orm::sea_query::{Expr, ExprTrait, IntoColumnRef, Query, SelectStatement};
use sea_orm::{ColumnTrait, Condition, EntityName};
use tradewind_filter::{Check, Field, Kind, Operator, Sorted, Tree, compare, contains};
use tradewind_projections::Slot;

use super::{listed_line, listed_order};

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    OrderId,
    Customer,
    Status,
    CreateTime,
    UpdateTime,
    Day,
    TotalMinor,
    TotalCurrency,
    Country,
    Product,
    Sku,
    Name,
}

/// A filter of orders.
pub(crate) type Wanted = Tree<Check<By>>;

/// What they can be filtered by.
pub(crate) const FILTERED: [Field<By>; 12] = [
    Field::one("order_id", By::OrderId, Kind::Text),
    Field::one("customer_id", By::Customer, Kind::Text),
    Field::one("status", By::Status, Kind::Enum(status)),
    Field::one("create_time", By::CreateTime, Kind::Time),
    Field::one("update_time", By::UpdateTime, Kind::Time),
    Field::one("day", By::Day, Kind::Day),
    Field::one("total.minor", By::TotalMinor, Kind::Number),
    Field::one("total.currency", By::TotalCurrency, Kind::Text),
    Field::one("country", By::Country, Kind::Text),
    Field::many("lines.product_id", By::Product, Kind::Text),
    Field::many("lines.sku", By::Sku, Kind::Text),
    Field::many("lines.name", By::Name, Kind::Text),
];

/// What they can be sorted by; each has an index, and a number.
pub(crate) const SORTED: [(&str, By); 3] =
    [("create_time", By::CreateTime), ("update_time", By::UpdateTime), ("total.minor", By::TotalMinor)];

/// A status by its name, with or without what the contract puts before it.
fn status(name: &str) -> Option<i64> {
    let short = name.strip_prefix("ORDER_STATUS_").unwrap_or(name);
    let status = OrderStatus::from_str_name(&format!("ORDER_STATUS_{short}"))?;
    (status != OrderStatus::Unspecified).then(|| i64::from(i32::from(status)))
}

impl By {
    /// Where it stands in the list; what is of a line stands there under the order.
    pub(super) fn column(self) -> Expr {
        use listed_order::Column;
        let column = match self {
            Self::OrderId | Self::Product | Self::Sku | Self::Name => Column::OrderId,
            Self::Customer => Column::CustomerId,
            Self::Status => Column::Status,
            Self::CreateTime | Self::Day => Column::Created,
            Self::UpdateTime => Column::Updated,
            Self::TotalMinor => Column::TotalMinor,
            Self::TotalCurrency => Column::Currency,
            Self::Country => Column::Country,
        };
        column.into_expr()
    }

    /// What it is of an order in the list.
    pub(super) fn of(self, row: &listed_order::Model) -> i64 {
        match self {
            Self::UpdateTime => row.updated,
            Self::TotalMinor => row.total_minor,
            _ => row.created,
        }
    }

    /// Where it stands in a line.
    fn column_of_line(self) -> listed_line::Column {
        match self {
            Self::Sku => listed_line::Column::Sku,
            Self::Name => listed_line::Column::Name,
            _ => listed_line::Column::ProductId,
        }
    }
}

/// How many restrictions may look at the lines of each order: an order has up to a thousand.
pub(crate) const MOST_LOOKS: usize = 5;

/// How many do.
pub(crate) fn looks_at_lines(wanted: &Wanted) -> usize {
    match wanted {
        Tree::All(parts) | Tree::Any(parts) => parts.iter().map(looks_at_lines).sum(),
        Tree::Not(part) => looks_at_lines(part),
        Tree::Leaf(Check::Is(..)) => 0,
        Tree::Leaf(Check::Has(..) | Check::HasAny(_) | Check::Text(_)) => 1,
    }
}

/// What a restriction means in the tables of a slot.
pub(super) fn leaf(slot: Slot, check: &Check<By>) -> Expr {
    match check {
        Check::Is(by, operator, bound) => compare(by.column(), *operator, bound),
        // A look at the lines of one order, wherever it stands in the filter.
        Check::HasAny(_) => Expr::exists(lines_of(slot)),
        Check::Has(by, bound) => {
            let named = compare(by.column_of_line().into_expr(), Operator::Equal, bound);
            Expr::exists(lines_of(slot).and_where(named).take())
        }
        Check::Text(text) => {
            let found = contains(listed_line::Column::Folded.into_expr(), text);
            let own = contains(By::OrderId.column(), text);
            own.or(Expr::exists(lines_of(slot).and_where(found).take()))
        }
    }
}

/// The lines of the order that is looked at.
fn lines_of(slot: Slot) -> SelectStatement {
    let same = listed_line::Column::OrderId.into_expr().eq(By::OrderId.column());
    lines(slot).and_where(same).take()
}

fn lines(slot: Slot) -> SelectStatement {
    let own = listed_line::Entity;
    let order = (listed_line::Entity, listed_line::Column::OrderId).into_column_ref();
    Query::select().column(order).from_as(slot.table(own.table_name()), own).take()
}

/// The orders that have what a line is asked for by its product or SKU, by which lines are found: where that has to hold by itself.
pub(super) fn found_by_line(slot: Slot, wanted: &Wanted) -> Option<SelectStatement> {
    wanted.parts().iter().find_map(|part| match part {
        Tree::Leaf(Check::Has(by @ (By::Product | By::Sku), bound)) => {
            Some(lines(slot).and_where(compare(by.column_of_line().into_expr(), Operator::Equal, bound)).take())
        }
        _ => None,
    })
}

/// Whether what has to hold by itself names one order.
pub(super) fn names_one(wanted: &Wanted) -> bool {
    wanted.parts().iter().any(|part| matches!(part, Tree::Leaf(Check::Is(By::OrderId, Operator::Equal, _))))
}

/// Of what has to hold by itself, what the index is good for that is walked in this order.
pub(super) fn found_by_index(wanted: &Wanted, order: &[Sorted<By>]) -> Condition {
    let sorted = order.first().map(|first| first.by);
    let is_found = |by: By, operator: Operator| match by {
        By::Customer => operator == Operator::Equal,
        By::Status => operator == Operator::Equal && sorted.is_none(),
        By::Day => operator != Operator::NotEqual && sorted == Some(By::CreateTime),
        by => operator != Operator::NotEqual && sorted == Some(by),
    };
    wanted.parts().iter().fold(Condition::all(), |all, part| match part {
        Tree::Leaf(Check::Is(by, operator, bound)) if is_found(*by, *operator) => {
            all.add(compare(by.column(), *operator, bound))
        }
        _ => all,
    })
}

/// In which order orders are listed: as it was asked for; by the time of which they are wanted, where it was not; or by their ids.
pub(crate) fn ordered(asked: Vec<Sorted<By>>, wanted: Option<&Wanted>) -> Vec<Sorted<By>> {
    let bounds = |part: &Wanted| matches!(part, Tree::Leaf(Check::Is(By::CreateTime | By::Day, operator, _)) if *operator != Operator::NotEqual);
    if asked.is_empty() && wanted.is_some_and(|wanted| wanted.parts().iter().any(bounds)) {
        return vec![Sorted { by: By::CreateTime, descending: true }];
    }
    asked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_has_its_name_with_or_without_what_stands_before_it() {
        assert_eq!((status("PAID"), status("ORDER_STATUS_PAID")), (Some(3), Some(3)));
        for odd in ["paid", "UNSPECIFIED", "ORDER_STATUS_ORDER_STATUS_PAID", "3", ""] {
            assert_eq!(status(odd), None, "{odd}");
        }
    }
}
