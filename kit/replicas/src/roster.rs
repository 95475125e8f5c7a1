//! The roster: which engines are at work on a database, and by that whose turn everything is that one of them does at a time.
//!
//! Each engine keeps one row alive, `member/<holder>` in the table `lease`, and reads everybody else's with the same
//! statement. A name's turn is decided by rendezvous hashing over the live members, so that work is spread evenly, and only
//! what a member did moves when it comes or goes. Two engines may see different rosters for a moment, and both or neither
//! then do the same: correctness never depends on the roster, because a reader's cursor moves by a conditional update and the
//! sequencer is fenced. A database file has one process, whose turn it always is.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use sea_orm::sea_query::SelectStatement;
use sha2::{Digest, Sha256};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tradewind_domain::Error;
use tradewind_store::Store;
use tradewind_store::lease::{BEAT, TTL, lapsed};

use crate::metrics::metrics;

const PREFIX: &str = "member/";
/// Rows of those who never came back are deleted after so long.
const FORGOTTEN: Duration = Duration::from_secs(60 * 60);

/// A query for the holders whose seat has lapsed: they were killed, or cannot reach the database.
pub fn gone() -> SelectStatement {
    lapsed(PREFIX)
}

/// The live members as one of them sees them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roster {
    me: Arc<str>,
    /// Empty until this process has joined.
    members: BTreeSet<String>,
}

impl Roster {
    pub fn is_my_turn(&self, name: &str) -> bool {
        let turn = self.members.iter().max_by_key(|member| (score(name, member), *member));
        turn.is_some_and(|member| **member == *self.me)
    }

    /// Tells whether this process has joined.
    pub fn is_seated(&self) -> bool {
        !self.members.is_empty()
    }

    pub fn is_alone(&self) -> bool {
        self.members.len() == 1
    }

    /// Takes in who is alive. After a long silence of the database nobody else could renew either: then nobody is dropped yet.
    fn update(&mut self, alive: BTreeSet<String>, after_silence: bool) {
        if after_silence {
            self.members.extend(alive);
        } else {
            self.members = alive;
        }
    }

    /// Leaves everything to the others, if there are any.
    fn retire(&mut self) {
        if self.members.len() > 1 {
            self.members.remove(&*self.me);
        }
    }
}

/// The member with the highest score has the turn (rendezvous hashing, Thaler and Ravishankar 1998).
fn score(name: &str, member: &str) -> [u8; 32] {
    Sha256::new().chain_update(name).chain_update([0]).chain_update(member).finalize().into()
}

/// The roster as this process last saw it. Cheap to clone.
#[derive(Clone)]
pub struct Members(watch::Receiver<Roster>);

impl Members {
    pub fn seen(&self) -> watch::Receiver<Roster> {
        self.0.clone()
    }
}

/// This process's place in the roster.
pub struct Seat {
    store: Store,
    name: String,
    holder: Arc<str>,
    epoch: Option<u64>,
    /// When the database last answered.
    heard: Option<Instant>,
    roster: watch::Sender<Roster>,
}

impl Seat {
    pub fn new(store: Store, holder: Arc<str>) -> (Self, Members) {
        let alone = !store.is_shared();
        let members = alone.then(|| holder.to_string()).into_iter().collect();
        let (roster, seen) = watch::channel(Roster { me: Arc::clone(&holder), members });
        (Self { store, name: format!("{PREFIX}{holder}"), holder, epoch: None, heard: None, roster }, Members(seen))
    }

    /// Keeps the seat until `leave`, when everything is handed to others at once, and returns at `stop`.
    pub async fn keep(mut self, leave: CancellationToken, stop: CancellationToken) -> Result<(), Error> {
        if !self.store.is_shared() {
            metrics().members.record(1, &[]);
            leave.cancelled().await;
        }
        while !leave.is_cancelled() {
            let beat = timeout(TTL, self.beat());
            match beat.await.unwrap_or_else(|_| Err(Error::unavailable("DATABASE_SILENT", "the database is silent"))) {
                Ok(alive) => self.tell(alive),
                Err(error) => tracing::warn!(%error, "the roster cannot be read; the last one stays"),
            }
            leave.run_until_cancelled(sleep(BEAT)).await;
        }
        if let Err(error) = self.leave().await {
            tracing::debug!(%error, "a seat in the roster was not given up; it lapses");
        }
        self.roster.send_modify(Roster::retire);
        stop.cancelled().await;
        Ok(())
    }

