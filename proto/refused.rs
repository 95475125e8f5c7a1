//! Contracts that are wrong, and what the build says of each.

use std::error::Error;
use std::fs;

use crate::build;

/// Holds what a method says of itself, and what is said beside it, against the build.
fn built(service: &str, method: &str, beside: &str) -> Result<build::Code, Box<dyn Error>> {
    let dir = tempfile::tempdir()?;
    let planted = format!(
        r#"syntax = "proto3";
        package tradewind.planted.v1;
        import "tradewind/options/v1/options.proto";
        import "google/api/annotations.proto";
        import "google/protobuf/duration.proto";
        service PlantedService {{
            option (tradewind.options.v1.service) = {{context: "planted" {service}}};
            {method}
        }}
        message Ask {{ string text = 1; }}
        message Order {{ string request_id = 1; string secret = 2 [(tradewind.options.v1.sensitive) = true]; }}
        message Answer {{}}
        {beside}"#
    );
    fs::write(dir.path().join("planted.proto"), planted)?;
    let mut compiler = protox::Compiler::new([dir.path().as_os_str(), "proto".as_ref()])?;
    compiler.include_imports(true).open_file(dir.path().join("planted.proto"))?;
    build::code(&compiler.descriptor_pool())
}

/// Why the build refuses a method that says this of itself.
fn refused(options: &str) -> String {
    refused_as(&format!("rpc Do(Ask) returns (Answer) {{ {options} }}"))
}

fn refused_as(method: &str) -> String {
    built("", method, "").err().unwrap_or_else(|| panic!("the build took {method}")).to_string()
}

/// The option with `fields`.
fn says(fields: &str) -> String {
    format!("option (tradewind.options.v1.method) = {{{fields}}};")
}

const ROUTE: &str = r#"option (google.api.http) = {get: "/v1/things"};"#;

const DO: &str = "tradewind.planted.v1.PlantedService.Do";

#[test]
fn a_method_without_policy_fails_the_build() {
    assert_eq!(refused(""), format!("{DO} says nothing of itself"));
    assert_eq!(refused("option deprecated = true;"), format!("{DO} says nothing of itself"));
}

