//! Who is told of which events, and what became of each; times are microseconds since the Unix epoch.

pub mod delivery;
pub mod endpoint;
pub mod event;
mod migrations;

use std::fmt;

use sea_orm::DeriveValueType;

pub(crate) use migrations::CreateWebhooks;

/// A text that opens a door, as a secret, or a URL with one in it. It is shown nowhere.
#[derive(Clone, PartialEq, Eq, DeriveValueType)]
pub struct Hidden(pub String);

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
