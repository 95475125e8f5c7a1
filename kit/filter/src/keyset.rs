//! Where a page begins and how far it looks, whatever has come or gone since: by what an item has in the columns that are sorted by.

use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{Condition, Value};

/// A column that is sorted by, whether the largest comes first, and what an item has there.
pub type Key = (Expr, bool, Value);

/// What follows an item in an order. The last of its `keys` is its own.
#[must_use]
pub fn following(keys: &[Key]) -> Condition {
    let Some(((first, descending, value), is_row)) = shape(keys) else { return Condition::all() };
    if is_row {
        let (columns, values) = rows(keys);
        return Condition::all().add(if *descending { columns.lt(values) } else { columns.gt(values) });
    }
    // Said once more of the first, so that an index finds where to begin.
    let begins = if *descending { first.clone().lte(value.clone()) } else { first.clone().gte(value.clone()) };
    Condition::all().add(begins).add(behind(keys))
}

/// The item itself, and what comes before it.
#[must_use]
pub fn up_to(keys: &[Key]) -> Condition {
    let Some(((first, descending, value), is_row)) = shape(keys) else { return Condition::all() };
    if is_row {
        let (columns, values) = rows(keys);
        return Condition::all().add(if *descending { columns.gte(values) } else { columns.lte(values) });
    }
    let ends = if *descending { first.clone().gte(value.clone()) } else { first.clone().lte(value.clone()) };
    Condition::all().add(ends).add(behind(keys).not())
}

/// The first key, and whether all are sorted the same way: then they compare as a row, which an index of its columns finds.
fn shape(keys: &[Key]) -> Option<(&Key, bool)> {
    let first = keys.first()?;
    Some((first, keys.iter().all(|(_, descending, _)| *descending == first.1)))
}

fn rows(keys: &[Key]) -> (Expr, Expr) {
    match keys {
        [(column, _, value)] => (column.clone(), Expr::val(value.clone())),
        _ => (
            Expr::tuple(keys.iter().map(|(column, ..)| column.clone())),
            Expr::tuple(keys.iter().map(|(.., value)| Expr::val(value.clone()))),
        ),
    }
}

/// The same as some first keys, and beyond in the next.
fn behind(keys: &[Key]) -> Condition {
    (0..keys.len()).fold(Condition::any(), |any, place| {
        let same = keys[..place].iter().map(|(column, _, value)| column.clone().eq(value.clone()));
        let (column, descending, value) = &keys[place];
        let beyond = if *descending { column.clone().lt(value.clone()) } else { column.clone().gt(value.clone()) };
        any.add(same.fold(Condition::all(), Condition::add).add(beyond))
    })
}
