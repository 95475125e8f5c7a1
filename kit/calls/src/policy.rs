//! What the contract's tables say about a call: who may make it, for how long, and whether it may be repeated.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use contracts::Contract;
use contracts::tables::{Content, Field, Form, Method};
use tradewind_workload::{Reader, SpiffeId};

/// What the readers of a context's events may call on it without being named.
const READ_LOG: &str = "/tradewind.eventlog.v1.EventLogService/ReadLog";
const HEALTH: &str = "/grpc.health.v1.Health/";
const REFLECTION: &str = "/grpc.reflection.";

/// How long a method may take that is not in the contract.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);
/// What asks for health.
static HEALTH_REQUEST: Form =
    Form { fields: &[Field { tag: 1, name: "service", repeated: false, content: Content::Text { most: 512 } }] };

/// The contract's word on every method and reaction. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Policy {
    tables: Arc<Tables>,
    outsiders: Arc<[SpiffeId]>,
    shadow: bool,
}

#[derive(Debug)]
struct Tables {
    methods: HashMap<&'static str, &'static Method>,
    /// Every context that a service belongs to.
    contexts: BTreeSet<String>,
    /// Owner of events → the contexts that react to some of them, each with who reads for it.
    readers: BTreeMap<String, BTreeMap<String, BTreeSet<&'static str>>>,
}

/// What policy answers a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Allowed,
    Denied,
    /// The contract has no such method, so nobody serves it.
    Unknown,
}

impl Policy {
    /// The policy of a contract.
    #[must_use]
    pub fn new(contract: &Contract) -> Self {
        let mut readers: BTreeMap<String, BTreeMap<String, BTreeSet<&'static str>>> = BTreeMap::new();
        for reaction in contract.reactions {
            // An event's full name is `tradewind.<owner>.v1.<Event>`.
            let owner = reaction.event.split('.').nth(1).unwrap_or_default();
            let of_owner = readers.entry(owner.to_owned()).or_default();
            of_owner.entry(reaction.context.to_owned()).or_default().insert(reaction.reader);
        }
        let tables = Tables {
            methods: contract.methods.iter().map(|method| (method.path, method)).collect(),
            contexts: contract.contexts.iter().map(|&context| context.to_owned()).collect(),
            readers,
        };
        Self { tables: Arc::new(tables), outsiders: [].into(), shadow: false }
    }

    /// The same, for servers that only tell, where `shadow` is so, of the callers whom the contract does not name, and serve them.
    #[must_use]
    pub const fn in_shadow(mut self, shadow: bool) -> Self {
        self.shadow = shadow;
        self
    }

    /// Whether servers only tell whom they would refuse.
    #[must_use]
    pub const fn is_shadow(&self) -> bool {
        self.shadow
    }

    /// Whether servers only tell of `caller` where they would refuse it. A reader is no part of the shop, so it is refused.
    #[must_use]
    pub fn only_tells_of(&self, caller: &str) -> bool {
        self.shadow && Reader::of(caller).is_none()
    }

    /// The same, for a broker at which these readers are known, too. Servers know a reader by its certificate.
    #[must_use]
    pub fn with_readers(mut self, readers: impl IntoIterator<Item = SpiffeId>) -> Self {
        self.outsiders = readers.into_iter().filter(|id| Reader::of(id.name()).is_some()).collect();
        self
    }

