//! Where events come from: messages where there are any, the owner of the log wherever there is doubt.

use std::time::Duration;

use tokio::time::Instant;
use tradewind_broker::wire::{self, Entry, Frame};
use tradewind_domain::Error;
use tradewind_store::{LOG_FORKED, LogPage};

use super::inbox::Ahead;
use super::{BACKOFF, FETCH_TIMEOUT, Halt, Reader, TAKE, group};
use crate::metrics::metrics;

/// A heartbeat ahead of the cursor leads to a question only after so long without progress.
pub(super) const GRACE: Duration = Duration::from_millis(200);
const PAGE: u32 = 256;
const LEAST_WAIT: Duration = Duration::from_millis(20);

impl Reader {
    /// Opens or closes the stream of messages as the connection demands; after either the owner is asked what was missed.
    pub(super) fn keep_open(&mut self) {
        let Some(remote) = &mut self.remote else { return };
        if remote.feed.keep_open() {
            // An acknowledgement of one consumer may mean another message to its successor of the same name.
            self.inbox.forget_debts();
            let wait = if remote.feed.is_open() { Duration::ZERO } else { super::POLL };
            self.ask_within(wait);
        }
    }

    /// Takes the messages that are there already. While there is something to handle, no more than can be kept.
    pub(super) fn take_ready(&mut self) {
        for _ in 0..TAKE {
            if self.inbox.is_full() && self.inbox.gap(self.position).is_none() {
                break;
            }
            match self.remote.as_mut().and_then(|remote| remote.feed.ready()) {
                Some(message) => self.receive(&message),
                None => break,
            }
        }
    }

    /// Takes a message into the inbox, but what was handled already. One of another log makes the reader ask the owner.
    pub(super) fn receive(&mut self, message: &async_nats::Message) {
        let wanted = |type_name: &str| self.reactions.is_declared(type_name);
        let frame = wire::read(&self.context, self.partition, message.headers.as_ref(), &message.payload, wanted);
        if let Some(reply) = &message.reply {
            self.inbox.owe(frame.as_ref().map_or(0, Frame::last), reply.clone());
        }
        let frame = match frame {
            Ok(frame) => frame,
            // A gap, if anything, which the owner fills.
            Err(error) => {
                tracing::warn!(subject = %message.subject, %error, "a message is dropped");
                metrics().reader_malformed.add(1, &self.attributes);
                return;
            }
        };
        if self.incarnation != Some(frame.incarnation) {
            self.ask_within(Duration::ZERO);
            return;
        }
        self.head = self.head.max(frame.last());
        let mut after = frame.after;
        for (position, Entry { id, event }) in (frame.first..).zip(frame.entries) {
            if position > self.position {
                self.inbox.put(position, Ahead { id, after, event });
            }
            after = Some(id);
        }
    }

    /// Compares a heartbeat with the cursor.
    pub(super) fn note_heads(&mut self) {
        let Some(heads) = self.remote.as_mut().and_then(|remote| remote.feed.heads()) else { return };
        self.note_partitions(heads.positions.len());
        let head = heads.positions.get(usize::from(self.partition)).copied().unwrap_or_default();
        // A heartbeat may be a moment old, but not older than the one before it.
        if self.incarnation != Some(heads.incarnation) || head < self.position_at_heartbeat {
            self.ask_within(Duration::ZERO);
        } else if head > self.position {
            self.head = self.head.max(head);
            self.ask_within(GRACE);
        }
        self.position_at_heartbeat = self.position;
        self.measure();
    }

    /// What was received does not come after what was handled: the owner has to say which of them its log holds.
    pub(super) fn doubt(&mut self) {
        self.inbox.forget_ahead();
        self.ask_within(Duration::ZERO);
    }

