//! A service's own settings: collected by name here, given their types by the service's `Deserialize`.

use std::{collections::BTreeMap, fmt, time::Duration};

use config::{ConfigError, Value};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Visitor, value::Error as Unsupported},
};

use super::{SettingsError, parse, sources::variable};

/// The service's own settings, not yet given their types. Their values are never shown: some are secrets.
#[derive(Clone, Default)]
pub struct Own {
    values: BTreeMap<String, (String, Value)>,
}

impl fmt::Debug for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.values.keys()).finish()
    }
}

impl Own {
    pub(super) fn set(&mut self, key: &str, value: String) {
        self.insert(key, variable(key), value.into());
    }

    pub(super) fn insert(&mut self, key: &str, name: String, value: Value) {
        self.values.insert(key.to_owned(), (name, value));
    }

    /// Gives the values the types of `C`.
    ///
    /// # Errors
    /// The first value that doesn't fit, or a key that `C` doesn't have.
    pub(crate) fn typed<C: DeserializeOwned>(&self) -> Result<C, SettingsError> {
        let fields = fields_of::<C>();
        if let Some((name, _)) = self.values.iter().find(|(key, _)| !fields.contains(&key.as_str())).map(|(_, v)| v) {
            return Err(SettingsError::new(name, "is not a setting of this service"));
        }
        let table: config::Map<String, Value> =
            self.values.iter().map(|(key, (_, value))| (key.clone(), value.clone())).collect();
        Value::new(None, table).try_deserialize().map_err(|error| self.name(&error))
    }

    fn name(&self, error: &ConfigError) -> SettingsError {
        let (key, problem) = explain(error);
        let root = key.split(['.', '[']).next().unwrap_or_default();
        match self.values.get(root) {
            Some((name, _)) => SettingsError::new(name, problem),
            None => SettingsError::new(variable(root), problem),
        }
    }
}

fn explain(error: &ConfigError) -> (String, String) {
    match error {
        ConfigError::Type { unexpected, expected, key, .. } => {
            (key.clone().unwrap_or_default(), format!("{unexpected} is not {expected}"))
        }
        ConfigError::At { error, key, .. } => (key.clone().unwrap_or_default(), explain(error).1),
        ConfigError::NotFound(key) => (key.clone(), "is needed and has no default".into()),
        other => (String::new(), other.to_string()),
    }
}

/// Deserializes a duration written like `10s` or `1m 30s`, for `#[serde(deserialize_with = "tradewind_runtime::duration")]`.
///
/// # Errors
/// Text that is no duration.
pub fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse::duration(&text).map_err(serde::de::Error::custom)
}

/// Lists the keys a settings struct reads. Empty for a type that isn't a plain struct (`#[serde(flatten)]` hides its fields).
pub(crate) fn fields_of<C: DeserializeOwned>() -> &'static [&'static str] {
    let mut fields: &'static [&'static str] = &[];
    // Always an error: the deserializer has nothing to give, it only listens to what is asked for.
    drop(C::deserialize(Listener(&mut fields)));
    fields
}

struct Listener<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Listener<'_> {
    type Error = Unsupported;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Unsupported> {
        Err(serde::de::Error::custom("not a struct"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Unsupported> {
        *self.0 = fields;
        Err(serde::de::Error::custom("only the names were asked for"))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct newtype_struct
        seq tuple tuple_struct map enum identifier ignored_any
    }
}
