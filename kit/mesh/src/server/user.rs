//! For whom a call is made, and whether it is theirs to make: what the contract says of a method's audience, and of the field that
//! says whose a request is. Handlers compare nothing.

use std::sync::Arc;

use contracts::tables::{EDGES, Method};
use contracts::tradewind::options::v1::Audience;
use http::header::ToStrError;
use http::{HeaderMap, HeaderName, HeaderValue};
use rustls::pki_types::UnixTime;
use tonic::{Code, Request, Status};
use tradewind_tokens::{Checker, Refusal, User};

use super::owners::Owners;
use crate::message::Asked;
use crate::metadata::{CHAIN, USER};
use crate::sizes::HEAD;
use crate::status::{self, Layer};
use crate::{Identity, Peer, form};

/// The role of those who see what is anybody's.
const STAFF: &str = "staff";

/// Whom `request` was made for; nobody, where a workload acts for itself or a person is not signed in.
#[must_use]
pub fn user<T>(request: &Request<T>) -> Option<&User> {
    request.extensions().get::<Arc<User>>().map(AsRef::as_ref)
}

/// What came with a call to say for whom it is.
pub(super) struct Brought {
    token: Vec<HeaderValue>,
    chain: Vec<HeaderValue>,
}

/// Takes it out of the headers, so that no handler hands it on.
pub(super) fn taken(headers: &mut HeaderMap) -> Brought {
    let mut all = |name: HeaderName| match headers.entry(name) {
        http::header::Entry::Occupied(found) => found.remove_entry_mult().1.collect(),
        http::header::Entry::Vacant(_) => Vec::new(),
    };
    Brought { token: all(USER), chain: all(CHAIN) }
}

/// The layer.
pub(super) struct Users {
    checker: Checker,
    owners: Owners,
}

impl Users {
    /// For calls of `context`.
    pub(super) fn new(identity: Identity, context: &str, owners: Owners) -> Self {
        Self { checker: Checker::new(identity, context, EDGES.iter().map(|edge| edge.name)), owners }
    }

    /// Whom a call is for that `peer` makes, if the method is for such.
    pub(super) fn known(
        &self,
        method: Option<&Method>,
        peer: &Peer,
        brought: Brought,
    ) -> Result<Option<Arc<User>>, Status> {
        // What is in no contract tells nobody's secrets.
        let Some(method) = method else { return Ok(None) };
        let user = self.verified(peer, &brought)?;
        let edge = EDGES.iter().find(|edge| edge.name == peer.id.name());
        // Whoever brings somebody is an edge, and speaks for those that the contract says.
        let for_staff = method.audience == Audience::Staff || edge.is_some_and(|edge| edge.audience == Audience::Staff);
        match (method.audience, &user) {
            (Audience::Customer | Audience::Staff, None) if edge.is_some() => {
                let text = "nobody is signed in for whom this could be done";
                Err(status::refusal(Layer::User, Code::Unauthenticated, "NOT_SIGNED_IN", text, []))
            }
            (Audience::Internal | Audience::Unspecified, Some(_)) => {
                let text = "this is called by workloads for themselves alone";
                let facts = [("method", method.path)];
                Err(status::refusal(Layer::User, Code::PermissionDenied, "NOT_FOR_PEOPLE", text, facts))
            }
            (_, Some(user)) if for_staff && !user.is(STAFF) => {
                let facts = [("role", STAFF), ("method", method.path)];
                Err(status::refusal(Layer::User, Code::PermissionDenied, "ROLE_MISSING", "this is for staff", facts))
            }
            (Audience::Customer | Audience::Staff, Some(user)) if !user.may(method.scope) => {
                let facts = [("scope", method.scope.unwrap_or_default()), ("method", method.path)];
                let text = "the key that was shown is not for this";
                Err(status::refusal(Layer::User, Code::PermissionDenied, "SCOPE_MISSING", text, facts))
            }
            _ => Ok(user),
        }
    }

    fn verified(&self, peer: &Peer, brought: &Brought) -> Result<Option<Arc<User>>, Status> {
        let checked = match (brought.token.as_slice(), brought.chain.as_slice()) {
            ([], []) => return Ok(None),
            ([token], [chain]) => {
                let malformed = |_: ToStrError| Refusal::Malformed;
                let both = token.to_str().and_then(|token| Ok((token, chain.to_str()?))).map_err(malformed);
                both.and_then(|(token, chain)| self.checker.check(&peer.id, token, chain, UnixTime::now().as_secs()))
            }
            _ => Err(Refusal::Malformed),
        };
        checked.map(Some).map_err(|refusal| {
            status::refusal(Layer::User, Code::Unauthenticated, refusal.reason(), &refusal.to_string(), [])
        })
    }

    /// Compares `user` with whose the request is. Where it may be theirs and doesn't say so, it does afterwards. Staff see what is
    /// anybody's.
    pub(super) async fn owns(&self, user: &User, method: &Method, asked: &mut Asked) -> Result<(), Status> {
        let Some(owner) = method.owner.filter(|_| !user.is(STAFF)) else { return Ok(()) };
        let Asked::Whole(message) = asked else { return Err(not_yours(owner.field)) };
        let said = form::text(owner.tag, &message[HEAD..]);
        if owner.is_object {
            return self.owners.check(owner.field, said, &user.id).await;
        }
        if said.is_empty() {
            *message = form::with_text(message, owner.tag, &user.id).ok_or_else(|| not_yours(owner.field))?;
            return Ok(());
        }
        if said == user.id { Ok(()) } else { Err(not_yours(owner.field)) }
    }
}

fn not_yours(field: &str) -> Status {
    let text = "this can be done for oneself alone";
    status::refusal(Layer::User, Code::PermissionDenied, "OTHER_CUSTOMER", text, [("field", field)])
}
