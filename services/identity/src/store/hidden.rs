use std::fmt;

use sea_orm::DeriveValueType;

/// A text that names a person or opens a door. It is shown nowhere.
#[derive(Clone, PartialEq, Eq, DeriveValueType)]
pub struct Hidden(pub String);

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl From<&str> for Hidden {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}
