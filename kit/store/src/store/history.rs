//! Whether the own log is still the one that this process, the broker or its readers have seen: that a database lost commits, by a
//! restore or a failover, shows in nothing but that. One reader alone raises an alarm and stops nothing.

use std::collections::HashMap;
use std::time::Duration;

use sea_orm::{ConnectionTrait, QueryResult, Value};
use tradewind_domain::{Error, ErrorKind};
use tradewind_sql::{DATABASE_CORRUPT, Durability, Id, damages, db, from_micros, micros, signed, statement};
use uuid::Uuid;

use super::Store;
use super::memory::Witness;
use crate::metrics::metrics;

/// The reason when nothing may be appended because the log went back.
pub const LOG_WENT_BACK: &str = "LOG_WENT_BACK";
/// The reason when what a reader has read is not in the log.
pub const LOG_FORKED: &str = "LOG_FORKED";
/// Under which key the database keeps that its log went back.
const WENT_BACK: &str = "went_back";
/// What the keys begin with under which it keeps which readers say so, and the reader's name follows.
const DISPUTED: &str = "disputed by ";
/// How long a reader's word counts.
const DISPUTE: Duration = Duration::from_secs(3600);
/// So many readers are believed; one may have a damaged cursor, or lie.
const BELIEVED: usize = 2;

impl Store {
    /// Fails while the log may not grow: it went back, and no operator has accepted that yet. What this process has seen of the
    /// log is looked for first, where the database was away since.
    ///
    /// # Errors
    /// `Unavailable` with reason [`LOG_WENT_BACK`], or when the database is.
    pub async fn may_grow(&self) -> Result<(), Error> {
        if let Some((epoch, seen)) = self.memory().unverified() {
            for (partition, witness) in seen {
                if let Some(why) = self.lacks(partition, witness, "this process").await? {
                    self.memory().went_back(why);
                }
            }
            self.memory().verified(epoch);
        }
        self.intact()
    }

    /// For readiness: whether the log is known to have gone back, or the database to be damaged.
    ///
    /// # Errors
    /// `Unavailable` with reason [`LOG_WENT_BACK`] or `DATABASE_REPLACED`; `Internal` with reason [`DATABASE_CORRUPT`].
    pub fn intact(&self) -> Result<(), Error> {
        self.undamaged()?;
        match &self.memory().log().borrow().went_back {
            Some(why) => Err(Error::unavailable(LOG_WENT_BACK, why.clone())),
            None => Ok(()),
        }
    }

    /// Fails where the database is known to be damaged, or its file is another one by now.
    pub(crate) fn undamaged(&self) -> Result<(), Error> {
        if let Some(why) = &self.memory().log().borrow().damaged {
            return Err(Error::new(ErrorKind::Internal, DATABASE_CORRUPT, why.clone()));
        }
        self.0.database.in_place()
    }

    /// Looks for damage in the own file where some has shown in this process since `seen`; how often it has shown by now.
    ///
    /// # Errors
    /// `Internal` with reason [`DATABASE_CORRUPT`] when it is damaged; `Unavailable` when it cannot be looked at.
    pub async fn look_for_damage(&self, seen: u64) -> Result<u64, Error> {
        let now = damages();
        if now != seen {
            self.noting(self.0.database.look_for_damage().await)?;
        }
        Ok(now)
    }

    /// Takes note of an error that says that the database is damaged.
    pub(crate) fn noting<T>(&self, outcome: Result<T, Error>) -> Result<T, Error> {
        outcome.inspect_err(|error| {
            if error.reason == DATABASE_CORRUPT {
                self.memory().damaged(&error.message);
            }
        })
    }

    /// Hears a reader of this log: it has read the event `witness` in the log `incarnation`. One of another incarnation is no
    /// witness. A log that lacks the event is disputed, and the broker is asked again; where a second reader says so, too, the log
    /// went back.
    ///
    /// # Errors
    /// `Rejected` with reason `LOG_FORKED` when the log lacks the event; `Unavailable` when the database is.
    pub async fn hear(&self, incarnation: Uuid, partition: u16, witness: Witness, reader: &str) -> Result<(), Error> {
        if !self.is_of_this_log(incarnation, partition, witness) {
            return Ok(());
        }
        let Some(why) = self.lacks(partition, witness, reader).await? else { return Ok(()) };
        tracing::error!(
            reader,
            why,
            runbook = "docs/runbook.md#a-log-is-disputed",
            "a reader has read what the own log does not have"
        );
        self.dispute(reader, &why).await?;
        Err(Error::new(ErrorKind::Rejected, LOG_FORKED, why))
    }

    /// Holds the log against an event that the broker has of it: where it lacks that, it went back.
    ///
    /// # Errors
    /// `Unavailable` when the database is.
    pub async fn hear_broker(&self, incarnation: Uuid, partition: u16, witness: Witness) -> Result<(), Error> {
        if !self.is_of_this_log(incarnation, partition, witness) {
            return Ok(());
        }
        let Some(why) = self.lacks(partition, witness, "the broker").await? else { return Ok(()) };
        self.memory().went_back(why);
        self.look().await
    }

    fn is_of_this_log(&self, incarnation: Uuid, partition: u16, (position, _): Witness) -> bool {
        incarnation == self.incarnation() && partition < self.partitions() && position > 0
    }

