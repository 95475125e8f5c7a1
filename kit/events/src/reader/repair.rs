//! Where events come from: messages where there are any, the owner of the log wherever there is doubt.

use tokio::time::Instant;
use tradewind_broker::wire::{self, Frame};
use tradewind_domain::Error;
use tradewind_sql::random;
use tradewind_store::LogPage;

use super::progress::{Changed, Way};
use super::{FETCH_TIMEOUT, Halt, Reader, TAKE, group};
use crate::metrics::metrics;

impl Reader {
    /// Opens or closes the stream of messages as the connection demands.
    pub(super) fn keep_open(&mut self) {
        let Some(remote) = &mut self.remote else { return };
        if remote.feed.keep_open() {
            let way = if remote.feed.is_open() { Way::Messages } else { Way::Closed };
            self.progress.goes_by(way, Instant::now());
        }
    }

    /// Takes the messages that are there already, and no more than can be kept.
    pub(super) fn take_ready(&mut self) {
        for _ in 0..TAKE {
            if !self.progress.has_room() {
                break;
            }
            match self.remote.as_mut().and_then(|remote| remote.feed.ready()) {
                Some(message) => self.receive(&message),
                None => break,
            }
        }
    }

    /// Takes a message.
    pub(super) fn receive(&mut self, message: &async_nats::Message) {
        let wanted = |type_name: &str| self.reactions.is_declared(type_name);
        let frame = wire::read(&self.context, self.partition, message.headers.as_ref(), &message.payload, wanted);
        if let Some(reply) = &message.reply {
            self.progress.owes(frame.as_ref().map_or(0, Frame::last), reply.clone(), Instant::now());
        }
        match frame {
            Ok(frame) => self.progress.take(frame, Instant::now()),
            // A gap, if anything, which the owner fills.
            Err(error) => {
                tracing::warn!(subject = %message.subject, %error, "a message is dropped");
                metrics().reader_malformed.add(1, &self.attributes);
            }
        }
    }

    /// Takes a heartbeat.
    pub(super) fn note_heads(&mut self) {
        let Some(heads) = self.remote.as_mut().and_then(|remote| remote.feed.heads()) else { return };
        self.note_partitions(heads.positions.len());
        self.progress.heard(&heads, self.partition, Instant::now());
        self.measure();
    }

    /// Asks the owner for so many events behind the cursor.
    pub(super) async fn ask(&mut self, limit: u32) -> Result<(), Halt> {
        let stop = self.stop.clone();
        let page = stop.run_until_cancelled(self.page(limit)).await.ok_or(Halt::Asked)?;
        if self.epoch.has_changed().is_ok_and(|changed| changed) {
            // The database was away meanwhile: what the page would be compared with is read again first.
            return Ok(());
        }
        match page.and_then(|page| self.take_page(page, limit)) {
            Ok(Some(changed)) => Err(Halt::Changed(changed)),
            Ok(None) => {
                if self.progress.lag() == 0 {
                    self.moves().await;
                }
                Ok(())
            }
            Err(error) => {
                if self.progress.not_answered(random(), Instant::now()).is_power_of_two() {
                    tracing::warn!(
                        consumer = self.consumer(), source = self.context, partition = self.partition, reason = error.reason,
                        %error, "the owner of a log cannot be asked"
                    );
                }
                self.measure();
                self.fails(&error).await;
                Ok(())
            }
        }
    }

    async fn page(&self, limit: u32) -> Result<LogPage, Error> {
        let Some(remote) = &self.remote else {
            let limit = usize::try_from(limit).map_err(Error::internal)?;
            return self.store.follow_log(self.partition, self.progress.position(), limit).await;
        };
        let asked = remote.log.read_log(&self.context, self.partition, self.progress.position(), limit);
        tokio::time::timeout(FETCH_TIMEOUT, asked)
            .await
            .unwrap_or_else(|_| Err(Error::unavailable("OWNER_SILENT", "the owner of the log does not answer")))
    }

    /// Takes a page of the owner's log; tells why reading must end, if it must.
    fn take_page(&mut self, page: LogPage, limit: u32) -> Result<Option<Changed>, Error> {
        let (now, partitions, before) = (page.incarnation, page.partitions, self.progress.incarnation());
        let events = u64::try_from(page.events.len()).unwrap_or_default();
        let wanted = |type_name: &str| self.reactions.is_declared(type_name);
        let changed = self.progress.answered(page, limit, wanted, Instant::now())?;
        if changed.is_some() {
            return Ok(changed);
        }
        self.store.note_log(&self.context, now, partitions);
        self.note_partitions(usize::from(partitions));
        if self.remote.is_some() {
            metrics().reader_gap_fills.add(events, &self.attributes);
        }
        if let Some(before) = before.filter(|before| *before != now) {
            tracing::info!(
                consumer = self.consumer(), source = self.context, partition = self.partition,
                position = self.progress.position(), %before, %now,
                "a log has another incarnation; up to the cursor it is the same"
            );
        }
        Ok(None)
    }

    fn note_partitions(&self, count: usize) {
        group::note(&self.partitions, u16::try_from(count).unwrap_or(u16::MAX));
    }
}
