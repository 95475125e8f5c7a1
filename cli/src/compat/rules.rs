//! What each option promises: a row for every option there is.

use crate::said::{Said, Sayings, text};

/// What may become of an option's value.
pub(super) enum Rule {
    /// Whatever becomes of it breaks nobody: it only tells people something, or its parts have rows of their own.
    Free,
    /// It stays what it is, said or not.
    Kept,
    /// Said once, it stays what it is.
    Once,
    /// It may be dropped, and is neither said later nor changed.
    Dropped,
    /// Of a list, nothing goes.
    Keeps,
    /// One of a list will do, anything where there is none: nothing goes, and none is said later.
    Choice,
    /// It becomes no less. Where it is not said, it is this.
    NoLess(i128),
    /// It becomes no more. Where it is not said, it is this.
    NoMore(i128),
    /// It goes to none that stands before it in this list, and what is not in the list stays. Where it is not said, it is the
    /// first of the two.
    Rank(&'static str, &'static [&'static str]),
    /// What it says beside others of the same element decides.
    Judged(fn(&Sayings, &Sayings) -> bool),
}

/// Whom a change of an option concerns.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Whom {
    /// Whoever calls the method, sends the request or reads the event.
    Users,
    /// Whoever sends the field in a request. What is in no request is not held to it.
    Askers,
    /// Those who stand in the list no more.
    Gone,
    /// Users, and the owners of the events that stand in the list no more.
    Owners,
}

/// An option.
pub(super) struct Row {
    /// Its path, from the extension on.
    pub(super) option: &'static str,
    /// What may become of it.
    pub(super) rule: Rule,
    /// Whom a change concerns.
    pub(super) whom: Whom,
    /// What comes of a change that is refused.
    pub(super) why: &'static str,
}

const fn row(option: &'static str, rule: Rule, whom: Whom, why: &'static str) -> Row {
    Row { option, rule, whom, why }
}

const SECOND: i128 = 1_000_000_000;
/// The most characters of a text that does not say it, as `options.proto` has it.
const USUAL_LENGTH: i128 = 512;

/// What a method says of repetitions.
pub(super) const RETRY: Rule = Rule::Judged(repeated);
/// For whom a method is, the fewest first.
pub(super) const AUDIENCE: Rule =
    Rule::Rank("AUDIENCE_INTERNAL", &["AUDIENCE_INTERNAL", "AUDIENCE_STAFF", "AUDIENCE_CUSTOMER", "AUDIENCE_PUBLIC"]);
const CRITICALITY: Rule =
    Rule::Rank("CRITICALITY_DEFAULT", &["CRITICALITY_SHEDDABLE", "CRITICALITY_DEFAULT", "CRITICALITY_CRITICAL"]);
/// What only informs may come to move something; all else is another thing.
const ROLE: Rule = Rule::Rank("ROLE_UNSPECIFIED", &["ROLE_OBSERVE", "ROLE_PROGRESS"]);

/// Every option. `every_option_has_its_rule` compares it with the options that are declared.
pub(super) static ROWS: &[Row] = &[
    row("method", Rule::Once, Whom::Users, "nobody may call a method that says nothing"),
    row("method.callers", Rule::Keeps, Whom::Gone, "whoever is no longer named is refused"),
    row("method.audience", AUDIENCE, Whom::Users, "people whom it was meant for are refused"),
    row("method.timeout", Rule::NoLess(5 * SECOND), Whom::Users, "calls that took their time are cut off"),
    row("method.criticality", CRITICALITY, Whom::Users, "its calls are shed before those of others"),
    row(
        "method.retry",
        RETRY,
        Whom::Users,
        "builds that are about repeat what may not be repeated any more, or give no request its id",
    ),
    row("method.hedge_after", Rule::Judged(hedged), Whom::Users, "servers that are about may not be asked twice"),
    // It is for people to read, and nothing goes by it.
    row("method.no_request_id", Rule::Free, Whom::Users, ""),
    row("service", Rule::Once, Whom::Users, "whose service it is cannot be told"),
    row("service.context", Rule::Kept, Whom::Users, "certificates, subjects and logs have its name"),
    // Whoever reads by consumers that are not there any more reads of the owner.
    row("service.reader", Rule::Free, Whom::Users, ""),
    row("service.reacts", Rule::Free, Whom::Users, ""),
    row("service.reacts.reaction", Rule::Kept, Whom::Users, "what is in quarantine or on its way has its name"),
    row("service.reacts.event", Rule::Kept, Whom::Users, "nobody does that about the event any more"),
    row("service.reacts.role", ROLE, Whom::Users, "what was given up or passed over under its role is not settled"),
    row("service.reacts.undo", Rule::Once, Whom::Users, "what was taken on is not taken back"),
    row("event", Rule::Once, Whom::Users, "what is no event is neither published nor read"),
    row("event.owner", Rule::Kept, Whom::Users, "its readers look for it in another's log"),
    row("event.aggregate", Rule::Kept, Whom::Users, "it is in another stream, and in no order with the others"),
    row("event.expects", Rule::Free, Whom::Users, ""),
    row("event.expects.any_of", Rule::Choice, Whom::Owners, "what has followed so far counts as stuck"),
    row("event.expects.within", Rule::NoLess(i128::MAX), Whom::Users, "what was in time counts as stuck"),
    row("sensitive", Rule::Once, Whom::Users, "it shows in logs, in traces and to readers outside"),
    row("waits", Rule::Kept, Whom::Askers, "a repetition that a build before has answered is another request"),
    row("max_length", Rule::NoLess(USUAL_LENGTH), Whom::Askers, "texts that were taken are refused"),
    row("owner", Rule::Once, Whom::Askers, "whose a request is means something else, or nothing"),
    row("holds", Rule::Free, Whom::Askers, ""),
    row("holds.required", Rule::NoMore(0), Whom::Askers, "requests without it are refused"),
    row("holds.pattern", Rule::Dropped, Whom::Askers, "texts that were taken may be refused"),
    row("holds.format", Rule::Judged(widened), Whom::Askers, "texts that were taken are refused"),
    row("holds.minimum", Rule::NoMore(i128::MIN), Whom::Askers, "numbers that were taken are refused"),
    row("holds.maximum", Rule::NoLess(i128::MAX), Whom::Askers, "numbers that were taken are refused"),
    row("holds.min_length", Rule::NoMore(0), Whom::Askers, "texts that were taken are refused"),
    row("holds.max_length", Rule::Judged(as_long), Whom::Askers, "texts that were taken are refused"),
    row("holds.max_items", Rule::NoLess(i128::MAX), Whom::Askers, "lists that were taken are refused"),
];

/// The row of an option.
pub(super) fn of(option: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.option == option)
}

