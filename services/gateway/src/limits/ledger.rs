//! What everybody has used, in memory that has a bound: accounts are kept in sets, and where one is full, whoever has used the least
//! makes room. So a flood of new names pushes out those who are not near a limit, and nobody who is.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::limits::quota::{self, Quota, Standing};

/// Sets, and accounts in each: fifty thousand in all.
const SETS: usize = 4_096;
const WAYS: usize = 12;
/// The most that somebody may be behind, whatever others tell: a day, which is the longest that a quota takes to come back.
const DEBT: u64 = quota::LONGEST;

/// One name's.
#[derive(Clone, Copy, Debug)]
struct Account {
    id: u64,
    /// When all that was used will have come back.
    due: u64,
    /// What of it was used here since it was last told.
    spent: u64,
}

/// What is told of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) id: u64,
    /// What was used since the last time, in nanoseconds until it has come back.
    pub(crate) spent: u64,
    /// How long it is until all has come back.
    pub(crate) level: u64,
}

/// All accounts.
pub(crate) struct Ledger {
    sets: Box<[Mutex<Vec<Account>>]>,
    /// Which set it is must not be for strangers to choose.
    hasher: RandomState,
}

impl Default for Ledger {
    fn default() -> Self {
        Self::of(SETS)
    }
}

impl Ledger {
    fn of(sets: usize) -> Self {
        Self { sets: (0..sets).map(|_| Mutex::default()).collect(), hasher: RandomState::new() }
    }

    /// Takes one of `quota` from an account.
    ///
    /// # Errors
    /// How it stands where there is none left.
    pub(crate) fn take(&self, id: u64, quota: Quota, now: u64) -> Result<Standing, Standing> {
        let mut set = self.set(id);
        let due = set.iter().find(|account| account.id == id).map_or(0, |account| account.due);
        let (due, standing) = quota.take(due, now)?;
        let account = account(&mut set, id, now);
        account.due = due;
        account.spent = account.spent.saturating_add(quota.each());
        Ok(standing)
    }

    /// Writes down what was used elsewhere.
    pub(crate) fn charge(&self, Entry { id, spent, level }: Entry, now: u64) {
        let mut set = self.set(id);
        let account = account(&mut set, id, now);
        let due = account.due.max(now).saturating_add(spent).max(now.saturating_add(level));
        account.due = due.min(now.saturating_add(DEBT));
    }

    /// Those who have used the most since this was last asked, at most so many, and `least` or more each.
    pub(crate) fn busiest(&self, most: usize, least: u64, now: u64) -> Vec<Entry> {
        let mut busy = Vec::new();
        for set in &self.sets {
            for account in locked(set).iter_mut() {
                let spent = std::mem::take(&mut account.spent);
                if spent >= least {
                    busy.push(Entry { id: account.id, spent, level: account.due.saturating_sub(now) });
                }
            }
        }
        if busy.len() > most {
            busy.select_nth_unstable_by_key(most, |entry| std::cmp::Reverse(entry.spent));
            busy.truncate(most);
        }
        busy
    }

    /// How many have used something that has not come back.
    pub(crate) fn open(&self, now: u64) -> usize {
        self.sets.iter().map(|set| locked(set).iter().filter(|account| account.due > now).count()).sum()
    }

    fn set(&self, id: u64) -> MutexGuard<'_, Vec<Account>> {
        let sets = u64::try_from(self.sets.len()).unwrap_or(1);
        let at = usize::try_from(self.hasher.hash_one(id) % sets).unwrap_or_default();
        locked(&self.sets[at])
    }
}

/// The account of a name in its set, made where there is none.
fn account(set: &mut Vec<Account>, id: u64, now: u64) -> &mut Account {
    let new = Account { id, due: now, spent: 0 };
    let at = match set.iter().position(|account| account.id == id) {
        Some(at) => at,
        None if set.len() < WAYS => {
            set.push(new);
            set.len() - 1
        }
        None => {
            let least = set.iter().enumerate().min_by_key(|(_, account)| account.due).map_or(0, |(at, _)| at);
            set[least] = new;
            least
        }
    };
    &mut set[at]
}

