//! Own requests that have to come back equal, in the form of the public suite.

use serde_json::{Value, json};

/// Requests by methods, and by the bindings that take them.
pub(super) const PAIRS: usize = 38;
pub(super) const TAKEN: usize = 49;

pub(super) fn shapes() -> Value {
    let field = |name: &str, number: u32, kind: &str, presence: &str| json!({"name": name, "number": number, "type": kind, "presence": presence});
    let rule = |rpc: &str, method: &str, template: &str, body: &str, additional: Value| {
        json!({
            "rpc": rpc, "request": "RepeatRequest", "response": "RepeatResponse",
            "method": method, "template": template, "body": body, "additional": additional,
        })
    };
    let put = json!([{"method": "PATCH", "template": "/v1/all", "body": "*"}]);
    json!({
        "form": {"package": "tradewind.repeat.v1", "service": "RepeatService"},
        "messages": {
            "RepeatRequest": [
                field("name", 1, "string", "implicit"),
                field("part", 2, "Part", "message"),
                field("count", 3, "int64", "optional"),
            ],
            "RepeatResponse": [field("request", 1, "RepeatRequest", "message")],
            "Part": [
                field("text", 1, "string", "implicit"),
                field("small", 2, "sint32", "implicit"),
                field("large", 3, "uint64", "implicit"),
                field("real", 4, "double", "implicit"),
                field("single", 5, "float", "optional"),
                field("holds", 6, "bool", "implicit"),
                field("kind", 7, "Kind", "optional"),
                field("part", 8, "Part", "message"),
            ],
        },
        "enums": {"Kind": {"KIND_UNSPECIFIED": 0, "KIND_ONE": 1, "KIND_TWO": 2}},
        "rules": [
            rule("All", "PUT", "/v1/all", "*", put),
            rule("Inside", "POST", "/v1/inside/{name}", "part", json!([])),
            rule("Asked", "GET", "/v1/asked", "", json!([])),
            rule("Gone", "DELETE", "/v1/names/{name}/of/{count}:drop", "", json!([])),
            rule("Nested", "GET", "/v1/{part.text=shelves/*}/{part.part.text=books/**}", "", json!([])),
        ],
    })
}

pub(super) fn suite() -> Value {
    let texts = [
        "plain",
        "a b+c",
        "a/b//c",
        "100% %2F %25",
        "\"quoted\" 'too'",
        "?x=y&z#w;v",
        "日本 ☃ \u{1F980}",
        "{name}:drop",
        "*",
        "~-._!$'(),@",
    ];
    let mut requests: Vec<_> = texts.map(|text| json!({"name": text, "count": "7", "part": {"text": text}})).into();
    requests.push(json!({
        "name": "extremes", "count": i64::MIN.to_string(),
        "part": {
            "text": "", "small": i32::MIN, "large": u64::MAX.to_string(), "real": f64::MIN_POSITIVE, "single": f32::MAX,
            "holds": true, "kind": "KIND_TWO", "part": {"real": -0.0, "single": 0.0, "kind": "KIND_UNSPECIFIED"},
        },
    }));
    let nested = |shelf: &str, books: &str| json!({"part": {"text": shelf, "part": {"text": books, "holds": true}}});
    json!({"group": [
        {"name": "values", "rpcs": ["All", "Inside", "Asked"], "requests": requests},
        {"name": "paths", "rpcs": ["Gone"], "requests": [{"name": "a b", "count": "-1"}, {"name": "a/b", "count": "0"}]},
        {"name": "nested", "rpcs": ["Nested"], "requests": [
            nested("shelves/one two", "books/a/b c"), nested("shelves/☃", "books"), nested("shelves/a:b", "books/a")]},
    ]})
}
