//! Programs are told of events at URLs of theirs.

mod hook;
mod over;
mod receiver;
mod registered;
mod taken;
mod trouble;
