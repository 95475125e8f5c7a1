//! What is written, and what it means.

use proptest::prelude::*;
use tradewind_filter::{MOST_DEPTH, MOST_TERMS, Tree, parse};

use crate::generated::filters;

/// How a filter is understood, with every bracket that shows it.
fn read(text: &str) -> String {
    parse(text).unwrap().map_or_else(String::new, |tree| tree.to_string())
}

#[test]
fn or_binds_tighter_than_and_and_nothing_between_is_and() {
    for (text, means) in [
        ("a b", "a AND b"),
        ("a AND b OR c AND d", "a AND b OR c AND d"),
        ("a b OR c", "a AND b OR c"),
        ("(a AND b) OR c", "(a AND b) OR c"),
        ("a OR (b OR c)", "a OR (b OR c)"),
        ("NOT a OR -b", "NOT a OR NOT b"),
        ("-(a b)", "NOT (a AND b)"),
        ("NOT (NOT a)", "NOT (NOT a)"),
        ("  ( ( a ) ) ", "a"),
        ("", ""),
        (" \t\n", ""),
    ] {
        assert_eq!(read(text), means, "{text}");
    }
    let Some(Tree::All(parts)) = parse("a AND b OR c AND d").unwrap() else { panic!("AND is outermost") };
    assert!(matches!(parts.as_slice(), [Tree::Leaf(_), Tree::Any(_), Tree::Leaf(_)]), "{parts:?}");
}

#[test]
fn values_may_hold_what_ends_a_name() {
    for (text, means) in [
        ("a=1", "a = 1"),
        ("a  !=  -30", "a != -30"),
        ("a>=2026-11-28T09:00:00+01:00", "a >= 2026-11-28T09:00:00+01:00"),
        ("lines.sku:TEA-1", "lines.sku : TEA-1"),
        ("lines.sku:*", "lines.sku : *"),
        ("a = 'it\\'s'", "a = \"it's\""),
        ("a = \"AND (\\\\\\\")\"", "a = \"AND (\\\\\\\")\""),
        ("'green tea' x-y", "\"green tea\" AND x-y"),
        ("ANDROID NOTE ORDER", "ANDROID AND NOTE AND ORDER"),
    ] {
        assert_eq!(read(text), means, "{text}");
    }
}

#[test]
fn bounds_are_just_what_they_say() {
    assert!(parse(&vec!["a"; MOST_TERMS].join(" ")).is_ok());
    assert!(parse(&vec!["a"; MOST_TERMS + 1].join(" ")).is_err());
    let deep = |depth| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
    assert!(parse(&deep(MOST_DEPTH)).is_ok() && parse(&deep(MOST_DEPTH + 1)).is_err());
}

proptest! {
    #[test]
    fn what_is_printed_reads_back(tree in filters()) {
        let printed = tree.to_string();
        let again = parse(&printed).unwrap().unwrap();
        prop_assert_eq!(again.to_string(), printed.clone());
        prop_assert_eq!(shape(&again), shape(&tree), "{}", printed);
    }
}

/// A tree without the places of what is in it.
fn shape(tree: &Tree<tradewind_filter::Term>) -> String {
    let each = |parts: &[Tree<_>]| parts.iter().map(shape).collect::<Vec<_>>().join(",");
    match tree {
        Tree::All(parts) => format!("all[{}]", each(parts)),
        Tree::Any(parts) => format!("any[{}]", each(parts)),
        Tree::Not(part) => format!("not[{}]", shape(part)),
        Tree::Leaf(term) => term.to_string(),
    }
}
