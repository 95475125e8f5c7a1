//! The chart's objects, for commands that are about a cluster: there is none here to ask.

use std::process::Command;
use std::sync::LazyLock;

use crate::programs::{project, run, tool};

/// A release called shop as it is tried and as it is in production.
static RENDERED: LazyLock<String> = LazyLock::new(|| {
    let with = |file: &str| render(&["--values", file]).unwrap();
    with("helm/tradewind/values-try.yaml") + &with("helm/tradewind/values-production.yaml")
});

const VERBS: [&str; 13] = [
    "annotate",
    "create",
    "debug",
    "delete",
    "describe",
    "exec",
    "get",
    "logs",
    "patch",
    "port-forward",
    "rollout",
    "scale",
    "wait",
];
const ROLLOUT: [&str; 4] = ["history", "restart", "status", "undo"];
/// Options that stand alone.
const SWITCHES: [&str; 4] = ["--all", "--follow", "--previous", "--wait"];

/// What the chart makes of these values, or what it has against them.
pub(super) fn render(values: &[&str]) -> Result<String, String> {
    let mut helm = Command::new(tool("helm"));
    helm.args(["template", "shop", "helm/tradewind", "--namespace", "shop", "--kube-version", "1.30.0"]);
    run(helm.args(values).current_dir(project("")))
}

/// The verb is one of kubectl's, kinds and names are of objects that the chart makes, and selectors are labels of theirs.
pub(super) fn kubectl(words: &[&str]) -> Result<(), String> {
    let mut operands = Vec::new();
    let mut words = words.iter().copied();
    while let Some(word) = words.next() {
        match word.strip_prefix("--").map(|option| option.split_once('=')) {
            _ if word == "--" => break,
            None => operands.push(word),
            Some(Some(_)) => {}
            Some(None) if SWITCHES.contains(&word) => {}
            Some(None) => {
                let value = words.next().ok_or_else(|| format!("{word} of what?"))?;
                if word == "--selector" && !RENDERED.contains(&value.replace('=', ": ")) {
                    return Err(format!("nothing is labelled {value}"));
                }
            }
        }
    }
    let (verb, mut operands) = operands.split_first().ok_or("kubectl is to do nothing")?;
    if !VERBS.contains(verb) {
        return Err(format!("it is none of {VERBS:?}"));
    }
    if *verb == "rollout" {
        let (act, of) = operands.split_first().ok_or("which way is it to roll?")?;
        if !ROLLOUT.contains(act) {
            return Err(format!("it is none of {ROLLOUT:?}"));
        }
        operands = of;
    }
    let Some((first, others)) = operands.split_first() else { return Ok(()) };
    let (kind, name) = first.split_once('/').map_or((*first, None), |(kind, name)| (kind, Some(name)));
    // Pods are made by their owners, secrets by the job before an installation.
    let is_kind = |line: &str| {
        line.trim_start()
            .strip_prefix("kind: ")
            .is_some_and(|made| made.eq_ignore_ascii_case(kind.trim_end_matches('s')))
    };
    if !["pod", "pods", "secret", "secrets"].contains(&kind) && !RENDERED.lines().any(is_kind) {
        return Err(format!("the chart makes no {kind}"));
    }
    let ports = |word: &&str| word.contains(':');
    name.into_iter().chain(others.iter().copied().filter(|word| !ports(word))).try_for_each(|name| {
        let said =
            |line: &str| [format!("name: {name}"), format!("- {name}")].iter().any(|said| line.trim().ends_with(said));
        if RENDERED.lines().any(said) { Ok(()) } else { Err(format!("the chart has no {kind} {name}")) }
    })
}
