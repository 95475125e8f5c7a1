//! What is chosen where the rules are silent, or a well-known program leaves them.

use prost_reflect::DynamicMessage;
use serde_json::{Value, json};
use tradewind_transcode::{Matcher, Problem, Refusal, Template, TemplateError, bind_query};

use crate::public::{IMPORTS, compiled};

#[test]
fn a_template_is_what_the_grammar_says() {
    let rows = [
        ("/", TemplateError::EmptySegment),
        ("//", TemplateError::EmptySegment),
        ("/:do", TemplateError::EmptySegment),
        ("/a:", TemplateError::EmptyVerb),
        ("/a/**/b", TemplateError::DoubleWildcardNotLast),
        ("/a:b/c", TemplateError::VerbNotLast),
        ("/{x=a/b:c}", TemplateError::IllegalCharacter),
        ("/a:b*", TemplateError::WildcardInsideSegment),
        ("/{x}/{x}", TemplateError::DuplicateVariable),
    ];
    for (text, error) in rows {
        assert_eq!(Template::parse(text).unwrap_err(), error, "{text}");
    }
    let verb = Template::parse("/a/{x}:b:c").unwrap();
    assert_eq!(verb.verb().unwrap().text(), "b:c");
    let nested = Template::parse("/{x={y}/b}").unwrap();
    let variables: Vec<_> = nested.variables().iter().map(|at| (at.field.as_str(), at.start, at.end)).collect();
    assert_eq!(variables, [("x", 0, 2), ("y", 0, 1)]);
}

#[test]
fn what_is_a_verb_for_one_method_is_no_part_of_a_name_for_another() {
    let mut matcher = Matcher::default();
    for (method, template) in [("GET", "/a/{x}"), ("POST", "/a/{x}:do"), ("GET", "/a/{x}:see"), ("PUT", "/a/{x}")] {
        matcher.insert(method, Template::parse(template).unwrap(), template).unwrap();
    }
    let find = |method: &str, path: &str| matcher.find(method, path).map(|found| *found.value);
    assert_eq!((find("GET", "/a/b"), find("POST", "/a/b:do")), (Ok("/a/{x}"), Ok("/a/{x}:do")));
    assert_eq!((find("GET", "/a/b:see"), find("GET", "/a/b:c")), (Ok("/a/{x}:see"), Ok("/a/{x}")));
    for (method, path, allowed) in [("GET", "/a/b:do", "POST"), ("PUT", "/a/b:do", "POST"), ("PUT", "/a/b:see", "GET")]
    {
        let refused = Refusal::MethodNotAllowed { allowed: vec![allowed.to_owned()] };
        assert_eq!(find(method, path), Err(refused), "{method} {path}");
    }
}

/// Were what follows each colon decoded to its end, or looked through for the next slash, this would not end.
#[test]
fn a_path_of_colons_or_escaped_slashes_costs_no_more_than_another() {
    let mut matcher = Matcher::default();
    for template in ["/a/{x}:do", "/b/{x=**}"] {
        matcher.insert("GET", Template::parse(template).unwrap(), template).unwrap();
    }
    let (colons, slashes) = (":%41".repeat(2_000), "%2F".repeat(2_700));
    for _ in 0..2_000 {
        assert_eq!(matcher.find("GET", &format!("/a/{colons}")).unwrap_err(), Refusal::NoRoute);
        let found = matcher.find("GET", &format!("/b/{slashes}")).unwrap();
        assert_eq!(found.captures[0].1.len(), slashes.len());
    }
    assert!(matcher.find("GET", &format!("/a/{colons}:%64%6F")).is_ok());
}

#[test]
fn a_path_is_decoded_once_and_keeps_the_slashes_it_escapes() {
    let held = |template: &str, path: &str| {
        let mut matcher = Matcher::default();
        matcher.insert("GET", Template::parse(template).unwrap(), ()).unwrap();
        matcher.find("GET", path).map(|found| found.captures[0].1.clone())
    };
    let rows = [
        ("/a/{x}", "/a/%2f%20%25", "/ %"),
        ("/a/{x}", "/a/%252F", "%2F"),
        ("/a/{x=**}", "/a/b%2fc%2F%2A", "b%2fc%2F*"),
        ("/a/{x=b/*}", "/a/b/c%2Fd", "b/c%2Fd"),
        ("/a/{x=**}", "/a", ""),
        ("/a/{x=**}", "/a//b/", "/b/"),
        ("/{x=**}", "/", ""),
        ("/a/{x}", "/a/b:c", "b:c"),
        ("/a/{x}:c", "/a/b:c", "b"),
    ];
    for (template, path, value) in rows {
        assert_eq!(held(template, path), Ok(value.to_owned()), "{template} {path}");
    }
    for (template, path) in [("/a/{x}", "/a/"), ("/{x}", "/"), ("/a/{x=b/*}", "/a/b%2Fc"), ("/a/{x}/b", "/a/b%2Fb")] {
        assert_eq!(held(template, path), Err(Refusal::NoRoute), "{template} {path}");
    }
    for path in ["", "a/b", "/a/%", "/a/%2", "/a/%2z", "/a/%ff"] {
        assert_eq!(held("/a/{x}", path), Err(Refusal::MalformedPath), "{path}");
    }
}

#[test]
fn a_query_holds_what_json_would_and_nothing_twice() {
    let proto = r#"
        package test;
        message Message {
          google.protobuf.Duration time = 1;
          google.protobuf.FieldMask mask = 2;
          google.protobuf.StringValue text = 3;
          repeated google.protobuf.UInt64Value numbers = 4;
          Kind kind = 5;
          map<string, string> map = 6;
          google.protobuf.Struct struct = 7;
          google.protobuf.Value value = 8;
          oneof choice { string one = 9; int32 other = 10; }
        }
        enum Kind { KIND_UNSPECIFIED = 0; KIND_ONE = 1; }
    "#;
    let pool = compiled(&format!("syntax = \"proto3\";\n{IMPORTS}{proto}"));
    let read = |query: &str| -> Result<Value, Refusal> {
        let mut message = DynamicMessage::new(pool.get_message_by_name("test.Message").unwrap());
        bind_query(&mut message, query, &[])?;
        Ok(json!(message))
    };
    assert_eq!(read("time=46800s&mask=a,bC.d"), Ok(json!({"time": "46800s", "mask": "a,bC.d"})));
    assert_eq!(read("numbers=1&numbers=2"), Ok(json!({"numbers": ["1", "2"]})));
    assert_eq!(read("text=%22a+b%22"), Ok(json!({"text": "\"a b\""})), "quotation marks belong to the text");
    assert_eq!(read("kind=1&&one="), Ok(json!({"kind": "KIND_ONE", "one": ""})));
    let rows = [
        ("time=13h0m0s", "time", Problem::BadDuration),
        ("mask=b_c", "mask", Problem::BadMask),
        ("kind=null", "kind", Problem::UnknownEnumValue),
        ("map[a]=b", "map[a]", Problem::UnknownField),
        ("struct={}", "struct", Problem::MessageField),
        ("value=1", "value", Problem::MessageField),
        ("one=a&other=1", "other", Problem::OneofSetTwice),
        ("one=a&one=b", "one", Problem::TooManyValues),
        ("nothing=a", "nothing", Problem::UnknownField),
    ];
    for (query, path, problem) in rows {
        assert_eq!(read(query), Err(Refusal::Field { path: path.to_owned(), problem }), "{query}");
    }
}