fn locked(set: &Mutex<Vec<Account>>) -> MutexGuard<'_, Vec<Account>> {
    set.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn quota() -> Quota {
        Quota::read("1/s", Some("10")).unwrap()
    }

    fn taken(ledger: &Ledger, id: u64, now: u64) -> usize {
        (0..1_000).take_while(|_| ledger.take(id, quota(), now).is_ok()).count()
    }

    #[test]
    fn each_has_an_account_of_its_own() {
        let ledger = Ledger::default();
        assert_eq!((taken(&ledger, 1, SECOND), taken(&ledger, 2, SECOND)), (10, 10));
        assert_eq!((taken(&ledger, 1, 3 * SECOND), ledger.open(3 * SECOND)), (2, 2));
        assert_eq!(ledger.open(60 * SECOND), 0);
    }

    #[test]
    fn a_flood_of_new_names_takes_a_bounded_room_and_sets_nobody_free_who_is_at_the_limit() {
        let ledger = Ledger::of(64);
        assert_eq!(taken(&ledger, 7, SECOND), 10);
        for id in 1_000..100_000 {
            ledger.take(id, quota(), SECOND).unwrap();
        }
        assert_eq!(taken(&ledger, 7, SECOND), 0);
        assert!(ledger.open(SECOND) <= 64 * WAYS);
        assert!(ledger.sets.iter().all(|set| locked(set).capacity() <= 16));
    }

    #[test]
    fn replicas_that_tell_each_other_grant_one_budget_over_time() {
        let replicas = [Ledger::default(), Ledger::default(), Ledger::default()];
        let mut granted = 0;
        // Each is asked ten times as often as may be, and they talk once a second.
        for second in 1..=100 {
            for tenth in 0..100 {
                let now = second * SECOND + tenth * SECOND / 100;
                granted += replicas.iter().filter(|ledger| ledger.take(7, quota(), now).is_ok()).count();
            }
            let now = second * SECOND + SECOND;
            let told = replicas.each_ref().map(|ledger| ledger.busiest(8, SECOND / 16, now));
            for (from, told) in told.iter().enumerate() {
                for (_, ledger) in replicas.iter().enumerate().filter(|(to, _)| *to != from) {
                    told.iter().for_each(|entry| ledger.charge(*entry, now));
                }
            }
        }
        // A hundred in a hundred seconds and one burst, and what was granted before the first word was heard is worked off.
        assert!((90..=132).contains(&granted), "{granted}");
    }

    #[test]
    fn whoever_begins_knows_by_one_word_how_everybody_stands() {
        let (old, new) = (Ledger::default(), Ledger::default());
        assert_eq!(taken(&old, 7, SECOND), 10);
        old.busiest(8, 0, SECOND);
        assert!(old.take(7, quota(), 3 * SECOND).is_ok());
        let [told] = old.busiest(8, 1, 3 * SECOND)[..] else { panic!("one has used something") };
        assert_eq!(told, Entry { id: 7, spent: SECOND, level: 9 * SECOND });
        new.charge(told, 3 * SECOND);
        assert_eq!(taken(&new, 7, 3 * SECOND), 1);
    }

    #[test]
    fn the_busiest_are_told_of_and_once() {
        let ledger = Ledger::default();
        for id in 0..100 {
            (0..=id % 10).for_each(|_| assert!(ledger.take(id, quota(), SECOND).is_ok()));
        }
        let busiest = ledger.busiest(10, SECOND, SECOND);
        assert_eq!(busiest.len(), 10);
        assert!(busiest.iter().all(|entry| entry.spent == 10 * SECOND));
        assert_eq!(ledger.busiest(10, 1, SECOND), []);
    }

    #[test]
    fn nobody_is_told_into_a_debt_without_end() {
        let ledger = Ledger::default();
        ledger.charge(Entry { id: 7, spent: u64::MAX, level: u64::MAX }, SECOND);
        assert_eq!(ledger.take(7, quota(), SECOND).unwrap_err().wait, DEBT + quota().each() - quota().whole());
    }
}
