//! For requests that can be repeated: what they ask, without the fields that have the `waits` option.

use protox::prost_reflect::{DescriptorPool, MessageDescriptor};

use super::options::{is_set, path};

pub(crate) fn code(pool: &DescriptorPool) -> String {
    let methods = pool.services().flat_map(|service| service.methods().collect::<Vec<_>>());
    let requests: Vec<_> = methods.map(|method| method.input()).collect();
    let repeatable =
        |message: &MessageDescriptor| requests.contains(message) && message.get_field_by_name("request_id").is_some();
    pool.all_messages().filter(repeatable).map(|message| repeatable_code(pool, &message)).collect()
}

fn repeatable_code(pool: &DescriptorPool, message: &MessageDescriptor) -> String {
    let waits = message.fields().filter(|field| is_set(pool, &field.options(), "waits"));
    let cleared: String =
        waits.map(|field| format!("{}: ::std::default::Default::default(), ", field.name())).collect();
    let asked =
        if cleared.is_empty() { "self.clone()".to_owned() } else { format!("Self {{ {cleared}..self.clone() }}") };
    let path = path(message.full_name());
    format!(
        "impl Repeatable for {path} {{\n    fn request_id(&self) -> &str {{\n        &self.request_id\n    }}\n\n    \
         fn asked(&self) -> Self {{\n        {asked}\n    }}\n}}\n"
    )
}
