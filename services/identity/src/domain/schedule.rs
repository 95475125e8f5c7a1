//! Which key signs, and when there has to be another. A key is published before it signs, so that whoever verifies knows it by then,
//! and after it has signed, until its last token is over.

use std::time::Duration;

use time::OffsetDateTime;

/// How long a key is published before it signs.
pub const LEAD: Duration = Duration::from_secs(24 * 3_600);
/// How long a key is published after it has signed: longer than any token is good.
pub const TAIL: Duration = Duration::from_secs(2 * 3_600);

/// When a key signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term {
    /// Its number; each key follows the one before.
    pub generation: i64,
    /// From when on.
    pub from: OffsetDateTime,
    /// Until when.
    pub until: OffsetDateTime,
}

/// The key that is to be made next, where one is due: one that signs at once where none does, or the one that follows the last.
#[must_use]
pub fn due(terms: &[Term], now: OffsetDateTime, lifetime: Duration) -> Option<Term> {
    let last = terms.iter().max_by_key(|term| term.generation);
    let generation = last.map_or(1, |last| last.generation + 1);
    let from = match last {
        // After a time in which nobody was there to make it, or where clocks differ, it signs at once.
        _ if !terms.iter().any(|term| is_on(*term, now)) => now,
        Some(last) if last.until > now + LEAD => return None,
        Some(last) => last.until.max(now),
        None => now,
    };
    Some(Term { generation, from, until: from + lifetime })
}

/// The key that is to be made in place of all there are.
#[must_use]
pub fn instead(terms: &[Term], now: OffsetDateTime, lifetime: Duration) -> Term {
    let generation = terms.iter().map(|term| term.generation).max().unwrap_or_default() + 1;
    Term { generation, from: now, until: now + lifetime }
}

/// The key that signs: the newest whose time it is, or else the newest that whoever verifies still knows.
#[must_use]
pub fn signer(terms: impl Iterator<Item = Term>, now: OffsetDateTime) -> Option<Term> {
    terms.filter(|term| !is_over(*term, now)).max_by_key(|term| (is_on(*term, now), term.generation))
}

/// Tells whether it is a key's time.
#[must_use]
pub fn is_on(term: Term, now: OffsetDateTime) -> bool {
    term.from <= now && now < term.until
}

/// Tells whether no token that a key has signed can be good any more.
#[must_use]
pub fn is_over(term: Term, now: OffsetDateTime) -> bool {
    term.until + TAIL < now
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 3_600);
    const MONTH: Duration = Duration::from_secs(30 * 24 * 3_600);

    fn at(days: u32) -> OffsetDateTime {
        OffsetDateTime::UNIX_EPOCH + DAY * days
    }

    #[test]
    fn the_first_key_signs_at_once() {
        let first = due(&[], at(0), MONTH).unwrap();
        assert_eq!(first, Term { generation: 1, from: at(0), until: at(30) });
        assert_eq!(signer([first].into_iter(), at(0)), Some(first));
        assert_eq!(due(&[first], at(28), MONTH), None);
    }

    #[test]
    fn the_next_key_is_there_a_day_before_it_signs() {
        let first = Term { generation: 1, from: at(0), until: at(30) };
        let next = due(&[first], at(29), MONTH).unwrap();
        assert_eq!(next, Term { generation: 2, from: at(30), until: at(60) });
        let both = || [first, next].into_iter();
        assert_eq!(signer(both(), at(29)), Some(first));
        assert_eq!(signer(both(), at(30)), Some(next));
        assert_eq!(due(&[first, next], at(29), MONTH), None);
        assert!(!is_over(first, at(30)) && is_over(first, at(31)));
    }

    #[test]
    fn a_key_that_is_made_instead_signs_at_once() {
        let (first, next) =
            (Term { generation: 1, from: at(0), until: at(30) }, Term { generation: 2, from: at(30), until: at(60) });
        assert_eq!(instead(&[first, next], at(7), MONTH), Term { generation: 3, from: at(7), until: at(37) });
    }

    #[test]
    fn where_none_signs_the_newest_that_is_known_does_until_there_is_another() {
        let last = Term { generation: 3, from: at(0), until: at(30) };
        assert_eq!(signer([last].into_iter(), at(30)), Some(last));
        let early = Term { generation: 4, from: at(40), until: at(70) };
        assert_eq!(signer([last, early].into_iter(), at(30)), Some(early));
        assert_eq!(due(&[early], at(30), MONTH), Some(Term { generation: 5, from: at(30), until: at(60) }));
        assert_eq!(signer([last, early].into_iter(), at(29)), Some(last));
    }

    #[test]
    fn after_a_long_sleep_there_is_a_key_all_the_same() {
        let old = Term { generation: 7, from: at(0), until: at(30) };
        assert_eq!(due(&[old], at(90), MONTH), Some(Term { generation: 8, from: at(90), until: at(120) }));
        assert_eq!(signer([old].into_iter(), at(90)), None);
    }
}
