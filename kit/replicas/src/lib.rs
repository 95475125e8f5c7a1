//! Several processes at one database: who is alive, whose turn it is to do what one of them does at a time, and circuits that keep
//! all of them from what does not work.
//!
//! What is done in a turn must not be here, nor may anything be correct only because of it: two processes may think for a moment
//! that it is theirs.
//!
#![doc = include_str!("../README.md")]

pub mod circuit;
mod metrics;
mod roster;
pub mod tenure;

pub use self::roster::{Members, Roster, Seat, gone};
