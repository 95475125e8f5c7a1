//! What every contract has to declare.

use std::path::Path;

use crate::contract::{COMPENSATION, FORWARD, callers, context_of, events, graph, pool, reactions, text};

#[test]
fn every_forward_reaction_names_a_compensation_of_its_own_service() {
    for (context, reactions) in reactions(&pool()) {
        for forward in reactions.iter().filter(|reaction| reaction.role == FORWARD) {
            let undo = reactions.iter().find(|reaction| reaction.name == forward.undo);
            assert!(
                undo.is_some_and(|undo| undo.role == COMPENSATION),
                "{context}: {} takes something on and names no compensation that takes it back (undo: {:?})",
                forward.name,
                forward.undo
            );
        }
    }
}

/// A reservation, a charge or a booking hides behind no other role: whoever publishes what the order
/// waits for has a forward reaction.
#[test]
fn every_participant_that_takes_something_on_declares_it() {
    let reactions = reactions(&pool());
    for context in ["inventory", "payment", "shipping"] {
        let forward = reactions[context].iter().filter(|reaction| reaction.role == FORWARD).count();
        assert_eq!(forward, 1, "{context} declares {forward} forward reactions");
    }
}

#[test]
fn every_reaction_has_a_role_a_unique_name_and_an_event_that_exists() {
    let pool = pool();
    let known: Vec<String> = events(&pool).iter().map(|(message, _)| message.full_name().to_owned()).collect();
    for (context, reactions) in reactions(&pool) {
        for (index, reaction) in reactions.iter().enumerate() {
            let name = &reaction.name;
            assert!(reaction.role != 0, "{context}: {name} has no role");
            assert!(known.contains(&reaction.event), "{context}: {name} reacts to the unknown {}", reaction.event);
            assert!(reactions[..index].iter().all(|other| other.name != *name), "{context}: {name} is declared twice");
        }
    }
}

#[test]
fn every_event_belongs_to_its_package_and_expects_events_that_exist() {
    let pool = pool();
    let events = events(&pool);
    let known: Vec<&str> = events.iter().map(|(message, _)| message.full_name()).collect();
    for (message, options) in &events {
        let name = message.full_name();
        assert_eq!(text(options, "owner"), context_of(name), "{name} names another owner");
        assert!(!text(options, "aggregate").is_empty(), "{name} names no aggregate");
        let expects = options.get_field_by_name("expects").unwrap();
        let any_of = expects.as_message().unwrap().get_field_by_name("any_of").unwrap();
        for expected in any_of.as_list().unwrap().iter().filter_map(|value| value.as_str()) {
            assert!(known.contains(&expected), "{name} expects the unknown {expected}");
        }
    }
}

#[test]
fn every_rpc_says_who_may_call_it() {
    for (method, callers) in callers(&pool()) {
        assert!(!callers.is_empty(), "nobody may call {method}");
    }
}

/// `UPDATE_GOLDEN=1 cargo test -p system-tests` writes the file anew after a wanted change.
#[test]
fn the_service_graph_equals_its_golden_file() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/service-graph.txt");
    let graph = graph(&pool());
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &graph).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    let new: Vec<&str> = graph.lines().filter(|edge| !golden.lines().any(|known| known == *edge)).collect();
    let gone: Vec<&str> = golden.lines().filter(|edge| !graph.lines().any(|known| known == *edge)).collect();
    assert!(new.is_empty() && gone.is_empty(), "the service graph changed\nnew: {new:#?}\ngone: {gone:#?}");
}
