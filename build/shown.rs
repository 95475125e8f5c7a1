//! What of each event is shown to whoever is outside.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use protox::prost_reflect::{Kind, MessageDescriptor};

use super::redacted::is_sensitive;

/// The messages that events are made of, a `static` each.
#[derive(Default)]
pub(crate) struct Showing {
    /// By full name.
    code: BTreeMap<String, String>,
}

impl Showing {
    /// The name of the `static` for a message, which is made with those of what it holds.
    pub(crate) fn learn(&mut self, message: &MessageDescriptor) -> String {
        let name = format!("SHOWN_{}", message.full_name().replace('.', "_").to_uppercase());
        if self.code.contains_key(message.full_name()) {
            return name;
        }
        self.code.insert(message.full_name().to_owned(), String::new());
        let mut code = format!("static {name}: Shown = Shown {{\n    fields: &[\n");
        for field in message.fields().filter(|field| !is_sensitive(field)) {
            let part = match field.kind() {
                Kind::Message(message) => format!("Message(&{})", self.learn(&message)),
                _ => "Whole".to_owned(),
            };
            let _ = writeln!(code, "        ({}, Part::{part}),", field.number());
        }
        code += "    ],\n};\n";
        self.code.insert(message.full_name().to_owned(), code);
        name
    }

    /// All of them.
    pub(crate) fn code(self) -> String {
        self.code.into_values().collect()
    }
}
