//! A service's own settings: declared once, in a table that their reading and `--help` come from.

use std::{collections::BTreeMap, fmt, time::Duration};

use super::{SettingsError, parse, text::Text};

/// One setting as `--help` shows it.
#[derive(Clone, Debug)]
pub struct Setting {
    /// Its key, in lower case.
    pub key: String,
    /// What it is for.
    pub meaning: String,
    /// The text that is read where nothing is set.
    pub default: String,
}

/// A service's own settings; made by [`settings!`](crate::settings).
pub trait OwnSettings: Sized + Send + 'static {
    /// All of them.
    fn table() -> Vec<Setting>;

    /// Reads what is set, and the default of what is not.
    ///
    /// # Errors
    /// The first value that doesn't fit.
    fn read(own: &Own) -> Result<Self, SettingsError>;
}

/// Declares a service's own settings as a struct that the runtime makes: the type of each, the text it has unless it is set, and the
/// function that reads a text. What is written above it is what `--help` says of it.
///
/// ```
/// # use std::time::Duration;
/// tradewind_runtime::settings! {
///     /// How ships are let in.
///     pub struct Harbour {
///         /// ships at once
///         berths: std::num::NonZeroU16 = "3" => tradewind_runtime::positive,
///         /// how long one may stay
///         stay: Duration = "2d" => tradewind_runtime::duration,
///     }
/// }
/// ```
#[macro_export]
macro_rules! settings {
    ($(#[$about:meta])* $vis:vis struct $name:ident {
        $(#[doc = $meaning:literal] $key:ident: $kind:ty = $default:expr => $read:expr,)*
    }) => {
        $(#[$about])*
        $vis struct $name { $(#[doc = $meaning] pub(crate) $key: $kind,)* }

        impl $crate::OwnSettings for $name {
            fn table() -> Vec<$crate::Setting> {
                vec![$($crate::Setting {
                    key: stringify!($key).to_owned(),
                    meaning: $meaning.trim().to_owned(),
                    default: $default.to_owned(),
                },)*]
            }

            #[allow(unused_variables)]
            fn read(own: &$crate::Own) -> Result<Self, $crate::SettingsError> {
                Ok(Self { $($key: own.read(stringify!($key), $default, $read)?,)* })
            }
        }
    };
}

crate::settings! {
    /// The settings of a service that has none of its own.
    #[derive(Clone, Copy, Debug)]
    pub struct NoSettings {}
}

/// What is set of a service's own settings. The texts are never shown: some are secrets.
#[derive(Clone, Default)]
pub struct Own(BTreeMap<String, Text>);

impl fmt::Debug for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
}

impl Own {
    pub(super) fn set(&mut self, key: &str, text: Text) {
        self.0.insert(key.to_owned(), text);
    }

    /// Reads one setting, or its default.
    ///
    /// # Errors
    /// A text that doesn't fit, by the name of where it stands.
    pub fn read<T>(
        &self,
        key: &str,
        default: &str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T, SettingsError> {
        match self.0.get(key) {
            Some(text) => text.parse(read),
            None => Text::of(key, default).parse(read),
        }
    }

    /// Reads them all.
    ///
    /// # Errors
    /// The first that doesn't fit, or that `C` doesn't have.
    pub(crate) fn all<C: OwnSettings>(&self) -> Result<C, SettingsError> {
        let table = C::table();
        let unknown = self.0.iter().find(|(key, _)| !table.iter().any(|setting| setting.key == **key));
        match unknown {
            Some((_, text)) => Err(text.mistake("is not a setting of this service")),
            None => C::read(self),
        }
    }
}

/// Reads a duration written like `10s` or `1m 30s`.
///
/// # Errors
/// Text that is no duration.
pub fn duration(text: &str) -> Result<Duration, String> {
    parse::duration(text)
}

/// Reads a number of 1 or more, for types like `NonZeroUsize`.
///
/// # Errors
/// Text that is no such number.
pub fn positive<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{text:?} is not a number of 1 or more"))
}
