//! A table of all methods with their policy, and of what the requests look like that they take.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::time::Duration;

use protox::prost_reflect::{DescriptorPool, Kind, MessageDescriptor, MethodDescriptor};

use super::options::{choice, duration, is_read, is_routed, limit, option, spelled, text, texts, variant};

/// How long a method may take that does not say so itself; `options.proto` states it, as the next two.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The longest that it may say.
const LONGEST: Duration = Duration::from_secs(3_600);
/// The most characters of a text field that does not say `max_length`.
const USUAL_LENGTH: u32 = 512;
/// The workloads that speak for people, each with whom alone: the audience of which they have to be.
const EDGES: [(&str, &str); 2] = [(GATEWAY, "Customer"), ("console", "Staff")];
/// The one that has routes.
const GATEWAY: &str = "gateway";
/// Whoever looks after the shop calls for himself.
const OPERATOR: &str = "operator";

/// # Errors
/// What a method may not declare.
pub(crate) fn code(pool: &DescriptorPool) -> Result<String, Box<dyn Error>> {
    let (mut contexts, mut methods, mut forms) = (Vec::new(), String::new(), Forms::default());
    for service in pool.services() {
        let options = option(pool, &service.options(), "service");
        contexts.extend(options.map(|options| text(&options, "context")).filter(|context| !context.is_empty()));
    }
    contexts.sort_unstable();
    contexts.dedup();
    for method in pool.services().flat_map(|service| service.methods().collect::<Vec<_>>()) {
        methods += &method_code(pool, &method, &contexts, &mut forms)?;
    }
    let forms: String = forms.code.into_values().collect();
    let edge = |(name, audience)| format!("    Edge {{ name: {name:?}, audience: Audience::{audience} }},\n");
    let edges: String = EDGES.into_iter().map(edge).collect();
    Ok(format!(
        "/// Every context that a service belongs to.\npub static CONTEXTS: &[&str] = &{contexts:?};\n\n\
         /// The workloads that speak for people, and make no call for people by themselves.\n\
         pub static EDGES: &[Edge] = &[\n{edges}];\n\n\
         /// Every method of every service.\npub static METHODS: &[Method] = &[\n{methods}];\n\n{forms}"
    ))
}

fn method_code(
    pool: &DescriptorPool,
    method: &MethodDescriptor,
    contexts: &[String],
    forms: &mut Forms,
) -> Result<String, Box<dyn Error>> {
    let name = method.full_name();
    let options = option(pool, &method.options(), "method").ok_or_else(|| format!("{name} says nothing of itself"))?;
    let callers = texts(&options, "callers");
    let or = |field: &str, usual: &str| match variant(&options, field).as_str() {
        "Unspecified" => usual.to_owned(),
        said => said.to_owned(),
    };
    let (audience, retry) = (or("audience", "Internal"), or("retry", "Never"));
    if callers.is_empty() {
        return Err(format!("nobody may call {name}").into());
    }
    let is_edge = |caller: &str| EDGES.iter().any(|(edge, _)| *edge == caller);
    let is_known = |caller: &&String| is_edge(caller) || *caller == OPERATOR || contexts.contains(caller);
    if let Some(stranger) = callers.iter().find(|caller| !is_known(caller)) {
        return Err(format!("{name} names {stranger:?} as a caller, and there is no such workload").into());
    }
    if audience != "Internal" && !callers.iter().any(|caller| is_edge(caller)) {
        return Err(format!("{name} is meant for people, and nobody who speaks for them may call it").into());
    }
    let is_offered = audience != "Internal" && callers.iter().any(|caller| caller == GATEWAY);
    if is_routed(pool, method) != is_offered {
        return Err(
            format!("{name}: what is for people at {GATEWAY} has a google.api.http, and nothing else does").into()
        );
    }
    let owner = owner(method, &audience)?;
    if (retry == "WithRequestId") != method.input().get_field_by_name("request_id").is_some() {
        return Err(format!("{name}: a request_id and RETRY_CLASS_WITH_REQUEST_ID go together").into());
    }
    let time = |field: &str| duration(&options, field).map_err(|why| format!("{name}: {why}"));
    let timeout = time("timeout")?.unwrap_or(TIMEOUT);
    if timeout.is_zero() || timeout > LONGEST {
        return Err(format!("{name}: its timeout is nothing, or more than {} s", LONGEST.as_secs()).into());
    }
    let hedge = time("hedge_after")?;
    if hedge.is_some() && (retry != "Safe" || method.is_client_streaming() || method.is_server_streaming()) {
        return Err(format!("{name}: hedge_after is for unary methods that are RETRY_CLASS_SAFE").into());
    }
    if hedge.is_some_and(|after| after.is_zero() || after >= timeout) {
        return Err(format!("{name}: hedge_after is nothing, or not within its timeout").into());
    }
    let excuse = text(&options, "no_request_id");
    if (retry == "Never") == excuse.is_empty() {
        return Err(format!("{name}: RETRY_CLASS_NEVER and no_request_id go together").into());
    }
    if retry == "Safe" && method.name().starts_with("Create") {
        return Err(format!("{name} creates something: it takes a request_id, or says why it takes none").into());
    }
    let mut code = String::from("    Method {\n");
    writeln!(code, "        path: \"/{}/{}\",", method.parent_service().full_name(), method.name())?;
    writeln!(code, "        callers: &{callers:?},")?;
    writeln!(code, "        audience: Audience::{audience},")?;
    writeln!(code, "        owner: {owner},")?;
    writeln!(code, "        scope: {:?},", scope(pool, method, &audience))?;
    writeln!(code, "        timeout: {},", spelled(timeout))?;
    writeln!(code, "        criticality: Criticality::{},", or("criticality", "Default"))?;
    writeln!(code, "        retry: RetryClass::{retry},")?;
    let hedge = hedge.map_or_else(|| "None".to_owned(), |after| format!("Some({})", spelled(after)));
    writeln!(code, "        hedge_after: {hedge},")?;
    writeln!(code, "        request_streams: {},", method.is_client_streaming())?;
    writeln!(code, "        response_streams: {},", method.is_server_streaming())?;
    writeln!(code, "        request: &{},\n    }},", forms.learn(&method.input()))?;
    Ok(code)
}

