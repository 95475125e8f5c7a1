//! A struct for each context that reacts, with a field for each reaction, and a table of all reactions.

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
    for service in pool.services() {
        let Some(options) = option(pool, &service.options(), "service") else { continue };
        let (context, reactions) = (text(&options, "context"), declared(pool, &service, &options)?);
        if reactions.is_empty() {
            continue;
        }
        structs += &of_context(&context, &reactions, count);
        count += reactions.len();
        for Reaction { event, name, role, undo } in reactions {
            let undo = if undo.is_empty() { "None".to_owned() } else { format!("Some({undo:?})") };
            writeln!(
                table,
                "    Reaction {{ context: {context:?}, event: {event:?}, name: {name:?}, role: Role::{role}, undo: {undo} }},"
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

/// The struct of one context, whose reactions stand in the table from `first` on.
fn of_context(context: &str, reactions: &[Reaction], first: usize) -> String {
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
    let own = camel(context);
    format!(
        "/// What {context} does about other contexts' events.\npub struct {own}<{types}> {{\n{fields}}}\n\n\
         impl<K, {types}> Reactions<K> for {own}<{types}>\nwhere\n{bounds}{{\n    \
         const CONTEXT: &'static str = {context:?};\n\n    \
         fn hand_to(self, mut kit: K) -> K {{\n{calls}        kit\n    }}\n}}\n\n"
    )
}
