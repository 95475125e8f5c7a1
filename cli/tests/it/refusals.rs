//! Mistakes get a clear answer and change nothing.

use crate::program::{Folder, complained, printed};

#[test]
fn a_command_without_a_running_system_says_what_is_missing() {
    let folder = Folder::new();
    let output = folder.tradewind(&["order", "list"]).output().unwrap();
    assert!(!output.status.success());
    assert!(complained(&output).contains("tradewind pki init"), "{}", complained(&output));

    let output = folder.tradewind(&["status"]).output().unwrap();
    assert!(!output.status.success());
    assert!(printed(&output).contains("tradewind up"), "{}", printed(&output));

    assert!(folder.tradewind(&["down"]).output().unwrap().status.success());
}

#[test]
fn an_unknown_process_to_leave_out_is_named() {
    let folder = Folder::new();
    let output = folder.tradewind(&["up", "--except", "billing"]).output().unwrap();
    assert!(!output.status.success());
    assert!(
        complained(&output).contains("\"billing\"") && complained(&output).contains("payment"),
        "{}",
        complained(&output)
    );
}

#[test]
fn certificates_are_made_once() {
    let folder = Folder::new();
    assert!(folder.tradewind(&["pki", "init"]).output().unwrap().status.success());
    let certificate = std::fs::read(folder.path().join("pki/ordering.pem")).unwrap();
    assert!(folder.tradewind(&["pki", "init"]).output().unwrap().status.success());
    assert_eq!(std::fs::read(folder.path().join("pki/ordering.pem")).unwrap(), certificate);

    assert!(folder.tradewind(&["pki", "renew", "ordering"]).output().unwrap().status.success());
    assert_ne!(std::fs::read(folder.path().join("pki/ordering.pem")).unwrap(), certificate);
}
