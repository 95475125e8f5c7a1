//! What the contracts say in words.

use prost_reflect::prost_types::FileDescriptorProto;
use prost_reflect::{
    EnumDescriptor, EnumValueDescriptor, FieldDescriptor, MessageDescriptor, MethodDescriptor, ServiceDescriptor,
};

/// The comments above declarations, as far as descriptors have them: a paragraph or an item of a list is a line, and between
/// paragraphs stands an empty one.
pub struct Comments;

impl Comments {
    /// What is said of a service.
    #[must_use]
    pub fn of_service(service: &ServiceDescriptor) -> String {
        above(service.parent_file().file_descriptor_proto(), service.path())
    }

    /// What is said of a method.
    #[must_use]
    pub fn of_method(method: &MethodDescriptor) -> String {
        above(method.parent_service().parent_file().file_descriptor_proto(), method.path())
    }

    /// What is said of a message.
    #[must_use]
    pub fn of_message(message: &MessageDescriptor) -> String {
        above(message.parent_file().file_descriptor_proto(), message.path())
    }

    /// What is said of a field.
    #[must_use]
    pub fn of_field(field: &FieldDescriptor) -> String {
        above(field.parent_message().parent_file().file_descriptor_proto(), field.path())
    }

    /// What is said of an enum, without its values.
    #[must_use]
    pub fn of_enum(kind: &EnumDescriptor) -> String {
        above(kind.parent_file().file_descriptor_proto(), kind.path())
    }

    /// What is said of a value of an enum.
    #[must_use]
    pub fn of_value(value: &EnumValueDescriptor) -> String {
        above(value.parent_enum().parent_file().file_descriptor_proto(), value.path())
    }

    /// The first sentence of what is said, without its full stop.
    #[must_use]
    pub fn first_sentence(said: &str) -> &str {
        let line = said.lines().next().unwrap_or_default();
        line.split_inclusive(". ").next().unwrap_or_default().trim().trim_end_matches('.')
    }
}

fn above(file: &FileDescriptorProto, path: &[i32]) -> String {
    let locations = file.source_code_info.iter().flat_map(|info| &info.location);
    let said =
        locations.filter(|location| location.path == path).find_map(|location| location.leading_comments.as_deref());
    joined(said.unwrap_or_default())
}

/// The lines of a comment, put together where a line ends only because it would be too long.
fn joined(comment: &str) -> String {
    let mut text = String::new();
    for line in comment.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")) {
        if line.is_empty() {
            let end = text.trim_end().len();
            text.truncate(end);
            text.push_str("\n\n");
        } else {
            if is_item(&line) && !text.is_empty() && !text.ends_with('\n') {
                text.push('\n');
            } else if !text.is_empty() && !text.ends_with('\n') {
                text.push(' ');
            }
            text.push_str(&line);
        }
    }
    text.trim().to_owned()
}

fn is_item(line: &str) -> bool {
    line.starts_with("- ") || line.starts_with("* ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_keeps_its_paragraphs_and_lists_and_no_other_ends_of_lines() {
        assert_eq!(joined(" One\n line.\n"), "One line.");
        assert_eq!(joined(" One.\n\n\n  Two:\n - a\n   b\n - c\n"), "One.\n\nTwo:\n- a b\n- c");
        assert_eq!(joined(" - a\n\n - b"), "- a\n\n- b");
        assert_eq!(joined("\n \n"), "");
        assert_eq!(Comments::first_sentence("Does it. And more.\n\nNot this. "), "Does it");
        assert_eq!(Comments::first_sentence("Version 1.2 of it\n\nmore"), "Version 1.2 of it");
    }
}
