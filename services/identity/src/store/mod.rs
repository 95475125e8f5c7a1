//! The tables of this context: accounts, where they are signed in, codes that wait to be entered, what was tried, keys of
//! partners, and the keys that sign. No rule belongs here. Times are microseconds since the Unix epoch.

pub mod account;
pub(crate) mod accounts;
pub mod address_key;
pub mod confirmation;
pub(crate) mod confirmations;
pub mod familiar;
pub(crate) mod familiars;
mod hidden;
mod migrations;
pub mod partner_key;
pub(crate) mod partner_keys;
pub(crate) mod private;
pub mod session;
pub(crate) mod sessions;
pub mod signing_key;
pub(crate) mod signing_keys;
pub mod throttle;
pub(crate) mod throttles;

pub use hidden::Hidden;
pub use migrations::migrations;
