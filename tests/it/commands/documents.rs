//! The documents, and what in them is typed. Whether that exists is not decided here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use supervisor::services;
use tradewind_testing::scratch;

use crate::programs::{project, run, tool};

/// Every program that a document may name. Those of nobody here are taken for granted.
pub(super) const PROGRAMS: [&str; 17] = [
    "make",
    "tradewind",
    "cargo",
    "helm",
    "kubectl",
    "grpcurl",
    "docker",
    "nats",
    "alias",
    "base64",
    "cd",
    "cosign",
    "cp",
    "curl",
    "mkdir",
    "mv",
    "rm",
];

/// A command, or the path of a file, as a document has it.
#[derive(Clone, Debug)]
pub(super) struct Typed {
    /// Document and line.
    pub(super) place: String,
    /// The document's folder.
    pub(super) folder: PathBuf,
    pub(super) words: Vec<String>,
}

/// Every document by its path, the chart's notes as an installation prints them.
pub(super) fn all() -> Vec<(String, String)> {
    let mut documents = Vec::new();
    for folder in ["", "docs", "deploy", "helm/tradewind", "kit", "services", "outside", "tests", "examples"] {
        collect(folder, folder.is_empty(), &mut documents);
    }
    documents.push(("helm/tradewind/templates/NOTES.txt".to_owned(), notes()));
    documents
}

fn collect(folder: &str, here_only: bool, documents: &mut Vec<(String, String)>) {
    let mut entries: Vec<_> =
        std::fs::read_dir(project(folder)).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    entries.sort();
    for name in entries {
        let path = Path::new(folder).join(&name).display().to_string();
        if path.ends_with(".md") {
            documents.push((path.clone(), std::fs::read_to_string(project(&path)).unwrap()));
        } else if !here_only && project(&path).is_dir() {
            collect(&path, false, documents);
        }
    }
}

/// The notes of a release, its indented lines as a block: rendered as a template, since Helm prints them to a cluster only.
fn notes() -> String {
    let folder = scratch();
    run(Command::new("cp").arg("--recursive").arg(project("helm/tradewind")).arg(folder.path())).unwrap();
    let chart = folder.path().join("tradewind");
    std::fs::copy(chart.join("templates/NOTES.txt"), chart.join("files/notes")).unwrap();
    std::fs::write(chart.join("templates/notes.yaml"), "text: |\n{{ tpl (.Files.Get \"files/notes\") . }}\n").unwrap();
    let mut helm = Command::new(tool("helm"));
    helm.args(["template", "shop"]).arg(&chart).args(["--namespace", "shop", "--kube-version", "1.30.0"]);
    // Notes are no YAML: what Helm has to say about that goes beside the text.
    helm.args(["--debug", "--show-only", "templates/notes.yaml", "--values"]).arg(chart.join("values-try.yaml"));
    let output = helm.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("rollout status"), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let mut in_block = false;
    let mut fenced = String::new();
    for line in text.lines() {
        if line.starts_with("  ") != in_block {
            in_block = !in_block;
            fenced.push_str("```\n");
        }
        fenced.push_str(line);
        fenced.push('\n');
    }
    if in_block { fenced + "```\n" } else { fenced }
}

/// What a document has its reader type: in blocks of commands, and between backticks in its text.
pub(super) fn typed(path: &str, text: &str) -> Vec<Typed> {
    let mut aliases = BTreeMap::new();
    let mut found = Vec::new();
    let mut lines = text.lines().enumerate();
    let folder = Path::new(path).parent().unwrap().to_owned();
    let at = |number: usize, words| Typed { place: format!("{path}:{}", number + 1), folder: folder.clone(), words };
    while let Some((number, line)) = lines.next() {
        if let Some(language) = line.trim().strip_prefix("```") {
            let block: Vec<&str> =
                lines.by_ref().map(|(_, line)| line).take_while(|line| line.trim() != "```").collect();
            if matches!(language, "" | "sh") {
                found.extend(commands(&block, &mut aliases).into_iter().map(|words| at(number, words)));
            }
            continue;
        }
        for text in line.split('`').skip(1).step_by(2) {
            let typed = simple_commands(text);
            let told = match typed.as_slice() {
                [words] if words.len() == 1 => is_path(&words[0], &folder),
                [words, ..] => is_program(&words[0]) || is_call_of_service(words),
                [] => false,
            };
            if told {
                found.extend(typed.into_iter().map(|words| at(number, words)));
            }
        }
    }
    found
}

