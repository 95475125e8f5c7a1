//! `docs/asvs.md` names tests that are there, and what it counts is so.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::programs::project;
use crate::purity::sources;

/// How many requirements of levels 1 and 2 the standard has in each chapter.
const REQUIREMENTS: [(&str, usize, usize); 6] =
    [("V10", 5, 24), ("V4", 2, 8), ("V6", 13, 22), ("V7", 6, 12), ("V8", 4, 3), ("V9", 4, 3)];
/// The part of those of level 2 that apply that has to be met, in hundredths.
const ENOUGH: usize = 90;

struct Row<'a> {
    number: &'a str,
    level: &'a str,
    applies: bool,
    met: bool,
    shown: &'a str,
}

fn text() -> String {
    std::fs::read_to_string(project("docs/asvs.md")).unwrap()
}

fn rows(text: &str) -> Vec<Row<'_>> {
    let rows = text.lines().filter(|line| line.starts_with("| V"));
    rows.map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').splitn(6, '|').map(str::trim).collect();
        let [number, level, _, applies, met, shown] = cells[..] else { panic!("{line}") };
        let is = |cell: &str| match cell {
            "yes" => true,
            "no" | "–" => false,
            other => panic!("{number}: {other}"),
        };
        Row { number, level, applies: is(applies), met: is(met), shown }
    })
    .collect()
}

#[test]
fn each_requirement_has_a_row_and_what_applies_is_met() {
    let text = text();
    let rows = rows(&text);
    let mut found: BTreeMap<&str, [usize; 2]> = BTreeMap::new();
    for row in &rows {
        let chapter = row.number.split('.').next().unwrap();
        found.entry(chapter).or_default()[usize::from(row.level == "L2")] += 1;
    }
    let wanted = REQUIREMENTS.map(|(chapter, one, two)| (chapter, [one, two]));
    assert_eq!(found, wanted.into());

    let of =
        |level: &str, holds: fn(&Row<'_>) -> bool| rows.iter().filter(|row| row.level == level && holds(row)).count();
    for level in ["L1", "L2"] {
        let (all, apply, met) = (of(level, |_| true), of(level, |row| row.applies), of(level, |row| row.met));
        assert!(text.contains(&format!("| {level} | {all} | {apply} | {met} |\n")), "{level}: {all} {apply} {met}");
    }
    let (apply, met) = (of("L2", |row| row.applies), of("L2", |row| row.met));
    assert!(met * 100 >= apply * ENOUGH, "{met} of {apply} are not enough");
    for row in &rows {
        assert!(row.applies || !row.met, "{} is met and does not apply", row.number);
        assert!(row.shown.len() > 10, "{} is neither shown nor argued", row.number);
        let open = row.applies && !row.met;
        assert_eq!(open, text.contains(&format!("- **{}** ", row.number)), "{} is told as open if it is", row.number);
    }
}

#[test]
fn every_test_that_is_named_is_there() {
    let text = text();
    let packages = packages();
    let mut missing = Vec::new();
    let mut names = 0;
    for name in text.split('`').skip(1).step_by(2).filter(|name| name.contains("::")) {
        let [package, file, function] = name.split("::").collect::<Vec<_>>()[..] else { panic!("{name}") };
        let folder = packages.get(package).unwrap_or_else(|| panic!("{name}: there is no package {package}"));
        let is_there = sources(folder).iter().any(|path| {
            let is_it = path.file_stem().is_some_and(|stem| stem == file);
            is_it && std::fs::read_to_string(path).unwrap().contains(&format!("fn {function}("))
        });
        names += 1;
        if !is_there {
            missing.push(name);
        }
    }
    assert!(names > 50, "{names}");
    assert!(missing.is_empty(), "{missing:#?}");
}

/// The folders of the packages, by name.
fn packages() -> BTreeMap<String, PathBuf> {
    let root = project("");
    let folders = ["kit", "services"].into_iter().flat_map(|folder| std::fs::read_dir(root.join(folder)).unwrap());
    let folders =
        folders.map(|entry| entry.unwrap().path()).chain(["tests", "console"].map(|folder| root.join(folder)));
    folders.filter_map(|folder| Some((name(&folder)?, folder))).collect()
}

fn name(folder: &Path) -> Option<String> {
    let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).ok()?;
    let name = manifest.lines().find_map(|line| line.strip_prefix("name = \""))?;
    Some(name.trim_end_matches('"').to_owned())
}