    /// The readers that the broker knows.
    pub fn readers(&self) -> impl Iterator<Item = Reader<'_>> {
        self.outsiders.iter().filter_map(|id| Reader::of(id.name()))
    }

    /// The readers whose grant names `context`.
    pub fn readers_of(&self, context: &str) -> BTreeSet<&str> {
        self.readers().filter(|reader| reader.reads(context)).map(|reader| reader.name()).collect()
    }

    /// What is said of `/package.Service/Method`, if the contract has it.
    #[must_use]
    pub fn method(&self, path: &str) -> Option<&'static Method> {
        self.tables.methods.get(path).copied()
    }

    /// Every context of the contract.
    #[must_use]
    pub fn contexts(&self) -> &BTreeSet<String> {
        &self.tables.contexts
    }

    /// The contexts whose events `context` declares to react to.
    #[must_use]
    pub fn sources_of(&self, context: &str) -> BTreeSet<String> {
        self.reads_of(context).map(|(_, owner)| owner.to_owned()).collect()
    }

    /// Who reads for `context` at the broker, each with a context whose events it reads.
    pub fn reads_of<'a>(&'a self, context: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let owners = self.tables.readers.iter();
        let of_context = owners.filter_map(move |(owner, readers)| Some((owner, readers.get(context)?)));
        of_context.flat_map(|(owner, readers)| readers.iter().map(|reader| (*reader, owner.as_str())))
    }

    /// The services of `context`.
    pub fn services_of(&self, context: &str) -> Vec<&'static str> {
        let services = self.tables.methods.keys().filter_map(|path| path.split('/').nth(1));
        let ours = services.filter(|service| service.split('.').nth(1) == Some(context));
        ours.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// The fields in which requests for methods of `context` name an object that has an owner.
    #[must_use]
    pub fn owned(&self, context: &str) -> BTreeSet<&'static str> {
        let ours = self.tables.methods.values().filter(|method| method.path.split('.').nth(1) == Some(context));
        ours.filter_map(|method| method.owner).filter(|owner| owner.is_object).map(|owner| owner.field).collect()
    }

    /// Whether servers of `context` serve `service`: it is one of its own, or one that every context has.
    pub fn serves(&self, context: &str, service: &str) -> bool {
        let owner = service.split('.').nth(1).unwrap_or_default();
        let is_known = || self.tables.methods.keys().any(|path| path.split('/').nth(1) == Some(service));
        (owner == context || !self.tables.contexts.contains(owner)) && is_known()
    }

    /// The contexts whose servers let workload `caller` call `path`.
    pub fn servers<'a>(&'a self, path: &'a str, caller: &'a str) -> impl Iterator<Item = &'a str> {
        let lets_in = move |context: &&str| self.judge(context, path, caller) == Verdict::Allowed;
        self.tables.contexts.iter().map(String::as_str).filter(lets_in)
    }

    /// What the one message of a request for `path` looks like; none where the request is a stream.
    pub fn form(&self, path: &str) -> Option<&'static Form> {
        match self.method(path) {
            Some(method) => (!method.request_streams).then_some(method.request),
            None => path.starts_with(HEALTH).then_some(&HEALTH_REQUEST),
        }
    }

    /// Whether workload `caller` may call `path` on a server of `context`.
    pub fn judge(&self, context: &str, path: &str, caller: &str) -> Verdict {
        if let Some(reader) = Reader::of(caller) {
            let granted = path == READ_LOG && reader.reads(context);
            return if granted { Verdict::Allowed } else { Verdict::Denied };
        }
        // Both tell what the system is made of, which every workload of it may know.
        if path.starts_with(HEALTH) || path.starts_with(REFLECTION) {
            return Verdict::Allowed;
        }
        let Some(method) = self.method(path) else { return Verdict::Unknown };
        let reads =
            || path == READ_LOG && self.tables.readers.get(context).is_some_and(|readers| readers.contains_key(caller));
        if method.callers.contains(&caller) || reads() { Verdict::Allowed } else { Verdict::Denied }
    }

    /// The longest a call of `path` may take. Of what is not in the contract, only what lasts may take as long as it likes.
    pub fn timeout(&self, path: &str) -> Option<Duration> {
        self.method(path).map_or_else(|| (!lasts(path)).then_some(DEFAULT_TIMEOUT), |method| Some(method.timeout))
    }

    /// Whether answers of `path` last.
    pub fn streams(&self, path: &str) -> bool {
        self.method(path).map_or_else(|| lasts(path), |method| method.request_streams || method.response_streams)
    }

    /// The name under which calls of `path` are counted: bounded, whatever a caller asks for.
    pub fn label(&self, path: &str) -> &'static str {
        match self.method(path) {
            Some(method) => method.path,
            None if path.starts_with(HEALTH) => "/grpc.health.v1.Health",
            None if path.starts_with(REFLECTION) => "/grpc.reflection",
            None => "unknown",
        }
    }
}

/// The streams among the methods of health and reflection: the former's `Watch`, and the latter's only one.
fn lasts(path: &str) -> bool {
    path.strip_prefix(HEALTH).is_some_and(|method| method == "Watch") || path.starts_with(REFLECTION)
}
