//! Changes of the contracts as they are, each beside one like it that breaks nobody, and what is told of both.

#![allow(clippy::unwrap_used, clippy::panic)]

mod contracts;
mod pairs;

use std::collections::BTreeSet;

use prost::Message as _;
use prost_reflect::{DescriptorPool, Kind};
use prost_types::FileDescriptorSet;

use self::contracts::Contracts;
use self::pairs::{Pair, Told};
use super::finding::Finding;
use super::reads::Reads;
use super::{can_deploy, compare, deploy, rules, without_comments};

fn found(old: &DescriptorPool, new: &DescriptorPool) -> Vec<Finding> {
    compare(old, new, &Reads::known())
}

/// Who is named where a field of an answer or an event is dropped, with what the last release's services read besides.
fn hurt_without(file: &str, field: &str, released: &str) -> BTreeSet<String> {
    let text = format!("# it is dropped\nin {file}\nbreaks `{field}` -> ``\n");
    let [pair] = pairs::read(&text).try_into().unwrap();
    let given = Contracts::released();
    let reads = Reads::known().with(released);
    let findings = compare(&given.compiled(), &given.with(&pair.breaking).compiled(), &reads);
    findings.into_iter().flat_map(|finding| finding.hurt.into_keys()).collect()
}

#[test]
fn a_file_of_another_syntax_is_refused_by_its_name() {
    let mut set = FileDescriptorSet::decode(::contracts::DESCRIPTOR).unwrap();
    set.file[0].syntax = Some("editions".to_owned());
    let refused = super::contracts(&set.encode_to_vec()).unwrap_err().to_string();
    assert!(refused.contains(set.file[0].name()) && refused.contains("\"editions\""), "{refused}");
}

fn listed(findings: &[Finding]) -> String {
    findings.iter().map(|finding| format!("\n  {finding}")).collect()
}

/// What is wrong with what is told of a pair.
fn wrong(pair: &Pair) -> Vec<String> {
    let given = Contracts::released().with(&pair.given);
    let old = given.compiled();
    let reads = Reads::known().with(&pair.released);
    let broken = compare(&old, &given.with(&pair.breaking).compiled(), &reads);
    let mut wrong = Vec::new();
    for Told { rule, element, hurt } in &pair.told {
        let is_told = |finding: &Finding| {
            let text = finding.to_string();
            let named = [&finding.contract, &finding.element].into_iter().all(|name| text.contains(name.as_str()));
            let hurts = hurt.is_empty() || finding.hurt.contains_key(hurt) && text.contains(hurt.as_str());
            finding.rule == rule && finding.element == *element && named && hurts
        };
        if !broken.iter().any(is_told) {
            wrong.push(format!("{}: no {rule} of {element} that hurts {hurt:?} in{}", pair.name, listed(&broken)));
        }
    }
    let kept = compare(&old, &given.with(&pair.allowed).compiled(), &reads);
    if !kept.is_empty() {
        wrong.push(format!("{}: what is allowed is refused:{}", pair.name, listed(&kept)));
    }
    wrong
}

