//! One pass over logs, for however many projections: each event is read and decoded once.

use std::collections::{BTreeMap, BTreeSet};

use opentelemetry::KeyValue;
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;
use tradewind_domain::{Error, ErrorKind};
use tradewind_events::{Logs, forget_parked};
use tradewind_fault::{Point, hit};
use tradewind_store::{Cursor, LogPage, OVERTAKEN, Recorded, Rows, Store};

use crate::building::{Building, Place};
use crate::fold::Folded;
use crate::metrics::metrics;
use crate::standing::end;
use crate::{Batch, Projection, Slot};

/// How many events share a transaction, while which commands wait on SQLite.
const BATCH: u32 = 512;

/// Projections that are built together.
pub(crate) struct Pass<'a> {
    store: &'a Store,
    logs: &'a Logs,
    builds: Vec<Building<'a>>,
    folded: Folded,
    failed: Vec<(&'static str, Error)>,
    /// The contexts whose logs cannot be read now, and why.
    away: BTreeMap<String, Error>,
    /// Anything was read since they were all asked.
    moved: bool,
}

impl<'a> Pass<'a> {
    pub(crate) fn new(store: &'a Store, logs: &'a Logs) -> Self {
        Self {
            store,
            logs,
            builds: Vec::new(),
            folded: Folded::default(),
            failed: Vec::new(),
            away: BTreeMap::new(),
            moved: false,
        }
    }

    /// Goes on with a projection in a slot from where it was left since its build has begun.
    pub(crate) async fn add(
        &mut self,
        projection: &'a Projection,
        slot: Slot,
        begun: OffsetDateTime,
    ) -> Result<(), Error> {
        let mut cursors = BTreeMap::new();
        for (consumer, source, partition) in self.store.cursors().await?.into_keys() {
            if consumer == projection.consumer(slot)
                && let Some(cursor) = self.store.cursor(&consumer, &source, partition).await?
            {
                cursors.insert((source, partition), cursor);
            }
        }
        let sources = projection.sources();
        self.builds.push(Building { projection, slot, begun, sources, cursors });
        Ok(())
    }

    /// Reads until every projection has seen all that there is, and lets each take its place; those that cannot be built, with why.
    pub(crate) async fn run(mut self, over: &CancellationToken) -> Result<Vec<(&'static str, Error)>, Error> {
        while !self.builds.is_empty() && !over.is_cancelled() {
            let sources: BTreeSet<_> = self.builds.iter().flat_map(|build| build.sources.iter().cloned()).collect();
            let mut left = BTreeMap::new();
            self.away.clear();
            self.moved = false;
            for source in sources {
                let mut partition = 0;
                while let Some(more) = self.step((source.clone(), partition), over, &mut left).await? {
                    partition = more;
                }
            }
            if over.is_cancelled() {
                break;
            }
            self.record(&left);
            self.end_those_without(&left).await?;
            if !self.moved {
                self.give_up_those_that_wait();
            }
        }
        Ok(self.failed)
    }

    /// Leaves those out for now that have seen everything but the logs that cannot be read.
    fn give_up_those_that_wait(&mut self) {
        let away = &self.away;
        let keeps = |build: &Building<'_>| build.sources.iter().find_map(|source| away.get(source));
        for build in self.builds.extract_if(.., |build| keeps(build).is_some()) {
            self.failed.extend(keeps(&build).map(|error| (build.projection.name, error.clone())));
        }
    }

