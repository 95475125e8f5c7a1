//! The vocabulary every context's domain is written in: aggregates that decide and evolve, the id of
//! an order, money, what requests are checked for, what is kept of the outside's text, how a text is shown, and a closed set of error kinds.
//!
//! Nothing here does I/O, waits, reads a clock or knows one context from another; nothing here may
//! depend on a crate that does.
//!
#![doc = include_str!("../README.md")]

mod aggregate;
mod country;
mod currency;
mod email;
mod error;
mod event;
#[cfg(any(test, feature = "fuzzed"))]
pub mod fuzzed;
mod id;
mod money;
mod origin;
mod printable;
mod record;
pub mod request;
mod sensitive;
mod text;
mod told;

pub use aggregate::{Aggregate, Snapshot};
pub use country::Country;
pub use currency::{Currency, UnknownCurrency};
pub use email::{EMAIL_RULE, sendable};
pub use error::{DomainError, Error, ErrorKind, FieldViolation, Missing, some_of};
pub use event::{DecodeError, EventSet, LARGEST_EVENT};
pub use id::{InvalidId, OrderId};
pub use money::{Money, MoneyError};
pub use origin::{Caller, Origin};
pub use printable::{is_printable, printable, printable_json};
pub use record::{AsOf, Heads, Loaded, LogPage, Metadata, Recorded, StreamName};
pub use sensitive::Sensitive;
pub use text::{TEXT_RULE, is_text, is_text_of_lines};
pub use told::{Reason, Reference};

/// What the macros of this crate expand to; not for direct use.
#[doc(hidden)]
pub mod private {
    pub use prost;

    /// Tells whether that is the full name of `M`.
    pub fn is_named<M: prost::Name>(full_name: &str) -> bool {
        full_name.strip_prefix(M::PACKAGE).and_then(|rest| rest.strip_prefix('.')) == Some(M::NAME)
    }
}
