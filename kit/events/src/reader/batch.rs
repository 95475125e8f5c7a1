//! Handling a run of events: one transaction with the cursor in it, then what failure of which kind leads to.

use std::time::Duration;

use opentelemetry::KeyValue;
use tokio::time::Instant;
use tradewind_domain::{Error, ErrorKind};
use tradewind_fault::{Point, hit};
use tradewind_sql::{Backoff, DATABASE_CORRUPT, UNKNOWN};
use tradewind_store::{Cursor, Recorded, StreamName, Tx};
use tradewind_telemetry::trace_id;

use super::inbox::Run;
use super::parked::{is_parked, park};
use super::{Halt, Reader};
use crate::metrics::metrics;

const BACKOFF: Backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(5));
/// Conflicts are tried again at once, so often.
const AT_ONCE: u32 = 20;
/// How often a run is tried whose errors nobody knows; then its events are tried one by one.
const UNKNOWN_TRIES: u32 = 5;
/// How long one event is tried so at least, before it is the event that counts as wrong: longer than a database takes to fail over.
const UNKNOWN_FOR: Duration = Duration::from_secs(30);
/// How often an event was tried when it is parked: with its batch, and alone.
const PARKED_AFTER: u32 = 2;
/// The reason in the quarantine of what only waits for an earlier event of its stream.
const BEHIND: &str = "BEHIND_PARKED";

/// How a transaction over a run ended without error.
enum Outcome {
    /// The streams that are no longer in quarantine.
    Committed(Vec<StreamName>),
    /// Somebody else moved the cursor.
    Overtaken,
}

enum Fault {
    /// The same may succeed later.
    Passing(Error),
    /// Nobody can tell.
    Unknown(Error),
    /// It never will.
    Permanent(Error),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        match error.reason {
            _ if error.kind.is_transient() => Self::Passing(error),
            // It is nobody's event that is at fault.
            DATABASE_CORRUPT => Self::Passing(error),
            UNKNOWN => Self::Unknown(error),
            _ => Self::Permanent(error),
        }
    }
}

fn out_of_turn(event: Option<&Recorded>, before: u64) -> String {
    event.map_or_else(String::new, |event| {
        format!("version {} of {} comes after version {before}", event.version, event.stream)
    })
}

impl Reader {
    /// Handles a run, however long it takes; a permanent error is isolated to its event, whose stream is parked.
    pub(super) async fn handle(&mut self, mut run: Run) -> Result<(), Halt> {
        if run.events.is_empty() {
            self.progress.passed_over(run.to, run.last, Instant::now());
            return Ok(());
        }
        if let Some(first) = run.events.first() {
            self.progress.begins(first);
        }
        let late = run.events.iter().enumerate().find_map(|(index, event)| Some((index, self.turns.take(event)?)));
        match late {
            None => {}
            Some((0, before)) => {
                let why = out_of_turn(run.events.first(), before);
                return Err(Halt::Changed(("VERSION_OUT_OF_TURN", why)));
            }
            // What comes before it is handled; then it is the first, and a reader that has been started again passes it.
            Some((index, _)) => run.cut(index),
        }
        if self.repeat(&run, false).await?.is_none() {
            return Ok(());
        }
        for single in run.singles() {
            if let Some(error) = self.repeat(&single, true).await?
                && let Some(event) = single.events.first()
            {
                self.park(event, &single, &error).await?;
            }
            if self.progress.position() != single.to {
                // Overtaken, and the cursor may be anywhere: what is left of the run is somebody else's.
                break;
            }
        }
        Ok(())
    }

    /// Tries a run until it is committed, overtaken, or fails for good, which is returned. What nobody knows counts as that sooner
    /// where the run is not to be tried `alone`, but its events one by one.
    async fn repeat(&mut self, run: &Run, alone: bool) -> Result<Option<Error>, Halt> {
        let mut attempt = 0;
        // Since when, and how often.
        let mut unknown: Option<(Instant, u32)> = None;
        loop {
            let error = match self.admitted(run, alone, attempt == 0).await? {
                Ok(Outcome::Committed(freed)) => {
                    self.committed(run, &freed);
                    return Ok(None);
                }
                Ok(Outcome::Overtaken) => {
                    self.load().await?;
                    return Ok(None);
                }
                Err(Fault::Permanent(error)) => return Ok(Some(error)),
                Err(Fault::Unknown(error)) => {
                    let (since, tries) =
                        unknown.map_or_else(|| (Instant::now(), 1), |(since, tries)| (since, tries + 1));
                    if tries >= UNKNOWN_TRIES && (!alone || since.elapsed() >= UNKNOWN_FOR) {
                        return Ok(Some(error));
                    }
                    unknown = Some((since, tries));
                    error
                }
                Err(Fault::Passing(error)) => {
                    // The database is not itself, and may not have been before.
                    unknown = None;
                    error
                }
            };
            self.count_retry(&error);
            self.fails(&error).await;
            self.wait_before_retry(attempt, &error).await?;
            attempt += 1;
        }
    }

    /// Attempts a run when the consumer's circuit allows, and tells the circuit what came of it. That somebody else was faster
    /// says nothing about what is needed, and a permanent error says that it is there.
    async fn admitted(&self, run: &Run, alone: bool, hopes: bool) -> Result<Result<Outcome, Fault>, Halt> {
        let pass = self.stop.run_until_cancelled(self.gate.enter()).await.ok_or(Halt::Asked)?;
        let result = self.attempt(run, alone, hopes).await;
        match &result {
            Ok(Outcome::Committed(_)) | Err(Fault::Permanent(_)) => pass.succeeded(),
            Err(Fault::Passing(error)) if error.kind.is_transient() && error.kind != ErrorKind::Conflict => {
                pass.failed()
            }
            Ok(Outcome::Overtaken) | Err(Fault::Passing(_) | Fault::Unknown(_)) => drop(pass),
        }
        Ok(result)
    }

