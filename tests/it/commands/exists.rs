//! Whether a command exists: asked of the program itself where it is here, otherwise of the files that it is about.

use std::path::Path;
use std::process::Command;

use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor};

use supervisor::services;

use super::documents::{PROGRAMS, Typed, is_service, root};
use super::objects;
use crate::programs::{binary, project, run, tool};

/// Tells why not, where it doesn't.
pub(super) fn exists(typed: &Typed) -> Result<(), String> {
    let filled = [("<service>", "ordering"), ("<n>", "1"), ("…", "1")];
    let fill = |word: &String| filled.iter().fold(word.clone(), |word, (name, value)| word.replace(name, value));
    let words: Vec<String> = typed.words.iter().map(fill).collect();
    let (program, rest) = words.split_first().ok_or("nothing is typed")?;
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    match program.as_str() {
        "make" => make(&rest),
        "tradewind" => takes(&binary("tradewind"), &rest),
        "cargo" => cargo(&rest),
        "helm" => helm(&rest),
        "kubectl" => objects::kubectl(&rest),
        "grpcurl" => grpcurl(&rest),
        "docker" => docker(&rest),
        "nats" => nats(&rest),
        service if is_service(service) => takes(&binary(service), &rest),
        program if PROGRAMS.contains(&program) => Ok(()),
        path if path.contains('/') => file(path, &typed.folder, &rest),
        _ => Err("there is no such program".to_owned()),
    }
}

/// The program understands these arguments.
fn takes(program: &Path, arguments: &[&str]) -> Result<(), String> {
    run(Command::new(program).args(arguments).arg("--help")).map(drop)
}

fn make(words: &[&str]) -> Result<(), String> {
    let makefile = std::fs::read_to_string(project("Makefile")).unwrap();
    words.iter().try_for_each(|word| match word.split_once('=') {
        Some((variable, _)) if makefile.contains(&format!("$({variable})")) => Ok(()),
        None if makefile.lines().any(|line| line.starts_with(&format!("{word}:"))) => Ok(()),
        _ => Err(format!("the Makefile has no {word}")),
    })
}

fn cargo(words: &[&str]) -> Result<(), String> {
    let verbs = ["build", "test", "run"];
    if !words.first().is_some_and(|verb| verbs.contains(verb)) {
        return Err(format!("it is none of {verbs:?}"));
    }
    let lock = std::fs::read_to_string(project("Cargo.lock")).unwrap();
    match words.iter().skip_while(|word| **word != "-p").nth(1) {
        Some(package) if !lock.lines().any(|line| line == format!("name = \"{package}\"")) => {
            Err(format!("there is no package {package}"))
        }
        _ => Ok(()),
    }
}

/// Helm takes the arguments, and the chart the values.
fn helm(words: &[&str]) -> Result<(), String> {
    takes(&tool("helm"), words)?;
    if !words.contains(&"helm/tradewind") {
        return Ok(());
    }
    let values = words.windows(2).filter(|pair| ["--values", "--set"].contains(&pair[0])).flatten();
    let values: Vec<&str> = values.copied().collect();
    let values = if values.contains(&"--values") {
        values
    } else {
        [&["--values", "helm/tradewind/values-try.yaml"], values.as_slice()].concat()
    };
    objects::render(&values).map(drop)
}

/// The methods are in the contracts, and what is sent to one is its request.
fn grpcurl(words: &[&str]) -> Result<(), String> {
    let pool = DescriptorPool::decode(contracts::DESCRIPTOR).expect("the descriptor set is readable");
    let methods: Vec<MethodDescriptor> =
        pool.services().flat_map(|service| service.methods().collect::<Vec<_>>()).collect();
    let mut called = None;
    for name in words.iter().filter(|word| word.starts_with("tradewind.")) {
        let name = name.replace('/', ".");
        called = methods.iter().find(|method| method.full_name() == name);
        if called.is_none() && pool.get_service_by_name(&name).is_none() && pool.get_message_by_name(&name).is_none() {
            return Err(format!("the contracts have no {name}"));
        }
    }
    let Some(body) = words.iter().skip_while(|word| **word != "-d").nth(1) else { return Ok(()) };
    let method = called.ok_or("something is sent, and to no method")?;
    let mut text = serde_json::Deserializer::from_str(body);
    DynamicMessage::deserialize(method.input(), &mut text).map(drop).map_err(|error| error.to_string())
}

/// Compose's file has the containers; what its command line runs is one of the program's commands.
fn docker(words: &[&str]) -> Result<(), String> {
    let Some((&"compose", words)) = words.split_first() else { return Ok(()) };
    let (verb, rest) = words.split_first().ok_or("compose is to do nothing")?;
    let verbs = ["down", "exec", "logs", "ps", "restart", "run", "start", "stop", "up"];
    if !verbs.contains(verb) {
        return Err(format!("it is none of {verbs:?}"));
    }
    let text = std::fs::read_to_string(project("deploy/compose.yaml")).unwrap();
    let (_, services) = text.split_once("\nservices:\n").expect("Compose's file has services");
    let mut named = rest.iter().skip_while(|word| word.starts_with('-'));
    let Some(service) = named.next() else { return Ok(()) };
    if !services.lines().any(|line| line == format!("  {service}:")) {
        return Err(format!("Compose has no {service}"));
    }
    if *service == "cli" { takes(&binary("tradewind"), &named.copied().collect::<Vec<_>>()) } else { Ok(()) }
}

/// The streams are those of contexts.
fn nats(words: &[&str]) -> Result<(), String> {
    let streams = words.iter().filter_map(|word| word.strip_prefix("TW_"));
    let unknown =
        streams.filter(|stream| !services::names().contains(&stream.to_lowercase().as_str())).collect::<Vec<_>>();
    if unknown.is_empty() { Ok(()) } else { Err(format!("no context is called {unknown:?}")) }
}

/// The file is there, below the project or the document's folder, and a script knows its options.
fn file(path: &str, folder: &Path, options: &[&str]) -> Result<(), String> {
    for one in alternatives(path) {
        let whole = one.split('*').next().unwrap_or_default().trim_end_matches('/').to_owned();
        let found = [Path::new(""), folder].map(|base| root().join(base).join(&whole));
        let Some(found) = found.iter().find(|found| found.exists()) else { return Err(format!("{one} is not there")) };
        let script = if options.is_empty() { String::new() } else { std::fs::read_to_string(found).unwrap() };
        if let Some(option) = options.iter().find(|word| word.starts_with("--") && !script.contains(**word)) {
            return Err(format!("{one} has no {option}"));
        }
    }
    Ok(())
}

/// `a/{b,c}.rs` is `a/b.rs` and `a/c.rs`.
fn alternatives(path: &str) -> Vec<String> {
    let parts = path.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?)));
    match parts {
        Some((before, (inner, after))) => inner.split(',').map(|part| format!("{before}{part}{after}")).collect(),
        None => vec![path.to_owned()],
    }
}
