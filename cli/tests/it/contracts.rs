//! What a change of the contracts breaks is told out of descriptors.

use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, Value};
use serde_json::json;

use crate::program::{Folder, complained, printed};

/// The descriptors that the program writes.
fn written(folder: &Folder) -> Vec<u8> {
    let output = folder.tradewind(&["contracts", "write", "now.binpb"]).current_dir(folder.path()).output().unwrap();
    assert!(output.status.success(), "{}", complained(&output));
    std::fs::read(folder.path().join("now.binpb")).unwrap()
}

/// The same without the method `GetOrder`.
fn without_get_order(descriptors: &[u8]) -> Vec<u8> {
    let set = DescriptorPool::decode(descriptors).unwrap().get_message_by_name("google.protobuf.FileDescriptorSet");
    let mut set = DynamicMessage::decode(set.unwrap(), descriptors).unwrap();
    let is_named = |value: &Value, name: &str| {
        value.as_message().unwrap().get_field_by_name("name").unwrap().as_str() == Some(name)
    };
    let files = set.get_field_by_name_mut("file").unwrap().as_list_mut().unwrap();
    let file = files.iter_mut().find(|file| is_named(file, "tradewind/ordering/v1/service.proto")).unwrap();
    let services = file.as_message_mut().unwrap().get_field_by_name_mut("service").unwrap().as_list_mut().unwrap();
    let methods = services[0].as_message_mut().unwrap().get_field_by_name_mut("method").unwrap().as_list_mut().unwrap();
    methods.retain(|method| !is_named(method, "GetOrder"));
    set.encode_to_vec()
}

#[test]
fn a_change_that_breaks_somebody_shows_in_words_and_in_the_exit_code() {
    let folder = Folder::new();
    let now = written(&folder);
    std::fs::write(folder.path().join("old.binpb"), without_get_order(&now)).unwrap();
    let compared = |args: &[&str]| {
        let words = [&["contracts", "compare"], args].concat();
        let output = folder.tradewind(&words).current_dir(folder.path()).output().unwrap();
        (output.status.code(), printed(&output) + &complained(&output))
    };
    let (code, said) = compared(&["--from", "old.binpb"]);
    assert_eq!((code, said.as_str()), (Some(0), "nobody is broken who was built against old.binpb\n"));
    let (code, said) = compared(&["--from", "now.binpb", "--to", "old.binpb"]);
    let told = "tradewind/ordering/v1/service.proto: tradewind.ordering.v1.OrderingService.GetOrder: method was there, is gone";
    assert!(code == Some(1) && said.starts_with(told) && said.ends_with("one change breaks somebody\n"), "{said}");
    assert!(
        said.contains("clients of the edge (call OrderingService.GetOrder as customers), console (calls"),
        "{said}"
    );
    let (code, said) = compared(&["--json", "--from", "now.binpb", "--to", "old.binpb"]);
    let said: serde_json::Value = serde_json::from_str(&said).unwrap();
    let [broken] = said["breaks"].as_array().unwrap().as_slice() else { panic!("{said}") };
    assert_eq!((code, &broken["rule"]), (Some(1), &json!("method")));
    assert_eq!(broken["breaks"]["operator"], json!(["calls OrderingService.GetOrder"]));
    std::fs::write(folder.path().join("none.binpb"), "none").unwrap();
    for (file, said) in
        [("none.binpb", "is no FileDescriptorSet to compare with"), ("away.binpb", "cannot read away.binpb")]
    {
        let (code, complaint) = compared(&["--from", file]);
        assert!(code == Some(1) && complaint.contains(said), "{complaint}");
    }
}

#[test]
fn a_service_can_be_deployed_where_what_it_calls_is() {
    let folder = Folder::new();
    let now = written(&folder);
    std::fs::write(folder.path().join("old.binpb"), without_get_order(&now)).unwrap();
    for (service, to, code, said) in [
        ("ordering", "old.binpb", 0, "yes: ordering of this build goes with what old.binpb tells of\n"),
        ("payment", "old.binpb", 0, "yes"),
        (
            "gateway",
            "old.binpb",
            1,
            "no: gateway of this build does not go with what old.binpb tells of\ntradewind/ordering/v1/service.proto: ",
        ),
        ("operator", "old.binpb", 1, "no"),
        ("gateway", "now.binpb", 0, "yes"),
        ("kitchen", "now.binpb", 1, ""),
    ] {
        let words = ["can-i-deploy", service, "--to", to];
        let output = folder.tradewind(&words).current_dir(folder.path()).output().unwrap();
        let (told, complaint) = (printed(&output), complained(&output));
        assert!(output.status.code() == Some(code) && told.starts_with(said), "{service}: {told}{complaint}");
        assert_eq!(complaint.contains("know no workload"), service == "kitchen", "{complaint}");
    }
    let words = ["--json", "can-i-deploy", "gateway", "--to", "old.binpb"];
    let output = folder.tradewind(&words).current_dir(folder.path()).output().unwrap();
    let said: serde_json::Value = serde_json::from_str(&printed(&output)).unwrap();
    assert_eq!((&said["can_deploy"], &said["why_not"][0]["rule"]), (&json!(false), &json!("deployed method")));
}

#[test]
fn the_contracts_are_documents_too_and_nothing_runs_for_it() {
    let folder = Folder::new();
    let ran = |args: &[&str]| {
        let output = folder.tradewind(&[&["contracts"], args].concat()).current_dir(folder.path()).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", complained(&output));
        printed(&output)
    };
    for (document, kind, version) in [("asyncapi", "asyncapi", "3.1.0"), ("openapi", "openapi", "3.1.0")] {
        let text = ran(&[document]);
        let said: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(said[kind], version);
        assert!(ran(&[document, "file"]).starts_with("file: "), "{document}");
        let written = std::fs::read_to_string(folder.path().join("file")).unwrap();
        assert_eq!(serde_json::from_str::<serde_json::Value>(&written).unwrap(), said);
    }
    let said: serde_json::Value = serde_json::from_str(&ran(&["--json", "page", "page.html"])).unwrap();
    let page = std::fs::read_to_string(folder.path().join("page.html")).unwrap();
    assert_eq!(said["bytes"], page.len());
    assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n"));
    assert!(page.contains("id=\"tradewind.ordering.v1.OrderingService.PlaceOrder\""), "with what is in the contracts");
    // Of other contracts: those that are written without comments say all that but words.
    written(&folder);
    ran(&["page", "--of", "now.binpb", "other.html"]);
    let other = std::fs::read_to_string(folder.path().join("other.html")).unwrap();
    assert!(other.contains("id=\"tradewind.ordering.v1.OrderPlaced\"") && other.len() < page.len());
}

/// `make golden` writes it anew.
#[test]
#[allow(clippy::disallowed_methods, reason = "whether a test writes is said in the environment")]
fn docs_contracts_html_says_what_the_contracts_do() {
    let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/contracts.html");
    let folder = Folder::new();
    let made = folder.path().join("contracts.html");
    let output = folder.tradewind(&["contracts", "page"]).arg(&made).output().unwrap();
    assert!(output.status.success(), "{}", complained(&output));
    let made = std::fs::read_to_string(made).unwrap();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(kept, made).unwrap();
    } else {
        let kept = std::fs::read_to_string(kept).unwrap_or_default();
        let differs = made.lines().zip(kept.lines()).find(|(made, kept)| made != kept);
        assert!(made == kept, "`make golden` writes it anew; the first line that differs: {differs:#?}");
    }
}
