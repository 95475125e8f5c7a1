//! A row for each rule.

use prost_reflect::DynamicMessage;
use serde_json::{Value, json};
use tradewind_transcode::{
    Declared, LONGEST_PATH, MOST_PARAMETERS, MOST_SEGMENTS, Matcher, Problem, Refusal, RouteError, Routes, Template,
    TemplateError,
};

use crate::public::{IMPORTS, compiled};

const SHELVES: &str = r#"
package test;
service Shelves {
  rpc Get(Book) returns (Book) { option (google.api.http) = {
    get: "/v1/{name=shelves/*/books/*}" additional_bindings { get: "/v1/books/{id}" response_body: "tags" } }; }
  rpc Put(Book) returns (Book) { option (google.api.http) = { put: "/v1/books/{id}" body: "inner" response_body: "inner" }; }
  rpc Tag(Book) returns (Book) { option (google.api.http) = { post: "/v1/books/{id}:tag" body: "tags" }; }
  rpc Make(Book) returns (Book) { option (google.api.http) = { post: "/v1/books" body: "*" }; }
  rpc Peek(Book) returns (Book) { option (google.api.http) = { custom { kind: "HEAD" path: "/v1/books" } }; }
  rpc Hidden(Book) returns (Book);
}
message Book {
  string name = 1;
  int32 id = 2;
  repeated string tags = 3;
  Book inner = 4;
  map<string, string> notes = 5;
  google.protobuf.Timestamp time = 6;
  float weight = 7;
  repeated float weights = 8;
}
"#;

fn routes() -> Routes {
    let pool = compiled(&format!("syntax = \"proto3\";\n{IMPORTS}{SHELVES}"));
    Routes::of(pool.get_service_by_name("test.Shelves").unwrap().methods()).unwrap()
}

fn read(method: &str, path: &str, query: &str, body: &str) -> Result<Value, Refusal> {
    let routes = routes();
    let message: DynamicMessage = routes.find(method, path)?.request(query, body.as_bytes())?;
    Ok(json!(message))
}

fn at(path: &str, problem: Problem) -> Refusal {
    Refusal::Field { path: path.to_owned(), problem }
}

