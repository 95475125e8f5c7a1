//! What is set, and how whoever set it names it.

use super::SettingsError;

/// What the name of every variable begins with.
pub(super) const PREFIX: &str = "TRADEWIND_";

/// Returns the environment variable of a key.
pub(super) fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.to_ascii_uppercase())
}

/// The text of one setting and how its reader would name it.
#[derive(Clone)]
pub(super) struct Text {
    name: String,
    text: String,
}

impl Text {
    /// What a variable says.
    pub(super) fn of(key: &str, text: impl Into<String>) -> Self {
        Self { name: variable(key), text: text.into() }
    }

    /// What stands at the place of this name.
    pub(super) const fn at(name: String, text: String) -> Self {
        Self { name, text }
    }

    pub(super) fn parse<T>(&self, parse: impl FnOnce(&str) -> Result<T, String>) -> Result<T, SettingsError> {
        parse(self.text.trim()).map_err(|problem| self.mistake(&problem))
    }

    /// The same for what may not be set by accident: with the spaces around it.
    pub(super) fn parse_exactly<T>(&self, parse: impl FnOnce(&str) -> Result<T, String>) -> Result<T, SettingsError> {
        parse(&self.text).map_err(|problem| self.mistake(&problem))
    }

    pub(super) fn mistake(&self, problem: &str) -> SettingsError {
        SettingsError::new(&self.name, problem)
    }
}
