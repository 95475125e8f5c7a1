use contracts::tradewind::payment::v1::{DifferenceFound, DifferenceKind, DifferenceResolved};
use tradewind_domain::{Aggregate, DomainError, ErrorKind, Sensitive};

tradewind_domain::events! {
    /// What can happen to a difference.
    pub enum DifferenceEvent {
        Found(DifferenceFound),
        Resolved(DifferenceResolved),
    }
}

/// Who resolves what was late and has come to agree.
pub const RECONCILE: &str = "reconcile";
/// How.
pub const SETTLED: &str = "both sides have it";

/// Something that the ledger and the provider's statement do not agree on. It is found once, and once more where what was late is
/// missing or differs after all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Difference {
    pub(crate) kind: DifferenceKind,
    pub(crate) is_resolved: bool,
}

/// What a difference can be asked to do.
#[derive(Clone, Debug, PartialEq)]
pub enum DifferenceCommand {
    /// It is there, as the event says.
    Find(DifferenceFound),
    /// It is no longer late: both sides have it. Anything else is for people to resolve.
    Settle {
        /// Its id.
        difference_id: String,
    },
    /// Somebody has settled it.
    Resolve {
        /// Its id.
        difference_id: String,
        /// How.
        note: Sensitive<String>,
        /// Who.
        resolved_by: Sensitive<String>,
    },
}

/// Why a difference refuses a command.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
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
    fn find(&self, found: DifferenceFound) -> Vec<DifferenceEvent> {
        let is_news = match self.kind {
            DifferenceKind::Unspecified => true,
            DifferenceKind::Late => found.kind() != DifferenceKind::Late,
            _ => false,
        };
        is_news.then(|| found.into()).into_iter().collect()
    }
}

impl Aggregate for Difference {
    const NAME: &'static str = "difference";
    type Command = DifferenceCommand;
    type Event = DifferenceEvent;
    type Error = DifferenceError;

    fn decide(&self, command: DifferenceCommand) -> Result<Vec<DifferenceEvent>, DifferenceError> {
        match command {
            DifferenceCommand::Find(found) => Ok(self.find(found)),
            DifferenceCommand::Settle { difference_id } if self.kind == DifferenceKind::Late && !self.is_resolved => {
                let note = SETTLED.to_owned();
                Ok(vec![DifferenceResolved { difference_id, note, resolved_by: RECONCILE.to_owned() }.into()])
            }
            DifferenceCommand::Settle { .. } => Ok(Vec::new()),
            DifferenceCommand::Resolve { .. } if self.kind == DifferenceKind::Unspecified => {
                Err(DifferenceError::NotFound)
            }
            DifferenceCommand::Resolve { .. } if self.is_resolved => Err(DifferenceError::Resolved),
            DifferenceCommand::Resolve { difference_id, note, resolved_by } => {
                let (note, resolved_by) = (note.into_exposed(), resolved_by.into_exposed());
                Ok(vec![DifferenceResolved { difference_id, note, resolved_by }.into()])
            }
        }
    }

    fn evolve(&mut self, event: &DifferenceEvent) {
        match event {
            DifferenceEvent::Found(event) => {
                self.kind = event.kind();
                self.is_resolved = false;
            }
            DifferenceEvent::Resolved(_) => self.is_resolved = true,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn find(kind: DifferenceKind) -> DifferenceCommand {
        DifferenceCommand::Find(DifferenceFound { kind: kind.into(), ..DifferenceFound::default() })
    }

    fn resolve() -> DifferenceCommand {
        DifferenceCommand::Resolve {
            difference_id: "d".into(),
            note: "paid".to_owned().into(),
            resolved_by: "ada".to_owned().into(),
        }
    }

    fn settle() -> DifferenceCommand {
        DifferenceCommand::Settle { difference_id: "d".into() }
    }

    /// How many events the last of the commands leads to.
    fn told(commands: &[DifferenceCommand]) -> Result<usize, DifferenceError> {
        let mut difference = Difference::default();
        let mut last = Ok(0);
        for command in commands {
            let decided = difference.decide(command.clone());
            decided.iter().flatten().for_each(|event| difference.evolve(event));
            last = decided.map(|events| events.len());
        }
        last
    }

    #[test]
    fn a_difference_is_found_once_and_again_when_what_was_late_is_missing() {
        use DifferenceKind::{AmountDiffers, Late, MissingHere};
        assert_eq!(told(&[find(MissingHere)]), Ok(1));
        for before in [&[find(MissingHere)][..], &[find(MissingHere), resolve()]] {
            for again in [MissingHere, AmountDiffers, Late] {
                assert_eq!(told(&[before, &[find(again)]].concat()), Ok(0), "{again:?}");
            }
        }
        assert_eq!(told(&[find(Late), find(Late)]), Ok(0));
        assert_eq!(told(&[find(Late), find(MissingHere)]), Ok(1));
        assert_eq!(told(&[find(Late), resolve(), find(MissingHere), resolve()]), Ok(1));
    }

    #[test]
    fn only_what_is_late_settles_itself() {
        assert_eq!(told(&[find(DifferenceKind::Late), settle()]), Ok(1));
        assert_eq!(told(&[find(DifferenceKind::Late), settle(), settle()]), Ok(0));
        assert_eq!(told(&[find(DifferenceKind::MissingThere), settle()]), Ok(0));
        assert_eq!(told(&[settle()]), Ok(0));
    }

    #[test]
    fn what_was_found_is_resolved_once() {
        assert_eq!(told(&[resolve()]), Err(DifferenceError::NotFound));
        assert_eq!(told(&[find(DifferenceKind::Late), resolve()]), Ok(1));
        assert_eq!(told(&[find(DifferenceKind::Late), resolve(), resolve()]), Err(DifferenceError::Resolved));
    }
}
