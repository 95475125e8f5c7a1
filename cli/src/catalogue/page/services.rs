//! What services there are, what each reacts to, and what each of its methods asks of its callers.

use std::collections::BTreeMap;

use prost_reflect::{DescriptorPool, MethodDescriptor, ServiceDescriptor};
use tradewind_transcode::Routes;
use tradewind_transcode::schema::Comments;

use super::super::facts::{self, word};
use super::super::html::Html;
use super::messages::{fields, first, tags};
use super::{Places, entry, fact, group, kind, link_to, table};
use crate::said::{self, Said, Sayings, text};

/// How long a method may take that does not say so itself, as `options.proto` has it.
const TIMEOUT: &str = "5s";

/// Every service: those of a context by its name, then those that every service serves.
pub(super) fn section(pool: &DescriptorPool, places: &Places) -> Html {
    let mut contexts: BTreeMap<(bool, String), Vec<ServiceDescriptor>> = BTreeMap::new();
    for service in pool.services().filter(|service| facts::is_own(service.package_name())) {
        let context = facts::context(&service);
        contexts.entry((context.is_empty(), context)).or_default().push(service);
    }
    Html::all(contexts.into_iter().map(|((is_of_all, context), services)| {
        let services = services.iter().map(|service| of_service(service, &context, places));
        if is_of_all {
            return Html::all(services);
        }
        Html::element("div", [("id", &format!("context.{context}"))], services)
    }))
}

fn of_service(service: &ServiceDescriptor, context: &str, places: &Places) -> Html {
    let whose = if context.is_empty() { "every service" } else { context };
    let reactions = facts::reactions(service).into_iter().map(|reaction| {
        let undo = Html::text(&reaction.undo);
        [link_to(&reaction.event), Html::code(&reaction.name), Html::text(&reaction.role), undo]
    });
    let reactions: Vec<_> = reactions.collect();
    let reacts = match reactions.is_empty() {
        true => Html::default(),
        false => table(["reacts to", "reaction", "role", "taken back by"], reactions),
    };
    let methods: Vec<_> = service.methods().map(|method| of_method(&method, context, places)).collect();
    let inside = [Html::prose(&Comments::of_service(service)), reacts].into_iter().chain(methods);
    group(service.full_name(), &format!("{whose}: {}", service.name()), inside)
}

fn of_method(method: &MethodDescriptor, context: &str, places: &Places) -> Html {
    let comment = Comments::of_method(method);
    let said = said::sayings(&method.options());
    let routes = routes(method);
    let audience = said_or(&said, "method.audience", "internal");
    let facts = policy(method, &said, &routes, context, &audience);
    let refused = refusals(&comment);
    let facts = facts.into_iter().chain((!refused.is_empty()).then(|| {
        let codes = Html::joined(refused.iter().map(|code| Html::code(code)), ", ");
        fact("refuses with", codes)
    }));
    let parts = [
        ("takes", method.input(), method.is_client_streaming()),
        ("gives", method.output(), method.is_server_streaming()),
    ];
    let parts = parts.into_iter().map(|(does, message, is_stream)| {
        let stream = if is_stream { "a stream of " } else { "" };
        if !places.is_of_a_method(message.full_name()) {
            let named = [Html::text(&format!("It {does} {stream}")), kind(&prost_reflect::Kind::Message(message))];
            return Html::element("p", [("class", "part")], named);
        }
        let title = [Html::text(&format!("It {does} {stream}")), Html::code(message.name())];
        let said = Html::prose(&Comments::of_message(&message));
        let title = Html::element("h4", [("id", message.full_name())], title);
        Html::all([title, said, fields(&message)])
    });
    let inside = [Html::prose(&comment), Html::element("dl", [], facts)].into_iter().chain(parts);
    let whose =
        [audience.as_str()].into_iter().chain(routes.iter().map(String::as_str)).collect::<Vec<_>>().join(" · ");
    entry(method.full_name(), method.name(), &tags(&whose, &method.options()), first(&comment), inside)
}

/// What the contract says of who may call it, and how.
fn policy(method: &MethodDescriptor, said: &Sayings, routes: &[String], context: &str, audience: &str) -> Vec<Html> {
    let is_read = routes.first().is_some_and(|route| route.starts_with("GET "));
    let callers = said.get("method.callers").map(Said::words).unwrap_or_default();
    let retry = said_or(said, "method.retry", "never");
    let time = |option: &str| said.get(option).map(Said::to_string);
    let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
    let line = |name: &'static str, text: String| (!text.is_empty()).then(|| fact(name, Html::text(&text)));
    let scope = format!("{context}.{}", if is_read { "read" } else { "write" });
    [
        line("callers", callers.join(", ")),
        line("audience", audience.to_owned()),
        line("a partner's key", if audience == "customer" { format!("with {scope}") } else { String::new() }),
        line("timeout", time("method.timeout").unwrap_or_else(|| TIMEOUT.to_owned())),
        line("criticality", said_or(said, "method.criticality", "default")),
        line("retry", retry),
        line("hedged after", time("method.hedge_after").unwrap_or_default()),
        line("no request_id, because", text(said, "method.no_request_id").to_owned()),
        Some(fact("gRPC", Html::code(&path))),
        (!routes.is_empty()).then(|| fact("REST", Html::joined(routes.iter().map(|route| Html::code(route)), " "))),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What an option says, for people; what it means where it is not said.
fn said_or(said: &Sayings, option: &str, usual: &str) -> String {
    match word(text(said, option)).as_str() {
        "" | "unspecified" => usual.to_owned(),
        said => said.to_owned(),
    }
}

/// `POST /v1/orders`, for each route.
fn routes(method: &MethodDescriptor) -> Vec<String> {
    let routes = Routes::of([method.clone()]).unwrap_or_default();
    routes.all().map(|route| format!("{} {}", route.declared().method, route.declared().template)).collect()
}

/// The codes that a comment names, and the reasons behind each within its sentence: `FAILED_PRECONDITION PRICE_CHANGED`.
fn refusals(comment: &str) -> Vec<String> {
    let (mut found, mut code) = (Vec::<String>::new(), None::<&str>);
    for word in comment.split_whitespace() {
        let name = word.trim_matches(|one: char| !one.is_ascii_alphanumeric());
        if let Some(known) = CODES.iter().find(|known| **known == name) {
            code = Some(*known);
            found.push(name.to_owned());
        } else if let Some(code) = code.filter(|_| is_reason(name)) {
            if found.last().is_some_and(|last| last == code) {
                found.pop();
            }
            found.push(format!("{code} {name}"));
        }
        if word.ends_with(['.', ':']) {
            code = None;
        }
    }
    found.sort();
    found.dedup();
    found
}

fn is_reason(name: &str) -> bool {
    let is_part = |one: char| one.is_ascii_uppercase() || one.is_ascii_digit() || one == '_';
    name.contains('_') && name.chars().all(is_part)
}

/// The codes of google.rpc.Code that a method refuses with of its own accord; `CANCELLED` is an order as well.
const CODES: [&str; 12] = [
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "UNAUTHENTICATED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "UNAVAILABLE",
];
