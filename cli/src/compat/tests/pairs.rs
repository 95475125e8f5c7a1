//! Pairs of changes, as they are written down:
//!
//! ```text
//! # one caller is dropped
//! in ordering/v1/service.proto after rpc PlaceOrder
//! given `what it is` -> `what it is first made to be`
//! released shipping reads tradewind.ordering.v1.OrderPlaced.lines
//! breaks `what it was` -> `what it is`
//! told method.callers of OrderingService.PlaceOrder hurts operator
//! allows `what it was` -> `what it may be`
//! ```
//!
//! The contracts have no comments and no line ends there. A change of `*` is one of the whole file, which goes where it is
//! made nothing. What is released reads what this build's services read, and that.

/// A change of a contract's text: the first `from` behind `after`.
#[derive(Clone, Debug)]
pub(super) struct Edit {
    pub(super) file: String,
    pub(super) after: String,
    pub(super) from: String,
    pub(super) to: String,
}

/// What has to be told of a change.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) rule: String,
    pub(super) element: String,
    pub(super) hurt: String,
}

/// A change that breaks somebody, and one like it that doesn't.
#[derive(Debug, Default)]
pub(super) struct Pair {
    pub(super) name: String,
    pub(super) given: Vec<Edit>,
    /// What services of the last release read.
    pub(super) released: String,
    pub(super) breaking: Vec<Edit>,
    pub(super) told: Vec<Told>,
    pub(super) allowed: Vec<Edit>,
}

pub(super) fn read(text: &str) -> Vec<Pair> {
    let mut pairs: Vec<Pair> = Vec::new();
    let (mut file, mut after) = (String::new(), String::new());
    for line in text.lines().filter(|line| !line.is_empty()) {
        let (word, rest) = line.split_once(' ').unwrap();
        if word == "#" {
            pairs.push(Pair { name: rest.to_owned(), ..Pair::default() });
            continue;
        }
        if word == "in" {
            let (name, anchor) = rest.split_once(" after ").unwrap_or((rest, ""));
            (file, after) = (format!("tradewind/{name}"), anchor.to_owned());
            continue;
        }
        let pair = pairs.last_mut().unwrap();
        if word == "released" {
            pair.released += &format!("{rest}\n");
            continue;
        }
        if word == "told" {
            let (rule, rest) = rest.split_once(" of ").unwrap();
            let (element, hurt) = rest.split_once(" hurts ").unwrap_or((rest, ""));
            let package = file.rsplit_once('/').unwrap().0.replace('/', ".");
            let element = if rule.starts_with("file") || rule == "package" {
                file.clone()
            } else {
                format!("{package}.{element}")
            };
            pair.told.push(Told { rule: rule.to_owned(), element, hurt: hurt.to_owned() });
            continue;
        }
        let parts: Vec<&str> = rest.split('`').collect();
        let ["", from, " -> ", to, ""] = parts.as_slice() else { panic!("{line}") };
        let edit = Edit { file: file.clone(), after: after.clone(), from: (*from).to_owned(), to: (*to).to_owned() };
        match word {
            "given" => pair.given.push(edit),
            "breaks" => pair.breaking.push(edit),
            "allows" => pair.allowed.push(edit),
            other => panic!("{other} is no line of a pair"),
        }
    }
    pairs
}
