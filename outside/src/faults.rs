//! What goes wrong on purpose, for each party: latency, errors, lost answers, being away. Kept in memory only: a
//! restart ends all faults. Decides nothing about money or parcels.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::refusal::{Checked, Refusal};

/// The longest latency that can be set, in milliseconds.
const LONGEST_LATENCY_MS: u64 = 60_000;

/// Whose calls are disturbed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Party {
    Card,
    Carrier,
    Mail,
}

/// How the calls to one party are disturbed; the default is not at all.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Disturbance {
    /// Time before anything else happens, in milliseconds.
    latency_ms: u64,
    /// Share of calls answered 503 before anything is decided, 0 to 1.
    error_rate: f64,
    /// Share of calls decided and then ended without an answer, 0 to 1.
    lost_answer_rate: f64,
    /// Every call is answered 503 at once.
    down: bool,
}

/// The disturbances of all parties.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    card: Disturbance,
    carrier: Disturbance,
    mail: Disturbance,
}

impl Checked for Settings {
    fn check(&self) -> Result<(), Refusal> {
        for (party, set) in [("card", &self.card), ("carrier", &self.carrier), ("mail", &self.mail)] {
            for (name, rate) in [("error_rate", set.error_rate), ("lost_answer_rate", set.lost_answer_rate)] {
                if !(0.0..=1.0).contains(&rate) {
                    let message = format!("{name} must be between 0 and 1");
                    return Err(Refusal::field(format!("{party}.{name}"), "RATE_OUT_OF_RANGE", message));
                }
            }
            if set.latency_ms > LONGEST_LATENCY_MS {
                let message = format!("latency_ms must be at most {LONGEST_LATENCY_MS}");
                return Err(Refusal::field(format!("{party}.latency_ms"), "LATENCY_TOO_LONG", message));
            }
        }
        Ok(())
    }
}

/// What happens to one call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fate {
    pub(crate) down: bool,
    pub(crate) latency: Duration,
    pub(crate) error: bool,
    pub(crate) lost: bool,
}

/// The settings in force, and the chance that goes with them.
pub(crate) struct Faults {
    seed: u64,
    state: Mutex<State>,
}

struct State {
    settings: Settings,
    card: Chance,
    carrier: Chance,
    mail: Chance,
}

impl State {
    /// Chance starts again with the settings, and is each party's own, so that a run can be repeated.
    fn new(seed: u64, settings: Settings) -> Self {
        let chance = |party: u64| Chance(seed ^ party.rotate_right(8));
        Self { settings, card: chance(1), carrier: chance(2), mail: chance(3) }
    }
}

impl Faults {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, state: Mutex::new(State::new(seed, Settings::default())) }
    }

    /// Replaces all settings: what is left out is undisturbed.
    pub(crate) fn set(&self, settings: Settings) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = State::new(self.seed, settings);
    }

    pub(crate) fn get(&self) -> Settings {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).settings
    }

    /// Draws what happens to the next call to `party`.
    pub(crate) fn draw(&self, party: Party) -> Fate {
        let mut guard = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { settings, card, carrier, mail } = &mut *guard;
        let (set, chance) = match party {
            Party::Card => (&settings.card, card),
            Party::Carrier => (&settings.carrier, carrier),
            Party::Mail => (&settings.mail, mail),
        };
        // Both are drawn for every call, so that one rate does not shift what the other hits.
        let (error, lost) = (chance.draw() < set.error_rate, chance.draw() < set.lost_answer_rate);
        Fate { down: set.down, latency: Duration::from_millis(set.latency_ms), error, lost }
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014): small, and the same on every machine.
struct Chance(u64);

impl Chance {
    /// The next number in 0..1.
    fn draw(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let [a, b, c, d, ..] = (mixed ^ (mixed >> 31)).to_be_bytes();
        f64::from(u32::from_be_bytes([a, b, c, d])) / 4_294_967_296.0
    }
}
