//! What the contract says about methods and reactions, read from its descriptor.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use prost_reflect::{
    DescriptorPool, DynamicMessage, ExtensionDescriptor, Kind, MethodDescriptor, ReflectMessage, Value,
};

use tradewind_domain::request::Violations;

use crate::Error;
use crate::form::{Forms, Malformed};

const METHOD: &str = "tradewind.options.v1.method";
const SERVICE: &str = "tradewind.options.v1.service";
const MAX_LENGTH: &str = "tradewind.options.v1.max_length";
/// What the readers of a context's events may call on it without being named.
const READ_LOG: &str = "/tradewind.eventlog.v1.EventLogService/ReadLog";
const HEALTH: &str = "/grpc.health.v1.Health/";
const REFLECTION: &str = "/grpc.reflection.";
/// Every context's packages start with it; the next segment is the context.
const PACKAGES: &str = "tradewind.";

/// How long a method may take that does not say so itself.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);

/// The contract's word on every method and reaction. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Policy(Arc<Tables>);

#[derive(Debug, Default)]
struct Tables {
    methods: HashMap<String, Arc<MethodPolicy>>,
    /// Every context that a service belongs to.
    contexts: BTreeSet<String>,
    /// By the context that reacts.
    reactions: BTreeMap<String, Vec<DeclaredReaction>>,
    /// Owner of events → the contexts that react to some of them.
    readers: BTreeMap<String, BTreeSet<String>>,
    forms: Forms,
    /// What asks for health, which is not in the contract.
    health: usize,
}

/// The contract's word on one method.
#[derive(Clone, Debug)]
pub struct MethodPolicy {
    /// `/package.Service/Method`.
    pub path: Arc<str>,
    /// Workloads that may call it.
    pub callers: BTreeSet<String>,
    /// The longest a call may take.
    pub timeout: Duration,
    /// Whether a failed call may be repeated.
    pub retry: Retry,
    /// Whether the request or the response is a stream.
    pub streaming: bool,
    /// Whether the request is a stream, which can be sent only once.
    pub client_streaming: bool,
    /// What its requests look like.
    form: usize,
}

/// Whether a call that ended `UNAVAILABLE` may be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Never.
    Never,
    /// Always: it changes nothing.
    Safe,
    /// Where the request carries a `request_id`.
    WithRequestId,
}

/// One `reacts` of the contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredReaction {
    /// Full name of the event.
    pub event: String,
    /// Name of the reaction in the code.
    pub reaction: String,
    /// The reaction of the same context that takes it back.
    pub undo: Option<String>,
    /// The role's name in the contract, e.g. `ROLE_FORWARD`.
    pub role: String,
}

/// What policy answers a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Allowed,
    Denied,
    /// The contract has no such method, so nobody serves it.
    Unknown,
}

impl Policy {
    /// Reads an encoded `FileDescriptorSet` that carries the contract's options.
    pub fn from_descriptor(bytes: &[u8]) -> Result<Self, Error> {
        let pool = DescriptorPool::decode(bytes).map_err(|error| Error::Contract(error.to_string()))?;
        let extension = |name: &str| {
            pool.get_extension_by_name(name)
                .ok_or_else(|| Error::Contract(format!("the descriptor declares no extension {name}")))
        };
        let (method_option, service_option) = (extension(METHOD)?, extension(SERVICE)?);
        let length = extension(MAX_LENGTH)?;
        let mut tables = Tables::default();
        tables.health = tables.forms.of_one_text("service");
        for service in pool.services() {
            if let Some(options) = option(&service.options(), &service_option) {
                tables.declare(service.full_name(), &options)?;
            }
            for method in service.methods() {
                let form = tables.forms.learn(&method.input(), &length);
                let policy = MethodPolicy::read(&method, option(&method.options(), &method_option).as_ref(), form);
                tables.methods.insert(policy.path.to_string(), Arc::new(policy));
            }
        }
        Ok(Self(Arc::new(tables)))
    }

    /// The policy of `/package.Service/Method`, if the contract has it.
    #[must_use]
    pub fn method(&self, path: &str) -> Option<&MethodPolicy> {
        self.0.methods.get(path).map(AsRef::as_ref)
    }

    /// Every context of the contract.
    #[must_use]
    pub fn contexts(&self) -> &BTreeSet<String> {
        &self.0.contexts
    }

    /// The contexts whose events `context` declares to react to.
    #[must_use]
    pub fn sources_of(&self, context: &str) -> BTreeSet<String> {
        let reads = |(owner, readers): (&String, &BTreeSet<String>)| readers.contains(context).then(|| owner.clone());
        self.0.readers.iter().filter_map(reads).collect()
    }

    /// What `context` declares to react to, in the contract's order; empty for one that reacts to nothing.
    #[must_use]
    pub fn reactions_of(&self, context: &str) -> Vec<DeclaredReaction> {
        self.0.reactions.get(context).cloned().unwrap_or_default()
    }

    /// The contexts that react to events of `context`, and so may read its log.
    #[must_use]
    pub fn readers_of(&self, context: &str) -> BTreeSet<String> {
        self.0.readers.get(context).cloned().unwrap_or_default()
    }

    pub(crate) fn shared(&self, path: &str) -> Option<Arc<MethodPolicy>> {
        self.0.methods.get(path).cloned()
    }

    /// What the one message of a request for `path` looks like; none where the request is a stream.
    pub(crate) fn form(&self, path: &str) -> Option<usize> {
        match self.method(path) {
            Some(method) => (!method.client_streaming).then_some(method.form),
            None => path.starts_with(HEALTH).then_some(self.0.health),
        }
    }

