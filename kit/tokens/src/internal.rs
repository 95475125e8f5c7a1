//! The token that goes with a call inside: whom it is for, said by a workload that may say so, signed with the key of its certificate.
//! Nobody has to be asked for that key: the certificates go with the token, and are looked at as in a handshake.

mod check;
mod mint;

use std::time::Duration;

pub use self::check::Checker;
pub use self::mint::{Minted, Minter};

/// What it has as `typ`.
const KIND: &str = "tw-user+jwt";
/// How long it is good for.
const LIFE: Duration = Duration::from_secs(60);

/// Somebody for whom a call is made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct User {
    /// Their id, which is the customer's.
    pub id: String,
    /// What they may be.
    pub roles: Vec<String>,
    /// The session that they are signed in with.
    pub session: Option<String>,
    /// All that may be done for them, where that is not whatever they may: what the key is for that they have shown.
    pub scopes: Option<Vec<String>>,
}

impl User {
    /// Whether they have that role.
    #[must_use]
    pub fn is(&self, role: &str) -> bool {
        self.roles.iter().any(|one| one == role)
    }

    /// Whether what has that scope may be done for them; what has none may not where they are bound to some.
    #[must_use]
    pub fn may(&self, scope: Option<&str>) -> bool {
        self.scopes.as_ref().is_none_or(|scopes| scopes.iter().any(|one| scope == Some(one)))
    }
}
