//! Which fields of the events and the answers that come to a service its source reads.
//!
//! It is read word by word: `.total` anywhere in a service counts for every message that comes to it and has a `total`, and so
//! does `Money { minor, .. }` for that message. So a service may be said to read a field that it does not, and not the reverse.
//! A method is called where its client's function is named, or its path. What the kit calls for every service, whoever may call
//! it reads as the kit does. What the edge hands on is no business of its source.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use contracts::reactions::REACTIONS;
use contracts::tables::{CONTEXTS, METHODS, Method};
use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use prost_reflect::{DescriptorPool, Kind, MessageDescriptor};
use supervisor::services;

use crate::programs::project;
use crate::purity::sources;

/// What a source names.
#[derive(Default)]
struct Named {
    /// `total` for `.total`.
    members: BTreeSet<String>,
    /// `Money` and `minor` for `Money { minor, .. }`.
    parts: BTreeSet<(String, String)>,
    /// Texts, with their quotation marks.
    texts: BTreeSet<String>,
}

impl Named {
    /// What everything in a folder names.
    fn in_folder(folder: &str) -> Self {
        let mut named = Self::default();
        for path in sources(&project(folder)) {
            if !path.iter().any(|part| part == "tests" || part == "tests.rs" || part == "fuzzed.rs") {
                named.read(fs::read_to_string(&path).unwrap().parse().unwrap());
            }
        }
        named
    }

    /// The fields of a message, and of those that it holds, that are read.
    fn of(&self, message: &MessageDescriptor) -> BTreeSet<String> {
        let mut messages = BTreeMap::new();
        held(message, &mut messages);
        let fields = messages.values().flat_map(|message| message.fields().collect::<Vec<_>>());
        let is_read = |message: &str, field: &str| {
            self.members.contains(field) || self.parts.contains(&(message.to_owned(), field.to_owned()))
        };
        let read = fields.filter(|field| is_read(field.parent_message().name(), field.name()));
        read.map(|field| field.full_name().to_owned()).collect()
    }

    /// Whether a method is called.
    fn calls(&self, method: &Method) -> bool {
        let name = method.path.rsplit('/').next().unwrap();
        self.members.contains(&snake(name)) || self.texts.contains(&format!("{:?}", method.path))
    }

    fn read(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            at += 1;
            if is_test(&tokens[at - 1..]) {
                // Up to the end of the item.
                let ends = |token: &TokenTree| match token {
                    TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
                    other => other.to_string() == ";",
                };
                at += tokens[at..].iter().position(ends).map_or(tokens.len(), |end| end + 1);
                continue;
            }
            if let TokenTree::Literal(text) = token {
                self.texts.insert(text.to_string());
            }
            match (token, tokens.get(at)) {
                (TokenTree::Punct(dot), Some(TokenTree::Ident(member))) if dot.as_char() == '.' => {
                    self.members.insert(name_of(member));
                }
                (TokenTree::Ident(name), Some(TokenTree::Group(group))) if group.delimiter() == Delimiter::Brace => {
                    let parts = group.stream().into_iter().filter_map(|part| match part {
                        TokenTree::Ident(part) => Some((name.to_string(), name_of(&part))),
                        _ => None,
                    });
                    self.parts.extend(parts);
                }
                _ => {}
            }
            if let TokenTree::Group(group) = token {
                self.read(group.stream());
            }
        }
    }
}

/// `type` for `r#type`, as the contracts have it.
fn name_of(word: &Ident) -> String {
    word.to_string().trim_start_matches("r#").to_owned()
}

/// Whether `#[cfg(test)]` stands here.
fn is_test(tokens: &[TokenTree]) -> bool {
    let [hash, attribute, ..] = tokens else { return false };
    hash.to_string() == "#" && attribute.to_string().replace(' ', "") == "[cfg(test)]"
}

/// A message and all that it holds, by their names.
fn held(message: &MessageDescriptor, found: &mut BTreeMap<String, MessageDescriptor>) {
    if found.insert(message.full_name().to_owned(), message.clone()).is_some() {
        return;
    }
    for field in message.fields() {
        if let Kind::Message(message) = field.kind() {
            held(&message, found);
        }
    }
}

/// `read_log` for `ReadLog`.
fn snake(name: &str) -> String {
    let mut snake = String::new();
    for character in name.chars() {
        if character.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(character.to_lowercase());
    }
    snake
}

/// Whether a service may call a method: it is named, or reads the logs of others.
fn may_call(service: &str, method: &Method) -> bool {
    let reads_logs = || method.path.ends_with("/ReadLog") && services::readers().contains(&service);
    method.callers.contains(&service) || reads_logs()
}

