//! What the contracts say in words.

use prost_reflect::prost_types::FileDescriptorProto;
use prost_reflect::{EnumDescriptor, FieldDescriptor, MessageDescriptor, MethodDescriptor, ServiceDescriptor};

/// The comments above declarations.
pub(super) struct Comments;

impl Comments {
    pub(super) fn of_service(service: &ServiceDescriptor) -> String {
        above(service.parent_file().file_descriptor_proto(), service.path())
    }

    pub(super) fn of_method(method: &MethodDescriptor) -> String {
        above(method.parent_service().parent_file().file_descriptor_proto(), method.path())
    }

    pub(super) fn of_message(message: &MessageDescriptor) -> String {
        above(message.parent_file().file_descriptor_proto(), message.path())
    }

    pub(super) fn of_field(field: &FieldDescriptor) -> String {
        above(field.parent_message().parent_file().file_descriptor_proto(), field.path())
    }

    pub(super) fn of_enum(kind: &EnumDescriptor) -> String {
        let file = kind.parent_file();
        let values = kind.values().map(|value| {
            let said = above(file.file_descriptor_proto(), value.path());
            if said.is_empty() { String::new() } else { format!("\n- `{}`: {said}", value.name()) }
        });
        above(file.file_descriptor_proto(), kind.path()) + &values.collect::<String>()
    }
}

fn above(file: &FileDescriptorProto, path: &[i32]) -> String {
    let locations = file.source_code_info.iter().flat_map(|info| &info.location);
    let said =
        locations.filter(|location| location.path == path).find_map(|location| location.leading_comments.as_deref());
    said.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
}
