use contracts::tradewind::inventory::v1::{
    StockCount, StockDifferenceFound, StockDifferenceResolved, StockResolution as Resolution,
};
use tradewind_domain::{Aggregate, DomainError, ErrorKind, Sensitive};

use super::count::minus;

tradewind_domain::events! {
    /// What can happen to a difference.
    pub enum DifferenceEvent {
        Found(StockDifferenceFound),
        Resolved(StockDifferenceResolved),
    }
}

/// Who resolves what agrees again.
pub const AUDIT: &str = "audit";
/// How.
pub const AGREES: &str = "the counters are what the movements come to";

/// Counters of a level that are not what its movements come to. Orders move both sides alike, so it is the same difference as long as
/// as much lies between them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Difference {
    found: StockDifferenceFound,
    /// What the counters have more than the movements, as far as is known; nothing where they agree.
    between: StockCount,
    is_open: bool,
}

/// What a difference can be asked to do.
#[derive(Clone, Debug, PartialEq)]
pub enum DifferenceCommand {
    /// It is there, as the event says.
    Find(StockDifferenceFound),
    /// Both sides agree.
    Agree,
    /// Somebody has settled it.
    Resolve {
        /// Whether the counters are set to what the movements come to.
        correct_counters: bool,
        /// How.
        note: Sensitive<String>,
        /// Who.
        resolved_by: Sensitive<String>,
    },
}

/// Why a difference refuses a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DifferenceError {
    /// It was never found.
    #[error("no such difference was found")]
    NotFound,
    /// It is resolved.
    #[error("the difference is resolved already")]
    Resolved,
}

impl DomainError for DifferenceError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound => ErrorKind::NotFound,
            Self::Resolved => ErrorKind::Rejected,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::NotFound => "DIFFERENCE_NOT_FOUND",
            Self::Resolved => "DIFFERENCE_RESOLVED",
        }
    }
}

impl Difference {
    fn resolved(&self, resolution: Resolution, note: String, resolved_by: String) -> StockDifferenceResolved {
        let back = (resolution == Resolution::Corrected).then(|| minus(StockCount::default(), self.between));
        let StockDifferenceFound { difference_id, sku, location, .. } = self.found.clone();
        let resolution = resolution.into();
        StockDifferenceResolved { difference_id, sku, location, resolution, change: back, note, resolved_by }
    }
}

/// What the counters have more than the movements.
fn between(found: &StockDifferenceFound) -> StockCount {
    minus(found.counters.unwrap_or_default(), found.balance.unwrap_or_default())
}

impl Aggregate for Difference {
    const NAME: &'static str = "difference";
    type Command = DifferenceCommand;
    type Event = DifferenceEvent;
    type Error = DifferenceError;

    fn decide(&self, command: DifferenceCommand) -> Result<Vec<DifferenceEvent>, DifferenceError> {
        match command {
            DifferenceCommand::Find(found) if between(&found) == self.between => Ok(Vec::new()),
            DifferenceCommand::Find(found) => Ok(vec![found.into()]),
            DifferenceCommand::Agree if self.between == StockCount::default() => Ok(Vec::new()),
            DifferenceCommand::Agree => {
                Ok(vec![self.resolved(Resolution::Agreed, AGREES.to_owned(), AUDIT.to_owned()).into()])
            }
            DifferenceCommand::Resolve { .. } if self.found == StockDifferenceFound::default() => {
                Err(DifferenceError::NotFound)
            }
            DifferenceCommand::Resolve { .. } if !self.is_open => Err(DifferenceError::Resolved),
            DifferenceCommand::Resolve { correct_counters, note, resolved_by } => {
                let resolution = if correct_counters { Resolution::Corrected } else { Resolution::Noted };
                Ok(vec![self.resolved(resolution, note.into_exposed(), resolved_by.into_exposed()).into()])
            }
        }
    }

    fn evolve(&mut self, event: &DifferenceEvent) {
        match event {
            DifferenceEvent::Found(found) => {
                self.between = between(found);
                self.found.clone_from(found);
                self.is_open = true;
            }
            DifferenceEvent::Resolved(resolved) => {
                self.is_open = false;
                if resolved.resolution() != Resolution::Noted {
                    self.between = StockCount::default();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_testing::scenario::given;

    /// So much more is counted than has moved.
    fn found(more: i64) -> StockDifferenceFound {
        at(more, 0)
    }

    /// The same after some receipts.
    fn at(more: i64, received: i64) -> StockDifferenceFound {
        let count = |received| Some(StockCount { received, shipped: 0, reserved: 0 });
        StockDifferenceFound {
            difference_id: "d".into(),
            sku: "TEA".into(),
            location: "hull".into(),
            counters: count(received + more),
            balance: count(received),
        }
    }

    fn find(found: StockDifferenceFound) -> DifferenceCommand {
        DifferenceCommand::Find(found)
    }

    fn resolve(correct_counters: bool) -> DifferenceCommand {
        let (note, resolved_by) = ("seen".to_owned().into(), "ada".to_owned().into());
        DifferenceCommand::Resolve { correct_counters, note, resolved_by }
    }

    fn resolved(resolution: Resolution, note: &str, by: &str, change: Option<i64>) -> StockDifferenceResolved {
        StockDifferenceResolved {
            difference_id: "d".into(),
            sku: "TEA".into(),
            location: "hull".into(),
            resolution: resolution.into(),
            change: change.map(|received| StockCount { received, shipped: 0, reserved: 0 }),
            note: note.into(),
            resolved_by: by.into(),
        }
    }

    fn noted() -> StockDifferenceResolved {
        resolved(Resolution::Noted, "seen", "ada", None)
    }

    fn agreed() -> StockDifferenceResolved {
        resolved(Resolution::Agreed, AGREES, AUDIT, None)
    }

    #[test]
    fn it_is_found_once_as_long_as_as_much_lies_between() {
        let first = given::<Difference>([]).when(find(found(2))).then([found(2).into()]);
        first.when(find(found(2))).then([]).when(find(at(2, 7))).then([]).when(find(found(3))).then([found(3).into()]);
    }

    #[test]
    fn what_is_noted_stays_so_until_it_is_another_or_over() {
        let known = given::<Difference>([found(2).into()]).when(resolve(false)).then([noted().into()]);
        let known = known.when(find(at(2, 7))).then([]);
        known.when(DifferenceCommand::Agree).then([agreed().into()]).when(find(found(2))).then([found(2).into()]);
        let known = given::<Difference>([found(2).into(), noted().into()]);
        known.when(find(found(-1))).then([found(-1).into()]).when(resolve(false)).then([noted().into()]);
    }

    #[test]
    fn the_counters_are_set_back_by_what_lies_between() {
        let corrected = resolved(Resolution::Corrected, "seen", "ada", Some(-2));
        let over = given::<Difference>([found(2).into()]).when(resolve(true)).then([corrected.into()]);
        over.when(DifferenceCommand::Agree).then([]).when(find(found(2))).then([found(2).into()]);
    }

    #[test]
    fn what_agrees_again_is_over_once() {
        let over = given::<Difference>([found(2).into()]).when(DifferenceCommand::Agree).then([agreed().into()]);
        over.when(DifferenceCommand::Agree).then([]);
        given::<Difference>([]).when(DifferenceCommand::Agree).then([]);
    }

    #[test]
    fn what_was_found_is_resolved_once() {
        given::<Difference>([]).when(resolve(false)).then_refused("DIFFERENCE_NOT_FOUND");
        let known = [found(2).into(), noted().into()];
        given::<Difference>(known).when(resolve(true)).then_refused("DIFFERENCE_RESOLVED");
    }
}
