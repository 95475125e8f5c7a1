//! What the documents tell their readers to type exists: programs and their options, targets, files, methods, objects of the chart.

mod documents;
mod exists;
mod objects;
mod runbook;

use std::collections::BTreeSet;

use self::documents::{Typed, all, typed};
use self::exists::exists;
use crate::programs::project;

#[test]
fn every_command_of_the_documents_exists() {
    let documents = all();
    let commands: Vec<Typed> = documents.iter().flat_map(|(path, text)| typed(path, text)).collect();
    let told: BTreeSet<&str> = commands.iter().map(|typed| typed.words[0].as_str()).collect();
    for program in ["make", "tradewind", "grpcurl", "helm", "kubectl", "docker", "cargo", "nats"] {
        assert!(told.contains(program), "no document tells of {program}, which is hard to believe: {told:?}");
    }
    let missing: Vec<String> = commands
        .iter()
        .filter_map(|typed| exists(typed).err().map(|why| format!("{}: {}: {why}", typed.place, typed.words.join(" "))))
        .collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

/// The links of the alerts lead somewhere.
#[test]
fn every_alert_has_its_place_in_the_runbook() {
    let alerts = std::fs::read_to_string(project("helm/tradewind/files/alerts.yaml")).unwrap();
    let runbook = std::fs::read_to_string(project("docs/runbook.md")).unwrap();
    let names: Vec<&str> = alerts.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert!(names.len() > 10, "{names:?}");
    let homeless = names.iter().filter(|name| !runbook.contains(&format!("<a id=\"{}\"></a>", name.to_lowercase())));
    assert_eq!(homeless.collect::<Vec<_>>(), Vec::<&&str>::new());
}

#[test]
fn what_is_typed_is_found_in_blocks_and_in_text() {
    let text = "Run `make demo` or\n\n```\nalias shop='grpcurl -cacert ca.pem'\nshop -d '{\"a\":\n  1}' \\\n  list # that's all\n\
        make up && make down\n```\n\n```json\nmake nothing\n```\n\nsee `tests/it/main.rs`, not `quarantine` or `outcome`.\n";
    let found: Vec<String> = typed("README.md", text).into_iter().map(|typed| typed.words.join(" ")).collect();
    let expected =
        ["make demo", "grpcurl -cacert ca.pem -d {\"a\":\n  1} list", "make up", "make down", "tests/it/main.rs"];
    assert_eq!(found, expected);
}

/// One of each kind that exists, and beside it what does not.
#[test]
fn what_does_not_exist_is_missed() {
    let place_order = "tradewind.ordering.v1.OrderingService/PlaceOrder";
    for (good, bad) in [
        ("make demo", "make coffee"),
        ("make chaos SEED=1", "make chaos SALT=1"),
        ("tradewind order list --status paid", "tradewind order brew"),
        ("tradewind quarantine list <service>", "tradewind quarantine list kitchen"),
        ("tradewind up --detach", "tradewind up --sideways"),
        ("scripts/images --prebuilt ordering", "scripts/pictures"),
        ("scripts/images --prebuilt ordering", "scripts/images --watercolour"),
        ("`tests/it/{crash,broker}.rs`", "`tests/it/{crash,hunger}.rs`"),
        ("`tests/it/*.rs`", "`tests/that/*.rs`"),
        ("cargo test -p ordering", "cargo test -p kitchen"),
        ("helm test shop --logs", "helm taste shop"),
        ("helm test shop --logs", "helm test shop --louder"),
        (
            "helm upgrade shop helm/tradewind --values helm/tradewind/values-try.yaml --set nats.replicas=1",
            "helm upgrade shop helm/tradewind --values helm/tradewind/values-try.yaml --set nats.birds=3",
        ),
        ("helm upgrade shop helm/tradewind", "helm upgrade shop helm/tradewind --values values-none.yaml"),
        ("kubectl get secret shop-tradewind-ca", "kubectl get secret shop-tradewind-cake"),
        ("kubectl rollout undo deployment/shop-tradewind-ordering", "kubectl rollout redo deployment"),
        ("kubectl get pods --selector app.kubernetes.io/instance=shop", "kubectl get spoons"),
        ("docker compose logs ordering", "docker compose logs kitchen"),
        ("docker compose run --rm cli order list", "docker compose run --rm cli order brew"),
        ("nats stream info TW_ORDERING", "nats stream info TW_KITCHEN"),
        (&format!("grpcurl localhost:7102 {place_order}"), "grpcurl localhost:7102 tradewind.ordering.v1.Kitchen/Cook"),
        (
            &format!("grpcurl -d '{{\"customer_id\":\"c\"}}' localhost:7102 {place_order}"),
            &format!("grpcurl -d '{{\"chef\":\"c\"}}' localhost:7102 {place_order}"),
        ),
        ("make demo", "```\nmake demo\nteapot --brew\n```"),
    ] {
        let judged = |text: &str| {
            let text = if text.starts_with('`') { text.to_owned() } else { format!("`{text}`") };
            let commands = typed("README.md", &text);
            assert!(!commands.is_empty(), "{text} is overlooked");
            commands.iter().try_for_each(exists)
        };
        assert_eq!(judged(good), Ok(()), "{good}");
        assert!(judged(bad).is_err(), "{bad} is taken for real");
    }
}

#[test]
fn the_first_page_is_as_narrow_as_a_terminal_shows_it() {
    let text = std::fs::read_to_string(project("README.md")).unwrap();
    let wide: Vec<_> = text.lines().enumerate().filter(|(_, line)| line.chars().count() > 120).collect();
    assert!(wide.is_empty(), "{wide:#?}");
}
