//! A `Debug` for messages that hold a field with the `sensitive` option: it names every field and shows all but those.

use std::fmt::Write as _;

use protox::prost_reflect::{DescriptorPool, FieldDescriptor, MessageDescriptor};

use super::options::{is_set, path};

/// The messages that hold a sensitive field.
pub(crate) fn messages(pool: &DescriptorPool) -> Vec<MessageDescriptor> {
    pool.all_messages().filter(|message| message.fields().any(|field| is_sensitive(&field))).collect()
}

pub(crate) fn code(messages: &[MessageDescriptor]) -> String {
    messages.iter().map(debug_impl).collect()
}

/// Whether a field has the option.
pub(crate) fn is_sensitive(field: &FieldDescriptor) -> bool {
    is_set(field.parent_pool(), &field.options(), "sensitive")
}

fn debug_impl(message: &MessageDescriptor) -> String {
    let mut code = format!(
        "impl ::std::fmt::Debug for {} {{\n    \
         fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {{\n        \
         f.debug_struct(\"{}\")",
        path(message.full_name()),
        message.name()
    );
    for field in message.fields().filter(|field| field.containing_oneof().is_none()) {
        let name = field.name();
        let value =
            if is_sensitive(&field) { "&format_args!(\"[redacted]\")".to_owned() } else { format!("&self.{name}") };
        let _ = write!(code, ".field(\"{name}\", {value})");
    }
    code.push_str(".finish()\n    }\n}\n");
    code
}
