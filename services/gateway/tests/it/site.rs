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
    let paths = document["paths"].as_object().unwrap().values();
    let operations: Vec<_> = paths.flat_map(|path| path.as_object().unwrap().values()).collect();
    let said: BTreeSet<_> = operations.iter().map(|operation| operation["x-grpc"].as_str().unwrap()).collect();
    let outside = METHODS
        .iter()
        .filter(|method| matches!(method.audience, Audience::Public | Audience::Customer | Audience::Staff));
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
    assert_eq!(size["description"], "The most to return, up to 1000; 0 means 100.");
    assert_eq!((&size["in"], &size["schema"]["type"]), (&json!("query"), &json!("integer")));
    assert_eq!(list["security"], json!([{}, { "bearer": [] }]));
    let product = &document["components"]["schemas"]["tradewind.catalog.v1.Product"]["properties"];
    assert_eq!(product["description"]["maxLength"], 2000);
    assert_eq!(product["createTime"]["format"], "date-time");
    let watch = &document["paths"]["/v1/orders/{order_id}:watch"]["get"]["responses"]["200"]["content"];
    assert_eq!(watch["application/json"]["schema"]["type"], "array");
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
