//! What can happen to an order.

use crate::{message::Context, outside::Verdict};

/// Who reads whose log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Feed {
    /// Whose log it is.
    pub(crate) owner: Context,
    /// Who reads it.
    pub(crate) reader: Context,
}

/// Every feed of the saga.
pub(crate) const FEEDS: [Feed; 6] = [
    Feed { owner: Context::Ordering, reader: Context::Inventory },
    Feed { owner: Context::Ordering, reader: Context::Payment },
    Feed { owner: Context::Ordering, reader: Context::Shipping },
    Feed { owner: Context::Inventory, reader: Context::Ordering },
    Feed { owner: Context::Payment, reader: Context::Ordering },
    Feed { owner: Context::Shipping, reader: Context::Ordering },
];

/// Who is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Party {
    /// By payment.
    CardProvider,
    /// By shipping.
    Carrier,
}

/// One thing that happens to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    /// The customer cancels.
    Cancel,
    /// The deadline passes.
    Expire,
    /// The warehouse lets the parcel leave.
    Dispatch,
    /// The parcel arrives.
    Deliver,
    /// The reader handles the next message.
    Hear {
        /// In which log, by whom.
        feed: usize,
        /// Which.
        position: usize,
    },
    /// The reader handles a message once more, as if its cursor had been lost.
    HearAgain {
        /// In which log, by whom.
        feed: usize,
        /// Which.
        position: usize,
    },
    /// A participant's reader gets the message after its next one before it.
    Overtake {
        /// In which log, by whom.
        feed: usize,
        /// Which is held up.
        position: usize,
    },
    /// The reader handles the message that was held up.
    HearLate,
    /// A request reaches the party, which decides unless it has before.
    Arrive {
        /// At whom.
        party: Party,
        /// Which of all that was ever asked for this order.
        request: usize,
        /// What the party says if it has not decided yet.
        verdict: Verdict,
        /// The service gets the answer; otherwise it is lost, or comes too late.
        heard: bool,
    },
    /// The answer in hand is recorded.
    Record {
        /// Whose.
        party: Party,
    },
    /// The process that has the answer in hand dies before it records it.
    Crash {
        /// Whose answer it was.
        party: Party,
    },
}
