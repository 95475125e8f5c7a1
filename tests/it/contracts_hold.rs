//! What the contracts declare and no build refuses.

use std::collections::BTreeSet;
use std::path::Path;

use contracts::reactions::{REACTIONS, Reaction};
use contracts::tables::METHODS;
use contracts::tradewind::options::v1::Role;

/// The context of `tradewind.<context>.v1.X`.
pub(crate) fn context_of(full_name: &str) -> &str {
    full_name.split('.').nth(1).unwrap_or_default()
}

/// A reservation, a charge or a booking hides behind no other role: whoever publishes what the order
/// waits for has a forward reaction.
#[test]
fn every_participant_that_takes_something_on_declares_it() {
    for context in ["inventory", "payment", "shipping"] {
        let own = REACTIONS.iter().filter(|reaction| reaction.context == context);
        let forward = own.filter(|reaction| reaction.role == Role::Forward).count();
        assert_eq!(forward, 1, "{context} declares {forward} forward reactions");
    }
}

/// `UPDATE_GOLDEN=1 cargo test -p system-tests` writes the file anew after a wanted change.
#[test]
fn the_service_graph_equals_its_golden_file() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/service-graph.txt");
    let graph = graph();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &graph).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    let new: Vec<&str> = graph.lines().filter(|edge| !golden.lines().any(|known| known == *edge)).collect();
    let gone: Vec<&str> = golden.lines().filter(|edge| !graph.lines().any(|known| known == *edge)).collect();
    assert!(new.is_empty() && gone.is_empty(), "the service graph changed\nnew: {new:#?}\ngone: {gone:#?}");
}

/// Who calls whom and who reacts to what, one edge a line.
fn graph() -> String {
    let mut edges = BTreeSet::new();
    for method in METHODS {
        let name = method.path.trim_start_matches('/').replace('/', ".");
        edges.extend(method.callers.iter().map(|caller| format!("{caller} calls {name}")));
    }
    for Reaction { context, event, name, undo, .. } in REACTIONS {
        let undone = undo.map(|undo| format!(", undone by {undo}")).unwrap_or_default();
        edges.insert(format!("{context} reacts to {event}: {name}{undone}"));
        edges.insert(format!("{context} reads the log of {}", context_of(event)));
    }
    edges.into_iter().map(|edge| edge + "\n").collect()
}