    /// Asks the owner for what follows the cursor.
    pub(super) async fn fetch(&mut self) -> Result<(), Halt> {
        let gap = self.inbox.gap(self.position).and_then(|gap| u32::try_from(gap).ok());
        let limit = gap.map_or(PAGE, |gap| gap.min(PAGE));
        let stop = self.stop.clone();
        let page = stop.run_until_cancelled(self.page(limit)).await.ok_or(Halt::Asked)?;
        if self.epoch.has_changed().is_ok_and(|changed| changed) {
            // The database was away meanwhile: what the page would be compared with is read again first.
            return Ok(());
        }
        match page.and_then(|page| self.take_page(page, limit)) {
            Ok(Some((reason, why))) => Err(Halt::Changed(reason, why)),
            Ok(None) => {
                self.fetch_failures = 0;
                if self.head <= self.position {
                    self.moves().await;
                }
                Ok(())
            }
            Err(error) => {
                if self.fetch_failures.is_power_of_two() {
                    tracing::warn!(
                        consumer = self.consumer(), source = self.context, partition = self.partition, reason = error.reason,
                        %error, "the owner of a log cannot be asked"
                    );
                }
                self.fetch_at = Instant::now() + BACKOFF.wait(self.fetch_failures).max(LEAST_WAIT);
                self.fetch_failures = self.fetch_failures.saturating_add(1);
                self.measure();
                self.fails(&error).await;
                Ok(())
            }
        }
    }

    /// Has the owner asked soon, unless it could not be asked lately.
    fn ask_within(&mut self, wait: Duration) {
        if self.fetch_failures == 0 {
            self.fetch_at = self.fetch_at.min(Instant::now() + wait);
        }
    }

    async fn page(&self, limit: u32) -> Result<LogPage, Error> {
        let Some(remote) = &self.remote else {
            let limit = usize::try_from(limit).map_err(Error::internal)?;
            return self.store.follow_log(self.partition, self.position, limit).await;
        };
        let asked = remote.log.read_log(&self.context, self.partition, self.position, limit);
        tokio::time::timeout(FETCH_TIMEOUT, asked)
            .await
            .unwrap_or_else(|_| Err(Error::unavailable("OWNER_SILENT", "the owner of the log does not answer")))
    }

    /// Takes a page of the owner's log into the inbox; returns why reading must end, if it must.
    fn take_page(&mut self, page: LogPage, limit: u32) -> Result<Option<(&'static str, String)>, Error> {
        if let Some(changed) = self.compare(&page) {
            return Ok(Some(changed));
        }
        self.store.note_log(&self.context, page.incarnation, page.partitions);
        self.note_partitions(usize::from(page.partitions));
        self.head = self.head.max(page.head);
        // A page of large events is short although more follow.
        let short = page.events.last().is_some_and(|last| last.position < page.head);
        self.catching_up = short || page.events.len() >= usize::try_from(limit).map_err(Error::internal)?;
        if self.remote.is_some() {
            metrics().reader_gap_fills.add(u64::try_from(page.events.len()).unwrap_or_default(), &self.attributes);
        }
        let first = page.events.first().map(|event| event.position);
        if page.head > self.position && first != Some(self.position + 1) {
            return Err(Error::internal(format!("the owner's page begins at {first:?}, not after {}", self.position)));
        }
        let mut after = page.after;
        for event in page.events {
            let (position, id) = (event.position, event.id);
            let event = Some(event).filter(|event| self.reactions.is_declared(&event.type_name));
            self.inbox.put(position, Ahead { id, after, event });
            after = Some(id);
        }
        self.fetch_at = Instant::now() + self.patience();
        Ok(None)
    }

    /// Holds the owner's log against what this reader has read of it; returns what happened to the log, if it is another one.
    /// A log of another incarnation that has the same event at the cursor is the same up to there, and is read on.
    fn compare(&mut self, page: &LogPage) -> Option<(&'static str, String)> {
        let known = *self.incarnation.get_or_insert(page.incarnation);
        let agrees = page.after.zip(self.last).map(|(theirs, ours)| theirs == ours);
        if known != page.incarnation && self.position > 0 && agrees != Some(true) {
            return Some(("LOG_REPLACED", format!("the log was {known} and is {}", page.incarnation)));
        }
        if page.head < self.position {
            return Some(("LOG_TOO_SHORT", format!("the log ends at {}, before the cursor", page.head)));
        }
        if agrees == Some(false) {
            let text = format!("the log has another event at {} than the one that was read", self.position);
            return Some((LOG_FORKED, text));
        }
        if known != page.incarnation {
            tracing::info!(
                consumer = self.consumer(), source = self.context, partition = self.partition, position = self.position,
                before = %known, now = %page.incarnation, "a log has another incarnation; up to the cursor it is the same"
            );
            self.inbox.forget_ahead();
            self.incarnation = Some(page.incarnation);
        }
        None
    }

    fn note_partitions(&self, count: usize) {
        group::note(&self.partitions, u16::try_from(count).unwrap_or(u16::MAX));
    }
}
