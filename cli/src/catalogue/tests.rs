//! The documents hold all that the contracts say, whatever that is: it is tried with ours, and with odd ones.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;
use std::path::Path;

use prost_reflect::DescriptorPool;
use serde_json::Value;
use tradewind_broker::wire;
use tradewind_testing::recorded;
use uuid::Uuid;

use super::{asyncapi, facts, page};

const ODD: &str = include_str!("../../../tests/catalogue/odd.proto");

fn ours() -> DescriptorPool {
    DescriptorPool::decode(contracts::DESCRIPTOR).unwrap()
}

/// The contracts with one more, which has this source.
fn with(source: &str) -> DescriptorPool {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("more.proto"), source).unwrap();
    let proto = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../proto"));
    let mut compiler = protox::Compiler::new([folder.path(), proto]).unwrap();
    compiler.include_imports(true).include_source_info(true).open_file("more.proto").unwrap();
    DescriptorPool::decode(compiler.encode_file_descriptor_set().as_slice()).unwrap()
}

/// The values of an attribute.
fn values<'a>(page: &'a str, attribute: &str) -> Vec<&'a str> {
    let begin = format!(" {attribute}=\"");
    page.split(begin.as_str()).skip(1).map(|rest| rest.split('"').next().unwrap()).collect()
}

#[test]
fn the_page_has_every_declaration_once_and_every_link_leads_to_one() {
    for pool in [ours(), with(ODD)] {
        let page = page(&pool);
        let ids: Vec<&str> = values(&page, "id");
        let known: BTreeSet<&str> = ids.iter().copied().collect();
        assert_eq!(known.len(), ids.len(), "no two things have one id");
        let methods = pool.services().flat_map(|service| service.methods().collect::<Vec<_>>());
        let methods: Vec<_> = methods.map(|method| method.full_name().to_owned()).collect();
        let messages = facts::messages(&pool).map(|message| message.full_name().to_owned());
        let enums = facts::enums(&pool).map(|kind| kind.full_name().to_owned());
        assert!(methods.len() >= 4);
        for name in methods.into_iter().chain(messages).chain(enums) {
            assert!(known.contains(name.as_str()), "{name} is not there");
        }
        for link in values(&page, "href").into_iter().filter_map(|link| link.strip_prefix('#')) {
            assert!(known.contains(link), "nothing is at #{link}");
        }
        let is_here = |link: &str| link.starts_with('#') || link.starts_with("data:") || link.ends_with(".md");
        assert!(values(&page, "href").into_iter().all(is_here), "it leads nowhere else");
        let asks = ["<script src", "<img", "<iframe", "@import", "url(h"].iter().find(|each| page.contains(**each));
        assert_eq!(asks, None, "it asks nobody for anything");
    }
}

#[test]
fn nothing_that_a_contract_says_is_taken_for_markup() {
    let page = page(&with(ODD));
    for (element, times) in [("<script", 1), ("</script", 1), ("<img", 0), ("<title>Tradewind", 1), ("<!--", 0)] {
        assert_eq!(page.matches(element).count(), times, "{element}");
    }
    assert!(
        page.contains("&lt;script&gt;alert(&quot;service&quot;)&lt;/script&gt; {{body}} {{style}}"),
        "it is read as it is"
    );
    assert!(page.contains("<li><code>code</code> in an item that goes on</li>"));
    assert!(page.contains("an item with a ` that nothing closes"));
    assert!(page.contains("word719"), "a comment is read to its end");
}

#[test]
fn a_method_an_event_and_a_field_say_what_the_options_do() {
    let page = page(&with(ODD));
    let entry = |id: &str| {
        let begin = page.find(&format!("<details class=\"entry\" id=\"{id}\"")).unwrap_or_else(|| panic!("no {id}"));
        page[begin..].split("</details>").next().unwrap().to_owned()
    };
    let sell = entry("tradewind.market.v1.MarketService.Sell");
    for said in [
        "<dd>gateway</dd>",
        "<dd>customer</dd>",
        "with market.write",
        "1ms 500us",
        "a &quot;stream&quot; &lt;is&gt; sent once",
        "POST /v1/{name=markets/*/stalls/**}:sell",
        "PUT /v1/sales",
        "<code>ABORTED</code>, <code>FAILED_PRECONDITION SOLD_OUT</code>",
        "· deprecated",
        "a stream of <code>SellRequest</code>",
        "says whose it is: self",
        "2 to 9 characters",
        "[&lt;&gt;&amp;&quot;&#39;]+",
        "at least -5",
        "up to 3 items",
        "waits",
        "list of int64",
    ] {
        assert!(sell.contains(said), "{said} in {sell}");
    }
    let look = entry("tradewind.market.v1.MarketService.Look");
    assert!(
        look.contains("<dd>internal</dd>") && look.contains("<dd>5s</dd>") && look.contains("<dd>1s</dd>"),
        "{look}"
    );
    let sold = entry("tradewind.market.v1.Sold");
    for said in [
        "<code>count_on_sold</code>",
        "forward",
        "uncount_on_sold",
        "within 1m 30s",
        "mark sensitive",
        "map of string to string",
    ] {
        assert!(sold.contains(said), "{said} in {sold}");
    }
    let part = entry("tradewind.market.v1.Thing.Part");
    assert!(part.contains("map of int32 to <a href=\"#tradewind.market.v1.Thing.Part.Colour\">"), "{part}");
    assert!(entry("tradewind.market.v1.Thing").contains("one of choice"));
    assert!(entry("tradewind.market.v1.Thing").contains("google.protobuf.Any"));
    assert!(entry("tradewind.market.v1.Thing.Part.Colour").contains("deprecated"));
}

