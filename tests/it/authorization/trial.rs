//! The cells of the table, each a call, and whether its answer is the one that the table says.

use std::collections::{BTreeMap, BTreeSet};

use contracts::tables::Method;
use prost_reflect::{DescriptorPool, MethodDescriptor};
use tonic::Code;

use super::request;
use super::rule::{Asking, Object, Outcome, outcome};
use super::ways::{Answer, Way};

/// What leaves less to ask about, in the order in which it may be done.
pub(super) const LAST: [&str; 7] = [
    "RetireProduct",
    "DispatchShipment",
    "DeliverShipment",
    "DeleteWebhookEndpoint",
    "LockAccount",
    "UnlockAccount",
    "EraseAccount",
];

/// One call.
#[derive(Clone)]
pub(super) struct Trial {
    pub(super) method: &'static Method,
    pub(super) descriptor: MethodDescriptor,
    pub(super) who: Asking,
    pub(super) object: Object,
    pub(super) way: Way,
    pub(super) expected: Outcome,
}

impl Trial {
    /// Its cell.
    fn name(&self) -> String {
        format!("{} by {:?} of {:?} over {:?}", self.method.path, self.who, self.object, self.way)
    }
}

fn pool() -> DescriptorPool {
    DescriptorPool::decode(contracts::DESCRIPTOR).unwrap()
}

/// Every method that is declared, by path.
pub(super) fn declared() -> BTreeMap<String, MethodDescriptor> {
    let path = |method: &MethodDescriptor| format!("/{}/{}", method.parent_service().full_name(), method.name());
    pool()
        .services()
        .flat_map(|service| service.methods().collect::<Vec<_>>())
        .map(|each| (path(&each), each))
        .collect()
}

/// Every cell of the table.
pub(super) fn trials() -> Vec<Trial> {
    let declared = declared();
    let methods: BTreeSet<&str> = contracts::CONTRACT.methods.iter().map(|method| method.path).collect();
    assert_eq!(methods, declared.keys().map(String::as_str).collect(), "no row is missing");
    let mut trials = Vec::new();
    for method in contracts::CONTRACT.methods {
        let descriptor = &declared[method.path];
        for who in Asking::ALL {
            for object in objects(method, descriptor) {
                let expected = outcome(method, who, object);
                trials.extend(Way::ALL.map(|way| Trial {
                    method,
                    descriptor: descriptor.clone(),
                    who,
                    object,
                    way,
                    expected,
                }));
            }
        }
    }
    trials
}

fn objects(method: &Method, descriptor: &MethodDescriptor) -> Vec<Object> {
    let mut all = Vec::new();
    if request::names(descriptor) {
        all.extend([Object::Customers, Object::Anothers, Object::Partners, Object::Missing]);
    }
    if all.is_empty() || method.owner.is_some_and(|owner| !owner.is_object) {
        all.push(Object::Unsaid);
    }
    all
}

/// Whether `answer` is what the table says; why not, where it isn't.
pub(super) fn judged(trial: &Trial, answer: &Answer) -> Result<(), String> {
    let inside = trial.way == Way::Inside;
    let for_gateway = trial.method.callers.contains(&"gateway");
    let (code, reason, http) = match trial.expected {
        // The gateway calls it for itself.
        Outcome::Absent if inside && for_gateway && trial.who == Asking::Nobody => return answered(trial, answer),
        Outcome::Absent if inside && for_gateway => (Code::PermissionDenied, "NOT_FOR_PEOPLE", 403),
        Outcome::Absent if inside => (Code::PermissionDenied, "CALLER_NOT_ALLOWED", 403),
        Outcome::Absent if trial.way == Way::Rest => (Code::NotFound, "NO_ROUTE", 404),
        Outcome::Absent => (Code::Unimplemented, "", 501),
        Outcome::NotSignedIn => (Code::Unauthenticated, "NOT_SIGNED_IN", 401),
        Outcome::RoleMissing => (Code::PermissionDenied, "ROLE_MISSING", 403),
        Outcome::ScopeMissing => (Code::PermissionDenied, "SCOPE_MISSING", 403),
        Outcome::NotYours => (Code::PermissionDenied, "OTHER_CUSTOMER", 403),
        Outcome::AsMissing if trial.descriptor.name() == "GetDocument" => (Code::NotFound, "DOCUMENT_NOT_FOUND", 404),
        Outcome::AsMissing => (Code::NotFound, "ORDER_NOT_FOUND", 404),
        Outcome::Answered => return answered(trial, answer),
    };
    let told = answer.code == code && answer.reason == reason && answer.http.is_none_or(|told| told == http);
    if told && says_what_is_missing(answer) {
        Ok(())
    } else {
        Err(format!("{}: {:?} is expected: {answer:?}", trial.name(), trial.expected))
    }
}

/// The service itself has spoken; of what belongs to whoever asks, it does not say that it is not there.
fn answered(trial: &Trial, answer: &Answer) -> Result<(), String> {
    let own = matches!(
        (trial.who, trial.object),
        (Asking::Customer, Object::Customers)
            | (Asking::Another, Object::Anothers)
            | (Asking::Partner, Object::Partners)
    );
    let hidden = own
        && answer.code == Code::NotFound
        && !LAST.contains(&trial.descriptor.name())
        && trial.descriptor.name() != "EndSession";
    let broken = [Code::Internal, Code::Unknown, Code::Unimplemented, Code::Unavailable].contains(&answer.code);
    let by_service = answer.code == Code::Ok || answer.domain == "tradewind";
    if by_service && !hidden && !broken && says_what_is_missing(answer) {
        return Ok(());
    }
    Err(format!("{}: the service is expected to answer: {answer:?}", trial.name()))
}

/// A service that has not found something names it, and its kind by a message of the contracts. That is no fault of a field.
fn says_what_is_missing(answer: &Answer) -> bool {
    if answer.code != Code::NotFound || answer.domain != "tradewind" {
        return true;
    }
    let known = |kind: &String| pool().get_message_by_name(kind).is_some();
    !answer.missing.is_empty() && answer.missing.iter().all(known) && !answer.at_fault
}
