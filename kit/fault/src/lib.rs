//! Deaths on purpose: named points at every boundary at which a process may die.
//!
//! Points are named always; a process dies at one only with the feature `faults`, and only when it asks for it. No rule depends
//! on anything here: a point decides whether the process lives on, and nothing else.
//!
#![doc = include_str!("../README.md")]

#[cfg(feature = "faults")]
mod kill;

#[cfg(feature = "faults")]
pub use self::kill::{Kill, arm, hit};

/// Tells that a point is reached.
#[cfg(not(feature = "faults"))]
#[inline]
pub fn hit(_: Point, _: &str) {}

/// Tells that a point is reached, where it is one.
pub fn hit_if(reached: bool, point: Point) {
    if reached {
        hit(point, "");
    }
}

macro_rules! points {
    ($($(#[$meta:meta])* $point:ident = $name:literal)+) => {
        /// A boundary at which a process may die.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Point {
            $($(#[$meta])* $point,)+
        }

        impl Point {
            /// Every point.
            pub const ALL: &[Self] = &[$(Self::$point),+];

            /// Its stable name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$point => $name,)+
                }
            }

            /// The point of that name.
            #[must_use]
            pub fn named(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|point| point.name() == name)
            }
        }
    };
}

points! {
    /// What a request appends is not committed.
    RequestUncommitted = "request.uncommitted"
    /// What a request appended is committed, and nobody has been answered.
    RequestCommitted = "request.committed"
    /// One reaction has written its effects. The detail is its name.
    Reacted = "reacted"
    /// The reactions to a batch, or a projection that is built, have written their effects. The detail of this and the next is the consumer.
    BatchUncommitted = "batch.uncommitted"
    /// The reactions to a batch are committed.
    BatchCommitted = "batch.committed"
    /// A batch is committed and its messages are not acknowledged. The detail of this and the next is the broker's consumer.
    AckBefore = "ack.before"
    /// They are.
    AckAfter = "ack.after"
    /// An event is in the log and was not sent. The detail of this and the next is its type; those of a frame
    /// are counted each.
    PublishBefore = "publish.before"
    /// An event was sent, and its acknowledgement is awaited.
    PublishSent = "publish.sent"
    /// The broker has acknowledged an event, and the relay has not saved that.
    PublishAcknowledged = "publish.acknowledged"
    /// An intent is claimed, and its call not made. The detail of the last points is the kind, or a deadline's name.
    IntentClaimed = "intent.claimed"
    /// The call is being made.
    IntentCalling = "intent.calling"
    /// The answer has come and is not recorded.
    IntentAnswered = "intent.answered"
    /// The answer is recorded.
    IntentSettled = "intent.settled"
    /// A deadline has fired, and what it led to is not committed.
    TimerFired = "timer.fired"
}
