use std::fmt;

use sea_orm::entity::prelude::*;

/// What a person said, or who it was, which must never be logged.
#[derive(Clone, Default, PartialEq, Eq, DeriveValueType)]
pub struct Private(pub String);

impl fmt::Debug for Private {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[private]")
    }
}
