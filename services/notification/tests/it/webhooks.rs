//! Programs are told of events at URLs of theirs.

mod hook;
mod receiver;
mod registered;
mod taken;
mod trouble;
