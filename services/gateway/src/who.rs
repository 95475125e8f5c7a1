//! Who asks, and what they may ask for.

use contracts::tradewind::options::v1::Audience;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use tonic::{Code, Status};

use crate::refused::refusal_of;

/// Somebody who has signed in.
#[derive(Clone, Debug)]
pub(crate) struct User {
    /// Whether they have the role `staff`.
    pub(crate) is_staff: bool,
}

/// Who asks; nobody in particular where they say nothing.
///
/// # Errors
/// A token that cannot be verified.
pub(crate) fn who(headers: &HeaderMap) -> Result<Option<User>, Status> {
    if headers.contains_key(AUTHORIZATION) {
        return Err(refusal_of(Code::Unauthenticated, "TOKEN_UNKNOWN", "the token is of nobody who is known here"));
    }
    Ok(None)
}

/// Lets them call what is meant for them.
///
/// # Errors
/// What they would have to be.
pub(crate) fn admit(audience: Audience, user: Option<&User>) -> Result<(), Status> {
    match (audience, user) {
        (Audience::Public, _) | (Audience::Customer, Some(_)) => Ok(()),
        (Audience::Staff, Some(user)) if user.is_staff => Ok(()),
        (Audience::Staff, Some(_)) => {
            Err(refusal_of(Code::PermissionDenied, "STAFF_ONLY", "this is for the shop's staff"))
        }
        (Audience::Customer | Audience::Staff, None) => {
            Err(refusal_of(Code::Unauthenticated, "SIGN_IN", "this is for whoever has signed in"))
        }
        (Audience::Internal | Audience::Unspecified, _) => Err(unknown()),
    }
}

/// Nothing of that name is offered.
pub(crate) fn unknown() -> Status {
    refusal_of(Code::Unimplemented, "METHOD_UNKNOWN", "there is no such method")
}
