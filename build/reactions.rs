//! A struct for each reader of a context that reacts, with a field for each reaction, and a table of all reactions.

use std::collections::BTreeSet;
use std::error::Error;
use std::fmt::Write as _;

use protox::prost_reflect::{DescriptorPool, DynamicMessage, ServiceDescriptor};

use super::options::{camel, is_event, messages, option, path, text, variant};

struct Reaction {
    event: String,
    name: String,
    role: String,
    undo: String,
}

/// # Errors
/// What a context may not declare.
pub(crate) fn code(pool: &DescriptorPool) -> Result<String, Box<dyn Error>> {
    let (mut structs, mut table, mut count) = (String::new(), String::new(), 0);
    let mut readers = BTreeSet::new();
    for service in pool.services() {
        let Some(options) = option(pool, &service.options(), "service") else { continue };
        let (context, reactions) = (text(&options, "context"), declared(pool, &service, &options)?);
        if reactions.is_empty() {
            continue;
        }
        let reader = reader(&service, &options)?;
        if !readers.insert(reader.clone()) {
            return Err(format!("{}: {reader} reads for another service already", service.full_name()).into());
        }
        structs += &of_reader(&context, &reader, &reactions, count);
        count += reactions.len();
        for Reaction { event, name, role, undo } in reactions {
            let undo = if undo.is_empty() { "None".to_owned() } else { format!("Some({undo:?})") };
            writeln!(
                table,
                "    Reaction {{ context: {context:?}, reader: {reader:?}, event: {event:?}, name: {name:?}, role: Role::{role}, undo: {undo} }},"
            )?;
        }
    }
    Ok(format!("{structs}/// Every reaction of every context.\npub static REACTIONS: &[Reaction] = &[\n{table}];\n"))
}

/// The reactions of one service, which are what they may be.
fn declared(
    pool: &DescriptorPool,
    service: &ServiceDescriptor,
    options: &DynamicMessage,
) -> Result<Vec<Reaction>, Box<dyn Error>> {
    let reactions: Vec<_> = messages(options, "reacts")
        .iter()
        .map(|declared| Reaction {
            event: text(declared, "event"),
            name: text(declared, "reaction"),
            role: variant(declared, "role"),
            undo: text(declared, "undo"),
        })
        .collect();
    let service = service.full_name();
    if !reactions.is_empty() && text(options, "context").is_empty() {
        return Err(format!("{service} reacts to events and names no context").into());
    }
    let mut names = BTreeSet::new();
    for Reaction { event, name, role, undo } in &reactions {
        if !is_event(pool, event) {
            return Err(format!("{service}: {name} reacts to {event}, which is no event").into());
        }
        if !names.insert(name) {
            return Err(format!("{service} declares {name} twice").into());
        }
        let compensates = |other: &Reaction| other.name == *undo && other.role == "Compensation";
        match role.as_str() {
            "Unspecified" => return Err(format!("{service}: {name} has no role").into()),
            "Forward" if !reactions.iter().any(compensates) => {
                let text =
                    format!("{service}: {name} takes something on, and no compensation of its own takes it back");
                return Err(text.into());
            }
            _ => {}
        }
    }
    Ok(reactions)
}

/// Who reads for a service: its context, or a name that begins with it.
fn reader(service: &ServiceDescriptor, options: &DynamicMessage) -> Result<String, Box<dyn Error>> {
    let (context, reader) = (text(options, "context"), text(options, "reader"));
    if reader.is_empty() {
        return Ok(context);
    }
    let word = reader.strip_prefix(&context).and_then(|rest| rest.strip_prefix('-')).unwrap_or_default();
    if word.is_empty() || !word.bytes().all(|byte| byte.is_ascii_lowercase()) {
        let text = format!("{}: the reader {reader} is not {context}, a hyphen and a word of a-z", service.full_name());
        return Err(text.into());
    }
    Ok(reader)
}

/// The struct of one reader, whose reactions stand in the table from `first` on.
fn of_reader(context: &str, reader: &str, reactions: &[Reaction], first: usize) -> String {
    let [mut types, mut fields, mut bounds, mut calls] = [const { String::new() }; 4];
    for (Reaction { event, name, role, undo }, at) in reactions.iter().zip(first..) {
        let (own, path) = (camel(name), path(event));
        let (takes, how) = if role == "Forward" { ("TakesOn", "takes_on") } else { ("Reacts", "reacts") };
        let undone = if undo.is_empty() { String::new() } else { format!("; `{undo}` takes it back") };
        let _ = write!(types, "{own}, ");
        let _ = write!(fields, "    /// Follows [`{event}`]({path}){undone}.\n    pub {name}: {own},\n");
        let _ = writeln!(bounds, "    K: {takes}<{path}, {own}>,");
        let _ = writeln!(calls, "        kit = {takes}::<{path}, {own}>::{how}(kit, &REACTIONS[{at}], self.{name});");
    }
    let own = camel(&reader.replace('-', "_"));
    format!(
        "/// What {context} does about other contexts' events.\npub struct {own}<{types}> {{\n{fields}}}\n\n\
         impl<K, {types}> Reactions<K> for {own}<{types}>\nwhere\n{bounds}{{\n    \
         const READER: &'static str = {reader:?};\n\n    \
         fn hand_to(self, mut kit: K) -> K {{\n{calls}        kit\n    }}\n}}\n\n"
    )
}
