//! How many calls a server handles at once, and whom it turns away first when there are too many: what the contract's
//! `criticality` says. Streams are counted where they are opened, and health is never turned away.

use std::sync::atomic::{AtomicUsize, Ordering};

use contracts::tradewind::options::v1::Criticality;
use tonic::{Code, Status};

use crate::status::{self, Layer};

/// Calls handled at once. More would take memory without end, and nobody would be served sooner.
const CALLS: usize = 2_048;

/// The calls that are being handled.
#[derive(Default)]
pub(super) struct Shed(AtomicUsize);

/// One of them, until it is dropped.
#[derive(Debug)]
pub(super) struct Call<'a>(&'a AtomicUsize);

impl Shed {
    /// Takes one more call, unless there are so many that a call of this criticality has to make room for others.
    pub(super) fn take(&self, criticality: Criticality) -> Result<Call<'_>, Status> {
        let (most, calls) = (most(criticality), &self.0);
        let taken = calls.fetch_update(Ordering::AcqRel, Ordering::Acquire, |now| (now < most).then_some(now + 1));
        taken.map(|_| Call(calls)).map_err(|_| {
            let text = "the server handles as many calls as it can; try again later, and less often";
            status::refusal(
                Layer::Shed,
                Code::ResourceExhausted,
                "OVERLOADED",
                text,
                [("limit", most.to_string().as_str())],
            )
        })
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// How many calls there may be with one more of this criticality.
const fn most(criticality: Criticality) -> usize {
    match criticality {
        Criticality::Sheddable => CALLS / 2,
        Criticality::Unspecified | Criticality::Default => CALLS / 4 * 3,
        Criticality::Critical => CALLS,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]
    use super::*;

    fn take_all(load: &Shed, criticality: Criticality) -> Vec<Call<'_>> {
        std::iter::from_fn(|| load.take(criticality).ok()).collect()
    }

    #[test]
    fn what_can_wait_makes_room_for_what_cannot() {
        let load = Shed::default();
        let reports = take_all(&load, Criticality::Sheddable);
        let others = take_all(&load, Criticality::Default);
        let orders = take_all(&load, Criticality::Critical);
        assert_eq!([reports.len(), others.len(), orders.len()], [1_024, 512, 512]);
        let refused = load.take(Criticality::Critical).unwrap_err();
        assert_eq!(
            (refused.code(), status::reason(&refused).as_deref()),
            (Code::ResourceExhausted, Some("OVERLOADED"))
        );
        drop(reports);
        assert!(load.take(Criticality::Critical).is_ok() && load.take(Criticality::Default).is_ok());
        assert!(
            load.take(Criticality::Sheddable).is_err(),
            "there are still as many as reports have to leave room for"
        );
    }

    #[test]
    fn a_call_that_ends_leaves_its_place() {
        let load = Shed::default();
        drop(take_all(&load, Criticality::Critical));
        assert_eq!(take_all(&load, Criticality::Critical).len(), CALLS);
    }
}
