//! What is kept of `make fuzz` is read in every `make test`, by each crate that has a decoder: `#[path]` has brought this file there.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test that cannot go on panics, and says at which file")]

use std::fs;
use std::path::Path;

use super::TARGETS;

#[test]
fn what_is_kept_of_fuzzing_is_read() {
    let folders = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().map(|folder| folder.join("fuzz/corpus"));
    let corpus = folders.into_iter().find(|folder| folder.is_dir()).unwrap();
    for (name, read) in TARGETS {
        let kept = fs::read_dir(corpus.join(name)).unwrap();
        for input in kept.map(|input| input.unwrap().path()) {
            eprintln!("{}", input.display());
            read(&fs::read(&input).unwrap());
        }
    }
}