#[test]
fn a_message_is_made_of_path_query_and_body() {
    let name = json!({"name": "shelves/1/books/a b", "id": 3});
    assert_eq!(read("GET", "/v1/shelves/1/books/a%20b", "id=3", ""), Ok(name));
    let put = json!({"id": 7, "inner": {"id": 1}, "tags": ["x", "y"]});
    assert_eq!(read("PUT", "/v1/books/7", "tags=x&tags=y&inner.id=9", r#"{"id": 1}"#), Ok(put));
    assert_eq!(read("POST", "/v1/books/7:tag", "", r#"["x"]"#), Ok(json!({"id": 7, "tags": ["x"]})));
    assert_eq!(
        read("POST", "/v1/books", "", r#"{"id": 1, "notes": {"a": "b"}}"#),
        Ok(json!({"id": 1, "notes": {"a": "b"}}))
    );
    assert_eq!(read("POST", "/v1/books", "", ""), Ok(json!({})), "an empty body says nothing");
    assert_eq!(read("HEAD", "/v1/books", "id=1", ""), Ok(json!({"id": 1})));
}

#[test]
fn each_refusal_says_where_and_why() {
    let refused = |method, path, query, body| read(method, path, query, body).unwrap_err();
    assert_eq!(refused("GET", "/v1/books/x", "", ""), at("id", Problem::BadNumber));
    assert_eq!(refused("GET", "/v1/books/99999999999", "", ""), at("id", Problem::OutOfRange));
    assert_eq!(refused("GET", "/v1/books/1", "inner.inner.ids=1", ""), at("inner.inner.ids", Problem::UnknownField));
    assert_eq!(refused("GET", "/v1/books/1", "notes=1", ""), at("notes", Problem::MapField));
    assert_eq!(refused("GET", "/v1/books/1", "inner=1", ""), at("inner", Problem::MessageField));
    assert_eq!(refused("GET", "/v1/books/1", "time.seconds=1", ""), at("time.seconds", Problem::PathThroughScalar));
    assert_eq!(refused("GET", "/v1/books/1", "name=a&name=b", ""), at("name", Problem::TooManyValues));
    assert_eq!(refused("GET", "/v1/books/1", "name=%zz", ""), Refusal::MalformedQuery);
    assert_eq!(refused("GET", "/v1/books/%ff", "", ""), Refusal::MalformedPath, "it is no UTF-8");
    assert_eq!(refused("GET", "/v1/books/1", "", "{}"), Refusal::UnexpectedBody);
    assert_eq!(refused("POST", "/v1/books", "id=1", "{}"), Refusal::UnexpectedParameters);
    assert_eq!(refused("POST", "/v1/books", "", "{"), Refusal::NotJson { line: 1, column: 1 });
    assert_eq!(refused("POST", "/v1/books", "", "{} {}"), Refusal::NotJson { line: 1, column: 4 });
    let allowed = vec!["GET".to_owned(), "PUT".to_owned()];
    assert_eq!(refused("PATCH", "/v1/books/1", "", ""), Refusal::MethodNotAllowed { allowed });
    assert_eq!(refused("GET", "/v1/Hidden", "", ""), Refusal::NoRoute);
    for (body, where_) in [(r#"{"inner": {"ids": 1}}"#, "inner"), (r#"{"inner": {"id": "x"}}"#, "inner.id")] {
        let Refusal::Field { path, problem: Problem::Json(text) } = refused("POST", "/v1/books", "", body) else {
            panic!("{body}")
        };
        assert!(path.starts_with(where_) && !text.is_empty(), "{path}: {text}");
    }
}

#[test]
fn the_largest_float_is_read_as_it_is_written() {
    let largest = json!({"inner": {"weight": f32::MAX, "weights": [f32::MIN]}});
    for most in ["3.4028235e38", "3.4028234663852886e+38"] {
        let body = format!(r#"{{"inner": {{"weight": {most}, "weights": [-{most}]}}}}"#);
        assert_eq!(read("POST", "/v1/books", "", &body), Ok(largest.clone()), "{most}");
    }
    let refused = read("POST", "/v1/books", "", r#"{"weight": 3.41e38}"#).unwrap_err();
    assert!(matches!(refused, Refusal::Field { path, .. } if path == "weight"));
}

#[test]
fn an_answers_body_is_the_field_that_the_rule_names() {
    let routes = routes();
    let put = routes.find("PUT", "/v1/books/7").unwrap();
    let answer = put.request("tags=x", r#"{"id": 1}"#.as_bytes()).unwrap();
    let said = |route: &tradewind_transcode::Route| -> Value {
        serde_json::from_slice(&route.answer(&answer).unwrap()).unwrap()
    };
    assert_eq!(said(put.route)["id"], 1);
    assert_eq!(said(routes.find("GET", "/v1/books/7").unwrap().route), json!(["x"]));
    assert_eq!(said(routes.find("POST", "/v1/books").unwrap().route)["id"], 7);
}

#[test]
fn the_most_exact_template_takes_a_path() {
    let mut matcher = Matcher::default();
    for template in ["/**", "/a/{x=**}", "/a/*", "/a/b", "/a/*/c", "/a/b/*", "/a/*:do", "/a/b:do"] {
        matcher.insert("GET", Template::parse(template).unwrap(), template).unwrap();
    }
    matcher.insert("POST", Template::parse("/{x=**}").unwrap(), "post").unwrap();
    let found = |method, path| *matcher.find(method, path).unwrap().value;
    let rows = [
        ("/", "/**"),
        ("/z", "/**"),
        ("/a", "/a/{x=**}"),
        ("/a/z", "/a/*"),
        ("/a/b", "/a/b"),
        ("/a/b/c", "/a/b/*"),
        ("/a/z/c", "/a/*/c"),
        ("/a/z/z", "/a/{x=**}"),
        ("/a/b:do", "/a/b:do"),
        ("/a/z:do", "/a/*:do"),
        ("/a/z%3Ado", "/a/*"),
    ];
    for (path, template) in rows {
        assert_eq!(found("GET", path), template, "{path}");
    }
    assert_eq!(found("POST", "/a/b"), "post", "a route with the method before a more exact one without");
    let again = matcher.insert("GET", Template::parse("/%61/{y}").unwrap(), "again").unwrap_err();
    assert_eq!((again.one.as_str(), again.other.as_str()), ("/a/*", "/%61/{y}"));
}

#[test]
fn a_route_that_cannot_be_is_refused() {
    let pool = compiled(&format!("syntax = \"proto3\";\n{IMPORTS}{SHELVES}"));
    let method = pool.get_service_by_name("test.Shelves").unwrap().methods().next().unwrap();
    let add = |template: &str, body: &str, response_body: &str| {
        let declared = Declared {
            method: "GET".to_owned(),
            template: template.to_owned(),
            body: body.to_owned(),
            response_body: response_body.to_owned(),
        };
        Routes::default().add(&method, declared).unwrap_err()
    };
    let field = |found: RouteError| match found {
        RouteError::Field { refusal, .. } => refusal,
        other => panic!("{other}"),
    };
    assert_eq!(field(add("/{tags}", "", "")), at("tags", Problem::RepeatedFieldInPath));
    assert_eq!(field(add("/{notes}", "", "")), at("notes", Problem::MapField));
    assert_eq!(field(add("/{inner}", "", "")), at("inner", Problem::MessageField));
    assert_eq!(field(add("/{nothing}", "", "")), at("nothing", Problem::UnknownField));
    assert_eq!(field(add("/a", "nothing", "")), at("nothing", Problem::UnknownField));
    assert_eq!(field(add("/a", "", "nothing")), at("nothing", Problem::UnknownField));
    assert!(matches!(add("a", "", ""), RouteError::Template { error: TemplateError::NoLeadingSlash, .. }));
}

#[test]
fn everything_has_a_bound() {
    let refused = |path: &str, query: &str| read("GET", path, query, "").unwrap_err();
    assert_eq!(refused(&format!("/{}", "a".repeat(LONGEST_PATH)), ""), Refusal::MalformedPath);
    assert_eq!(refused(&"/a".repeat(MOST_SEGMENTS + 1), ""), Refusal::MalformedPath);
    assert_eq!(refused(&"/a".repeat(MOST_SEGMENTS), ""), Refusal::NoRoute);
    let most = MOST_PARAMETERS;
    assert_eq!(refused("/v1/books/1", &"tags=x&".repeat(most + 1)), Refusal::TooManyParameters { most });
    assert!(read("GET", "/v1/books/1", &"tags=x&".repeat(most), "").is_ok());
    assert_eq!(refused("/v1/books/1", &format!("name={}", "a".repeat(17_000))), Refusal::MalformedQuery);
    let deep = format!("{}id", "inner.".repeat(16));
    assert_eq!(refused("/v1/books/1", &format!("{deep}=1")), at(&deep, Problem::TooDeep));
    let (open, close) = (r#"{"inner":"#.repeat(10_000), "}".repeat(10_000));
    assert!(read("POST", "/v1/books", "", &format!("{open}{{}}{close}")).is_err(), "and the stack holds");
    assert_eq!(Template::parse(&format!("/{}", "{a=".repeat(20))).unwrap_err(), TemplateError::TooDeep);
}

#[test]
fn routes_of_a_message_that_holds_itself_can_be_shown() {
    assert!(format!("{:?}", routes()).contains("test.Shelves.Get"));
}
