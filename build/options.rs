//! The values of the contract's options, and how Rust spells what they name.

use std::time::Duration;

use protox::prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MethodDescriptor, ReflectMessage, Value,
};

/// Whether an option that is a `bool` is set.
pub(crate) fn is_set(pool: &DescriptorPool, options: &DynamicMessage, name: &str) -> bool {
    extension(pool, options, name).as_ref() == Some(&Value::Bool(true))
}

/// Whether there is an event of that name.
pub(crate) fn is_event(pool: &DescriptorPool, full_name: &str) -> bool {
    pool.get_message_by_name(full_name).is_some_and(|message| option(pool, &message.options(), "event").is_some())
}

/// Whether a method has a route at the edge.
pub(crate) fn is_routed(pool: &DescriptorPool, method: &MethodDescriptor) -> bool {
    let http = pool.get_extension_by_name("google.api.http");
    http.is_some_and(|http| method.options().has_extension(&http))
}

/// Whether that route is one by which nothing changes.
pub(crate) fn is_read(pool: &DescriptorPool, method: &MethodDescriptor) -> bool {
    let http = pool.get_extension_by_name("google.api.http");
    let route = http.map(|http| method.options().get_extension(&http).into_owned());
    route.as_ref().and_then(Value::as_message).is_some_and(|route| route.has_field_by_name("get"))
}

/// The value of an option that is a message, where it is set.
pub(crate) fn option(pool: &DescriptorPool, options: &DynamicMessage, name: &str) -> Option<DynamicMessage> {
    extension(pool, options, name)?.as_message().cloned()
}

fn extension(pool: &DescriptorPool, options: &DynamicMessage, name: &str) -> Option<Value> {
    let extension = pool.get_extension_by_name(&format!("tradewind.options.v1.{name}"))?;
    options.has_extension(&extension).then(|| options.get_extension(&extension).into_owned())
}

pub(crate) fn text(message: &DynamicMessage, field: &str) -> String {
    message.get_field_by_name(field).and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

pub(crate) fn messages(message: &DynamicMessage, field: &str) -> Vec<DynamicMessage> {
    let value = message.get_field_by_name(field);
    let list = value.as_deref().and_then(Value::as_list).unwrap_or_default();
    list.iter().filter_map(|value| value.as_message().cloned()).collect()
}

/// The variant that an enum field has in Rust: `Forward` for `ROLE_FORWARD`.
pub(crate) fn variant(message: &DynamicMessage, field: &str) -> String {
    let number = message.get_field_by_name(field).and_then(|value| value.as_enum_number());
    let kind = message.descriptor().get_field_by_name(field).map(|field| field.kind());
    let (Some(Kind::Enum(kind)), Some(number)) = (kind, number) else { return String::new() };
    let name = kind.get_value(number).map(|value| value.name().to_lowercase()).unwrap_or_default();
    camel(&name).strip_prefix(kind.name()).unwrap_or_default().to_owned()
}

/// `ReserveOnOrderPlaced` for `reserve_on_order_placed`.
pub(crate) fn camel(name: &str) -> String {
    let capital = |word: &str| {
        word.chars().next().map(|first| first.to_uppercase().collect::<String>() + &word[first.len_utf8()..])
    };
    name.split('_').filter_map(capital).collect()
}

/// Where the generated code has a message.
pub(crate) fn path(full_name: &str) -> String {
    format!("crate::{}", full_name.replace('.', "::"))
}

pub(crate) fn texts(message: &DynamicMessage, field: &str) -> Vec<String> {
    let value = message.get_field_by_name(field);
    let list = value.as_deref().and_then(Value::as_list).unwrap_or_default();
    list.iter().filter_map(|value| value.as_str().map(str::to_owned)).collect()
}

/// A field that is a message, where it is set.
pub(crate) fn message(message: &DynamicMessage, field: &str) -> Option<DynamicMessage> {
    message.has_field_by_name(field).then(|| message.get_field_by_name(field)?.as_message().cloned()).flatten()
}

/// A field that is a duration, where it is set.
///
/// # Errors
/// One that is less than nothing.
pub(crate) fn duration(of: &DynamicMessage, field: &str) -> Result<Option<Duration>, String> {
    let Some(value) = message(of, field) else { return Ok(None) };
    let part = |name: &str| value.get_field_by_name(name);
    let seconds = part("seconds").and_then(|seconds| seconds.as_i64()).unwrap_or_default();
    let nanos = part("nanos").and_then(|nanos| nanos.as_i32()).unwrap_or_default();
    match (u64::try_from(seconds), u32::try_from(nanos)) {
        (Ok(seconds), Ok(nanos)) if nanos < 1_000_000_000 => Ok(Some(Duration::new(seconds, nanos))),
        _ => Err(format!("{field} is no time that passes")),
    }
}

/// How Rust spells a duration.
pub(crate) fn spelled(duration: Duration) -> String {
    format!("Duration::new({}, {})", duration.as_secs(), duration.subsec_nanos())
}

/// The variant of an option that is an enum and stands on a field, as it is named in the contract; none where it is not said.
pub(crate) fn choice(field: &FieldDescriptor, name: &str) -> Option<String> {
    let value = extension(field.parent_pool(), &field.options(), name)?.as_enum_number()?;
    let declared = field.parent_pool().get_extension_by_name(&format!("tradewind.options.v1.{name}"))?;
    let Kind::Enum(kind) = declared.kind() else { return None };
    kind.get_value(value).filter(|value| value.number() != 0).map(|value| value.name().to_owned())
}

/// The most characters that a text field says it may have.
pub(crate) fn limit(field: &FieldDescriptor) -> Option<u32> {
    extension(field.parent_pool(), &field.options(), "max_length")?.as_u32().filter(|most| *most > 0)
}