    fn tell(&mut self, alive: BTreeSet<String>) {
        let after_silence = self.heard.replace(Instant::now()).is_some_and(|heard| heard.elapsed() > TTL);
        self.roster.send_if_modified(|roster| {
            let before = roster.clone();
            roster.update(alive, after_silence);
            *roster != before
        });
        let members = u64::try_from(self.roster.borrow().members.len()).unwrap_or_default();
        metrics().members.record(members, &[]);
    }

    /// Renews the seat and reads who else is alive, in one statement.
    async fn beat(&mut self) -> Result<BTreeSet<String>, Error> {
        let epoch = match self.epoch {
            Some(epoch) => epoch,
            None => self.join().await?,
        };
        let alive = self.store.renew_lease(PREFIX, &self.name, epoch, TTL).await?;
        if !alive.contains(&*self.holder) {
            self.epoch = None;
            let why = format!("another process goes by the name {}, or this one was away for long", self.holder);
            return Err(Error::unavailable("SEAT_LOST", why));
        }
        Ok(alive)
    }

    /// Takes the seat anew, whoever had it: a name is one process's.
    async fn join(&mut self) -> Result<u64, Error> {
        self.store.forget_leases(PREFIX, FORGOTTEN).await?;
        let epoch = self.store.seize_lease(&self.name, &self.holder, TTL).await?;
        self.epoch = Some(epoch);
        Ok(epoch)
    }

    async fn leave(&self) -> Result<(), Error> {
        let Some(epoch) = self.epoch else { return Ok(()) };
        let left = timeout(TTL, self.store.delete_lease(&self.name, epoch)).await;
        left.unwrap_or_else(|_| Err(Error::unavailable("DATABASE_SILENT", "the database is silent")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roster(me: &str, members: &[&str]) -> Roster {
        Roster { me: me.into(), members: members.iter().map(ToString::to_string).collect() }
    }

    fn names() -> Vec<String> {
        (0..600).map(|number| format!("reader/payment/ordering/{number}")).collect()
    }

    fn turns(roster: &Roster) -> BTreeSet<String> {
        names().into_iter().filter(|name| roster.is_my_turn(name)).collect()
    }

    #[test]
    fn every_name_is_one_members_turn_and_they_are_spread_evenly() {
        let all = ["a", "b", "c"];
        let turns = all.map(|me| turns(&roster(me, &all)));
        assert!(
            turns.iter().all(|turns| (150..250).contains(&turns.len())),
            "{:?}",
            turns.each_ref().map(BTreeSet::len)
        );
        assert_eq!(turns.iter().flatten().collect::<BTreeSet<_>>().len(), 600);
        assert_eq!(turns.iter().flatten().count(), 600);
    }

    #[test]
    fn only_the_turns_of_the_one_who_left_move() {
        let before = turns(&roster("a", &["a", "b", "c"]));
        let after = turns(&roster("a", &["a", "b"]));
        assert!(before.is_subset(&after));
        assert!(after.len() > before.len());
    }

    #[test]
    fn before_it_has_joined_it_has_no_turn() {
        assert!(turns(&roster("a", &[])).is_empty());
    }

    #[test]
    fn whoever_retires_leaves_its_turns_to_the_others_and_keeps_them_where_there_are_none() {
        let mut retired = roster("a", &["a", "b"]);
        retired.retire();
        assert!(turns(&retired).is_empty());
        let mut last = roster("a", &["a"]);
        last.retire();
        assert_eq!(turns(&last).len(), 600);
    }

    #[test]
    fn after_a_silence_nobody_is_dropped_at_once() {
        let mut seen = roster("a", &["a", "b"]);
        let alive = roster("a", &["a", "c"]).members;
        seen.update(alive.clone(), true);
        assert_eq!(seen, roster("a", &["a", "b", "c"]));
        seen.update(alive, false);
        assert_eq!(seen, roster("a", &["a", "c"]));
    }
}