    fn count_retry(&self, error: &Error) {
        let reason = KeyValue::new("reason", error.reason);
        let attributes: Vec<_> = self.attributes.iter().cloned().chain([reason]).collect();
        metrics().reader_retries.add(1, &attributes);
        self.record();
    }

    async fn wait_before_retry(&self, attempt: u32, error: &Error) -> Result<(), Halt> {
        if error.kind == ErrorKind::Conflict && attempt < AT_ONCE {
            return if self.stop.is_cancelled() { Err(Halt::Asked) } else { Ok(()) };
        }
        tracing::warn!(
            consumer = self.consumer(), source = self.context, partition = self.partition, attempt, reason = error.reason,
            %error, "a batch is tried again"
        );
        self.pause(BACKOFF.wait(attempt)).await
    }

    /// Runs the reactions of a run in one transaction, which moves the cursor. Whatever fails where somebody else has moved it says
    /// nothing, nor where it may have been hoped in vain.
    async fn attempt(&self, run: &Run, alone: bool, hopes: bool) -> Result<Outcome, Fault> {
        let hopes = hopes && self.reactions.begun_by(&run.events).next().is_some();
        match self.react(run, alone, hopes).await {
            Err(Fault::Passing(error)) if error.kind == ErrorKind::Unavailable => Err(Fault::Passing(error)),
            Err(_) if self.is_overtaken().await => Ok(Outcome::Overtaken),
            Err(_) if hopes => self.react(run, alone, false).await,
            outcome => outcome,
        }
    }

    /// What fails before a reaction is no event's fault: it is repeated, and shown, until it passes.
    async fn react(&self, run: &Run, alone: bool, hopes: bool) -> Result<Outcome, Fault> {
        let ahead: Vec<_> = run.events.iter().filter(|event| !self.parked.contains(&event.stream)).collect();
        self.reactions.go_ahead(&ahead).await?;
        let begun = if self.reactions.derives { self.store.begin_derived().await } else { self.store.begin().await };
        let mut tx = begun.map_err(Fault::Passing)?;
        if hopes {
            tx.hope();
        }
        let to = self.progress.place(run.to, run.last);
        // What is in quarantine is decided under the cursor's lock, which whoever drains it takes before any other. And where an
        // event may be found at fault, the cursor must not be.
        let moved = if alone || !self.parked.is_empty() {
            self.advance(&mut tx, to).await.map_err(Fault::Passing)?
        } else {
            self.move_with(&mut tx, to)
        };
        if !moved {
            return Ok(Outcome::Overtaken);
        }
        tx.look_for(self.reactions.begun_by(&run.events)).await.map_err(Fault::Passing)?;
        self.reactions.prepare(&mut tx, &run.events).await?;
        let mut freed = Vec::new();
        for event in &run.events {
            if self.parked.contains(&event.stream) && !freed.contains(&event.stream) {
                if self.still_parked(&mut tx, &event.stream).await.map_err(Fault::Passing)? {
                    park(&mut tx, self.consumer(), &self.context, event, BEHIND, "", 0)
                        .await
                        .map_err(Fault::Passing)?;
                    continue;
                }
                freed.push(event.stream.clone());
            }
            if freed.contains(&event.stream) {
                self.reactions.go_ahead(&[event]).await?;
            }
            self.reactions.react(&mut tx, event).await?;
        }
        hit(Point::BatchUncommitted, self.consumer());
        tx.commit().await?;
        hit(Point::BatchCommitted, self.consumer());
        Ok(Outcome::Committed(freed))
    }

    fn committed(&mut self, run: &Run, freed: &[StreamName]) {
        run.events.iter().for_each(|event| self.reactions.count_handled(event));
        self.record_delays(&run.events);
        for stream in freed {
            self.parked.remove(stream);
        }
        self.reached(self.progress.place(run.to, run.last));
    }

    /// Puts an event in quarantine and passes over it, unless somebody else has moved the cursor.
    async fn park(&mut self, event: &Recorded, run: &Run, error: &Error) -> Result<(), Halt> {
        tracing::error!(
            consumer = self.consumer(), source = self.context, partition = self.partition, position = event.position,
            stream = %event.stream, event = event.type_name, trace_id = trace_id(&event.metadata.traceparent),
            reason = error.reason, %error, "an event cannot be handled; its stream is parked for this consumer"
        );
        let mut attempt = 0;
        let to = self.progress.place(run.to, run.last);
        let parked = loop {
            match self.try_park(event, to, error).await {
                Ok(parked) => break parked,
                Err(fault) => {
                    self.fails(&fault).await;
                    self.wait_before_retry(attempt, &fault).await?;
                }
            }
            attempt += 1;
        };
        if !parked {
            return self.load().await;
        }
        self.parked.insert(event.stream.clone());
        metrics().reader_parkings.add(1, &self.attributes);
        self.reached(to);
        Ok(())
    }

    /// `false` when somebody else has moved the cursor.
    async fn try_park(&self, event: &Recorded, to: Cursor, error: &Error) -> Result<bool, Error> {
        let mut tx = self.store.begin().await?;
        if !self.advance(&mut tx, to).await? {
            return Ok(false);
        }
        park(&mut tx, self.consumer(), &self.context, event, error.reason, &error.message, PARKED_AFTER).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn still_parked(&self, tx: &mut Tx, stream: &StreamName) -> Result<bool, Error> {
        is_parked(tx, self.consumer(), &self.context, stream).await
    }
}
