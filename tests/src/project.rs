//! The project's files, programs and tools.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A file of the project.
pub fn project(path: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join(path).canonicalize().unwrap()
}

/// A binary that building the workspace leaves beside the tests.
pub fn binary(name: &str) -> PathBuf {
    let path = target().join("debug").join(name);
    assert!(path.is_file(), "{} is not there; `make build` builds it", path.display());
    path
}

/// The folder that this program, or this test, was built in.
pub fn target() -> PathBuf {
    let this = std::env::current_exe().unwrap();
    let debug = this.ancestors().find(|folder| folder.ends_with("debug")).expect("a program built for development");
    debug.parent().unwrap().to_owned()
}

/// A tool of the project, which is installed where it is missing.
pub fn tool(name: &str) -> PathBuf {
    run(Command::new(project("scripts/tools")).arg(name)).unwrap().trim_end().into()
}

/// Runs a command to its end; returns what it wrote on standard output, or on standard error where it failed.
pub fn run(command: &mut Command) -> Result<String, String> {
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}