    /// Brings whoever reads a partition one page further, and notes how much is left for each; the next partition.
    async fn step(
        &mut self,
        place: Place,
        over: &CancellationToken,
        left: &mut BTreeMap<&'static str, u64>,
    ) -> Result<Option<u16>, Error> {
        let readers = self.builds.iter().filter(|build| build.sources.contains(&place.0));
        let Some(after) = readers.map(|build| build.position(&place)).min().filter(|_| !over.is_cancelled()) else {
            return Ok(None);
        };
        let page = match self.logs.read(&place.0, place.1, after, BATCH).await {
            Ok(page) => page,
            Err(error) if error.kind.is_transient() => {
                self.away.insert(place.0, error);
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let (head, partitions) = (page.head, page.partitions);
        // Also where nothing follows: what it was built from may be gone.
        let is_of_another = |build: &mut Building<'_>| {
            let read = build.cursors.get(&place).filter(|cursor| cursor.position > 0);
            read.is_some_and(|cursor| cursor.incarnation != page.incarnation)
        };
        for Building { projection, .. } in self.builds.extract_if(.., is_of_another) {
            let text = format!("the log of {} is not the one it was built from so far: ask for it anew", place.0);
            self.failed.push((projection.name, Error::internal(text)));
        }
        if !page.events.is_empty() {
            self.moved = true;
            self.apply(&place, page).await?;
        }
        for build in self.builds.iter().filter(|build| build.sources.contains(&place.0)) {
            *left.entry(build.projection.name).or_default() += head.saturating_sub(build.position(&place));
        }
        let next = place.1 + 1;
        Ok((next < partitions).then_some(next))
    }

    /// Makes the rows of a page, and writes them with the cursors of those who have seen it.
    async fn apply(&mut self, place: &Place, page: LogPage) -> Result<(), Error> {
        let LogPage { incarnation, events, .. } = page;
        let Some(last) = events.last() else { return Ok(()) };
        let to = Cursor { position: last.position, incarnation, event: Some(last.id) };
        self.folded.turn(events.len());
        let mut moving = Vec::new();
        for index in 0..self.builds.len() {
            let from = self.builds[index].cursors.get(place).copied().unwrap_or_default();
            if !self.builds[index].sources.contains(&place.0) || from.position >= to.position {
                continue;
            }
            match self.send(index, from, &events).await {
                Ok(()) => moving.push((index, from)),
                // What it needs besides the database, nobody else does.
                Err(error) => self.failed.push((self.builds[index].projection.name, error)),
            }
        }
        match self.write(place, to, &events, &moving).await {
            Ok(()) => {}
            Err(error) if error.kind.is_transient() => return Err(error),
            // Each by itself, so that whoever is at fault keeps nobody else.
            Err(_) => {
                for one in moving {
                    match self.write(place, to, &events, &[one]).await {
                        Ok(()) => {}
                        Err(error) if error.kind.is_transient() => return Err(error),
                        Err(error) => self.failed.push((self.builds[one.0].projection.name, error)),
                    }
                }
            }
        }
        let failed = |build: &Building<'_>| self.failed.iter().any(|(name, _)| *name == build.projection.name);
        self.builds.retain(|build| !failed(build));
        Ok(())
    }

    /// Sends what a build makes of a page to where it has rows besides the database, if it has.
    async fn send(&mut self, index: usize, from: Cursor, events: &[Recorded]) -> Result<(), Error> {
        let build = &self.builds[index];
        let Some(sink) = &build.projection.sink else { return Ok(()) };
        let (_, lines) = build.make(self.store, &mut self.folded, from, events).await?;
        if lines == Batch::default() { Ok(()) } else { sink.write(build.slot, lines).await }
    }

    /// Writes what these builds make of a page in one transaction, with their cursors.
    async fn write(
        &mut self,
        place: &Place,
        to: Cursor,
        events: &[Recorded],
        moving: &[(usize, Cursor)],
    ) -> Result<(), Error> {
        let mut written = Rows::default();
        for (index, from) in moving {
            let (rows, _) = self.builds[*index].make(self.store, &mut self.folded, *from, events).await?;
            written.append(rows);
        }
        let derives = moving.iter().all(|(index, _)| self.builds[*index].projection.only_derives());
        let mut tx = if derives { self.store.begin_derived().await? } else { self.store.begin().await? };
        for (index, from) in moving {
            if !tx.advance_cursor(self.builds[*index].consumer(), &place.0, place.1, *from, to).await? {
                return Err(Error::new(ErrorKind::Conflict, OVERTAKEN, "another process builds"));
            }
        }
        tx.rows().append(written);
        for (index, from) in moving {
            for event in events.iter().filter(|event| event.position > from.position) {
                for maker in &self.builds[*index].projection.makers {
                    if let Some(reacting) = maker.react(&mut tx, event) {
                        reacting.await?;
                    }
                }
            }
        }
        for (index, _) in moving {
            hit(Point::BatchUncommitted, self.builds[*index].consumer());
        }
        tx.commit().await?;
        for (index, from) in moving {
            let build = &mut self.builds[*index];
            hit(Point::BatchCommitted, build.consumer());
            build.cursors.insert(place.clone(), to);
            let attributes = [KeyValue::new("projection", build.projection.name)];
            metrics().events.add(to.position - from.position, &attributes);
        }
        Ok(())
    }

    fn record(&self, left: &BTreeMap<&'static str, u64>) {
        for Building { projection, .. } in &self.builds {
            let left = left.get(projection.name).copied().unwrap_or_default();
            metrics().left.record(left, &[KeyValue::new("projection", projection.name)]);
        }
    }

    /// Lets those be read that have nothing left to see.
    async fn end_those_without(&mut self, left: &BTreeMap<&'static str, u64>) -> Result<(), Error> {
        let away = &self.away;
        let is_built = |build: &mut Building<'_>| {
            left.get(build.projection.name).copied().unwrap_or_default() == 0
                && !build.sources.iter().any(|source| away.contains_key(source))
        };
        for Building { projection, slot, begun, .. } in self.builds.extract_if(.., is_built) {
            let mut tx = self.store.begin().await?;
            if end(&mut tx, projection, slot, begun).await? {
                // Nobody misses it any more.
                forget_parked(&tx, projection.consumer(slot.other())).await?;
                tx.commit().await?;
                tracing::info!(
                    projection = projection.name,
                    version = projection.version,
                    "a projection is read as built"
                );
            }
        }
        Ok(())
    }
}
