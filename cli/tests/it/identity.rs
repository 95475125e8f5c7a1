//! The first account of the shop's own people, made with the program at a running service.

use std::time::Duration;

use serde_json::json;

use crate::stage::Stage;

/// The service once it answers.
fn set() -> Stage {
    let stage = Stage::of(identity::service());
    let answers = tradewind_testing::eventually(Duration::from_secs(20), "identity answers", async || {
        let output = stage.run(&["identity", "admin", "--email", "first@example.com"]);
        output.status.success().then_some(()).ok_or(output)
    });
    stage.runtime.block_on(answers);
    stage
}

#[test]
fn an_operator_makes_the_first_account_of_the_staff() {
    let stage = set();
    let told = stage.succeeds(&["identity", "admin", "--email", "staff@example.com", "--name", "Grace"]);
    assert!(told.contains("of staff@example.com is staff\npassword for one sign-in until "), "{told}");
    let again = stage.fails(&["identity", "admin", "--email", "staff@example.com"], 1);
    assert!(again.contains("there is an account with this e-mail address already"), "{again}");

    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "correct horse battery\n").unwrap();
    let path = format!("--password-file={}", file.path().display());
    let made = stage.json(&["identity", "admin", "--email", "other@example.com", &path]);
    assert_eq!((&made["account"]["roles"], made.get("oneTimePassword")), (&json!(["ROLE_STAFF"]), None));
    std::fs::write(file.path(), "\n").unwrap();
    let empty = stage.fails(&["identity", "admin", "--email", "more@example.com", &path], 1);
    assert!(empty.contains("has no password on its first line"), "{empty}");
    let replaced = stage.succeeds(&["identity", "replace-keys"]);
    assert!(replaced.starts_with("Ed25519 ") && replaced.contains("signs from now on"), "{replaced}");
    let short = stage.fails(&["identity", "admin", "--email", "nobody"], 1);
    assert!(short.contains("must be an address that mail can be sent to"), "{short}");
}