#[test]
fn a_method_that_nobody_may_call_fails_the_build() {
    assert_eq!(refused(&says("timeout: {seconds: 5}")), format!("nobody may call {DO}"));
    let stranger = format!("{DO} names \"operater\" as a caller, and there is no such workload");
    assert_eq!(refused(&says(r#"callers: ["operator", "operater"]"#)), stranger);
    let routed = format!("{DO}: what is for people at gateway has a google.api.http, and nothing else does");
    assert_eq!(refused(&says(r#"callers: "gateway" audience: AUDIENCE_PUBLIC"#)), routed);
    assert_eq!(refused(&format!(r#"{} {ROUTE}"#, says(r#"callers: "operator""#))), routed);
    let people = format!("{DO} is meant for people, and nobody who speaks for them may call it");
    for audience in ["AUDIENCE_CUSTOMER", "AUDIENCE_PUBLIC", "AUDIENCE_STAFF"] {
        assert_eq!(refused(&says(&format!(r#"callers: "operator" audience: {audience}"#))), people);
    }
}

#[test]
fn a_method_for_customers_whose_request_is_nobodys_fails_the_build() {
    const SELF: &str = "[(tradewind.options.v1.owner) = OWNER_SELF]";
    let why = |audience: &str, asked: &str, fields: &str| {
        let mut options = says(&format!(r#"callers: "gateway" audience: {audience} retry: RETRY_CLASS_SAFE"#));
        options += if audience == "AUDIENCE_INTERNAL" { "" } else { ROUTE };
        let method = format!("rpc Do({asked}) returns (Answer) {{ {options} }}");
        built("", &method, &format!("message Owned {{ {fields} }}")).map(|_| ()).map_err(|why| why.to_string())
    };
    let customers = |fields: &str| why("AUDIENCE_CUSTOMER", "Owned", fields);
    let not_one = Err(format!("{DO} is for customers, and not one field of its request says whose it is"));
    assert_eq!(customers("string customer_id = 1;"), not_one);
    assert_eq!(customers("string customer_id = 1 [(tradewind.options.v1.owner) = OWNER_UNSPECIFIED];"), not_one);
    assert_eq!(customers(&format!("string a = 1 {SELF}; string b = 2 {SELF};")), not_one);
    let no_text = |field: &str| Err(format!("{DO}: {field} says whose the request is, and is no plain text"));
    assert_eq!(customers(&format!("bytes a = 1 {SELF};")), no_text("a"));
    assert_eq!(customers(&format!("repeated string a = 1 {SELF};")), no_text("a"));
    assert_eq!(customers(&format!("oneof one {{ string a = 1 {SELF}; string b = 2; }}")), no_text("a"));
    let owned = format!("string a = 1 {SELF};");
    let stream = format!("{DO} is for customers, and its request is a stream that is nobody's");
    assert_eq!(why("AUDIENCE_CUSTOMER", "stream Owned", &owned), Err(stream));
    let others = format!("{DO} is for no customers, and its request says whose it is");
    for audience in ["AUDIENCE_PUBLIC", "AUDIENCE_STAFF", "AUDIENCE_INTERNAL"] {
        assert_eq!(why(audience, "Owned", &owned), Err(others.clone()), "{audience}");
    }
    assert_eq!(customers(&owned), Ok(()));
}

#[test]
fn a_method_with_a_time_that_is_none_fails_the_build() {
    let bounds = format!("{DO}: its timeout is nothing, or more than 3600 s");
    for timeout in ["{}", "{seconds: 0}", "{seconds: 3600 nanos: 1}", "{seconds: 9000000000}"] {
        assert_eq!(refused(&says(&format!(r#"callers: "operator" timeout: {timeout}"#))), bounds, "{timeout}");
    }
    for timeout in ["{seconds: -1}", "{nanos: -1}", "{nanos: 1000000000}"] {
        let why = refused(&says(&format!(r#"callers: "operator" timeout: {timeout}"#)));
        assert_eq!(why, format!("{DO}: timeout is no time that passes"), "{timeout}");
    }
}

#[test]
fn a_method_that_is_repeated_otherwise_than_it_can_be_fails_the_build() {
    let together = format!("{DO}: a request_id and RETRY_CLASS_WITH_REQUEST_ID go together");
    let excused = format!("{DO}: RETRY_CLASS_NEVER and no_request_id go together");
    for said in ["", "retry: RETRY_CLASS_NEVER", r#"retry: RETRY_CLASS_SAFE no_request_id: "it is done once""#] {
        assert_eq!(refused(&says(&format!(r#"callers: "operator" {said}"#))), excused, "{said}");
    }
    let creates = says(r#"callers: "operator" retry: RETRY_CLASS_SAFE"#);
    let why = "tradewind.planted.v1.PlantedService.CreateThing creates something: it takes a request_id, or says why it takes none";
    assert_eq!(refused_as(&format!("rpc CreateThing(Ask) returns (Answer) {{ {creates} }}")), why);
    let with_id = says(r#"callers: "operator" retry: RETRY_CLASS_WITH_REQUEST_ID"#);
    assert_eq!(refused(&with_id), together);
    let safe = says(r#"callers: "operator" retry: RETRY_CLASS_SAFE"#);
    assert_eq!(refused_as(&format!("rpc Do(Order) returns (Answer) {{ {safe} }}")), together);

    let unary = format!("{DO}: hedge_after is for unary methods that are RETRY_CLASS_SAFE");
    assert_eq!(refused(&says(r#"callers: "operator" hedge_after: {nanos: 1}"#)), unary);
    let hedged = says(r#"callers: "operator" retry: RETRY_CLASS_SAFE hedge_after: {nanos: 1}"#);
    assert_eq!(refused_as(&format!("rpc Do(stream Ask) returns (Answer) {{ {hedged} }}")), unary);
    assert_eq!(refused_as(&format!("rpc Do(Ask) returns (stream Answer) {{ {hedged} }}")), unary);
    for after in ["{}", "{seconds: 5}"] {
        let hedged = says(&format!(r#"callers: "operator" retry: RETRY_CLASS_SAFE hedge_after: {after}"#));
        assert_eq!(refused(&hedged), format!("{DO}: hedge_after is nothing, or not within its timeout"), "{after}");
    }
}

#[test]
fn an_event_or_a_reaction_that_leads_nowhere_fails_the_build() {
    let event = |options: &str| {
        let planted = format!("message Done {{ option (tradewind.options.v1.event) = {{{options}}}; }}");
        built("", "", &planted).err().unwrap_or_else(|| panic!("the build took {options}")).to_string()
    };
    let done = "tradewind.planted.v1.Done";
    let other = event(r#"owner: "other" aggregate: "thing""#);
    assert_eq!(other, format!("{done} names \"other\" as its owner, whose package it is not in"));
    assert_eq!(event(r#"owner: "planted""#), format!("{done} names no aggregate"));
    let expects = event(r#"owner: "planted" aggregate: "thing" expects: {any_of: "tradewind.planted.v1.Ask"}"#);
    assert_eq!(expects, format!("{done} expects tradewind.planted.v1.Ask, which is no event"));

    let reacts = |reaction: &str| {
        let planted = r#"message Done {
            option (tradewind.options.v1.event) = {owner: "planted" aggregate: "thing"};
        }"#;
        let declared = format!("reacts {reaction}");
        built(&declared, "", planted).err().unwrap_or_else(|| panic!("the build took {reaction}")).to_string()
    };
    let service = "tradewind.planted.v1.PlantedService";
    let none = reacts(r#"{event: "tradewind.planted.v1.Ask" reaction: "go" role: ROLE_OBSERVE}"#);
    assert_eq!(none, format!("{service}: go reacts to tradewind.planted.v1.Ask, which is no event"));
    let forward = reacts(r#"{event: "tradewind.planted.v1.Done" reaction: "go" role: ROLE_FORWARD undo: "back"}"#);
    assert_eq!(forward, format!("{service}: go takes something on, and no compensation of its own takes it back"));
    let without = reacts(r#"{event: "tradewind.planted.v1.Done" reaction: "go"}"#);
    assert_eq!(without, format!("{service}: go has no role"));
}

#[test]
fn a_key_has_to_be_for_what_customers_do_and_is_for_nothing_else() {
    let scope = |audience: &str, route: &str, owner: &str| {
        let options = says(&format!(r#"callers: "gateway" audience: {audience} retry: RETRY_CLASS_SAFE"#));
        let method = format!("rpc Do(Owned) returns (Answer) {{ {options} {route} }}");
        let made = built("", &method, &format!("message Owned {{ string a = 1 {owner}; }}")).unwrap();
        let tables = made.files.into_iter().find(|(name, _)| *name == "tables.rs").unwrap().1;
        let of_it = tables.split("PlantedService/Do").nth(1).unwrap();
        of_it.lines().find_map(|line| line.trim().strip_prefix("scope: ")).unwrap().trim_end_matches(',').to_owned()
    };
    let own = "[(tradewind.options.v1.owner) = OWNER_SELF]";
    let post = r#"option (google.api.http) = {post: "/v1/things" additional_bindings {get: "/v1/things"}};"#;
    assert_eq!(scope("AUDIENCE_CUSTOMER", ROUTE, own), r#"Some("planted.read")"#);
    assert_eq!(scope("AUDIENCE_CUSTOMER", post, own), r#"Some("planted.write")"#);
    for (audience, route) in [("AUDIENCE_PUBLIC", ROUTE), ("AUDIENCE_STAFF", ROUTE), ("AUDIENCE_INTERNAL", "")] {
        assert_eq!(scope(audience, route, ""), "None", "{audience}");
    }
}

#[test]
fn what_says_all_it_has_to_is_taken() {
    let whole = says(r#"callers: ["operator", "planted"] timeout: {seconds: 3600} retry: RETRY_CLASS_WITH_REQUEST_ID"#);
    let made = built("", &format!("rpc Do(Order) returns (Answer) {{ {whole} }}"), "").unwrap();
    assert_eq!(made.redacted, ["tradewind.planted.v1.Order"]);
    let tables = made.files.iter().find(|(name, _)| *name == "tables.rs").map(|(_, code)| code.as_str());
    assert!(tables.is_some_and(|code| code.contains(r#"callers: &["operator", "planted"]"#)), "{tables:?}");
}