fn all_are_told_apart(text: &str) {
    let pairs = pairs::read(text);
    let wrong: Vec<String> = pairs.iter().flat_map(wrong).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const OF_METHODS: &str = include_str!("tests/methods.txt");
const OF_EVENTS: &str = include_str!("tests/events.txt");
const OF_FIELDS: &str = include_str!("tests/fields.txt");
const OF_SHAPES: &str = include_str!("tests/shapes.txt");
const OF_READS: &str = include_str!("tests/reads.txt");

#[test]
fn changes_of_methods_are_told_apart() {
    all_are_told_apart(OF_METHODS);
}

#[test]
fn changes_of_events_and_reactions_are_told_apart() {
    all_are_told_apart(OF_EVENTS);
}

#[test]
fn changes_of_what_fields_promise_are_told_apart() {
    all_are_told_apart(OF_FIELDS);
}

#[test]
fn changes_of_shapes_are_told_apart() {
    all_are_told_apart(OF_SHAPES);
}

#[test]
fn changes_of_what_somebody_reads_are_told_apart() {
    all_are_told_apart(OF_READS);
}

/// Who calls a method, or reacts to an event, and does not look at the field is left alone.
#[test]
fn only_those_are_named_who_read_a_field_or_did_as_they_were_released() {
    let (events, units) =
        ("inventory/v1/events.proto after message StockReserved", "repeated Allocation allocations = 2;");
    let owners = ["analytics", "inventory"].map(str::to_owned);
    assert_eq!(hurt_without(events, units, ""), owners.into());
    let released = "ordering reads tradewind.inventory.v1.StockReserved.allocations\n";
    let all = ["analytics", "inventory", "ordering"].map(str::to_owned);
    assert_eq!(hurt_without(events, units, released), all.into());

    let found = "identity/v1/service.proto after message FindPartnerKeyResponse";
    let name = "string key_id = 1;";
    assert_eq!(hurt_without(found, name, ""), BTreeSet::new());
    let released = "gateway calls tradewind.identity.v1.IdentityService.FindPartnerKey and reads \
        tradewind.identity.v1.FindPartnerKeyResponse.key_id\n";
    assert_eq!(hurt_without(found, name, released), ["gateway".to_owned()].into());
}

#[test]
fn there_is_a_pair_for_every_rule_and_more_than_a_hundred_in_all() {
    let pairs: Vec<Pair> =
        [OF_METHODS, OF_EVENTS, OF_FIELDS, OF_SHAPES, OF_READS].into_iter().flat_map(pairs::read).collect();
    let names: BTreeSet<&str> = pairs.iter().map(|pair| pair.name.as_str()).collect();
    assert!(names.len() == pairs.len() && names.len() >= 100, "{} pairs, {} names", pairs.len(), names.len());
    let tried: BTreeSet<&str> = pairs.iter().flat_map(|pair| &pair.told).map(|told| told.rule.as_str()).collect();
    let rules = rules::ROWS.iter().filter(|row| !matches!(row.rule, rules::Rule::Free)).map(|row| row.option);
    let untried: Vec<&str> = rules.filter(|rule| !tried.contains(rule)).collect();
    assert!(untried.is_empty(), "{untried:?}");
}

#[test]
fn every_option_has_its_rule() {
    let pool = Contracts::released().compiled();
    let mut declared = BTreeSet::new();
    let ours = |name: &str| name.starts_with("tradewind.options.v1.");
    for extension in pool.all_extensions().filter(|extension| ours(extension.full_name())) {
        let mut open = vec![(extension.name().to_owned(), extension.kind())];
        while let Some((path, kind)) = open.pop() {
            if let Kind::Message(message) = kind
                && ours(message.full_name())
            {
                open.extend(message.fields().map(|field| (format!("{path}.{}", field.name()), field.kind())));
            }
            declared.insert(path);
        }
    }
    let ruled: BTreeSet<String> = rules::ROWS.iter().map(|row| row.option.to_owned()).collect();
    assert_eq!(declared, ruled, "an option and its row in rules.rs go together");
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/compatibility.md")).unwrap();
    let untold: Vec<_> = ruled.iter().filter(|option| !page.contains(&format!("| `{option}` |"))).collect();
    assert!(untold.is_empty(), "docs/compatibility.md has no line for {untold:?}");
}

#[test]
fn an_option_that_no_rule_knows_is_refused_where_it_changes() {
    let options = "in options/v1/options.proto after extend google.protobuf.FieldOptions\n\
        given `bool waits = 50110;` -> `bool waits = 50110; bool whispered = 50160;`\n";
    let new = "in money/v1/money.proto after string currency\n\
        breaks `[` -> `[(tradewind.options.v1.whispered) = true, `\n";
    let text = format!("# whispered\n{options}{new}told an option without a rule of Money.currency hurts payment\n");
    all_are_told_apart(&text);
}

#[test]
fn the_contracts_break_nobody_who_was_built_against_the_last_release() {
    let released = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../released/contracts.binpb")).unwrap();
    let (released, now) = (super::contracts(&released).unwrap(), super::contracts(::contracts::DESCRIPTOR).unwrap());
    let findings = found(&released, &now);
    assert!(findings.is_empty(), "{}", listed(&findings));
}

#[test]
fn descriptors_are_written_without_comments_and_say_the_same() {
    let small = without_comments(::contracts::DESCRIPTOR).unwrap();
    assert!(small.len() * 2 < ::contracts::DESCRIPTOR.len(), "{} bytes", small.len());
    let (small, whole) = (super::contracts(&small).unwrap(), super::contracts(::contracts::DESCRIPTOR).unwrap());
    assert!(found(&small, &whole).is_empty() && found(&whole, &small).is_empty());
}

/// The workloads that can be deployed, of all there are.
fn deployable(deployed: &Contracts, build: &Contracts) -> Vec<String> {
    let (deployed, build) = (deployed.compiled(), build.compiled());
    let reads = Reads::known();
    let can = |service: &String| can_deploy(service, &deployed, &build, &reads).is_empty();
    deploy::workloads(&build).into_iter().filter(can).collect()
}

#[test]
fn only_whoever_brings_a_change_about_or_needs_it_cannot_be_deployed() {
    let released = Contracts::released();
    let all = deployable(&released, &released);
    assert!(all.len() > 7, "{all:?}");
    // Those two serve nothing.
    let services = all.iter().map(String::as_str).filter(|name| !["console", "operator"].contains(name));
    let services: Vec<_> = services.collect();
    let stopped = |deployed: &Contracts, build: &Contracts| {
        let can = deployable(deployed, build);
        all.iter().filter(|service| !can.contains(service)).cloned().collect::<Vec<_>>()
    };
    for (change, stops, back) in [
        (
            "in ordering/v1/service.proto after rpc GetOrder(\nbreaks `callers: [\"gateway\", \"console\", \"operator\"]` -> `callers: [\"gateway\", \"console\"]`",
            &["ordering"][..],
            // Who serves it now lets nobody in but those at the edge.
            &["operator"][..],
        ),
        (
            "in ordering/v1/service.proto after rpc GetOrder(\nbreaks `get: \"/v1/orders/{order_id}\"` -> `get: \"/v2/orders/{order_id}\"`",
            &["gateway"],
            &["gateway"],
        ),
        (
            "in ordering/v1/service.proto after rpc GetOrder(\nbreaks `retry: RETRY_CLASS_SAFE` -> `retry: RETRY_CLASS_NEVER`",
            &["ordering"],
            &["console", "gateway", "operator"],
        ),
        (
            "in inventory/v1/service.proto after rpc GetStock(\nbreaks `audience: AUDIENCE_STAFF` -> `audience: AUDIENCE_INTERNAL`",
            &["gateway", "inventory"],
            &["gateway"],
        ),
        (
            "in ordering/v1/service.proto\nbreaks `rpc GetOrder(GetOrderRequest)` -> `rpc FindOrder(GetOrderRequest)`",
            &["console", "gateway", "operator", "ordering"],
            &["console", "gateway", "operator", "ordering"],
        ),
        (
            "in consumer/v1/service.proto after rpc ListConsumers\nbreaks `timeout: {seconds: 10}` -> `timeout: {seconds: 9}`",
            &services,
            &[],
        ),
        (
            "in payment/v1/events.proto after message PaymentRefunded\nbreaks `Money amount = 2` -> `Money sum = 2`",
            &["payment"],
            &["payment"],
        ),
        (
            "in payment/v1/events.proto after message PaymentRefunded\nbreaks `tradewind.money.v1.Money amount` -> `string amount`",
            &["analytics", "documents", "ordering", "payment"],
            &["analytics", "documents", "ordering", "payment"],
        ),
        (
            "in notification/v1/service.proto\nbreaks `context: \"notification\"` -> `context: \"notification\" reacts {event: \
             \"tradewind.inventory.v1.StockReserved\" reaction: \"thank_on_stock_reserved\" role: ROLE_OBSERVE}`",
            &["notification"],
            &["notification"],
        ),
    ] {
        let [pair] = pairs::read(&format!("# a change\n{change}\n")).try_into().unwrap();
        let changed = released.with(&pair.breaking);
        assert_eq!(stopped(&released, &changed), stops, "{change}");
        assert_eq!(stopped(&changed, &released), back, "back from {change}");
    }
}
