//! REST with JSON, in front of a catalog.

use serde_json::{Value, json};

use crate::shop::{DEADLINE, Shop, header, json, told};

/// What is said of a field of the request.
const OF_A_FIELD: [&str; 3] = ["INVALID_PRODUCT_ID", "INVALID_FIELD", "PAGE_SIZE_OUT_OF_RANGE"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_public_is_answered_as_json() {
    let shop = Shop::open().await;
    for id in ["assam", "ceylon", "darjeeling"] {
        shop.list(id).await;
    }
    let response = shop.get("/v1/products/assam").send().await.unwrap();
    assert_eq!((response.status().as_u16(), header(&response, "content-type")), (200, "application/json"));
    assert_eq!((header(&response, "cache-control"), header(&response, "x-request-id").len()), ("no-cache", 36));
    let product = json(response).await["product"].clone();
    assert_eq!(
        (&product["productId"], &product["price"]),
        (&json!("assam"), &json!({"currency": "GBP", "minor": "450"}))
    );

    let (status, page) = told(shop.get("/v1/products?pageSize=2")).await;
    assert_eq!((status, page["products"].as_array().unwrap().len()), (200, 2));
    let token = page["nextPageToken"].as_str().unwrap();
    let (_, page) = told(shop.get("/v1/products").query(&[("page_token", token)])).await;
    assert_eq!(page["products"][0]["productId"], "darjeeling");

    let head = shop.client.head(shop.url("/v1/products/assam")).send().await.unwrap();
    assert_eq!((head.status().as_u16(), header(&head, "content-length").is_empty()), (200, false));
    let metrics = shop.metrics().await;
    assert!(metrics.contains("http_server_request_duration_seconds_count{"), "{metrics}");
    assert!(metrics.contains("http_server_active_requests"), "{metrics}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_mistake_has_its_status_and_says_what_it_is() {
    let shop = Shop::open().await;
    let post = |path: &str| shop.client.post(shop.url(path));
    let rows = [
        (shop.get("/v1/products/none"), 404, "NOT_FOUND", "PRODUCT_NOT_FOUND"),
        (shop.get("/v1/products/Assam"), 400, "INVALID_ARGUMENT", "INVALID_PRODUCT_ID"),
        (shop.get("/v1/products?pageSize=many"), 400, "INVALID_ARGUMENT", "INVALID_FIELD"),
        (shop.get("/v1/products?size=1"), 400, "INVALID_ARGUMENT", "INVALID_FIELD"),
        (shop.get("/v1/products?pageSize=-1"), 400, "INVALID_ARGUMENT", "PAGE_SIZE_OUT_OF_RANGE"),
        (shop.get("/v1/products/%ff"), 400, "INVALID_ARGUMENT", "MALFORMED_PATH"),
        (shop.get("/v2/products"), 404, "NOT_FOUND", "NO_ROUTE"),
        (shop.get("/"), 404, "NOT_FOUND", "NO_ROUTE"),
        (shop.client.delete(shop.url("/v1/products/assam")), 405, "UNIMPLEMENTED", "METHOD_NOT_ALLOWED"),
        (shop.get("/v1/products").body("{}"), 415, "INVALID_ARGUMENT", "CONTENT_TYPE"),
        (
            shop.get("/v1/products").header("content-type", "application/json").body("{}"),
            400,
            "INVALID_ARGUMENT",
            "UNEXPECTED_BODY",
        ),
        (shop.get("/v1/orders").bearer_auth("nobody's"), 401, "UNAUTHENTICATED", "TOKEN_MALFORMED"),
        (post("/tradewind.eventlog.v1.EventLogService/ReadLog"), 404, "NOT_FOUND", "NO_ROUTE"),
    ];
    for (request, http, status, reason) in rows {
        let (said, told) = told(request.header("x-request-id", "ticket-1")).await;
        let error = &told["error"];
        let details = error["details"].as_array().unwrap();
        let detail =
            |kind: &str| details.iter().find(|each| each["@type"] == format!("type.googleapis.com/google.rpc.{kind}"));
        assert_eq!((said, &error["code"], &error["status"]), (http, &json!(http), &json!(status)), "{told}");
        assert_eq!(detail("ErrorInfo").unwrap()["reason"], reason, "{told}");
        assert_eq!(detail("RequestInfo").unwrap()["requestId"], "ticket-1", "{told}");
        assert_eq!(detail("BadRequest").is_some(), OF_A_FIELD.contains(&reason), "{told}");
        let missing = detail("ResourceInfo").map(|it| (it["resourceType"].clone(), it["resourceName"].clone()));
        let product = || (json!("tradewind.catalog.v1.Product"), json!("none"));
        assert_eq!(missing, (reason == "PRODUCT_NOT_FOUND").then(product), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_says_in_its_headers_what_would_do() {
    let shop = Shop::open().await;
    let refused = shop.client.delete(shop.url("/v1/products/assam")).send().await.unwrap();
    assert_eq!(header(&refused, "allow"), "GET");
    let refused = shop.get("/v1/orders").bearer_auth("nobody's").send().await.unwrap();
    assert_eq!(header(&refused, "www-authenticate"), "Bearer error=\"invalid_token\"");
    let refused = shop.get("/v1/orders").send().await.unwrap();
    assert_eq!((refused.status().as_u16(), header(&refused, "www-authenticate")), (401, "Bearer"));
    let asked = shop.client.request(reqwest::Method::OPTIONS, shop.url("/v1/products")).send().await.unwrap();
    assert_eq!((asked.status().as_u16(), header(&asked, "allow")), (204, "GET, POST"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_somebody_has_is_not_sent_again_until_it_changes() {
    let shop = Shop::open().await;
    shop.list("assam").await;
    let first = shop.get("/v1/products").send().await.unwrap();
    let mark = header(&first, "etag").to_owned();
    let again = shop.get("/v1/products").header("if-none-match", &mark).send().await.unwrap();
    assert_eq!((again.status().as_u16(), header(&again, "etag")), (304, mark.as_str()));
    assert_eq!(again.bytes().await.unwrap().len(), 0);
    shop.list("ceylon").await;
    let changed = shop.get("/v1/products").header("if-none-match", &mark).send().await.unwrap();
    assert_eq!(changed.status().as_u16(), 200);
    assert_ne!(header(&changed, "etag"), mark);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_answer_is_packed_for_whoever_takes_that() {
    let shop = Shop::open().await;
    for number in 0..20 {
        shop.list(&format!("tea-{number}")).await;
    }
    let plain = shop.get("/v1/products").send().await.unwrap();
    assert_eq!((header(&plain, "content-encoding"), header(&plain, "vary")), ("", "accept-encoding"));
    let plain = plain.bytes().await.unwrap();
    let packed = shop.get("/v1/products").header("accept-encoding", "br, gzip;q=0.5").send().await.unwrap();
    assert_eq!(header(&packed, "content-encoding"), "gzip");
    let packed = packed.bytes().await.unwrap();
    let mut unpacked = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&packed[..]), &mut unpacked).unwrap();
    assert!(packed.len() < plain.len() / 2 && unpacked == plain, "{} of {}", packed.len(), plain.len());
    let refused = shop.get("/v1/products").header("accept-encoding", "gzip;q=0").send().await.unwrap();
    assert_eq!(header(&refused, "content-encoding"), "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_is_away_is_503_and_nobody_learns_where_it_was() {
    let mut shop = Shop::open().await;
    shop.catalog.stop();
    shop.catalog.wait().await.unwrap();
    let (status, told) = told(shop.get("/v1/products")).await;
    assert_eq!((status, &told["error"]["status"]), (503, &json!("UNAVAILABLE")), "{told}");
    assert!(!told.to_string().contains("127.0.0.1"), "{told}");
    let ready = shop.client.get(format!("http://{}/health/ready", shop.gateway.admin_addr())).send().await.unwrap();
    assert_eq!(json(ready).await, json!({ "ready": true, "checks": { "identity": { "ok": true } } }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_is_told_to_stop_does() {
    let mut shop = Shop::open().await;
    assert_eq!(told(shop.get("/v1/products")).await, (200, Value::Object(serde_json::Map::new())));
    shop.gateway.stop();
    tokio::time::timeout(DEADLINE, shop.gateway.wait()).await.unwrap().unwrap();
    assert!(shop.get("/v1/products").send().await.is_err(), "nothing listens after the end");
}
