//! What is read here of others, as functions of bytes: `make fuzz` looks for an input that panics, takes long or does not come back as it
//! was read.

use uuid::Uuid;

use crate::schema::{Field, check};
use crate::tree::{Says, Term, Tree};
use crate::value::{Bound, Kind};
use crate::{MOST_TERMS, opened, order_by, parse, sealed};

type Target = (&'static str, fn(&[u8]));

/// Each by its name.
pub const TARGETS: &[Target] = &[("filter", filter)];

const FIELDS: &[Field<u8>] = &[
    Field::one("name", 0, Kind::Text),
    Field::one("size", 1, Kind::Number),
    Field::one("good", 2, Kind::Bool),
    Field::one("time", 3, Kind::Time),
    Field::one("day", 4, Kind::Day),
    Field::one("took", 5, Kind::Duration),
    Field::many("lines.sku", 6, Kind::Text),
];

/// A text as a filter, an order and a token.
fn filter(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    if let Ok(Some(tree)) = parse(text) {
        assert!(leaves(&tree) <= MOST_TERMS);
        let printed = tree.to_string();
        if let Ok(again) = parse(&printed) {
            assert_eq!(again.map(unplaced), Some(unplaced(tree.clone())), "{printed}");
        }
        if let Ok(checked) = check(tree, FIELDS) {
            let _ = crate::condition(&checked, &|_| sea_orm::sea_query::Expr::val(true));
        }
    }
    let _ = order_by(text, &[("name", 0), ("size", 1)]).map(|sorted| assert!(sorted.len() <= 2));
    for kind in [Kind::Day, Kind::Time, Kind::Duration, Kind::Number, Kind::Bool] {
        assert!(!matches!(kind.read(text), Some(Bound::Within(begin, end)) if begin >= end));
    }
    let _ = opened(Uuid::nil(), &[text], text);
    let place = text.replace('.', "");
    assert_eq!(opened(Uuid::nil(), &[text], &sealed(Uuid::nil(), &[text], &place)), Ok(place.as_str()));
}

fn leaves<L>(tree: &Tree<L>) -> usize {
    match tree {
        Tree::All(parts) | Tree::Any(parts) => parts.iter().map(leaves).sum(),
        Tree::Not(part) => leaves(part),
        Tree::Leaf(_) => 1,
    }
}

/// The same, wherever it stood.
pub(crate) fn unplaced(tree: Tree<Term>) -> Tree<Term> {
    let unplaced = |mut term: Term| -> Result<Term, std::convert::Infallible> {
        term.at = 0;
        match &mut term.says {
            Says::Text(text) => text.at = 0,
            Says::Field { value, .. } => value.at = 0,
        }
        Ok(term)
    };
    match tree.try_map(&unplaced) {
        Ok(tree) => tree,
        Err(never) => match never {},
    }
}

#[cfg(test)]
#[path = "../../../fuzz/replay.rs"]
mod replay;