impl Rule {
    /// Whether whoever was built against `old` can live with `new`.
    pub(super) fn allows(&self, option: &str, old: &Sayings, new: &Sayings) -> bool {
        let (was, is) = (old.get(option), new.get(option));
        let number = |said: Option<&Said>, unsaid: i128| said.and_then(Said::number).unwrap_or(unsaid);
        let words = |said: Option<&Said>| said.map(|said| said.words().to_vec()).unwrap_or_default();
        let all = |of: &[String], within: &[String]| of.iter().all(|word| within.contains(word));
        match self {
            Self::Free => true,
            Self::Kept => was == is,
            Self::Once => was.is_none() || was == is,
            Self::Dropped => is.is_none() || was == is,
            Self::Keeps => all(&words(was), &words(is)),
            Self::Choice => {
                let (was, is) = (words(was), words(is));
                is.is_empty() || !was.is_empty() && all(&was, &is)
            }
            Self::NoLess(unsaid) => number(is, *unsaid) >= number(was, *unsaid),
            Self::NoMore(unsaid) => number(is, *unsaid) <= number(was, *unsaid),
            Self::Rank(unsaid, order) => {
                let word = |said: Option<&Said>| match said {
                    Some(Said::Word(word)) => word.clone(),
                    _ => (*unsaid).to_owned(),
                };
                let (was, is) = (word(was), word(is));
                let place = |word: &String| order.iter().position(|known| known == word);
                was == is || place(&was).zip(place(&is)).is_some_and(|(was, is)| is > was)
            }
            Self::Judged(judged) => judged(old, new),
        }
    }
}

/// Whoever repeats may go on to, and whoever gives no id is not refused for it.
fn repeated(old: &Sayings, new: &Sayings) -> bool {
    let is = |said: &Sayings, class: &str| text(said, "method.retry") == class;
    let (safe, with_id) = ("RETRY_CLASS_SAFE", "RETRY_CLASS_WITH_REQUEST_ID");
    match () {
        () if is(new, safe) => true,
        () if is(old, safe) => false,
        () => is(old, with_id) == is(new, with_id),
    }
}

/// What is asked twice has to be harmless for those who serve it now.
fn hedged(old: &Sayings, new: &Sayings) -> bool {
    !new.contains_key("method.hedge_after") || text(old, "method.retry") == "RETRY_CLASS_SAFE"
}

/// `lines` takes every text, `text` all that have one line.
fn widened(old: &Sayings, new: &Sayings) -> bool {
    match (text(old, "holds.format"), text(new, "holds.format")) {
        (was, is) if was == is => true,
        (_, "") => true,
        ("" | "password", _) => false,
        (_, "lines") => true,
        ("lines", _) => false,
        (_, is) => is == "text",
    }
}

/// Both options say how long a text may be, and the shorter one counts.
fn as_long(old: &Sayings, new: &Sayings) -> bool {
    let number = |said: &Sayings, option: &str| said.get(option).and_then(Said::number).filter(|most| *most > 0);
    let was = number(old, "max_length").unwrap_or(USUAL_LENGTH);
    let was = number(old, "holds.max_length").map_or(was, |most| most.min(was));
    number(new, "holds.max_length").is_none_or(|most| most >= was)
}
