//! The file and the environment, merged; remembers where each value came from so that a mistake can be named there.

use std::{collections::BTreeMap, ffi::OsString};

use config::{File, FileFormat, Source, Value, ValueKind};

use super::text::{PREFIX, Text, variable};
use super::{Own, Setting, SettingsError, parse};

const FILE: &str = "TRADEWIND_CONFIG";
/// Ends the name of a variable that names a file with the value, which for a secret is better than the environment.
const IN_FILE: &str = "_FILE";
const OTLP_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

/// What the file and the environment say, by key in lower case.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sources {
    file: BTreeMap<String, Value>,
    file_name: String,
    environment: BTreeMap<String, String>,
    otlp_endpoint: Option<String>,
}

/// What a parser says of a text, without the line of the text, which may hold a password: where it is, and what is wrong.
fn without_source(told: &str) -> String {
    let mut lines = told.lines().filter(|line| !line.trim().is_empty());
    let first = lines.next().unwrap_or_default();
    lines.next_back().map_or_else(|| first.to_owned(), |last| format!("{first}: {last}"))
}

impl Sources {
    /// Reads the process's environment and the file it names.
    ///
    /// # Errors
    /// A file that cannot be read or isn't TOML; a variable that isn't Unicode.
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    pub(crate) fn of_process() -> Result<Self, SettingsError> {
        Self::from_variables(std::env::vars_os())
    }

    /// Reads the given variables and the file they name.
    ///
    /// # Errors
    /// A file that cannot be read or isn't TOML; a variable that isn't Unicode, or is there twice.
    pub(crate) fn from_variables(
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, SettingsError> {
        let mut sources = Self::default();
        let (mut file, mut in_files) = (None, Vec::new());
        for (name, value) in variables {
            let Some(name) = name.to_str().filter(|name| name.starts_with(PREFIX) || *name == OTLP_ENDPOINT) else {
                continue;
            };
            let value = value.into_string().map_err(|_| SettingsError::new(name, "is not Unicode"))?;
            match name.strip_prefix(PREFIX) {
                None => sources.otlp_endpoint = Some(value).filter(|value| !value.trim().is_empty()),
                Some(_) if name == FILE => file = Some(value),
                Some(key) => match key.strip_suffix(IN_FILE) {
                    Some(key) => in_files.push((key.to_ascii_lowercase(), value)),
                    None => drop(sources.environment.insert(key.to_ascii_lowercase(), value)),
                },
            }
        }
        for (key, path) in in_files {
            sources.take_from_file(&key, &path)?;
        }
        if let Some(path) = file.filter(|path| !path.is_empty()) {
            let text = std::fs::read_to_string(&path)
                .map_err(|error| SettingsError::new(FILE, format!("{path:?} cannot be read: {error}")))?;
            sources.file = File::from_str(&text, FileFormat::Toml)
                .collect()
                .map_err(|error| {
                    SettingsError::new(FILE, format!("{path:?} is not TOML: {}", without_source(&error.to_string())))
                })?
                .into_iter()
                .collect();
            sources.file_name = path;
        }
        Ok(sources)
    }

    /// Takes the value of a key from the file that its variable with `_FILE` names.
    fn take_from_file(&mut self, key: &str, path: &str) -> Result<(), SettingsError> {
        let mistake = |problem| Err(SettingsError::new(variable(key) + IN_FILE, problem));
        match std::fs::read_to_string(path) {
            Err(error) => mistake(format!("{path:?} cannot be read: {error}")),
            Ok(_) if self.environment.contains_key(key) => mistake(format!("{} is set, too", variable(key))),
            Ok(text) => {
                self.environment.insert(key.to_owned(), text.trim_end().to_owned());
                Ok(())
            }
        }
    }

    /// Refuses keys of the file nobody reads. The environment is shared with others (Kubernetes puts a service's own address there), so
    /// unknown variables are not refused.
    pub(super) fn refuse_unknown(&self, known: impl Fn(&str) -> bool) -> Result<(), SettingsError> {
        match self.file.keys().find(|key| !known(key)) {
            Some(key) => Err(SettingsError::new(self.in_file(key), "is not a setting of this service")),
            None => Ok(()),
        }
    }

    pub(super) fn text(&self, key: &str, default: &str) -> Result<Text, SettingsError> {
        Ok(self.set(key)?.unwrap_or_else(|| Text::of(key, default)))
    }

    fn set(&self, key: &str) -> Result<Option<Text>, SettingsError> {
        if let Some(text) = self.environment.get(key) {
            return Ok(Some(Text::of(key, text)));
        }
        let Some(value) = self.file.get(key) else { return Ok(None) };
        let text = Text::at(self.in_file(key), value.to_string());
        match &value.kind {
            ValueKind::Table(_) | ValueKind::Array(_) => Err(text.mistake("is not a single value")),
            _ => Ok(Some(text)),
        }
    }

    /// Reads `name=host:port,…`, or a table of the file. A name may be there several times, an address in the table be several with
    /// commas between: each is an endpoint.
    pub(super) fn peers(&self, key: &str) -> Result<BTreeMap<String, String>, SettingsError> {
        if let (None, Some(Value { kind: ValueKind::Table(table), .. })) =
            (self.environment.get(key), self.file.get(key))
        {
            let peers = table.iter().flat_map(|(name, addresses)| {
                let addresses = addresses.to_string();
                addresses.split(',').map(|address| format!("{name}={address}")).collect::<Vec<_>>()
            });
            return together(peers).map_err(|problem| SettingsError::new(self.in_file(key), problem));
        }
        self.text(key, "")?.parse(|text| together(text.split(',').map(str::trim).filter(|peer| !peer.is_empty())))
    }

    pub(super) fn otlp_endpoint(&self) -> Result<Option<String>, SettingsError> {
        let parsed = self.otlp_endpoint.as_deref().map(str::trim).map(parse::endpoint).transpose();
        parsed.map_err(|problem| SettingsError::new(OTLP_ENDPOINT, problem))
    }

    /// What is set of the service's own settings.
    pub(super) fn own(&self, settings: &[Setting]) -> Result<Own, SettingsError> {
        let mut own = Own::default();
        for Setting { key, .. } in settings {
            if let Some(text) = self.set(key)? {
                own.set(key, text);
            }
        }
        Ok(own)
    }

    fn in_file(&self, key: &str) -> String {
        format!("{key} in {}", self.file_name)
    }
}

/// The addresses of each peer, with commas between.
fn together(peers: impl Iterator<Item: AsRef<str>>) -> Result<BTreeMap<String, String>, String> {
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    for peer in peers {
        let (name, address) = parse::peer(peer.as_ref())?;
        all.entry(name).and_modify(|known| *known = format!("{known},{address}")).or_insert(address);
    }
    Ok(all)
}
