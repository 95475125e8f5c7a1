//! Filters that somebody might write, and what they say of a thing in memory.

use proptest::prelude::*;
use tradewind_filter::{Bound, Check, Field, Kind, Operator, Says, Term, Tree, Written};

/// Something to be filtered, with the parts it is made of.
#[derive(Clone, Debug)]
pub(crate) struct Thing {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) size: i64,
    pub(crate) good: bool,
    /// Microseconds since the Unix epoch.
    pub(crate) made: i64,
    pub(crate) parts: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    Name,
    Size,
    Colour,
    Good,
    Made,
    Day,
    Part,
}

fn colour(name: &str) -> Option<i64> {
    ["RED", "GREEN", "BLUE"].iter().position(|known| *known == name).and_then(|place| i64::try_from(place).ok())
}

pub(crate) const FIELDS: [Field<By>; 7] = [
    Field::one("name", By::Name, Kind::Text),
    Field::one("size", By::Size, Kind::Number),
    Field::one("colour", By::Colour, Kind::Enum(colour)),
    Field::one("good", By::Good, Kind::Bool),
    Field::one("made", By::Made, Kind::Time),
    Field::one("day", By::Day, Kind::Day),
    Field::many("parts.name", By::Part, Kind::Text),
];

pub(crate) const NAMES: [&str; 6] = ["Tea", "green TEA", "50% off", "a_b", "Äpfel", "it's \"so\" \\ here"];
const DAY: i64 = 86_400_000_000;

/// A few of every kind, so that most filters find some and not all.
pub(crate) fn things() -> Vec<Thing> {
    let thing = |id: i64| {
        let place = usize::try_from(id).unwrap();
        Thing {
            id,
            name: NAMES[place % NAMES.len()].to_owned(),
            size: id % 5 - 2,
            good: id % 3 == 0,
            made: id * DAY / 2,
            parts: (0..place % 3).map(|part| NAMES[(place + part) % NAMES.len()].to_owned()).collect(),
        }
    };
    (0..30).map(thing).collect()
}

fn written(text: impl Into<String>, quoted: bool) -> Written {
    Written { at: 0, text: text.into(), quoted }
}

fn operators() -> impl Strategy<Value = Operator> {
    use Operator::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
    prop::sample::select(vec![Equal, NotEqual, Less, LessOrEqual, Greater, GreaterOrEqual])
}

fn same() -> impl Strategy<Value = Operator> {
    prop::sample::select(vec![Operator::Equal, Operator::NotEqual])
}

fn day(number: i64) -> String {
    format!("1970-01-{:02}", number + 1)
}

fn terms() -> impl Strategy<Value = Says> {
    let field = |name: &str, operator, value| Says::Field { name: name.to_owned(), operator, value };
    let name = || prop::sample::select(NAMES.to_vec()).prop_map(|name| written(name, true));
    prop_oneof![
        prop::sample::select(vec!["tea", "TEA", "%", "_", "ä", "so\" \\", "nothing"])
            .prop_map(|text| Says::Text(written(text, true))),
        Just(Says::Text(written("green", false))),
        (same(), name()).prop_map(move |(operator, value)| field("name", operator, value)),
        (operators(), -3_i64..4, any::<bool>()).prop_map(move |(operator, size, quoted)| field(
            "size",
            operator,
            written(size.to_string(), quoted)
        )),
        (same(), prop::sample::select(vec!["RED", "GREEN", "BLUE"])).prop_map(move |(operator, colour)| field(
            "colour",
            operator,
            written(colour, false)
        )),
        (same(), any::<bool>()).prop_map(move |(operator, good)| field(
            "good",
            operator,
            written(good.to_string(), false)
        )),
        (operators(), 0_i64..16).prop_map(move |(operator, made)| field(
            "made",
            operator,
            written(format!("{}T12:00:00Z", day(made)), made % 2 == 0)
        )),
        (operators(), 0_i64..16).prop_map(move |(operator, made)| field("day", operator, written(day(made), false))),
        name().prop_map(move |value| field("parts.name", Operator::Has, value)),
        Just(field("parts.name", Operator::Has, written("*", false))),
    ]
}

/// Filters as they are read: nothing is combined of one part alone.
pub(crate) fn filters() -> impl Strategy<Value = Tree<Term>> {
    let leaf = terms().prop_map(|says| Tree::Leaf(Term { at: 0, says }));
    leaf.prop_recursive(3, 20, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(Tree::All),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Tree::Any),
            inner.prop_map(|part| Tree::Not(Box::new(part))),
        ]
    })
}

/// Whether a filter holds of a thing.
pub(crate) fn holds(tree: &Tree<Check<By>>, thing: &Thing) -> bool {
    match tree {
        Tree::All(parts) => parts.iter().all(|part| holds(part, thing)),
        Tree::Any(parts) => parts.iter().any(|part| holds(part, thing)),
        Tree::Not(part) => !holds(part, thing),
        Tree::Leaf(check) => is(check, thing),
    }
}

fn is(check: &Check<By>, thing: &Thing) -> bool {
    match check {
        Check::Text(text) => thing.name.to_lowercase().contains(&text.to_lowercase()),
        Check::HasAny(_) => !thing.parts.is_empty(),
        Check::Has(_, bound) => thing.parts.iter().any(|part| *bound == Bound::Text(part.clone())),
        Check::Is(by, operator, bound) => {
            let order = match (by, bound) {
                (By::Name, Bound::Text(name)) => thing.name.cmp(name),
                (By::Size, Bound::Number(size)) => thing.size.cmp(size),
                (By::Colour, Bound::Number(colour)) => (thing.id % 3).cmp(colour),
                (By::Good, Bound::Bool(good)) => thing.good.cmp(good),
                (By::Made, Bound::Number(made)) => thing.made.cmp(made),
                (By::Day, Bound::Within(begin, _)) => (thing.made - thing.made % DAY).cmp(begin),
                odd => panic!("{odd:?}"),
            };
            match operator {
                Operator::Equal => order.is_eq(),
                Operator::NotEqual => order.is_ne(),
                Operator::Less => order.is_lt(),
                Operator::LessOrEqual => order.is_le(),
                Operator::Greater => order.is_gt(),
                Operator::GreaterOrEqual => order.is_ge(),
                Operator::Has => panic!("{by:?} is no list"),
            }
        }
    }
}
