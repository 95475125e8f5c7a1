//! Pages of other origins (CORS).

use reqwest::Method;

use crate::shop::{Shop, header};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_may_call_where_its_origin_is_named_and_no_other() {
    let shop = Shop::open_with(|settings| settings.with("cors_origins", "https://shop.example")).await;
    let path = "/tradewind.catalog.v1.CatalogService/ListProducts";
    let preflight = |origin: &str| {
        let asked = shop.client.request(Method::OPTIONS, shop.url(path)).header("origin", origin.to_owned());
        asked.header("access-control-request-method", "POST").header("access-control-request-headers", "x-grpc-web")
    };
    let allowed = preflight("https://shop.example").send().await.unwrap();
    assert_eq!(allowed.status().as_u16(), 204);
    assert_eq!(header(&allowed, "access-control-allow-origin"), "https://shop.example");
    for needed in ["x-grpc-web", "authorization", "content-type", "grpc-timeout"] {
        assert!(header(&allowed, "access-control-allow-headers").split(", ").any(|each| each == needed), "{needed}");
    }
    assert!(header(&allowed, "access-control-allow-methods").contains("POST"));
    let refused = preflight("https://other.example").send().await.unwrap();
    assert_eq!((refused.status().as_u16(), header(&refused, "access-control-allow-origin")), (403, ""));

    let read = shop.get("/v1/products").header("origin", "https://shop.example").send().await.unwrap();
    assert_eq!(header(&read, "access-control-allow-origin"), "https://shop.example");
    let (of_grpc, of_limits) =
        (["grpc-status", "grpc-message", "grpc-status-details-bin"], ["retry-after", "ratelimit", "ratelimit-policy"]);
    for needed in of_grpc.into_iter().chain(["x-request-id", "etag"]).chain(of_limits) {
        assert!(header(&read, "access-control-expose-headers").split(", ").any(|each| each == needed), "{needed}");
    }
    let other = shop.get("/v1/products").header("origin", "https://other.example").send().await.unwrap();
    assert_eq!(header(&other, "access-control-allow-origin"), "");
    assert!(other.headers().get_all("vary").iter().any(|vary| vary == "origin"));
}
