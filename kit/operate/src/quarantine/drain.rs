//! Draining a stream: every event in a transaction of its own, in order, until one fails again; and the same rehearsed.

use tradewind_domain::{Error, ErrorKind};
use tradewind_events::Reactions;
use tradewind_store::Recorded;

use super::{
    Act, ActKind, ActOutcome, Drained, Outcome, ParkedEvent, ParkedStream, Quarantine, Tried, audit, not_parked,
    parked, position_mismatch, record, rows,
};

/// Events of one replay, so that it ends however fast its reader adds to the stream; the next replay goes on.
const MOST: usize = 100;

/// How a transaction over one event ended without error.
enum Step {
    Done,
    /// Somebody else has drained the event.
    Overtaken,
}

/// An event in quarantine as it is to be handled now.
struct Present {
    event: Recorded,
    from_owner: bool,
}

impl Quarantine {
    /// Handles up to 100 events of a stream in order, each in a transaction of its own, with the payload its owner has now
    /// where the owner can be asked. It ends at the first event that fails again; what succeeded stays so.
    ///
    /// # Errors
    /// `NotFound` with reason `CONSUMER_UNKNOWN` or `NOT_PARKED`; `Unavailable` when the database is.
    pub async fn replay(&self, stream: &ParkedStream, principal: &str) -> Result<Drained, Error> {
        let act = Act::on_stream(stream, ActKind::Replay, principal);
        let drained = self.drain(stream, &act).await;
        audit(&self.store, &act, drained).await
    }

    /// Gives up the first event of a stream, which must be at `position`, and settles what waits for it in the same transaction;
    /// what queues behind it can be replayed then.
    ///
    /// # Errors
    /// `NotFound` with reason `NOT_PARKED`; `Rejected` with reason `POSITION_MISMATCH` when another event is the first, or with
    /// `MUST_BE_REPLAYED` when it may not be given up.
    pub async fn discard(
        &self,
        stream: &ParkedStream,
        position: u64,
        principal: &str,
        why: &str,
    ) -> Result<Drained, Error> {
        let act = Act::on_stream(stream, ActKind::Discard, principal).because(why);
        let discarded = self.store.retry(|| self.give_up(stream, position, &act)).await;
        let event = audit(&self.store, &act, discarded).await?;
        let left = rows::count(&self.store, stream).await?;
        Ok(Drained { events: vec![discarded_event(event)], left })
    }

    /// Does in one transaction what [`replay`](Self::replay) would do, after discarding the first event where `discard` names
    /// its position, rolls all of it back and tells what would have come of it.
    ///
    /// # Errors
    /// As [`replay`](Self::replay) and [`discard`](Self::discard).
    pub async fn rehearse(&self, stream: &ParkedStream, discard: Option<u64>) -> Result<Drained, Error> {
        let reactions = self.reactions_of(&stream.consumer)?;
        let mut parked = rows::events(&self.store, stream, 0, MOST).await?.into_iter().peekable();
        let first = parked.peek().ok_or_else(|| not_parked(stream))?;
        let (partition, first) = (first.event.partition, first.event.position);
        let mut drained = Drained { events: Vec::new(), left: rows::count(&self.store, stream).await? };
        if let Some(position) = discard {
            check_position(first, position)?;
            drained.events.extend(parked.next().map(|parked| discarded_event(parked.event)));
        }
        let (mut away, mut events) = (false, Vec::new());
        for parked in parked {
            events.push((self.present(stream, &parked, &mut away).await, parked));
        }
        let mut tx = self.store.begin().await?;
        if parked::lock(&tx, stream, partition).await?.is_none_or(|parked| parked.event.position != first) {
            let text = "the stream is being drained at this moment";
            return Err(Error::new(ErrorKind::Conflict, "QUARANTINE_CHANGED", text));
        }
        for given_up in &drained.events {
            reactions.give_up(&mut tx, &given_up.event).await?;
        }
        for (present, parked) in events {
            let (tried, outcome) = match present {
                Ok(present) => {
                    let reacted = reactions.react(&mut tx, &present.event).await;
                    (present, reacted.map_or_else(Outcome::Failed, |()| Outcome::Handled))
                }
                Err(error) => (Present { event: parked.event, from_owner: false }, Outcome::Failed(error)),
            };
            drained.take(tried, outcome);
            if drained.has_failed() {
                return Ok(drained.counted());
            }
        }
        if let (Err(error), Some(last)) = (tx.rehearse().await, drained.events.last_mut()) {
            last.outcome = Outcome::Failed(error);
        }
        Ok(drained.counted())
    }