/// The commands of a block; none where it does not begin with one, as what a program prints.
fn commands(block: &[&str], aliases: &mut BTreeMap<String, Vec<String>>) -> Vec<Vec<String>> {
    let found = simple_commands(&block.join("\n").replace("\\\n", " "));
    let first = found.first().map(|words| words[0].clone());
    if !first.is_some_and(|program| is_program(&program) || aliases.contains_key(&program)) {
        return Vec::new();
    }
    let mut expanded = Vec::new();
    for mut words in found {
        if let ["alias", definition] = words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            let (name, text) = definition.split_once('=').expect("an alias is defined");
            aliases.insert(name.to_owned(), simple_commands(text).concat());
        } else {
            if let Some(alias) = aliases.get(&words[0]) {
                words.splice(..1, alias.iter().cloned());
            }
            expanded.push(words);
        }
    }
    expanded
}

/// The words of each command of a shell's text, without variables before it, redirections and comments.
fn simple_commands(text: &str) -> Vec<Vec<String>> {
    let mut commands: Vec<Vec<String>> = vec![Vec::new()];
    let mut redirected = false;
    for word in words(text) {
        let command = commands.last_mut().expect("there is always a last one");
        match word.as_str() {
            "\n" | "|" | "&&" | "||" | ";" | "&" => commands.push(Vec::new()),
            ">" | ">>" | "<" => redirected = true,
            _ if std::mem::take(&mut redirected) => {}
            _ if command.is_empty() && is_assignment(&word) => {}
            // The same program, wherever it was built.
            _ if command.is_empty() && word.starts_with("target/") && word.ends_with("/tradewind") => {
                command.push("tradewind".to_owned());
            }
            _ => command.push(word),
        }
    }
    commands.retain(|command| !command.is_empty());
    commands
}

/// The words of a shell's text, and a line's end as one.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut text = text.chars();
    while let Some(next) = text.next() {
        match quote {
            Some(end) if next == end => quote = None,
            Some(_) => word.get_or_insert_default().push(next),
            None if next == '\'' || next == '"' => {
                quote = Some(next);
                word.get_or_insert_default();
            }
            None if next == '\n' => words.extend(word.take().into_iter().chain(["\n".to_owned()])),
            None if next.is_whitespace() => words.extend(word.take()),
            None if next == '#' && word.is_none() => {
                text.find(|next| *next == '\n');
                words.push("\n".to_owned());
            }
            None => word.get_or_insert_default().push(next),
        }
    }
    words.extend(word);
    words
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| name.chars().all(|c| c.is_ascii_uppercase() || c == '_'))
}

fn is_program(word: &str) -> bool {
    PROGRAMS.contains(&word) || word.starts_with("scripts/")
}

/// The name of a service is a word of the text, too; with an option it is a program.
fn is_call_of_service(words: &[String]) -> bool {
    is_service(&words[0]) && words.get(1).is_some_and(|word| word.starts_with("--"))
}

/// A path below a folder of the project or of the document's own; what is built or made by running is none.
fn is_path(word: &str, folder: &Path) -> bool {
    let Some((first, _)) = word.split_once('/') else { return false };
    !["", "target", ".tools", ".tradewind"].contains(&first)
        && !word.contains(['<', '…'])
        && [Path::new(""), folder].iter().any(|base| root().join(base).join(first).is_dir())
}

/// The name is that of a service's program, or of the world's around it.
pub(super) fn is_service(name: &str) -> bool {
    services::programs().contains(&name) || name == "outside"
}

/// The project's folder.
pub(super) fn root() -> PathBuf {
    project("")
}
