//! Every target of `make fuzz` is one of a crate, is in the program, and has a corpus that is small enough to be kept.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use syn::{Expr, Item, Lit};

use crate::project::project;
use crate::purity::sources;

const MOST_FILES: usize = 50;
const MOST_BYTES: u64 = 4_096;

/// The names in the `TARGETS` of a source, if it has any.
pub(crate) fn targets(source: &Path) -> Vec<String> {
    let file = syn::parse_file(&fs::read_to_string(source).unwrap()).unwrap();
    let list = file.items.into_iter().find_map(|item| match item {
        Item::Const(found) if found.ident == "TARGETS" => Some(*found.expr),
        _ => None,
    });
    let Some(Expr::Reference(list)) = list else { return Vec::new() };
    let Expr::Array(list) = *list.expr else { panic!("{}: TARGETS is no list", source.display()) };
    let name = |each: Expr| match each {
        Expr::Tuple(pair) => match &pair.elems[0] {
            Expr::Lit(name) => match &name.lit {
                Lit::Str(name) => name.value(),
                _ => panic!("{}: a target has no name", source.display()),
            },
            _ => panic!("{}: a target has no name", source.display()),
        },
        _ => panic!("{}: a target is no pair", source.display()),
    };
    list.elems.into_iter().map(name).collect()
}

#[test]
fn every_target_of_fuzzing_has_a_corpus_that_can_be_kept() {
    let folders = ["kit", "services", "cli", "console"].map(project);
    let all = folders.iter().flat_map(|folder| sources(folder));
    let names: Vec<_> =
        all.filter(|source| source.ends_with("fuzzed.rs")).flat_map(|source| targets(&source)).collect();
    let known: BTreeSet<_> = names.iter().cloned().collect();
    assert!(known.len() >= 25 && known.len() == names.len(), "{names:?}");
    let folder = |entry: fs::DirEntry| entry.file_name().into_string().unwrap();
    let kept: BTreeSet<_> = fs::read_dir(project("fuzz/corpus")).unwrap().map(|entry| folder(entry.unwrap())).collect();
    assert_eq!(kept, known, "each target has a folder of its name");
    for name in kept {
        let files = fs::read_dir(project("fuzz/corpus").join(&name)).unwrap();
        let sizes: Vec<_> = files.map(|file| file.unwrap().metadata().unwrap().len()).collect();
        let fits = (1..=MOST_FILES).contains(&sizes.len()) && sizes.iter().all(|size| *size <= MOST_BYTES);
        assert!(fits, "{name} has {} files, the largest of {:?} bytes", sizes.len(), sizes.iter().max());
    }
}

#[test]
fn every_crate_with_targets_is_in_the_program_that_fuzzes() {
    let program = fs::read_to_string(project("fuzz/src/main.rs")).unwrap();
    let folders = ["kit", "services", "cli", "console"].map(project);
    for root in folders.iter().flat_map(|folder| sources(folder)).filter(|source| source.ends_with("src/lib.rs")) {
        if !fs::read_to_string(&root).unwrap().contains("fuzzed;") {
            continue;
        }
        let package = root.parent().and_then(Path::parent).unwrap();
        let text = fs::read_to_string(package.join("Cargo.toml")).unwrap();
        let name = text.lines().find_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"')).unwrap();
        assert!(program.contains(&format!("{}::fuzzed::TARGETS", name.replace('-', "_"))), "{name} is not in it");
    }
}
