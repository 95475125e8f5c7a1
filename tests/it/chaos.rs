//! Some cells of the crash matrix, by the program that `make chaos` runs in whole, and that it finds what it looks for.

use std::collections::BTreeSet;
use std::process::{Command, Output};

/// Every service, every kind of boundary, and a fault of each of the things that services stand on.
const SOME: [&str; 11] = [
    "catalog/publish.before",
    "ordering/batch.committed",
    "inventory/request.committed",
    "payment/intent.calling",
    "shipping/publish.sent",
    "notification/ack.before",
    "broker, wiped/in the middle",
    "messages/all of it",
    "database, went back/payment",
    "database/stalled before COMMIT",
    "calls/fail",
];

fn chaos(arguments: &[&str]) -> (Output, String) {
    let folder = tradewind_testing::scratch();
    let output = Command::new(env!("CARGO_BIN_EXE_chaos"))
        .args(arguments)
        .args(["--json".as_ref(), folder.path().join("chaos.json").as_os_str()])
        .args(["--logs".as_ref(), folder.path().as_os_str()])
        .output()
        .unwrap();
    let said = [&*output.stdout, &*output.stderr].map(String::from_utf8_lossy).concat();
    (output, said)
}

#[test]
fn whoever_dies_and_whatever_is_lost_the_books_hold() {
    let wanted: Vec<_> = SOME.iter().flat_map(|cell| ["--only", cell]).collect();
    let (output, said) = chaos(&wanted);
    assert!(output.status.success(), "{said}");
    assert!(said.contains(&format!("{} cells, 0 failed", SOME.len())), "{said}");
}

#[test]
fn an_event_that_is_handled_twice_is_found_and_its_seed_told() {
    let (output, said) = chaos(&["--only", "messages/doubled", "--forge"]);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("twice, or out of order"), "{said}");
    assert!(said.contains("again: make chaos SEED="), "{said}");
}

#[test]
fn there_are_sixty_cells_at_least_each_with_a_name_and_a_seed_of_its_own() {
    let (_, said) = chaos(&["--list"]);
    let listed: Vec<_> = said.lines().map(|line| line.trim().split_once(' ').unwrap()).collect();
    let (seeds, names): (BTreeSet<_>, BTreeSet<_>) = listed.iter().copied().unzip();
    assert!(listed.len() >= 60 && seeds.len() == listed.len() && names.len() == listed.len(), "{said}");
}

#[test]
fn a_seed_of_no_cell_is_refused() {
    let (output, said) = chaos(&["--seed", "1000"]);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("no cell has this seed"), "{said}");
}