    async fn drain(&self, stream: &ParkedStream, act: &Act) -> Result<Drained, Error> {
        let reactions = self.reactions_of(&stream.consumer)?;
        let mut first = self.first(stream).await?;
        if first.is_none() {
            return Err(not_parked(stream));
        }
        let (mut away, mut drained) = (false, Drained::default());
        while let Some(parked) = first.take()
            && drained.events.len() < MOST
        {
            let (present, handled) = match self.present(stream, &parked, &mut away).await {
                Ok(present) => {
                    let handled = self.store.retry(|| self.handle(stream, reactions, &present.event, act)).await;
                    (present, handled)
                }
                Err(error) => (Present { event: parked.event, from_owner: false }, Err(error)),
            };
            match handled {
                Ok(Step::Done) => drained.take(present, Outcome::Handled),
                Ok(Step::Overtaken) => {}
                Err(error) => {
                    if self.fail_again(stream, &present.event, &error, act).await? {
                        drained.take(present, Outcome::Failed(error));
                        break;
                    }
                }
            }
            first = self.first(stream).await?;
        }
        drained.left = rows::count(&self.store, stream).await?;
        Ok(drained)
    }

    /// Does what the reader would have done, and takes the event out of quarantine, in one transaction.
    async fn handle(
        &self,
        stream: &ParkedStream,
        reactions: &Reactions,
        event: &Recorded,
        act: &Act,
    ) -> Result<Step, Error> {
        reactions.go_ahead(&[event]).await?;
        let mut tx = self.store.begin().await?;
        let first = parked::lock(&tx, stream, event.partition).await?;
        if first.is_none_or(|first| first.event.position != event.position) {
            return Ok(Step::Overtaken);
        }
        reactions.react(&mut tx, event).await?;
        parked::unpark(&mut tx, stream, event.position).await?;
        let act = act.clone().about(event);
        record(&mut tx, &act).await?;
        tx.commit().await?;
        reactions.count_handled(event);
        act.log();
        Ok(Step::Done)
    }

    /// Notes that an event has failed again; `false` when somebody else has drained it meanwhile.
    async fn fail_again(
        &self,
        stream: &ParkedStream,
        event: &Recorded,
        error: &Error,
        act: &Act,
    ) -> Result<bool, Error> {
        let act = act.clone().about(event).ended(ActOutcome::Failed, error);
        let mut tx = self.store.begin().await?;
        if !parked::fail_again(&tx, stream, event.position, error).await? {
            return Ok(false);
        }
        record(&mut tx, &act).await?;
        tx.commit().await?;
        act.log();
        Ok(true)
    }

    async fn give_up(&self, stream: &ParkedStream, position: u64, act: &Act) -> Result<Recorded, Error> {
        let seen = self.first(stream).await?.ok_or_else(|| not_parked(stream))?;
        let mut tx = self.store.begin().await?;
        let first = parked::lock(&tx, stream, seen.event.partition).await?.ok_or_else(|| not_parked(stream))?;
        check_position(first.event.position, position)?;
        // A consumer that is no more has nobody waiting.
        if let Ok(reactions) = self.reactions_of(&stream.consumer) {
            reactions.give_up(&mut tx, &first.event).await?;
        }
        parked::unpark(&mut tx, stream, position).await?;
        let act = act.clone().about(&first.event);
        record(&mut tx, &act).await?;
        tx.commit().await?;
        act.log();
        Ok(first.event)
    }

    async fn first(&self, stream: &ParkedStream) -> Result<Option<ParkedEvent>, Error> {
        Ok(rows::events(&self.store, stream, 0, 1).await?.into_iter().next())
    }

    /// The event as its owner has it now: the owner's log is the truth. The copy kept here where the owner cannot be asked,
    /// which is tried once.
    async fn present(&self, stream: &ParkedStream, parked: &ParkedEvent, away: &mut bool) -> Result<Present, Error> {
        let kept = &parked.event;
        let copy = || Ok(Present { event: kept.clone(), from_owner: false });
        if *away {
            return copy();
        }
        let page = match self.logs.read(&stream.source, kept.partition, kept.position.saturating_sub(1), 1).await {
            Ok(page) => page,
            Err(error) => {
                *away = true;
                tracing::warn!(source = stream.source, %error, "the owner of parked events cannot be asked; the copies are used");
                return copy();
            }
        };
        match page.events.into_iter().next() {
            Some(event) if event.id == kept.id && event.position == kept.position => {
                Ok(Present { event, from_owner: true })
            }
            _ => {
                let text = format!("the log of {} has another event at position {}", stream.source, kept.position);
                Err(Error::new(ErrorKind::Rejected, "EVENT_CHANGED", text))
            }
        }
    }
}

impl Drained {
    fn take(&mut self, Present { event, from_owner }: Present, outcome: Outcome) {
        self.events.push(Tried { event, from_owner, outcome });
    }

    fn has_failed(&self) -> bool {
        self.events.last().is_some_and(|tried| matches!(tried.outcome, Outcome::Failed(_)))
    }

    /// The same after a rehearsal, which leaves all events where they are.
    fn counted(self) -> Self {
        let gone = self.events.iter().filter(|tried| !matches!(tried.outcome, Outcome::Failed(_))).count();
        Self { left: self.left.saturating_sub(u64::try_from(gone).unwrap_or(u64::MAX)), ..self }
    }
}

fn discarded_event(event: Recorded) -> Tried {
    Tried { event, from_owner: false, outcome: Outcome::Discarded }
}

fn check_position(first: u64, position: u64) -> Result<(), Error> {
    if first == position { Ok(()) } else { Err(position_mismatch(first, position)) }
}
