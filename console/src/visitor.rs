//! Whoever has a session, as pages and acts see them.

use std::sync::Arc;

use tradewind_domain::Sensitive;
use tradewind_mesh::User;

/// Somebody who may look.
#[derive(Clone, Debug)]
pub(crate) struct Visitor {
    /// As whom logs tell of them.
    pub(crate) who: String,
    /// As what they know themselves.
    pub(crate) name: Sensitive<String>,
    /// For whom their calls are made; nobody where the console calls for itself.
    pub(crate) user: Option<Arc<User>>,
    /// What their forms bring back.
    pub(crate) mark: String,
    /// Which session is theirs.
    pub(crate) key: String,
}

impl Visitor {
    /// Whether both are of one session.
    pub(crate) fn has_session_of(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

#[cfg(test)]
impl Visitor {
    /// What their browser sends.
    pub(crate) fn cookie(&self) -> String {
        format!("tradewind_console={}", self.key)
    }
}
