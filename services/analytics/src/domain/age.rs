//! How long something has been waiting, in five classes.

use std::time::Duration;

use contracts::tradewind::analytics::v1::AgeClass;

const MINUTE: u64 = 60;

/// A class of ages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Age {
    /// What the contract calls it.
    pub class: AgeClass,
    /// The least age that is in it.
    pub least: Duration,
}

impl Age {
    /// All of them, the oldest first.
    pub const ALL: [Self; 5] = [
        Self { class: AgeClass::Days, least: Duration::from_secs(24 * 60 * MINUTE) },
        Self { class: AgeClass::Day, least: Duration::from_secs(60 * MINUTE) },
        Self { class: AgeClass::Hour, least: Duration::from_secs(10 * MINUTE) },
        Self { class: AgeClass::Minutes, least: Duration::from_secs(MINUTE) },
        Self { class: AgeClass::Seconds, least: Duration::ZERO },
    ];
}
