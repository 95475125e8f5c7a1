//! Why something is done.

use std::sync::Arc;

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

const LONGEST: usize = 500;

/// Why something is done; however many acts have the same one, it is kept once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub(crate) struct Reason(Arc<str>);

impl Reason {
    /// One that somebody can make sense of later.
    ///
    /// # Errors
    /// Where there is none, or it is long.
    pub(crate) fn read(text: &str) -> Result<Self> {
        let text = text.trim();
        ensure!(!text.is_empty(), "say why");
        ensure!(text.chars().count() <= LONGEST, "say why in {LONGEST} characters at most");
        Ok(Self(text.into()))
    }

    #[cfg(test)]
    pub(crate) fn text(&self) -> &str {
        &self.0
    }
}

impl From<String> for Reason {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<Reason> for String {
    fn from(reason: Reason) -> Self {
        reason.0.as_ref().to_owned()
    }
}
