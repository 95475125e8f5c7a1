//! What replicas tell each other: once a second, if there is something to tell, what the busiest have used of their budgets. The others
//! take it off theirs. Without the broker each goes on by itself.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use futures::StreamExt as _;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tradewind_runtime::Board;

use crate::limits::Limits;
use crate::limits::ledger::Entry;

const EVERY: Duration = Duration::from_secs(1);
/// The most that are told of at a time.
const MOST: usize = 256;
/// Whoever uses less than this of a budget is not told of, in nanoseconds that it takes to come back: a sixteenth of what comes back
/// in the time between.
const LEAST: u64 = 1_000_000_000 / 16;
/// How what is told is written; what begins otherwise is not read.
const FORM: u8 = 1;
/// The bytes of one entry: a name, and two times in milliseconds.
const ENTRY: usize = 16;
const MILLI: u64 = 1_000_000;

/// Shares what is used with the other replicas, until `stop`.
pub(crate) async fn share(limits: Arc<Limits>, board: Board, stop: CancellationToken) {
    stop.run_until_cancelled(talk(limits, board)).await;
}

async fn talk(limits: Arc<Limits>, board: Board) {
    let mut heard = match board.hear().await {
        Ok(heard) => heard,
        Err(error) => return tracing::warn!(%error, "limits are not shared with other replicas"),
    };
    let mut tick = tokio::time::interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (link, mut caught_up) = (board.broker().link(), None);
    loop {
        tokio::select! {
            words = heard.next() => match words {
                Some(words) => limits.hear(words),
                None => return,
            },
            _ = tick.tick() => {
                let words = limits.words();
                let now = *link.borrow();
                if now.up && caught_up != Some(now.epoch) && let Ok(said) = board.said().await {
                    said.into_iter().for_each(|(age, words)| limits.hear_late(words, age));
                    caught_up = Some(now.epoch);
                }
                if let Some(words) = words {
                    board.tell(words).await;
                }
            }
        }
    }
}

impl Limits {
    /// What there is to tell.
    pub(crate) fn words(&self) -> Option<Bytes> {
        let busiest = self.ledger.busiest(MOST, LEAST, self.now());
        (!busiest.is_empty()).then(|| written(&busiest))
    }

    /// Takes off what another has just granted.
    pub(crate) fn hear(&self, words: Bytes) {
        let now = self.now();
        read(words).into_iter().for_each(|entry| self.ledger.charge(entry, now));
    }

    /// The same of what was said before this replica listened. What was used it may have heard already, so only how everybody stood
    /// counts.
    fn hear_late(&self, words: Bytes, age: Duration) {
        let (now, age) = (self.now(), u64::try_from(age.as_nanos()).unwrap_or(u64::MAX));
        let stood = |Entry { id, level, .. }| Entry { id, spent: 0, level: level.saturating_sub(age) };
        read(words).into_iter().map(stood).for_each(|entry| self.ledger.charge(entry, now));
    }
}

fn written(entries: &[Entry]) -> Bytes {
    let mut words = BytesMut::with_capacity(1 + entries.len() * ENTRY);
    words.put_u8(FORM);
    let millis = |nanos: u64| u32::try_from(nanos.div_ceil(MILLI)).unwrap_or(u32::MAX);
    for Entry { id, spent, level } in entries {
        words.put_u64(*id);
        words.put_u32(millis(*spent));
        words.put_u32(millis(*level));
    }
    words.freeze()
}

fn read(mut words: Bytes) -> Vec<Entry> {
    let mut entries = Vec::new();
    if words.first() != Some(&FORM) {
        return entries;
    }
    words.advance(1);
    while words.len() >= ENTRY && entries.len() < MOST {
        let id = words.get_u64();
        let [spent, level] = [words.get_u32(), words.get_u32()].map(|millis| u64::from(millis) * MILLI);
        entries.push(Entry { id, spent, level });
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        let entries: Vec<_> =
            (0..3).map(|id| Entry { id, spent: id * MILLI, level: u64::from(u32::MAX) * MILLI }).collect();
        let words = written(&entries);
        assert_eq!((words.len(), read(words.clone())), (49, entries.clone()));
        assert_eq!(read(words.slice(..40)), entries[..2], "what is cut off is left out");
        assert_eq!(read(Bytes::new()), []);
        assert_eq!(read([&[2], &words[1..]].concat().into()), []);
        let many = vec![Entry { id: 1, spent: u64::MAX, level: 0 }; 10 * MOST];
        assert_eq!(read(written(&many)).len(), MOST);
    }
}
