//! A transaction: loading aggregates, deciding, appending, and what goes with it, all or nothing.
//!
//! What nothing in the transaction needs an answer to is kept and written with COMMIT: events, stored responses, intents,
//! timers and the rows of [`Tx::put`]. So a service's own statements on [`Tx::conn`] don't see them.

mod after;
mod commit;
mod connection;
mod current;
mod cursor;
mod hope;
mod kept;
mod part;
mod partition;
mod pending;
mod put;
mod reference;
mod request;
mod retry;
mod seal;
mod size;
mod snapshot;
mod told;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use time::OffsetDateTime;
use tradewind_domain::{Aggregate, Error, EventSet};
use tradewind_sql::{Durability, Transaction};
use tradewind_telemetry::current_traceparent;
use uuid::{NoContext, Timestamp, Uuid};

use self::after::Tell;
use self::kept::Kept;
use self::partition::partition_of;
use self::pending::{Pending, PendingEvent};
use crate::error::version_conflict;
use crate::origin::origin;
use crate::store::{AnyState, Current, Topic};
use crate::{Loaded, Metadata, Recorded, Store, StreamName, store};

pub use self::kept::Last;
pub use self::part::Part;
pub use self::size::fits;

/// An open transaction; dropping it rolls back.
pub struct Tx {
    transaction: Transaction,
    store: Store,
    /// The era of the cache in which it began.
    era: u64,
    now: OffsetDateTime,
    cause: Metadata,
    traceparent: Option<String>,
    /// The id of the request that it does, if it has one.
    request_id: String,
    pending: Pending,
    /// The era of the keys that are remembered in which it began.
    keys_era: u64,
    /// The keys of subjects that are known in it.
    keys: BTreeMap<String, store::Kept>,
    kept: Kept,
    /// The streams this transaction has appended to, as they will be.
    own: HashMap<StreamName, Own>,
    /// Streams that did not exist when this transaction looked for them.
    absent: HashSet<StreamName>,
    /// Streams that are taken not to exist by what is decided in this transaction.
    hoped: HashSet<StreamName>,
    /// It takes as so what is so as good as always; where it is not, the commit fails.
    hopes: bool,
    /// Who has to hear of the commit, besides those who wait for events.
    wakes: BTreeSet<Topic>,
    /// What is told of it once it is committed.
    after: Vec<Tell>,
    durability: Durability,
}

/// A stream as this transaction will leave it; the state is there where it was computed.
struct Own {
    version: u64,
    state: Option<AnyState>,
}

/// What came of a command.
#[derive(Clone, Debug)]
pub struct Executed<A: Aggregate> {
    /// The state after it.
    pub state: A,
    /// The version after it.
    pub version: u64,
    /// The events it led to; none when there was nothing left to do.
    pub events: Vec<A::Event>,
}

impl Store {
    /// Begins a transaction: on SQLite the only writing one at a time, on PostgreSQL one at READ COMMITTED.
    ///
    /// # Errors
    /// `Unavailable` when the database cannot be reached.
    pub async fn begin(&self) -> Result<Tx, Error> {
        self.begin_durably(Durability::OnDisk).await
    }

    /// The same for what is made again from logs where it is lost: rows, and the cursor that says how far they are made. Its
    /// commit is answered before it is [on disk](Durability::Later), and refused where it has anything else.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    pub async fn begin_derived(&self) -> Result<Tx, Error> {
        self.begin_durably(Durability::Later).await
    }

    async fn begin_durably(&self, durability: Durability) -> Result<Tx, Error> {
        let keys_era = self.memory().keys.era();
        let (transaction, era) = self.transaction(durability).await?;
        Ok(Tx { keys_era, durability, ..Tx::new(self.clone(), transaction, era) })
    }
}

impl Tx {
    fn new(store: Store, transaction: Transaction, era: u64) -> Self {
        let now = store.now();
        Self {
            transaction,
            store,
            era,
            now,
            cause: Metadata::default(),
            traceparent: None,
            request_id: String::new(),
            pending: Pending::default(),
            keys_era: 0,
            keys: BTreeMap::new(),
            kept: Kept::default(),
            hopes: false,
            own: HashMap::new(),
            absent: HashSet::new(),
            hoped: HashSet::new(),
            wakes: BTreeSet::new(),
            after: Vec::new(),
            durability: Durability::OnDisk,
        }
    }

    /// When the transaction began: the one time of everything in it.
    #[must_use]
    pub fn now(&self) -> OffsetDateTime {
        self.now
    }

    /// Says what led to this transaction. Without it, events correlate by their partition key and have no cause.
    pub fn set_cause(&mut self, metadata: Metadata) {
        self.traceparent = None;
        self.cause = metadata;
    }

    /// The aggregate's state, with what this transaction has appended to it.
    ///
    /// # Errors
    /// `Unavailable` when the database is; `Internal` when a stored event is none of this aggregate's.
    pub async fn load<A: Aggregate>(&mut self, id: &str) -> Result<Loaded<A>, Error> {
        Ok(self.current::<A>(&StreamName::of::<A>(id)).await?.loaded())
    }

