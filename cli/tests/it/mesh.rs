//! What a running service's calls are like, and faults in them, with the program.

use crate::stage::Stage;

const RECEIVE: &str = "tradewind.inventory.v1.InventoryService/ReceiveStock";

#[test]
fn the_mesh_of_a_service_is_shown_to_people_and_to_programs() {
    let stage = Stage::set();
    let shown = stage.succeeds(&["mesh", "status", "inventory"]);
    assert!(shown.contains("inventory     is inventory of release"), "{shown}");
    assert!(
        shown.contains("serves under certificate 1 (") && shown.contains("1 connection, 1 call (100.0 %)"),
        "{shown}"
    );
    let told = stage.json(&["mesh", "status", "inventory"]);
    let process = &told["processes"][0];
    assert_eq!((&process["service"], &process["generations"][0]["number"]), (&"inventory".into(), &"1".into()));
    assert_eq!(told["away"], serde_json::json!({}));

    let shown = stage.fails(&["mesh", "status", "inventory", "payment"], 1);
    assert!(shown.contains("inventory     serves") && shown.contains("payment       cannot be asked"), "{shown}");
    let refused = stage.fails(&["--as=notification", "mesh", "status", "inventory"], 1);
    assert!(refused.contains("PERMISSION_DENIED"), "{refused}");
}

#[test]
fn a_fault_is_set_seen_and_cleared() {
    let stage = Stage::set();
    let fault = ["mesh", "fault", "set", "inventory", "ReceiveStock"];
    let how = ["--abort", "aborted", "--latency", "20ms", "--percent", "100", "--for", "5m"];
    let set = stage.succeeds(&[fault.as_slice(), &how].concat());
    let said = format!("inventory     FAULT 1: 100 % of {RECEIVE} wait 20.0ms and end with ABORTED, for ");
    assert!(set.starts_with(&said) && set.contains("by operator; 0 calls so far"), "{set}");

    let refused = stage.fails(&["stock", "receive", "TEA", "5"], 1);
    assert!(refused.contains("ABORTED") && refused.contains("[FAULT_INJECTED]"), "{refused}");
    let shown = stage.succeeds(&["mesh", "status", "inventory"]);
    assert!(shown.contains("FAULT 1: 100 % of") && shown.contains("1 call so far"), "{shown}");

    let all =
        ["mesh", "fault", "set", "inventory", "InventoryService/*", "--abort=UNAVAILABLE", "--percent=0", "--for=1m"];
    stage.succeeds(&all);
    let listed = stage.json(&["mesh", "fault", "list", "inventory"]);
    let [first, second] = listed["faults"].as_array().unwrap().as_slice() else { panic!("{listed:#}") };
    assert_eq!((&first["service"], &first["method"]), (&"inventory".into(), &RECEIVE.into()));
    assert_eq!(second["method"], "tradewind.inventory.v1.InventoryService/*");

    let cleared = stage.succeeds(&["mesh", "fault", "clear", "inventory", "--number", "1"]);
    assert!(cleared.contains("FAULT 1") && !cleared.contains("FAULT 2"), "{cleared}");
    stage.succeeds(&["stock", "receive", "TEA", "5"]);
    stage.succeeds(&["mesh", "fault", "clear", "inventory"]);
    assert_eq!(stage.succeeds(&["mesh", "fault", "list", "inventory"]), "no faults\n");
}

#[test]
fn a_fault_that_makes_no_sense_says_what_is_wrong_with_it() {
    let stage = Stage::set();
    let set = |rest: &[&str], code| stage.fails(&[&["mesh", "fault", "set", "inventory"], rest].concat(), code);
    for (said, rest) in [
        ("did you mean ReceiveStock", &["ReceivStock", "--abort=ABORTED", "--for=1m"][..]),
        ("[METHOD_NOT_SERVED]", &["PlaceOrder", "--abort=ABORTED", "--for=1m"]),
        ("[METHOD_NEVER_FAULTED]", &["ClearFaults", "--abort=ABORTED", "--for=1m"]),
        ("abort: must be the name of a status", &["ReceiveStock", "--abort=BROKEN", "--for=1m"]),
        ("lasts: must be longer than nothing, and at most an hour", &["ReceiveStock", "--abort=ABORTED", "--for=2h"]),
        ("peer: this service calls nobody", &["ReadLog", "--peer=nobody", "--abort=ABORTED", "--for=1m"]),
    ] {
        let refused = set(rest, 1);
        assert!(refused.contains(said), "{rest:?}: {refused}");
    }
    for rest in
        [&["ReceiveStock", "--for=1m"][..], &["ReceiveStock", "--abort=ABORTED"], &["ReceiveStock", "--percent=101"]]
    {
        set(rest, 2);
    }
}

#[test]
fn what_a_service_logs_changes_for_a_time() {
    let stage = Stage::set();
    let before = stage.succeeds(&["log", "show", "inventory"]);
    assert!(before.starts_with("inventory     ") && !before.contains("until"), "{before}");
    let set = stage.succeeds(&["log", "set", "inventory", "info,tradewind_mesh=debug", "--for", "5m"]);
    assert!(
        set.starts_with("inventory     info,tradewind_mesh=debug  until ") && set.ends_with(" by operator\n"),
        "{set}"
    );
    let told = stage.json(&["log", "show", "inventory"]);
    let log = &told["logs"][0];
    assert_eq!((&log["service"], &log["filter"]), (&"inventory".into(), &"info,tradewind_mesh=debug".into()));
    assert_eq!(stage.succeeds(&["log", "reset", "inventory"]), before);
    assert_eq!(stage.succeeds(&["log", "show", "inventory"]), before);

    for (said, rest) in [
        ("filter: ", &["=="][..]),
        ("filter: \"wärn\" is not a log filter", &["wärn"]),
        ("filter: must be at most 512 characters", &[&"x".repeat(513)]),
        ("lasts: must be more than nothing, and at most 24 hours", &["info", "--for=25h"]),
    ] {
        let refused = stage.fails(&[&["log", "set", "inventory"], rest].concat(), 1);
        assert!(refused.contains(said), "{rest:?}: {refused}");
    }
    let refused = stage.fails(&["--as=notification", "log", "set", "inventory", "debug"], 1);
    assert!(refused.contains("PERMISSION_DENIED"), "{refused}");
}