    /// What the log has instead of an event that was seen in it; `None` when it has the event.
    async fn lacks(&self, partition: u16, (position, id): Witness, who: &str) -> Result<Option<String>, Error> {
        let query = "SELECT e.id AS id FROM log l JOIN event e ON e.stream = l.stream AND e.version = l.version \
             WHERE l.partition = $1 AND l.position = $2";
        let values: [Value; 2] = [i64::from(partition).into(), signed(position).into()];
        // Transactions wait for this at their commit, with all there is of their connections.
        let rows = self.vital(statement(self.backend(), query, values)).await?;
        let there = rows.first().map(|row| row.try_get::<Id>("", "id").map_err(db)).transpose()?.map(|Id(there)| there);
        if there == Some(id) {
            return Ok(None);
        }
        let found = there.map_or_else(|| "has none there".to_owned(), |there| format!("has {there} there"));
        Ok(Some(format!("{who} has seen event {id} at {position} of partition {partition}, and the log {found}")))
    }

    /// Keeps a reader's word where every replica finds it, once while it counts.
    async fn dispute(&self, reader: &str, why: &str) -> Result<(), Error> {
        if self.disputes(&self.facts().await?).any(|(of, _)| of == reader) || self.intact().is_err() {
            return Ok(());
        }
        let keep =
            "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
        let word = format!("{} {} {why}", self.incarnation(), micros(self.now()));
        self.write(statement(self.backend(), keep, [format!("{DISPUTED}{reader}").into(), word.into()])).await?;
        self.memory().disputed();
        self.look().await
    }

    /// The readers whose word counts, and that, out of what the database says of its log.
    fn disputes<'a>(&self, facts: &'a HashMap<String, String>) -> impl Iterator<Item = (&'a str, &'a str)> {
        let (incarnation, now) = (self.incarnation().to_string(), self.now());
        facts.iter().filter_map(move |(key, word)| {
            let mut parts = word.splitn(3, ' ');
            let (of, at, why) = (parts.next()?, parts.next()?.parse().ok()?, parts.next()?);
            let counts = of == incarnation && from_micros(at) + DISPUTE > now;
            Some((key.strip_prefix(DISPUTED)?, why)).filter(|_| counts)
        })
    }

    async fn facts(&self) -> Result<HashMap<String, String>, Error> {
        let query = format!("SELECT key, value FROM meta WHERE key IN ('incarnation', $1) OR key LIKE '{DISPUTED}%'");
        let rows = self.read(statement(self.backend(), query, [WENT_BACK.into()])).await?;
        let fact = |row: &QueryResult| Ok((row.try_get("", "key").map_err(db)?, row.try_get("", "value").map_err(db)?));
        rows.iter().map(fact).collect()
    }

    /// Reads what the database says of its log, and writes there that it went back, for the other replicas and the next start.
    ///
    /// # Errors
    /// `Unavailable` when the database is.
    pub async fn look(&self) -> Result<(), Error> {
        let mut facts = self.facts().await?;
        let Some(incarnation) = facts.remove("incarnation") else { return Ok(()) };
        let written = facts.remove(WENT_BACK);
        let unwritten = written.is_none();
        self.memory().heard(incarnation.parse().map_err(Error::internal)?, written);
        let mut disputes: Vec<_> = self.disputes(&facts).map(|(_, why)| why).collect();
        disputes.sort_unstable();
        metrics().log_disputed.record(u64::try_from(disputes.len()).unwrap_or(u64::MAX), &[]);
        if disputes.len() >= BELIEVED && self.intact().is_ok() {
            self.memory().went_back(disputes.join("; "));
        }
        let went_back = self.memory().log().borrow().went_back.clone();
        if let Some(why) = went_back.filter(|_| unwritten) {
            let keep = "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING RETURNING key";
            self.write(statement(self.backend(), keep, [WENT_BACK.into(), why.into()])).await?;
        }
        Ok(())
    }

    /// Accepts that the log went back: it gets a new incarnation, by which its readers ask what they may read on.
    ///
    /// # Errors
    /// `Unavailable` when the database is.
    pub async fn renew(&self) -> Result<Uuid, Error> {
        let (transaction, _) = self.transaction(Durability::OnDisk).await?;
        let incarnation = renew_log(&transaction).await?;
        self.commit(transaction).await?;
        self.look().await?;
        Ok(incarnation)
    }
}

/// Gives the log in a database a new incarnation, for somebody who has no store open on it.
///
/// # Errors
/// `Unavailable` when the database is.
pub async fn renew_log(connection: &impl ConnectionTrait) -> Result<Uuid, Error> {
    let backend = connection.get_database_backend();
    let incarnation = Uuid::new_v4();
    let renewed: [Value; 1] = [incarnation.to_string().into()];
    let renewed = statement(backend, "UPDATE meta SET value = $1 WHERE key = 'incarnation'", renewed);
    connection.execute_raw(renewed).await.map_err(db)?;
    let accepted =
        statement(backend, format!("DELETE FROM meta WHERE key = $1 OR key LIKE '{DISPUTED}%'"), [WENT_BACK.into()]);
    connection.execute_raw(accepted).await.map_err(db)?;
    Ok(incarnation)
}
