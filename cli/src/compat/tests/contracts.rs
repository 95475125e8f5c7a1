//! The contracts, compiled with changes.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{LazyLock, Mutex};

use prost_reflect::DescriptorPool;
use protox::file::{File, FileResolver, GoogleFileResolver};
use protox::{Compiler, Error};

use super::pairs::Edit;

/// What was parsed, by its source.
static PARSED: LazyLock<Mutex<HashMap<String, File>>> = LazyLock::new(Mutex::default);

static RELEASED: LazyLock<Contracts> = LazyLock::new(|| {
    let mut sources = BTreeMap::new();
    read(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../proto")), "", &mut sources);
    assert!(sources.len() > 15, "{:?}", sources.keys());
    Contracts(sources)
});

fn read(folder: &Path, name: &str, sources: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let own = entry.file_name().into_string().unwrap();
        let name = if name.is_empty() { own } else { format!("{name}/{own}") };
        if entry.path().is_dir() {
            read(&entry.path(), &name, sources);
        } else if name.ends_with(".proto") {
            sources.insert(name, plain(&std::fs::read_to_string(entry.path()).unwrap()));
        }
    }
}

/// A contract on one line, without comments.
fn plain(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with("//"));
    lines.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
}

/// Sources of contracts by name.
#[derive(Clone)]
pub(super) struct Contracts(BTreeMap<String, String>);

impl Contracts {
    /// As they are.
    pub(super) fn released() -> Self {
        RELEASED.clone()
    }

    /// With changes.
    pub(super) fn with(&self, edits: &[Edit]) -> Self {
        let mut sources = self.0.clone();
        for Edit { file, after, from, to } in edits {
            if from == "*" {
                drop(if to.is_empty() { sources.remove(file) } else { sources.insert(file.clone(), to.clone()) });
                continue;
            }
            let source = sources.get_mut(file).unwrap_or_else(|| panic!("there is no {file}"));
            let begin = source.find(after.as_str()).unwrap_or_else(|| panic!("{file} has no {after}"));
            let at =
                source[begin..].find(from.as_str()).unwrap_or_else(|| panic!("{file} has no {from} after {after}"));
            source.replace_range(begin + at..begin + at + from.len(), to);
        }
        Self(sources)
    }

    pub(super) fn compiled(&self) -> DescriptorPool {
        static AS_THEY_ARE: LazyLock<DescriptorPool> = LazyLock::new(|| RELEASED.compile());
        if self.0 == RELEASED.0 { AS_THEY_ARE.clone() } else { self.compile() }
    }

    fn compile(&self) -> DescriptorPool {
        let mut compiler = Compiler::with_file_resolver(self.clone());
        compiler.include_imports(true);
        for name in self.0.keys() {
            compiler.open_file(name).unwrap_or_else(|error| panic!("{name}: {error:?}"));
        }
        DescriptorPool::decode(compiler.encode_file_descriptor_set().as_slice()).unwrap()
    }
}

impl FileResolver for Contracts {
    fn open_file(&self, name: &str) -> Result<File, Error> {
        match self.0.get(name) {
            Some(source) => {
                let mut parsed = PARSED.lock().unwrap();
                if let Some(file) = parsed.get(source) {
                    return Ok(file.clone());
                }
                let file = File::from_source(name, source)?;
                parsed.insert(source.clone(), file.clone());
                Ok(file)
            }
            None => GoogleFileResolver::new().open_file(name),
        }
    }
}