    /// The same once it has seen `version` or more events, as this process last saw it where that will do.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub async fn load_since<A: Aggregate>(&mut self, id: &str, version: u64) -> Result<Loaded<A>, Error> {
        let stream = StreamName::of::<A>(id);
        match self.seen::<A>(&stream).filter(|seen| seen.version >= version) {
            Some(seen) => Ok(seen.loaded()),
            None => self.load(id).await,
        }
    }

    /// Lets the aggregate decide on `command` and appends what it decides. Its id determines the log partition: what happens to one
    /// aggregate is read in the order of its commits.
    ///
    /// # Errors
    /// The aggregate's refusal; otherwise as [`load`](Self::load).
    pub async fn execute<A: Aggregate>(&mut self, id: &str, command: A::Command) -> Result<Executed<A>, Error> {
        let stream = StreamName::of::<A>(id);
        let current = match self.seen::<A>(&stream) {
            Some(seen) => seen,
            None if self.hoped.contains(&stream) => Current::default(),
            None => self.current(&stream).await?,
        };
        self.decide(stream, current, id, command).await
    }

    /// Lets an aggregate that does not exist decide on its first `command`, without a look whether it does.
    ///
    /// # Errors
    /// The aggregate's refusal; at commit `Conflict` with reason [`VERSION_CONFLICT`](crate::VERSION_CONFLICT) when it exists.
    pub async fn create<A: Aggregate>(&mut self, id: &str, command: A::Command) -> Result<Executed<A>, Error> {
        self.decide(StreamName::of::<A>(id), Current::default(), id, command).await
    }

    async fn decide<A: Aggregate>(
        &mut self,
        stream: StreamName,
        mut current: Current<A>,
        key: &str,
        command: A::Command,
    ) -> Result<Executed<A>, Error> {
        let decided = current.state.decide(command);
        if !decided.as_ref().is_ok_and(|events| !events.is_empty()) {
            // What is appended is protected by its key; what is not has nothing but the state it was decided on.
            self.confirm(&stream, current.version).await?;
        }
        let events = decided?;
        let before = current.version;
        self.keep(&stream, before, key, &events);
        for event in &events {
            current.evolve(event, self.now);
        }
        self.keep_snapshot(&stream, before, &current);
        if !events.is_empty() {
            self.own.insert(stream, Own { version: current.version, state: Some(current.any()) });
        }
        let Loaded { state, version, .. } = current.loaded();
        Ok(Executed { state, version, events })
    }

    /// Appends to a stream that is at version `expected`: for contexts that keep their state in tables. `key` determines the log
    /// partition.
    ///
    /// # Errors
    /// `Conflict` with reason [`VERSION_CONFLICT`](crate::VERSION_CONFLICT) when the stream is at another version, here or at
    /// commit.
    pub async fn append<E: EventSet>(
        &mut self,
        stream: &StreamName,
        expected: u64,
        key: &str,
        events: Vec<E>,
    ) -> Result<(), Error> {
        // The event's key refuses a version that exists. One that would leave a gap is refused here, unless the stream is
        // known to have come so far.
        let reached = match (self.own.get(stream), self.store.cache().version(stream)) {
            (Some(own), _) => own.version,
            (None, Some(known)) if known >= expected => known,
            _ if expected == 0 => 0,
            _ => self.store.version(self.conn(), stream).await?,
        };
        if reached != expected {
            self.store.cache().evict(stream);
            return Err(version_conflict(stream, expected));
        }
        if !events.is_empty() {
            let version = self.keep(stream, expected, key, &events);
            self.own.insert(stream.clone(), Own { version, state: None });
        }
        Ok(())
    }

    /// What a part of the kit keeps in this transaction; it is written with the commit.
    pub fn part<P: Part + Default>(&mut self) -> &mut P {
        self.pending.parts.get()
    }

    /// Wakes whoever waits for `topic` in this process, once this is committed.
    pub fn wakes(&mut self, topic: &Topic) {
        self.wakes.insert(topic.clone());
    }

    /// The cause that rows written now have; `key` is the correlation of what has no cause.
    pub fn cause_of(&mut self, key: &str) -> Metadata {
        let correlation = if self.cause.correlation.is_empty() { key } else { &self.cause.correlation };
        let traceparent = self.traceparent.get_or_insert_with(|| current_traceparent(&self.cause.traceparent));
        Metadata {
            correlation: correlation.to_owned(),
            causation: self.cause.causation.clone(),
            traceparent: traceparent.clone(),
            partition_key: key.to_owned(),
        }
    }

    /// Keeps events for the commit; the version after them.
    fn keep<E: EventSet>(&mut self, stream: &StreamName, version: u64, key: &str, events: &[E]) -> u64 {
        let metadata = self.cause_of(key);
        let origin = origin(&self.request_id).to_string();
        let partition = partition_of(key, self.store.partitions());
        let time = self.now;
        let stamp = |time: OffsetDateTime| {
            let seconds = u64::try_from(time.unix_timestamp()).unwrap_or_default();
            Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, time.nanosecond()))
        };
        let mut version = version;
        for event in events {
            version += 1;
            let recorded = Recorded {
                id: stamp(time),
                stream: stream.clone(),
                version,
                partition,
                position: 0,
                type_name: event.type_name(),
                payload: event.encode(),
                time,
                metadata: metadata.clone(),
            };
            self.pending.events.push(PendingEvent {
                event: recorded,
                informative: event.is_informative(),
                origin: origin.clone(),
            });
        }
        version
    }
}