/// The crates that every service is built with.
fn kit() -> Vec<Named> {
    let crates = fs::read_dir(project("kit")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    crates.map(|name| Named::in_folder(&format!("kit/{name}/src"))).collect()
}

/// What a service is made of itself.
fn of_service(service: &str) -> Vec<Named> {
    // What the console calls stands in the crates of its pages.
    let pages: &[&str] = if service == "console" { &["console/src", "shop/src"] } else { &[] };
    let own = format!("services/{service}/src");
    pages.iter().copied().chain([own.as_str()]).map(Named::in_folder).collect()
}

/// A line for each field of an event that a service reads, and for each of an answer, by its full name.
fn reads() -> String {
    let pool = DescriptorPool::decode(contracts::DESCRIPTOR).unwrap();
    let message = |name: &str| pool.get_message_by_name(name).unwrap();
    let methods: BTreeMap<_, _> = pool
        .services()
        .flat_map(|service| service.methods().collect::<Vec<_>>())
        .map(|method| (format!("/{}/{}", method.parent_service().full_name(), method.name()), method))
        .collect();
    let (mut lines, edge, kit) = (BTreeSet::new(), services::edges().map(|edge| edge.name()), kit());
    for service in CONTEXTS.iter().copied().chain(edge) {
        let own = of_service(service);
        for reaction in REACTIONS.iter().filter(|reaction| reaction.context == service) {
            let read = own.iter().flat_map(|place| place.of(&message(reaction.event)));
            lines.extend(read.map(|field| format!("{service} reads {field}\n")));
        }
        for method in METHODS.iter().filter(|method| may_call(service, method)) {
            let called = &methods[method.path];
            for place in kit.iter().chain(&own).filter(|place| place.calls(method)) {
                let read = place.of(&called.output());
                let name = called.full_name();
                lines.extend(read.iter().map(|field| format!("{service} calls {name} and reads {field}\n")));
            }
        }
    }
    lines.into_iter().collect()
}

/// `UPDATE_GOLDEN=1 cargo test -p system-tests` writes the file anew.
#[test]
fn what_each_service_reads_of_others_is_written_down() {
    let path = project("cli/src/compat").join("reads.txt");
    let reads = reads();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, &reads).unwrap();
    }
    let golden = fs::read_to_string(&path).unwrap_or_default();
    let new: Vec<&str> = reads.lines().filter(|line| !golden.lines().any(|known| known == *line)).collect();
    let gone: Vec<&str> = golden.lines().filter(|line| !reads.lines().any(|known| known == *line)).collect();
    assert!(new.is_empty() && gone.is_empty(), "what services read changed\nnew: {new:#?}\ngone: {gone:#?}");
    for line in [
        "payment reads tradewind.ordering.v1.OrderStockConfirmed.total",
        "notification reads tradewind.ordering.v1.Recipient.email",
        "inventory reads tradewind.ordering.v1.PricedLine.sku",
        "gateway calls tradewind.identity.v1.IdentityService.ListEndedSessions and reads \
         tradewind.identity.v1.ListEndedSessionsResponse.session_ids",
        "shipping calls tradewind.eventlog.v1.EventLogService.ReadLog and reads \
         tradewind.eventlog.v1.EventRecord.payload",
    ] {
        assert!(reads.lines().any(|read| read == line), "{line}");
    }
    assert!(!reads.contains("inventory reads tradewind.ordering.v1.Recipient.email"), "{reads}");
    assert!(!reads.contains("catalog calls "), "it asks nobody: {reads}");
}

/// Otherwise a page, or what can be done from it, would be refused to staff and to nobody else.
#[test]
fn what_the_console_calls_names_it() {
    let places = of_service("console");
    let called: Vec<_> = METHODS.iter().filter(|method| places.iter().any(|place| place.calls(method))).collect();
    let names_it = |method: &Method| method.callers.contains(&"console");
    // Whoever runs the console by the operator's certificate has these; no page shows them to staff.
    let operators = ["/tradewind.mesh.v1.MeshService/SetFault", "/tradewind.mesh.v1.MeshService/ClearFaults"];
    let forgotten: Vec<_> =
        called.iter().filter(|method| names_it(method) == operators.contains(&method.path)).collect();
    assert!(called.len() > 25 && forgotten.is_empty(), "{} are called, and not of {forgotten:#?}", called.len());
}

#[test]
fn a_field_is_read_where_it_is_named_outside_tests() {
    let mut named = Named::default();
    let source = "fn f(event: &E) { g(event.data.total); let Money { minor, .. } = m; } #[cfg(test)] mod tests { fn t() { e.secret; } }";
    named.read(source.parse().unwrap());
    assert!(named.members.contains("total") && !named.members.contains("secret"), "{:?}", named.members);
    assert!(named.parts.contains(&("Money".to_owned(), "minor".to_owned())), "{:?}", named.parts);
}

#[test]
fn a_method_is_called_where_its_function_or_its_path_is_named() {
    let is_called = |source: &str| {
        let mut named = Named::default();
        named.read(source.parse().unwrap());
        let path = "/tradewind.eventlog.v1.EventLogService/ReadLog";
        named.calls(METHODS.iter().find(|method| method.path == path).unwrap())
    };
    assert!(is_called("fn f() { owner.read_log(request).await }"));
    assert!(is_called("const READ: &str = \"/tradewind.eventlog.v1.EventLogService/ReadLog\";"));
    assert!(!is_called("fn read_log() { owner.read_key(request) } #[cfg(test)] fn f() { owner.read_log(request) }"));
}
