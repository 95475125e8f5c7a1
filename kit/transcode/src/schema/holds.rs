//! What a field has to hold, as the contract's options have it.

use prost_reflect::{FieldDescriptor, Value};

/// The most characters of a text that does not say `max_length`, as `options.proto` has it.
const USUAL_LENGTH: u32 = 512;

/// The option `holds` of a field of a request, and how long it may be.
pub struct Holds {
    /// It is there: a text or a list that is not empty, a number that is not 0.
    pub required: bool,
    /// What all of a text matches; empty for anything.
    pub pattern: String,
    /// What kind of text it is; empty for any.
    pub format: String,
    /// The least that a number may be.
    pub minimum: Option<i64>,
    /// The most.
    pub maximum: Option<i64>,
    /// The fewest characters of a text.
    pub shortest: u32,
    /// The most.
    pub longest: u32,
    /// The most items of a list.
    pub most_items: Option<u32>,
}

impl Holds {
    /// What the contract says of a field.
    #[must_use]
    pub fn of(field: &FieldDescriptor) -> Self {
        let limit = option(field, "max_length").and_then(|said| said.as_u32()).unwrap_or(USUAL_LENGTH);
        let said = option(field, "holds");
        let said = |name: &str| {
            let message = said.as_ref()?.as_message()?;
            message.has_field_by_name(name).then(|| message.get_field_by_name(name))?.map(|value| value.into_owned())
        };
        let text = |name| said(name).and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default();
        let count = |name| said(name).and_then(|value| value.as_u32());
        Self {
            required: said("required").is_some(),
            pattern: text("pattern"),
            format: text("format"),
            minimum: said("minimum").and_then(|value| value.as_i64()),
            maximum: said("maximum").and_then(|value| value.as_i64()),
            shortest: count("min_length").unwrap_or_default(),
            longest: count("max_length").unwrap_or(limit),
            most_items: count("max_items"),
        }
    }
}

/// Whether a field is kept from whoever is outside.
pub(super) fn is_sensitive(field: &FieldDescriptor) -> bool {
    option(field, "sensitive").and_then(|said| said.as_bool()) == Some(true)
}

fn option(field: &FieldDescriptor, name: &str) -> Option<Value> {
    let pool = field.parent_message().parent_pool();
    let extension = pool.get_extension_by_name(&format!("tradewind.options.v1.{name}"))?;
    let options = field.options();
    options.has_extension(&extension).then(|| options.get_extension(&extension).into_owned())
}
