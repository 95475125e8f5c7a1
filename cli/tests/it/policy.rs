//! What the contracts allow is told where nothing runs and no certificate is.

use serde_json::{Value, json};

use crate::program::{Folder, complained, printed};

#[test]
fn whether_a_workload_may_call_a_method_shows_in_words_and_in_the_exit_code() {
    let folder = Folder::new();
    for (from, method, code, said) in [
        ("gateway", "PlaceOrder", 0, "allowed: gateway may call tradewind.ordering.v1.OrderingService/PlaceOrder"),
        ("payment", "ordering.PlaceOrder", 1, "denied: payment may not call"),
        ("nobody", "/tradewind.ordering.v1.OrderingService/PlaceOrder", 1, "know no workload nobody"),
        ("payment", "eventlog.readlog", 0, "at ordering, whose events it reads"),
        ("payment", "ReadKey", 1, "denied"),
    ] {
        let output = folder.tradewind(&["policy", "check", from, method]).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{from} {method}: {}{}", printed(&output), complained(&output));
        assert!(printed(&output).contains(said), "{from} {method}: {}", printed(&output));
    }
    let output = folder.tradewind(&["--json", "policy", "check", "payment", "PlaceOrder"]).output().unwrap();
    let verdict: Value = serde_json::from_str(&printed(&output)).unwrap();
    assert_eq!((&verdict["allowed"], &verdict["known"]), (&json!(false), &json!(true)));
}

#[test]
fn the_policy_of_a_method_a_service_or_all_is_shown() {
    let folder = Folder::new();
    let shown = |words: &[&str]| {
        let output = folder.tradewind(&[&["--json", "policy", "show"], words].concat()).output().unwrap();
        assert!(output.status.success(), "{}", complained(&output));
        let shown: Value = serde_json::from_str(&printed(&output)).unwrap();
        shown["methods"].as_array().unwrap().clone()
    };
    let [place_order] = shown(&["OrderingService/PlaceOrder"]).try_into().unwrap();
    assert_eq!(place_order["retry"], "RETRY_CLASS_WITH_REQUEST_ID");
    let of_ordering = shown(&["ordering"]);
    let is_of_it = |method: &Value| method["method"].as_str().unwrap().starts_with("tradewind.ordering.v1.");
    assert!(of_ordering.len() > 1 && of_ordering.iter().all(is_of_it), "{of_ordering:?}");
    assert!(shown(&[]).len() > of_ordering.len());

    let text = printed(&folder.tradewind(&["policy", "show", "placeorder"]).output().unwrap());
    assert!(text.contains("retry        with request id"), "{text}");
    let text = printed(&folder.tradewind(&["policy", "show", "ReadLog"]).output().unwrap());
    assert!(text.contains("payment at ordering"), "{text}");
}

#[test]
fn a_method_that_is_mistyped_or_stands_for_several_is_asked_back() {
    let folder = Folder::new();
    for (method, said) in [("PlaceOrdr", "did you mean PlaceOrder?"), ("brew", "policy show"), ("ordering", " or ")] {
        let output = folder.tradewind(&["policy", "check", "gateway", method]).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(complained(&output).contains(said), "{method}: {}", complained(&output));
        assert_eq!(printed(&output), "");
    }
}
