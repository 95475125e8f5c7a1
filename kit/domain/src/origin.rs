//! Who asks for what is recorded.

use std::fmt;
use std::sync::OnceLock;

/// Who asks for what a call does: the workload that makes it, and for whom, once that is known. The server keeps it with the work.
#[derive(Debug)]
pub struct Caller {
    workload: Box<str>,
    user: OnceLock<Box<str>>,
}

impl Caller {
    /// A workload, of which it is not known whom it calls for.
    #[must_use]
    pub fn new(workload: &str) -> Self {
        Self { workload: workload.into(), user: OnceLock::new() }
    }

    /// Says for whom, by their id, once.
    pub fn is_for(&self, user: &str) {
        let _ = self.user.set(user.into());
    }

    /// The same with the `request_id` of what they ask for.
    #[must_use]
    pub fn asking(&self, request_id: &str) -> Origin {
        Origin {
            workload: self.workload.to_string(),
            user: self.user.get().map(ToString::to_string).unwrap_or_default(),
            request_id: request_id.to_owned(),
        }
    }
}

/// Who asked for something that was recorded; all is empty where no call did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The workload that called.
    pub workload: String,
    /// Whom it called for; empty where it did for itself.
    pub user: String,
    /// The request's own id; empty where it had none.
    pub request_id: String,
}

impl Origin {
    /// What [`Display`](fmt::Display) wrote; nothing where a release before wrote nothing.
    #[must_use]
    pub fn told(text: &str) -> Self {
        let mut parts = text.splitn(3, ' ').map(str::to_owned);
        let mut next = || parts.next().unwrap_or_default();
        let (workload, request_id, user) = (next(), next(), next());
        Self { workload, user, request_id }
    }
}

/// Workload, request and user, in this order: only a user's id may hold spaces.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self { workload, user, request_id } if user.is_empty() && request_id.is_empty() => f.write_str(workload),
            Self { workload, user, request_id } => write!(f, "{workload} {request_id} {user}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asked_survives_being_kept() {
        let gateway = Caller::new("gateway");
        let nobody = gateway.asking("");
        gateway.is_for("ada of hull");
        gateway.is_for("bob");
        for (origin, text) in [
            (Origin::default(), ""),
            (nobody, "gateway"),
            (Caller::new("operator").asking("r-1"), "operator r-1 "),
            (gateway.asking(""), "gateway  ada of hull"),
            (gateway.asking("r-1"), "gateway r-1 ada of hull"),
        ] {
            assert_eq!(origin.to_string(), text);
            assert_eq!(Origin::told(text), origin);
        }
    }
}
