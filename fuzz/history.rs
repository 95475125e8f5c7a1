//! Aggregates as their stores read them, for each crate that has one: `#[path]` has brought this file there.

use tradewind_domain::{Aggregate, EventSet as _};

/// What events make of an aggregate, as they are stored: which, how many bytes it has, and these. One that was read is the same when it
/// is written and read again, and so is a state that is kept beside its stream.
pub(super) fn evolved<A: Aggregate>(mut bytes: &[u8]) -> A {
    let (types, mut state) = (A::Event::type_names(), A::default());
    while let [which, length, rest @ ..] = bytes {
        let (payload, rest) = rest.split_at(rest.len().min(usize::from(*length)));
        bytes = rest;
        let Ok(event) = A::Event::decode(&types[usize::from(*which) % types.len()], payload) else { continue };
        let again = A::Event::decode(&event.type_name(), &event.encode());
        assert_eq!(again.map(|again| again.encode()), Ok(event.encode()), "{event:?}");
        state.evolve(&event);
    }
    if let Some(how) = &A::SNAPSHOT {
        let kept = (how.encode)(&state);
        let again = (how.decode)(&kept).map(|again| (how.encode)(&again));
        assert_eq!(again, Some(kept), "what is kept of {} is another", A::NAME);
    }
    state
}
