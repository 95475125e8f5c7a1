//! A table of all events.

use std::error::Error;
use std::fmt::Write as _;

use protox::prost_reflect::DescriptorPool;

use super::options::{duration, is_event, message, option, spelled, text, texts};
use super::shown::Showing;

/// # Errors
/// What an event may not declare.
pub(crate) fn code(pool: &DescriptorPool) -> Result<String, Box<dyn Error>> {
    let (mut table, mut showing) = (String::new(), Showing::default());
    for event in pool.all_messages() {
        let Some(options) = option(pool, &event.options(), "event") else { continue };
        let (name, owner, aggregate) = (event.full_name(), text(&options, "owner"), text(&options, "aggregate"));
        if name.split('.').nth(1) != Some(owner.as_str()) {
            return Err(format!("{name} names {owner:?} as its owner, whose package it is not in").into());
        }
        if aggregate.is_empty() {
            return Err(format!("{name} names no aggregate").into());
        }
        let expects = message(&options, "expects");
        let any_of = expects.as_ref().map(|expects| texts(expects, "any_of")).unwrap_or_default();
        for expected in &any_of {
            if !is_event(pool, expected) {
                return Err(format!("{name} expects {expected}, which is no event").into());
            }
        }
        let within = expects.as_ref().map(|expects| duration(expects, "within")).transpose();
        let within = within.map_err(|why| format!("{name}: {why}"))?.flatten().map(spelled);
        let within = within.map_or_else(|| "None".to_owned(), |within| format!("Some({within})"));
        writeln!(
            table,
            "    Event {{ name: {name:?}, owner: {owner:?}, aggregate: {aggregate:?}, any_of: &{any_of:?}, within: {within}, shown: &{} }},",
            showing.learn(&event)
        )?;
    }
    let shown = showing.code();
    Ok(format!("/// Every event of every context.\npub static EVENTS: &[Event] = &[\n{table}];\n\n{shown}"))
}
