//! Who has done its part in what follows an event.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use contracts::reactions::{REACTIONS, Reaction};
use contracts::tables::EVENTS;
use contracts::tradewind::options::v1::Role;

/// The services that have had their turn, as a number with a bit for each that may have one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Done(i64);

/// Those who may have a turn in what somebody else is waited for. Who changes their order raises the version of the projection.
static PARTICIPANTS: LazyLock<BTreeSet<&'static str>> = LazyLock::new(|| {
    let owner_of = |name: &str| EVENTS.iter().find(|event| event.name == name).map(|event| event.owner);
    let takes_part = |each: &&Reaction| {
        let asks = EVENTS.iter().find(|event| event.name == each.event && !event.any_of.is_empty());
        each.role != Role::Observe && asks.is_some_and(|asks| owner_of(asks.any_of[0]) != Some(each.context))
    };
    REACTIONS.iter().filter(takes_part).map(|each| each.context).collect()
});

impl Done {
    /// That one service has; nobody, where it takes no turns.
    #[must_use]
    pub fn by(service: &str) -> Self {
        Self(PARTICIPANTS.iter().position(|one| *one == service).map_or(0, |place| 1 << place))
    }

    /// Every set there may be.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..1 << PARTICIPANTS.len()).map(Self)
    }

    /// Whether a service is among them.
    #[must_use]
    pub fn has(self, service: &str) -> bool {
        self.0 & Self::by(service).0 != 0
    }

    /// As it is kept.
    #[must_use]
    pub const fn number(self) -> i64 {
        self.0
    }

    /// As it was kept.
    #[must_use]
    pub const fn numbered(number: i64) -> Self {
        Self(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is kept means the same for every build of one version of the projection.
    #[test]
    fn each_participant_keeps_its_bit() {
        let bits = ["inventory", "payment", "shipping", "notification"].map(|service| Done::by(service).number());
        assert_eq!(bits, [1, 2, 4, 0]);
        let both = Done::numbered(5);
        assert!(both.has("inventory") && both.has("shipping") && !both.has("payment") && !both.has("notification"));
        assert_eq!(Done::all().count(), 8);
    }
}
