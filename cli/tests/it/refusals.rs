//! Mistakes get a clear answer and change nothing.

use std::fs;

use serde_json::{Value, json};

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
    let certificate = fs::read(folder.path().join("pki/ordering.pem")).unwrap();
    assert!(folder.tradewind(&["pki", "init"]).output().unwrap().status.success());
    assert_eq!(fs::read(folder.path().join("pki/ordering.pem")).unwrap(), certificate);

    assert!(folder.tradewind(&["pki", "renew", "ordering"]).output().unwrap().status.success());
    assert_ne!(fs::read(folder.path().join("pki/ordering.pem")).unwrap(), certificate);
}

#[test]
fn an_authority_that_was_lost_is_never_replaced() {
    let folder = Folder::new();
    let pki = folder.path().join("pki");
    assert!(folder.tradewind(&["pki", "init"]).output().unwrap().status.success());
    let authority = fs::read(pki.join("ca.pem")).unwrap();
    fs::remove_file(pki.join("ca.key")).unwrap();

    let output = folder.tradewind(&["demo", "--only", "nobody delivers"]).output().unwrap();
    assert!(output.status.success(), "every certificate is good: {}", complained(&output));
    fs::remove_file(pki.join("payment.pem")).unwrap();
    for command in [&["pki", "init"][..], &["demo"], &["pki", "renew", "ordering"]] {
        let output = folder.tradewind(command).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let complaint = complained(&output);
        let name = if command.contains(&"renew") { "ordering" } else { "payment" };
        let said =
            complaint.contains("ca.key: is missing") && complaint.contains(&format!("no certificate for {name}:"));
        assert!(said && complaint.lines().count() == 1, "{complaint}");
    }
    assert!(!pki.join("ca.key").exists() && !pki.join("payment.pem").exists());
    assert_eq!(fs::read(pki.join("ca.pem")).unwrap(), authority);
}

#[test]
fn a_broker_that_is_too_old_is_refused_before_anything_is_made() {
    let folder = Folder::new();
    let server = folder.script("nats-server", "echo 'nats-server: v2.8.4'");
    for command in ["up", "demo"] {
        let output = folder.tradewind(&[command]).env("NATS_SERVER", &server).output().unwrap();
        assert!(!output.status.success());
        let complaint = complained(&output);
        assert!(complaint.contains("nats-server 2.8.4 is too old: 2.9 or newer is needed"), "{complaint}");
        assert!(complaint.contains(server.to_str().unwrap()), "{complaint}");
        assert!(!folder.path().join("pki").exists(), "{command} made certificates");
    }
}

#[test]
fn the_brokers_users_are_those_of_the_contracts() {
    let folder = Folder::new();
    let config =
        |trust_domain| folder.tradewind(&["broker", "config", "--trust-domain", trust_domain]).output().unwrap();
    let printed: Value = serde_json::from_str(&printed(&config("shop.example"))).unwrap();
    let users = printed["authorization"]["users"].as_array().unwrap();
    let names: Vec<_> = users.iter().map(|user| user["user"].as_str().unwrap()).collect();
    let programs = supervisor::services::programs().len();
    assert_eq!(
        names.len(),
        programs + 1,
        "the services, the gateway but not the console, who makes the streams, and the operator: {names:?}"
    );
    let payment = users.iter().find(|user| user["user"] == "spiffe://shop.example/svc/payment").unwrap();
    assert_eq!(
        payment["permissions"]["subscribe"]["allow"],
        json!(["_INBOX.payment.>", "tw.wake.payment", "tw.head.ordering"])
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "it only prints");

    let refused = config("No Domain");
    assert!(!refused.status.success());
    assert!(complained(&refused).contains("No Domain"), "{}", complained(&refused));
}

#[test]
fn a_period_of_the_ledger_is_given_as_times() {
    let folder = Folder::new();
    let until = "2026-01-02T00:00:00Z";
    let output = folder.tradewind(&["ledger", "reconcile", "--since", "yesterday", "--until", until]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let told = complained(&output);
    assert!(told.contains("yesterday") && told.contains("--since <TIME>"), "{told}");
}
