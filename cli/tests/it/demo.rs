//! The demonstration as a whole is `make demo`; here, that it ends as it says and leaves nothing.

use std::process::Stdio;
use std::time::Duration;

use tradewind_testing::{block_on, eventually};

use crate::program::{Folder, complained, printed};

#[test]
fn a_scenario_is_played_the_books_are_proved_and_nothing_is_left_running() {
    let folder = Folder::new();
    let output = folder.tradewind(&["demo", "--only", "undeliver"]).output().unwrap();
    assert!(!output.status.success(), "no scenario is called so, yet it succeeded");

    let output = folder.tradewind(&["demo", "--only", "nobody delivers"]).output().unwrap();
    let text = printed(&output);
    assert!(output.status.success(), "{text}\n{}", complained(&output));
    assert_eq!(text.lines().last(), Some("demo: 1 scenarios, 1 as expected"), "{text}");
    assert!(text.contains("the books hold") && text.contains("PaymentRefunded"), "{text}");
    assert_eq!(folder.processes(), Vec::<String>::new());
}

#[test]
fn nothing_is_left_running_when_the_demonstration_is_killed() {
    let folder = Folder::new();
    let mut child = folder.tradewind(&["demo"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    block_on(eventually(Duration::from_secs(30), "every process runs", async || folder.processes().len() >= 9));
    child.kill().unwrap();
    child.wait().unwrap();
    block_on(eventually(Duration::from_secs(30), "every process is gone", async || folder.processes().is_empty()));
}

#[test]
fn whoever_comes_through_the_front_door_sees_what_is_theirs() {
    let folder = Folder::new();
    let output = folder.tradewind(&["demo", "--only", "another customer"]).output().unwrap();
    let text = printed(&output);
    assert!(output.status.success(), "{text}\n{}", complained(&output));
    assert!(text.contains("another customer: 404 ORDER_NOT_FOUND, as of one that never was"), "{text}");
    assert!(text.contains("the books hold") && text.contains("OrderConfirmed"), "{text}");
}
