//! What the gateway tells of itself: the document and the page.

use std::collections::BTreeSet;

use contracts::tables::METHODS;
use contracts::tradewind::options::v1::Audience;
use reqwest::Response;
use serde_json::{Value, json};

use crate::shop::{Shop, header, json as whole, told};

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_document_has_every_method_that_is_for_somebody_outside_and_no_other() {
    let shop = Shop::open().await;
    let (status, document) = told(shop.get("/openapi.json")).await;
    assert_eq!((status, &document["openapi"]), (200, &json!("3.1.0")));
    let bytes = shop.get("/openapi.json").send().await.unwrap().text().await.unwrap();
    assert_eq!(bytes, gateway::openapi().unwrap().to_string(), "it is told the same where nothing runs");
    let paths = document["paths"].as_object().unwrap().values();
    let operations: Vec<_> = paths.flat_map(|path| path.as_object().unwrap().values()).collect();
    let said: BTreeSet<_> = operations.iter().map(|operation| operation["x-grpc"].as_str().unwrap()).collect();
    // What staff do in the console alone is nobody's to call here.
    let outside = METHODS.iter().filter(|method| {
        let is_for_people = matches!(method.audience, Audience::Public | Audience::Customer | Audience::Staff);
        is_for_people && method.callers.contains(&"gateway")
    });
    assert_eq!(said, outside.map(|method| method.path).collect());
    let ids: BTreeSet<_> = operations.iter().map(|operation| &operation["operationId"]).map(Value::to_string).collect();
    assert_eq!(ids.len(), operations.len(), "each operation has a name of its own");
    for operation in operations {
        assert!(!operation["description"].as_str().unwrap().is_empty(), "{operation}");
    }
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some_and(Value::is_object), "{reference} is not there");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operation_says_what_it_takes_in_the_contracts_words() {
    let shop = Shop::open().await;
    let (_, document) = told(shop.get("/openapi.json")).await;
    let reprice = &document["paths"]["/v1/products/{product_id}:reprice"]["post"];
    let names: Vec<_> = reprice["parameters"].as_array().unwrap().iter().map(|each| &each["name"]).collect();
    assert_eq!(names, [&json!("product_id"), &json!("Idempotency-Key")]);
    let schema = &reprice["requestBody"]["content"]["application/json"]["schema"];
    let fields: Vec<_> = schema["properties"].as_object().unwrap().keys().collect();
    assert_eq!(fields, ["price", "requestId"], "what the path says, the body does not");
    assert_eq!(reprice["security"], json!([{ "bearer": [] }]));
    let list = &document["paths"]["/v1/products"]["get"];
    let size = list["parameters"].as_array().unwrap().iter().find(|each| each["name"] == "pageSize").unwrap();
    assert_eq!(size["description"], "The most to return: 100 where it is 0, and 1000 where it is more.");
    assert_eq!((&size["in"], &size["schema"]["type"]), (&json!("query"), &json!("integer")));
    assert_eq!(list["security"], json!([{}, { "bearer": [] }]));
    let schemas = &document["components"]["schemas"];
    let (asked, answered) = (&schemas["tradewind.catalog.v1.Product.Input"], &schemas["tradewind.catalog.v1.Product"]);
    assert_eq!(asked["properties"]["description"]["maxLength"], 2000);
    assert_eq!(answered["properties"]["createTime"]["format"], "date-time");
    let watch = &document["paths"]["/v1/orders/{order_id}:watch"]["get"]["responses"]["200"]["content"];
    assert_eq!(watch["application/json"]["schema"]["type"], "array");
}

