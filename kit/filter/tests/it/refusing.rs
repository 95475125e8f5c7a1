//! What is wrong with a filter is said, with where it is.

use tradewind_domain::Error;
use tradewind_filter::{check, parse};

use crate::generated::FIELDS;

fn refused(text: &str) -> Error {
    parse(text).and_then(|tree| check(tree.unwrap(), &FIELDS).map(drop)).unwrap_err()
}

/// Reason, position, and what is said.
fn said(text: &str) -> (&'static str, String, String) {
    let mut error = refused(text);
    let violation = error.violations.remove(0);
    assert_eq!(violation.field, "filter");
    (error.reason, error.metadata.remove("position").unwrap_or_default(), violation.description)
}

#[test]
fn each_mistake_has_its_place_and_says_what_is_expected() {
    let invalid = "INVALID_FILTER";
    let (unknown, operator, value) = ("FILTER_FIELD_UNKNOWN", "FILTER_OPERATOR_UNKNOWN", "FILTER_VALUE_INVALID");
    for (text, reason, at, says) in [
        ("size =", invalid, "7", "expected a value, found the end"),
        ("size == 1", invalid, "7", "expected a value, found \"=\""),
        ("a AND", invalid, "6", "expected a field, a text or a bracket, found the end"),
        ("a AND AND b", invalid, "7", "expected a field, a text or a bracket, found \"AND\""),
        ("OR b", invalid, "1", "expected a field, a text or a bracket, found \"OR\""),
        ("(a", invalid, "3", "expected a closing bracket, found the end"),
        ("a)", invalid, "2", "expected the end, found \")\""),
        ("()", invalid, "2", "expected a field, a text or a bracket, found \")\""),
        ("\"a\"b", invalid, "4", "expected a space, found \"b\""),
        ("ä \"b", invalid, "3", "expected the quotation mark that closes this one, found the end"),
        ("name = \"\\n\"", invalid, "9", "expected \\\\, \\\" or \\' after the backslash"),
        ("\"name\" = a", invalid, "1", "the name of a field is not in quotation marks"),
        ("\" \"", invalid, "1", "expected a text to search for, found an empty one"),
        ("a and b", invalid, "3", "write AND in capitals, or \"and\" to search for the word"),
        (
            "weight = 1",
            unknown,
            "1",
            "there is no field \"weight\"; there are name, size, colour, good, made, day, parts.name",
        ),
        ("name > a", operator, "1", "name is compared by = and != alone, not by >"),
        ("name:a", operator, "1", "name is of no list: ask for name = a"),
        ("parts.name = a", operator, "1", "parts.name is of a list, of which it is asked what it has: parts.name:a"),
        ("size = big", value, "8", "expected a whole number for size, found big"),
        ("size = 9223372036854775808", value, "8", "expected a whole number for size, found 9223372036854775808"),
        ("colour = red", value, "10", "expected one of its values, in capitals for colour, found red"),
        ("good = yes", value, "8", "expected true or false for good, found yes"),
        (
            "made > 2026-11-28",
            value,
            "8",
            "expected a time of RFC 3339, as 2026-11-28T09:00:00Z for made, found 2026-11-28",
        ),
        ("day = 2026-02-30", value, "7", "expected a day in UTC, as 2026-11-28 for day, found 2026-02-30"),
    ] {
        assert_eq!(said(text), (reason, at.to_owned(), format!("at {at}: {says}")), "{text}");
    }
}

#[test]
fn what_is_not_offered_of_the_standard_is_named() {
    for (text, at, word) in [
        ("regex(name, \"a\")", "1", "functions, as regex(…)"),
        ("made > timestamp(1)", "8", "functions, as timestamp(…)"),
        ("colour = (RED OR BLUE)", "10", "a value in brackets"),
        ("te*", "1", "wildcards"),
        ("name = \"te*\"", "8", "wildcards"),
        ("a.b.c = 1", "1", "a.b.c is deeper than one dot"),
    ] {
        let (reason, place, says) = said(text);
        assert_eq!((reason, place.as_str()), ("FILTER_UNSUPPORTED", at), "{text}");
        assert!(says.contains(word) && says.contains("not supported"), "{says}");
    }
}

#[test]
fn what_is_too_much_is_refused_before_it_is_read() {
    let long = "a ".repeat(1_001);
    assert_eq!(said(&long), ("FILTER_TOO_COMPLEX", String::new(), "must have at most 2000 bytes".to_owned()));
    assert_eq!(said(&vec!["a"; 51].join(" OR ")).0, "FILTER_TOO_COMPLEX");
    assert_eq!(said(&"(".repeat(2_000)).0, "FILTER_TOO_COMPLEX");
}