/// Every reference within a document.
fn references<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str));
            fields.values().for_each(|value| references(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[test]
fn every_event_is_sent_and_received_and_nothing_sensitive_is_told_of() {
    for pool in [ours(), with(ODD)] {
        let document = asyncapi(&pool);
        let mut found = BTreeSet::new();
        references(&document, &mut found);
        for reference in found {
            assert!(document.pointer(reference.strip_prefix('#').unwrap()).is_some(), "{reference} is not there");
        }
        let events = facts::events(&pool);
        assert!(!events.is_empty());
        for event in &events {
            let (name, owner) = (event.message.full_name(), &event.owner);
            let key = format!("{owner}.{}", event.name());
            assert!(document["components"]["messages"][name]["payload"].is_object(), "{name}");
            assert!(document["channels"][&key]["messages"][name].is_object(), "{key}");
            assert_eq!(document["operations"][format!("{key}.publish")]["action"], "send", "{key}");
            assert_eq!(document["operations"][format!("{key}.read")]["action"], "receive", "{key}");
        }
        for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
            let Some(message) = pool.get_message_by_name(name) else { continue };
            for field in message.fields() {
                let is_told = schema["properties"].get(field.json_name()).is_some();
                assert_eq!(is_told, !facts::is_sensitive(&field), "{}", field.full_name());
            }
        }
    }
}

/// What the document says of a message is what the broker's wire makes of an event.
#[test]
fn headers_and_subjects_are_those_of_the_wire() {
    let document = asyncapi(&ours());
    let channel = &document["channels"]["ordering.OrderPlaced"];
    let message = &document["components"]["messages"]["tradewind.ordering.v1.OrderPlaced"];
    let mut event = recorded("order-42", 3);
    event.type_name = "tradewind.ordering.v1.OrderPlaced".to_owned();
    event.metadata.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned();
    let first = wire::public("ordering", Uuid::from_u128(9), None, &event, Vec::new());
    let later = wire::public("ordering", Uuid::from_u128(9), Some(Uuid::from_u128(8)), &event, Vec::new());
    let address = channel["address"].as_str().unwrap();
    assert_eq!(address.replace("{partition}", &event.partition.to_string()), first.subject);
    let names = |public: &wire::Public| -> BTreeSet<String> {
        let names = public.headers.iter().map(|(name, _)| name.to_string());
        names.filter(|name| !name.starts_with("Nats-")).collect()
    };
    let headers = &document["components"]["schemas"]["Headers"];
    let known: BTreeSet<_> = headers["properties"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(known, names(&later), "every header of a message");
    let required: BTreeSet<_> =
        headers["required"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect();
    event.metadata.traceparent.clear();
    let least = wire::public("ordering", Uuid::from_u128(9), None, &event, Vec::new());
    assert_eq!(required, names(&least), "what every message has");
    for name in ["ce-type", "ce-source"] {
        let told = message["headers"]["allOf"][1]["properties"][name]["const"].as_str();
        assert_eq!(told, first.headers.get(name).map(|value| value.as_str()), "{name}");
    }
}

/// Both are on one subject, and told apart by their types.
#[test]
fn an_event_in_two_versions_is_one_channel() {
    let of = |version: &str| {
        let source =
            "syntax = \"proto3\"; package tradewind.market.VERSION; import \"tradewind/options/v1/options.proto\";
            message Sold { option (tradewind.options.v1.event) = {owner: \"market\" aggregate: \"thing\"}; }";
        source.replace("VERSION", version)
    };
    let folder = tempfile::tempdir().unwrap();
    let proto = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../proto"));
    let mut compiler = protox::Compiler::new([folder.path(), proto]).unwrap();
    compiler.include_imports(true);
    for version in ["v1", "v2"] {
        std::fs::write(folder.path().join(format!("{version}.proto")), of(version)).unwrap();
        compiler.open_file(format!("{version}.proto")).unwrap();
    }
    let document = asyncapi(&DescriptorPool::decode(compiler.encode_file_descriptor_set().as_slice()).unwrap());
    let messages = document["channels"]["market.Sold"]["messages"].as_object().unwrap();
    let names: Vec<_> = messages.keys().map(String::as_str).collect();
    assert_eq!(names, ["tradewind.market.v1.Sold", "tradewind.market.v2.Sold"]);
    assert_eq!(document["operations"]["market.Sold.read"]["messages"].as_array().unwrap().len(), 2);
}