/// The schema of what a request may be, by protobuf's JSON mapping.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_asked_may_have_any_form_that_is_read_and_what_is_answered_has_one() {
    let shop = Shop::open().await;
    let (_, document) = told(shop.get("/openapi.json")).await;
    let schemas = &document["components"]["schemas"];
    let money = &schemas["tradewind.money.v1.Money.Input"];
    assert_eq!(money["required"], json!(["currency"]));
    let minor = &money["properties"]["minor"];
    assert_eq!((&minor["type"], &minor["minimum"]), (&json!(["integer", "string", "null"]), &json!(0)));
    assert!(minor["pattern"].as_str().unwrap().starts_with("^"), "{minor}");
    let answered = &schemas["tradewind.money.v1.Money"];
    assert_eq!(answered["properties"]["minor"]["type"], "string");
    assert_eq!(answered.get("required"), None, "what holds nothing is left out");
    let product = &schemas["tradewind.catalog.v1.Product.Input"];
    assert_eq!(product["required"], json!(["productId", "sku", "name", "price"]));
    assert_eq!(product["properties"]["productId"]["pattern"], "^([a-z0-9][a-z0-9-]{0,62})$");
    assert_eq!(product["properties"]["price"]["properties"]["minor"]["minimum"], 1, "nothing is for free");
    let order = &document["paths"]["/v1/orders"]["post"]["requestBody"];
    assert_eq!(order["required"], true);
    let order = &order["content"]["application/json"]["schema"];
    assert_eq!(order["required"], json!(["recipient", "lines", "paymentToken"]));
    assert_eq!(order["properties"]["requestId"]["pattern"], "^([!-~]{1,64})?$");
    let lines = &order["properties"]["lines"];
    assert_eq!((&lines["minItems"], &lines["maxItems"]), (&json!(1), &json!(1000)));
    let role = "/v1/accounts/{account_id}:grantRole";
    let role = &document["paths"][role]["post"]["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(role["properties"]["role"]["enum"], json!(["ROLE_STAFF", 1]));
    let account = &document["paths"]["/v1/accounts/{account_id}"]["get"]["parameters"][0];
    assert_eq!((&account["required"], &account["schema"]["format"]), (&json!(true), &json!("uuid")));
}

/// Every status has a schema, and says which headers come along.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operation_says_what_it_can_be_answered() {
    let shop = Shop::open().await;
    let (_, document) = told(shop.get("/openapi.json")).await;
    let answers = |path: &str, http: &str| {
        let answers = document["paths"][path][http]["responses"].as_object().unwrap();
        answers.keys().map(|status| status.parse::<u16>().unwrap()).collect::<Vec<_>>()
    };
    let all = [200, 304, 400, 401, 403, 404, 408, 413, 414, 415, 429, 431, 500, 501, 503, 504];
    assert_eq!(answers("/v1/orders/{order_id}", "get"), all);
    let anybody = all.iter().copied().filter(|status| ![401, 403].contains(status));
    assert_eq!(answers("/v1/products", "get"), anybody.collect::<Vec<_>>(), "no token is looked at");
    let log_in = answers("/v1/sessions", "post");
    assert!(log_in.contains(&401) && !log_in.contains(&403) && !log_in.contains(&304), "{log_in:?}");
    assert!(answers("/v1/products", "post").contains(&409));
    let answers = &document["components"]["responses"];
    assert_eq!(answers["Unauthorized"]["headers"]["www-authenticate"]["required"], true);
    assert_eq!(answers["TooManyRequests"]["headers"]["retry-after"]["schema"]["type"], "integer");
    assert_eq!(answers["NotModified"].get("content"), None);
    let watch = &document["paths"]["/v1/orders/{order_id}:watch"]["get"]["responses"]["200"]["content"];
    let kinds: Vec<_> = watch.as_object().unwrap().keys().collect();
    assert_eq!(kinds, ["application/json", "application/x-ndjson", "text/event-stream"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_has_all_it_needs_and_may_ask_nobody_else() {
    let shop = Shop::open().await;
    let text = async |path: &str| -> (Response, String) {
        let response = shop.get(path).send().await.unwrap();
        assert_eq!(response.status().as_u16(), 200, "{path}");
        let text = shop.get(path).send().await.unwrap().text().await.unwrap();
        (response, text)
    };
    let (response, page) = text("/docs").await;
    assert_eq!(header(&response, "content-type"), "text/html; charset=utf-8");
    let policy = header(&response, "content-security-policy");
    assert!(policy.starts_with("default-src 'none'; script-src 'self';") && !policy.contains("unsafe"), "{policy}");
    let named = page.split('"').filter(|text| text.starts_with('/'));
    for path in named {
        text(path).await;
    }
    for (_, text) in [text("/docs").await, text("/docs/page.js").await, text("/docs/page.css").await] {
        assert!(!text.contains("://"), "it names nobody else");
    }
    let mark = header(&response, "etag").to_owned();
    assert_eq!(shop.get("/docs").header("if-none-match", mark).send().await.unwrap().status().as_u16(), 304);
    let refused = shop.client.post(shop.url("/docs")).send().await.unwrap();
    assert_eq!(whole(refused).await["error"]["status"], "NOT_FOUND");
}
