//! What options say, as values that can be held beside each other.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use prost_reflect::{DynamicMessage, Kind, ReflectMessage as _, Value};

/// Where the options of the contracts are declared.
const OPTIONS: &str = "tradewind.options.v1";
/// The option that is a method's route at the edge.
pub(crate) const ROUTE: &str = "google.api.http";

/// A value that an option says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// A `bool`, or a message that is there.
    Flag(bool),
    /// A number.
    Number(i128),
    /// A time, in nanoseconds.
    Time(i128),
    /// A text, or the name of an enum's value.
    Word(String),
    /// A list of texts.
    Words(Vec<String>),
}

/// What an element says, by the path of the option: `method.callers`. What is not said has no entry.
pub(crate) type Sayings = BTreeMap<String, Said>;

impl Said {
    /// As a number, where it is one: a time has nanoseconds, what is true is 1.
    pub(crate) fn number(&self) -> Option<i128> {
        match self {
            Self::Flag(flag) => Some(i128::from(*flag)),
            Self::Number(number) | Self::Time(number) => Some(*number),
            Self::Word(_) | Self::Words(_) => None,
        }
    }

    /// As a list of texts; none where it is no list.
    pub(crate) fn words(&self) -> &[String] {
        if let Self::Words(words) = self { words } else { &[] }
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Time(nanos) => match u64::try_from(*nanos) {
                Ok(nanos) => write!(f, "{}", humantime::format_duration(Duration::from_nanos(nanos))),
                Err(_) => write!(f, "{nanos} ns"),
            },
            Self::Word(word) => f.write_str(word),
            Self::Words(words) => write!(f, "[{}]", words.join(", ")),
        }
    }
}

/// A value for people.
pub(crate) fn shown(said: Option<&Said>) -> String {
    said.map_or_else(|| "not said".to_owned(), Said::to_string)
}

/// All that an element says under the options of the contracts.
pub(crate) fn sayings(options: &DynamicMessage) -> Sayings {
    let mut found = Sayings::new();
    for (extension, value) in options.extensions().filter(|(extension, _)| extension.package_name() == OPTIONS) {
        flatten(extension.name().to_owned(), value, &extension.kind(), &mut found);
    }
    found
}

/// What an element says under the options that every contract has, and under those of others: `java_package`. That it is
/// deprecated promises nothing, and a route is judged by itself.
pub(crate) fn others(options: &DynamicMessage) -> Sayings {
    let mut found = Sayings::new();
    for (field, value) in options.fields().filter(|(field, _)| field.name() != "deprecated") {
        flatten(field.name().to_owned(), value, &field.kind(), &mut found);
    }
    let foreign = |name: &str| name != ROUTE && name.rsplit_once('.').is_none_or(|(package, _)| package != OPTIONS);
    for (extension, value) in options.extensions().filter(|(extension, _)| foreign(extension.full_name())) {
        flatten(extension.full_name().to_owned(), value, &extension.kind(), &mut found);
    }
    found
}

/// An option that an element says.
pub(crate) fn option(options: &DynamicMessage, full_name: &str) -> Option<Value> {
    let extension = options.descriptor().parent_pool().get_extension_by_name(full_name)?;
    options.has_extension(&extension).then(|| options.get_extension(&extension).into_owned())
}

/// The reactions of a service by name, each with what is said of it.
pub(crate) fn reactions(options: &DynamicMessage) -> BTreeMap<String, Sayings> {
    let service = option(options, "tradewind.options.v1.service");
    let service = service.as_ref().and_then(Value::as_message);
    let reacts = service.and_then(|service| service.get_field_by_name("reacts"));
    let reacts = reacts.as_deref().and_then(Value::as_list).unwrap_or_default().iter().filter_map(Value::as_message);
    let reaction = |reaction: &DynamicMessage| {
        let mut found = Sayings::new();
        parts("service.reacts", reaction, &mut found);
        (text(&found, "service.reacts.reaction").to_owned(), found)
    };
    reacts.map(reaction).collect()
}

/// A text that is said, or nothing.
pub(crate) fn text<'a>(sayings: &'a Sayings, path: &str) -> &'a str {
    if let Some(Said::Word(word)) = sayings.get(path) { word } else { "" }
}

fn parts(path: &str, message: &DynamicMessage, found: &mut Sayings) {
    for (field, value) in message.fields() {
        flatten(format!("{path}.{}", field.name()), value, &field.kind(), found);
    }
}

fn flatten(path: String, value: &Value, kind: &Kind, found: &mut Sayings) {
    let said = match value {
        Value::Bool(flag) => Said::Flag(*flag),
        Value::I32(number) => Said::Number(i128::from(*number)),
        Value::I64(number) => Said::Number(i128::from(*number)),
        Value::U32(number) => Said::Number(i128::from(*number)),
        Value::U64(number) => Said::Number(i128::from(*number)),
        Value::String(text) => Said::Word(text.clone()),
        Value::EnumNumber(number) => {
            let named = kind.as_enum().and_then(|kind| kind.get_value(*number));
            Said::Word(named.map_or_else(|| number.to_string(), |value| value.name().to_owned()))
        }
        // A list of messages has names of its own: see `reactions`.
        Value::List(list) => Said::Words(list.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect()),
        Value::Message(time) if time.descriptor().full_name() == "google.protobuf.Duration" => Said::Time(nanos(time)),
        Value::Message(message) => {
            parts(&path, message, found);
            Said::Flag(true)
        }
        Value::F32(_) | Value::F64(_) | Value::Bytes(_) | Value::Map(_) => Said::Word(format!("{value:?}")),
    };
    found.insert(path, said);
}

fn nanos(time: &DynamicMessage) -> i128 {
    let seconds = time.get_field_by_name("seconds").and_then(|seconds| seconds.as_i64()).unwrap_or_default();
    let nanos = time.get_field_by_name("nanos").and_then(|nanos| nanos.as_i32()).unwrap_or_default();
    i128::from(seconds) * 1_000_000_000 + i128::from(nanos)
}
