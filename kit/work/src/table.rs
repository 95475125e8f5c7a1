//! The tables of this crate: what is owed, a row each, and how attempts at it failed.

pub(crate) mod attempt;
pub(crate) mod intent;
pub(crate) mod timer;
