//! Which of the addresses that a peer's names lead to are endpoints. An address that an answer leaves out stays for a while, where
//! answers tell some of many in turn; one of another family than those that work is left aside where it never has. Pure: whoever
//! asks hands in the time.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::Instant;

use super::endpoint::Standing;

/// How long one that works stays that answers no longer tell.
const KEPT: Duration = Duration::from_secs(30);
/// How long one is left aside before it is tried once more.
const ASIDE: Duration = Duration::from_secs(60);

/// An address, and the number of the name that leads to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) address: SocketAddr,
    pub(super) name: usize,
}

/// One that is to be an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) found: Found,
    /// It was left aside: that it fails again is nothing new.
    pub(super) again: bool,
}

/// All that is known of them.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    seen: BTreeMap<SocketAddr, Seen>,
    /// The last whole answer.
    told: BTreeSet<SocketAddr>,
}

#[derive(Debug)]
struct Seen {
    name: usize,
    last: Instant,
    /// It has worked.
    met: bool,
    aside: Option<Instant>,
}

impl Addresses {
    /// The endpoints that there should be, by what was `found` just now: `whole` where every name was answered. `standing` says how
    /// those stand that there are.
    pub(super) fn look(
        &mut self,
        now: Instant,
        found: &[Found],
        whole: bool,
        standing: impl Fn(SocketAddr) -> Option<Standing>,
    ) -> Vec<Wanted> {
        let is_ready = |address: &SocketAddr| standing(*address) == Some(Standing::Ready);
        let told: BTreeSet<_> = found.iter().map(|found| found.address).collect();
        for &Found { address, name } in found {
            let seen = self.seen.entry(address).or_insert(Seen { name, last: now, met: false, aside: None });
            (seen.name, seen.last) = (name, now);
        }
        // Where nobody has come in their place, those who are missing were taken away.
        let taken_away = whole && told.is_subset(&self.told);
        let before = if whole { std::mem::replace(&mut self.told, told.clone()) } else { BTreeSet::new() };
        self.seen.retain(|address, seen| {
            seen.met |= is_ready(address);
            let missing = taken_away && before.contains(address);
            let stays = is_ready(address) && now.duration_since(seen.last) <= KEPT && !missing;
            told.contains(address) || !whole || stays
        });
        let works: Vec<_> = found.iter().filter(|found| is_ready(&found.address)).copied().collect();
        let mut wanted = Vec::new();
        for (&address, seen) in &mut self.seen {
            let is_other = |works: &Found| works.name == seen.name && works.address.is_ipv4() != address.is_ipv4();
            if seen.met || !works.iter().any(is_other) {
                seen.aside = None;
            } else if matches!(standing(address), Some(Standing::Failing(..))) {
                seen.aside = Some(now);
            }
            if seen.aside.is_none_or(|since| now.duration_since(since) >= ASIDE) {
                let found = Found { address, name: seen.name };
                wanted.push(Wanted { found, again: seen.aside.is_some() });
            }
        }
        wanted
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const LOOK: Duration = Duration::from_secs(5);

    fn at(number: u16) -> SocketAddr {
        format!("10.0.0.1:{number}").parse().unwrap()
    }

    fn all(numbers: impl IntoIterator<Item = u16>) -> Vec<Found> {
        numbers.into_iter().map(|number| Found { address: at(number), name: 0 }).collect()
    }

    fn numbers(wanted: &[Wanted]) -> Vec<u16> {
        wanted.iter().map(|wanted| wanted.found.address.port()).collect()
    }

    #[test]
    fn an_address_that_works_stays_while_answers_tell_others_in_its_place() {
        let (mut addresses, mut now) = (Addresses::default(), Instant::now());
        for turn in 0..20 {
            let told = (0..8).map(|number| (turn * 8 + number) % 20 + 1);
            let wanted = addresses.look(now, &all(told), true, |_| Some(Standing::Ready));
            assert_eq!(wanted.len(), [8, 16, 20][usize::from(turn.min(2))], "turn {turn}");
            now += LOOK;
        }
        // Half of them are gone for good.
        for turn in 0..7 {
            let told = (0..8).map(|number| (turn * 8 + number) % 10 + 1);
            addresses.look(now, &all(told), true, |_| Some(Standing::Ready));
            now += LOOK;
        }
        let wanted = addresses.look(now, &all(1..9), true, |_| Some(Standing::Ready));
        assert_eq!(numbers(&wanted), Vec::from_iter(1..=10));
    }

    #[test]
    fn an_address_that_is_taken_away_or_does_not_work_goes_at_once() {
        let (mut addresses, now) = (Addresses::default(), Instant::now());
        let ready = |_| Some(Standing::Ready);
        addresses.look(now, &all(1..4), true, ready);
        assert_eq!(numbers(&addresses.look(now, &all(1..3), true, ready)), [1, 2], "nobody came for 3");
        assert_eq!(numbers(&addresses.look(now, &all([2, 4]), true, ready)), [1, 2, 4], "4 may be one of many");
        let dies = |address| Some(if address == at(1) { Standing::Connecting } else { Standing::Ready });
        assert_eq!(numbers(&addresses.look(now, &all([2, 4]), true, dies)), [2, 4]);
        assert_eq!(numbers(&addresses.look(now, &[], false, |_| None)), [2, 4], "nobody answered: nothing is known");
        assert_eq!(numbers(&addresses.look(now, &[], true, ready)), [0; 0]);
    }

    #[test]
    fn another_family_that_never_worked_is_left_aside_while_the_first_does() {
        let (mut addresses, now) = (Addresses::default(), Instant::now());
        let (six, four) = ("[::1]:1".parse().unwrap(), at(1));
        let found = [six, four].map(|address| Found { address, name: 0 });
        let failing = Standing::Failing(now, "refused".to_owned());
        let mut look = |seconds: u64, of_six: Option<&Standing>, of_four: &Standing| {
            let standing = |address| if address == six { of_six.cloned() } else { Some(of_four.clone()) };
            let wanted = addresses.look(now + Duration::from_secs(seconds), &found, true, standing);
            wanted.iter().map(|wanted| (wanted.found.address, wanted.again)).collect::<Vec<_>>()
        };
        let (both, again, only) = ([(four, false), (six, false)], [(four, false), (six, true)], [(four, false)]);
        assert_eq!(look(0, None, &Standing::Connecting), both);
        assert_eq!(look(1, Some(&failing), &Standing::Connecting), both, "nobody works yet");
        assert_eq!(look(2, Some(&failing), &Standing::Ready), only);
        assert_eq!(look(61, None, &Standing::Ready), only);
        assert_eq!(look(62, None, &Standing::Ready), again, "it is tried once more");
        assert_eq!(look(63, Some(&failing), &Standing::Ready), only);
        assert_eq!(look(64, None, &failing), both, "whoever worked does no more");
        assert_eq!(look(65, Some(&Standing::Ready), &failing), both);
        assert_eq!(look(66, Some(&failing), &Standing::Ready), both, "it has worked: it is one that fails");
    }

    #[test]
    fn names_are_not_confused() {
        let (mut addresses, now) = (Addresses::default(), Instant::now());
        let found = [Found { address: "[::1]:1".parse().unwrap(), name: 0 }, Found { address: at(1), name: 1 }];
        let standing = |address: SocketAddr| {
            Some(if address.is_ipv4() { Standing::Ready } else { Standing::Failing(now, String::new()) })
        };
        assert_eq!(addresses.look(now, &found, true, standing).len(), 2);
    }
}