    /// Whether `bytes` are a request of this form, and which of its texts may not be as they are.
    pub(crate) fn check(&self, form: usize, bytes: &[u8]) -> Result<Violations, Malformed> {
        self.0.forms.check(form, bytes)
    }

    /// Whether workload `caller` may call `path` on a server of `context`.
    pub(crate) fn judge(&self, context: &str, path: &str, caller: &str) -> Verdict {
        // Both tell what the system is made of, which every workload of it may know.
        if path.starts_with(HEALTH) || path.starts_with(REFLECTION) {
            return Verdict::Allowed;
        }
        let Some(method) = self.0.methods.get(path) else { return Verdict::Unknown };
        let reads = || path == READ_LOG && self.0.readers.get(context).is_some_and(|readers| readers.contains(caller));
        if method.callers.contains(caller) || reads() { Verdict::Allowed } else { Verdict::Denied }
    }

    /// The longest a call of `path` may take. Of what is not in the contract, only what lasts may take as long as it likes.
    pub(crate) fn timeout(&self, path: &str) -> Option<Duration> {
        self.method(path).map_or_else(|| (!lasts(path)).then_some(DEFAULT_TIMEOUT), |method| Some(method.timeout))
    }

    /// Whether answers of `path` last.
    pub(crate) fn streams(&self, path: &str) -> bool {
        self.method(path).map_or_else(|| lasts(path), |method| method.streaming)
    }

    /// The name under which calls of `path` are counted: bounded, whatever a caller asks for.
    pub(crate) fn label(&self, path: &str) -> Arc<str> {
        match self.0.methods.get(path) {
            Some(method) => method.path.clone(),
            None if path.starts_with(HEALTH) => "/grpc.health.v1.Health".into(),
            None if path.starts_with(REFLECTION) => "/grpc.reflection".into(),
            None => "unknown".into(),
        }
    }
}

/// The streams among the methods of health and reflection: the former's `Watch`, and the latter's only one.
fn lasts(path: &str) -> bool {
    path.strip_prefix(HEALTH).is_some_and(|method| method == "Watch") || path.starts_with(REFLECTION)
}

impl Tables {
    fn declare(&mut self, service: &str, options: &DynamicMessage) -> Result<(), Error> {
        let context = text(options, "context");
        self.contexts.extend((!context.is_empty()).then(|| context.clone()));
        let field = options.get_field_by_name("reacts");
        for value in field.as_deref().and_then(Value::as_list).unwrap_or_default() {
            let Some(declared) = value.as_message() else { continue };
            let reaction = DeclaredReaction {
                event: text(declared, "event"),
                reaction: text(declared, "reaction"),
                undo: Some(text(declared, "undo")).filter(|undo| !undo.is_empty()),
                role: enum_name(declared, "role"),
            };
            let owner = reaction
                .event
                .strip_prefix(PACKAGES)
                .and_then(|rest| rest.split_once('.'))
                .map(|(owner, _)| owner.to_owned())
                .ok_or_else(|| {
                    Error::Contract(format!("{service} reacts to `{}`, which is no event's full name", reaction.event))
                })?;
            if context.is_empty() {
                return Err(Error::Contract(format!("{service} reacts to events but names no context")));
            }
            self.readers.entry(owner).or_default().insert(context.clone());
            self.reactions.entry(context.clone()).or_default().push(reaction);
        }
        Ok(())
    }
}

impl MethodPolicy {
    fn read(method: &MethodDescriptor, options: Option<&DynamicMessage>, form: usize) -> Self {
        let callers = options.and_then(|options| options.get_field_by_name("callers"));
        let retry = options.map(|options| enum_name(options, "retry"));
        Self {
            path: format!("/{}/{}", method.parent_service().full_name(), method.name()).into(),
            callers: callers
                .as_deref()
                .and_then(Value::as_list)
                .unwrap_or_default()
                .iter()
                .filter_map(|caller| caller.as_str().map(str::to_owned))
                .collect(),
            timeout: options.and_then(|options| duration(options, "timeout")).unwrap_or(DEFAULT_TIMEOUT),
            retry: match retry.as_deref() {
                Some("RETRY_CLASS_SAFE") => Retry::Safe,
                Some("RETRY_CLASS_WITH_REQUEST_ID") => Retry::WithRequestId,
                _ => Retry::Never,
            },
            streaming: method.is_client_streaming() || method.is_server_streaming(),
            client_streaming: method.is_client_streaming(),
            form,
        }
    }
}

fn option(options: &DynamicMessage, extension: &ExtensionDescriptor) -> Option<DynamicMessage> {
    options.has_extension(extension).then(|| options.get_extension(extension).as_message().cloned()).flatten()
}

fn text(message: &DynamicMessage, field: &str) -> String {
    message.get_field_by_name(field).and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn enum_name(message: &DynamicMessage, field: &str) -> String {
    let number = message.get_field_by_name(field).and_then(|value| value.as_enum_number());
    let descriptor = message.descriptor().get_field_by_name(field).map(|field| field.kind());
    match (descriptor, number) {
        (Some(Kind::Enum(descriptor)), Some(number)) => {
            descriptor.get_value(number).map(|value| value.name().to_owned()).unwrap_or_default()
        }
        _ => String::new(),
    }
}

fn duration(message: &DynamicMessage, field: &str) -> Option<Duration> {
    if !message.has_field_by_name(field) {
        return None;
    }
    let value = message.get_field_by_name(field)?;
    let value = value.as_message()?;
    let seconds = u64::try_from(value.get_field_by_name("seconds")?.as_i64()?).ok()?;
    let nanos = u32::try_from(value.get_field_by_name("nanos")?.as_i32()?).ok()?;
    Some(Duration::new(seconds, nanos))
}
