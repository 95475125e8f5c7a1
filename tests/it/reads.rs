//! Which fields of the events that come to a service its source reads.
//!
//! It is read word by word: `.total` anywhere in a service counts for every message that comes to it and has a `total`, and so
//! does `Money { minor, .. }` for that message. So a service may be said to read a field that it does not, and not the reverse.

use std::collections::BTreeSet;
use std::fs;

use contracts::reactions::REACTIONS;
use contracts::tables::CONTEXTS;
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use prost_reflect::{DescriptorPool, Kind, MessageDescriptor};

use crate::programs::project;
use crate::purity::sources;

/// What a source names.
#[derive(Default)]
struct Named {
    /// `total` for `.total`.
    members: BTreeSet<String>,
    /// `Money` and `minor` for `Money { minor, .. }`.
    parts: BTreeSet<(String, String)>,
}

impl Named {
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
            match (token, tokens.get(at)) {
                (TokenTree::Punct(dot), Some(TokenTree::Ident(member))) if dot.as_char() == '.' => {
                    self.members.insert(member.to_string());
                }
                (TokenTree::Ident(name), Some(TokenTree::Group(group))) if group.delimiter() == Delimiter::Brace => {
                    let parts = group.stream().into_iter().filter_map(|part| match part {
                        TokenTree::Ident(part) => Some((name.to_string(), part.to_string())),
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

/// Whether `#[cfg(test)]` stands here.
fn is_test(tokens: &[TokenTree]) -> bool {
    let [hash, attribute, ..] = tokens else { return false };
    hash.to_string() == "#" && attribute.to_string().replace(' ', "") == "[cfg(test)]"
}

/// A message and all that it holds.
fn held(message: &MessageDescriptor, found: &mut BTreeSet<String>) {
    if !found.insert(message.full_name().to_owned()) {
        return;
    }
    for field in message.fields() {
        if let Kind::Message(message) = field.kind() {
            held(&message, found);
        }
    }
}

/// A line for each field that a service reads, by its full name.
fn reads() -> String {
    let pool = DescriptorPool::decode(contracts::DESCRIPTOR).unwrap();
    let mut lines = BTreeSet::new();
    for context in CONTEXTS {
        let mut messages = BTreeSet::new();
        for reaction in REACTIONS.iter().filter(|reaction| reaction.context == *context) {
            held(&pool.get_message_by_name(reaction.event).unwrap(), &mut messages);
        }
        if messages.is_empty() {
            continue;
        }
        let mut named = Named::default();
        for path in sources(&project(&format!("services/{context}/src"))) {
            if !path.iter().any(|part| part == "tests" || part == "tests.rs") {
                named.read(fs::read_to_string(&path).unwrap().parse().unwrap());
            }
        }
        let fields =
            messages.iter().flat_map(|message| pool.get_message_by_name(message).unwrap().fields().collect::<Vec<_>>());
        let is_read = |message: &str, field: &str| {
            named.members.contains(field) || named.parts.contains(&(message.to_owned(), field.to_owned()))
        };
        let read = fields.filter(|field| is_read(field.parent_message().name(), field.name()));
        lines.extend(read.map(|field| format!("{context} reads {}\n", field.full_name())));
    }
    lines.into_iter().collect()
}

/// `UPDATE_GOLDEN=1 cargo test -p system-tests` writes the file anew.
#[test]
fn what_each_service_reads_of_others_events_is_written_down() {
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
    ] {
        assert!(reads.lines().any(|read| read == line), "{line}");
    }
    assert!(!reads.contains("inventory reads tradewind.ordering.v1.Recipient.email"), "{reads}");
}

#[test]
fn a_field_is_read_where_it_is_named_outside_tests() {
    let mut named = Named::default();
    let source = "fn f(event: &E) { g(event.data.total); let Money { minor, .. } = m; } #[cfg(test)] mod tests { fn t() { e.secret; } }";
    named.read(source.parse().unwrap());
    assert!(named.members.contains("total") && !named.members.contains("secret"), "{:?}", named.members);
    assert!(named.parts.contains(&("Money".to_owned(), "minor".to_owned())), "{:?}", named.parts);
}
