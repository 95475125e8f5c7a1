//! What the options of the contracts say, as tables: nobody has to look it up in the descriptor, and what is not said there stands
//! here as what it means.

use std::time::Duration;

use prost::encoding::WireType;

use crate::reactions::{REACTIONS, Reaction};
use crate::tradewind::options::v1::{Audience, Criticality, RetryClass};

/// What policy is made of.
#[derive(Clone, Copy, Debug)]
pub struct Contract {
    /// Every context.
    pub contexts: &'static [&'static str],
    /// Every method.
    pub methods: &'static [Method],
    /// Every reaction.
    pub reactions: &'static [Reaction],
}

/// The contract of Tradewind.
pub static CONTRACT: Contract = Contract { contexts: CONTEXTS, methods: METHODS, reactions: REACTIONS };

/// A workload that speaks for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Its name.
    pub name: &'static str,
    /// For whom it speaks: for customers and whoever sees what is theirs, or for staff alone.
    pub audience: Audience,
}

/// What is said of one rpc.
#[derive(Clone, Copy, Debug)]
pub struct Method {
    /// `/package.Service/Method`.
    pub path: &'static str,
    /// Workloads that may call it.
    pub callers: &'static [&'static str],
    /// For whom it is meant.
    pub audience: Audience,
    /// Whose its requests are. Every method for customers says it, and no other.
    pub owner: Option<Owner>,
    /// What a partner's key has to be for that calls it: `ordering.read`. Every method for customers has one; no key calls another that
    /// is not for anybody.
    pub scope: Option<&'static str>,
    /// The longest a call may take.
    pub timeout: Duration,
    /// What is shed first under overload.
    pub criticality: Criticality,
    /// Whether and when a failed call may be repeated.
    pub retry: RetryClass,
    /// When another endpoint is asked as well, if one is late.
    pub hedge_after: Option<Duration>,
    /// Whether the request is a stream, which can be sent only once.
    pub request_streams: bool,
    /// Whether the response is a stream.
    pub response_streams: bool,
    /// What its requests look like.
    pub request: &'static Form,
}

/// The field that says whose a request is, a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Its number.
    pub tag: u32,
    /// Its name.
    pub field: &'static str,
    /// Whether it names an object that has an owner; else it holds the customer.
    pub is_object: bool,
}

/// What a message looks like on the wire.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    /// Its fields, by tag.
    pub fields: &'static [Field],
}

/// One field of a message.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its number.
    pub tag: u32,
    /// Its name.
    pub name: &'static str,
    /// Whether it is a list or a map.
    pub repeated: bool,
    /// What it holds.
    pub content: Content,
}

/// What a field holds.
#[derive(Clone, Copy, Debug)]
pub enum Content {
    /// A text.
    Text {
        /// The most characters it may have.
        most: usize,
    },
    /// Bytes that nobody looks into.
    Bytes,
    /// A message.
    Message(&'static Form),
    /// A number, a `bool` or an enum.
    Number(WireType),
}

/// What is said of one event.
#[derive(Clone, Copy, Debug)]
pub struct Event {
    /// Its full name.
    pub name: &'static str,
    /// The context that publishes it.
    pub owner: &'static str,
    /// The aggregate it belongs to.
    pub aggregate: &'static str,
    /// Full names of the events of which one must follow it; none where nothing must.
    pub any_of: &'static [&'static str],
    /// The longest that may take before the flow counts as stuck.
    pub within: Option<Duration>,
    /// What of it whoever is outside may see.
    pub shown: &'static Shown,
}

/// The fields of a message that whoever is outside may see; no other is shown.
#[derive(Clone, Copy, Debug)]
pub struct Shown {
    /// By number.
    pub fields: &'static [(u32, Part)],
}

/// What is shown of a field.
#[derive(Clone, Copy, Debug)]
pub enum Part {
    /// All of it.
    Whole,
    /// What is shown of the message that it holds.
    Message(&'static Shown),
}

include!(concat!(env!("OUT_DIR"), "/tables.rs"));
