//! What may happen to a message between a relay that believes it delivered and a broker that never said so.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tradewind_broker::Broker;
use tradewind_broker::wire::Envelope;

static MANGLING: Mutex<Option<(Mangling, u64)>> = Mutex::new(None);

/// What happens to messages; the shares are per cent, and their sum is at most 100.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mangling {
    /// The same seed decides the same for the same sequence of messages.
    pub seed: u64,
    /// The share that is lost, although it counts as acknowledged.
    pub lost: u8,
    /// The share that is delivered twice.
    pub doubled: u8,
    /// The share that is late, so that others overtake it.
    pub late: u8,
    /// The longest that is late.
    pub late_by: Duration,
}

/// Mangles the messages that this process publishes from now on.
pub fn mangle(mangling: Mangling) {
    *MANGLING.lock().unwrap_or_else(PoisonError::into_inner) = Some((mangling, mangling.seed));
}

/// Tells whether a message is taken out of the relay's hands.
pub(crate) fn takes(broker: &Broker, envelope: &Envelope) -> bool {
    let Some((mangling, chance, wait)) = throw() else { return false };
    let Mangling { lost, doubled, late, .. } = mangling;
    let (subject, body) = (envelope.subject.clone(), envelope.body.clone());
    let (taken, wait) = if chance < lost {
        return true;
    } else if chance < lost + doubled {
        (false, Duration::ZERO)
    } else if chance < lost + doubled + late {
        (true, wait)
    } else {
        return false;
    };
    let client = broker.client().clone();
    tokio::spawn(async move {
        tokio::time::sleep(wait).await;
        // What doesn't arrive is lost, which is to be expected here.
        let _ = client.publish(subject, body).await;
    });
    taken
}

/// What is to happen, a number below 100, and how late it may be.
fn throw() -> Option<(Mangling, u8, Duration)> {
    let mut armed = MANGLING.lock().unwrap_or_else(PoisonError::into_inner);
    let (mangling, state) = armed.as_mut()?;
    let chance = u8::try_from(splitmix(state) % 100).unwrap_or_default();
    let longest = u64::try_from(mangling.late_by.as_millis()).unwrap_or_default();
    let wait = Duration::from_millis(splitmix(state) % (longest + 1));
    Some((*mangling, chance, wait))
}

/// Vigna's `SplitMix64`.
fn splitmix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
