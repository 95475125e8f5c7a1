//! What the kit tells of its work to whoever watches it.
//!
#![doc = include_str!("../README.md")]

mod collecting;
mod doing;
mod exemplars;
pub mod names;
mod part;
mod traceparent;

pub use self::collecting::{collect, collect_nothing};
pub use self::doing::Doing;
pub use self::exemplars::{Exemplar, Series, exemplar, exemplars};
pub use self::part::{Kind, Part, SPANS, current, current_traceparent, is_decided, unrecorded};
pub use self::traceparent::{format, parent, parse, trace_id};