/// Whose a request is, as Rust spells it: what is for customers says it in one field, nothing else does.
fn owner(method: &MethodDescriptor, audience: &str) -> Result<String, String> {
    let (name, input) = (method.full_name(), method.input());
    let said: Vec<_> = input.fields().filter_map(|field| choice(&field, "owner").map(|owner| (field, owner))).collect();
    if audience != "Customer" {
        return match said.as_slice() {
            [] => Ok("None".to_owned()),
            _ => Err(format!("{name} is for no customers, and its request says whose it is")),
        };
    }
    let [(field, owner)] = said.as_slice() else {
        return Err(format!("{name} is for customers, and not one field of its request says whose it is"));
    };
    if field.kind() != Kind::String || field.is_list() || field.containing_oneof().is_some() {
        return Err(format!("{name}: {} says whose the request is, and is no plain text", field.name()));
    }
    if method.is_client_streaming() {
        return Err(format!("{name} is for customers, and its request is a stream that is nobody's"));
    }
    let (tag, own, is_object) = (field.number(), field.name(), owner == "OWNER_OBJECT");
    Ok(format!("Some(Owner {{ tag: {tag}, field: {own:?}, is_object: {is_object} }})"))
}

/// What a key has to be for that calls the method: its context, and whether it asks or does something. Keys are for what customers do.
fn scope(pool: &DescriptorPool, method: &MethodDescriptor, audience: &str) -> Option<String> {
    let context = method.full_name().split('.').nth(1).filter(|_| audience == "Customer")?;
    Some(format!("{context}.{}", if is_read(pool, method) { "read" } else { "write" }))
}

/// The messages that requests are made of, a `static` each.
#[derive(Default)]
struct Forms {
    /// By full name.
    code: BTreeMap<String, String>,
}

impl Forms {
    /// The name of the `static` for a message, which is made with those of what it holds.
    fn learn(&mut self, message: &MessageDescriptor) -> String {
        let name = message.full_name().replace('.', "_").to_uppercase();
        if self.code.contains_key(message.full_name()) {
            return name;
        }
        self.code.insert(message.full_name().to_owned(), String::new());
        let mut fields: Vec<_> = message.fields().collect();
        fields.sort_unstable_by_key(|field| field.number());
        let mut code = format!("static {name}: Form = Form {{\n    fields: &[\n");
        for field in fields {
            let content = match field.kind() {
                Kind::String => format!("Text {{ most: {} }}", limit(&field).unwrap_or(USUAL_LENGTH)),
                Kind::Bytes => "Bytes".to_owned(),
                Kind::Message(message) => format!("Message(&{})", self.learn(&message)),
                Kind::Double | Kind::Fixed64 | Kind::Sfixed64 => "Number(WireType::SixtyFourBit)".to_owned(),
                Kind::Float | Kind::Fixed32 | Kind::Sfixed32 => "Number(WireType::ThirtyTwoBit)".to_owned(),
                _ => "Number(WireType::Varint)".to_owned(),
            };
            let (tag, own, repeated) = (field.number(), field.name(), field.is_list() || field.is_map());
            let _ = writeln!(
                code,
                "        Field {{ tag: {tag}, name: {own:?}, repeated: {repeated}, content: Content::{content} }},"
            );
        }
        code += "    ],\n};\n";
        self.code.insert(message.full_name().to_owned(), code);
        name
    }
}
