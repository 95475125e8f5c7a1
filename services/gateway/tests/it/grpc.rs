//! gRPC, passed through to a catalog.

use std::io::{Read, Write};

use contracts::tradewind::catalog::v1::catalog_service_client::CatalogServiceClient;
use contracts::tradewind::catalog::v1::{
    CreateProductRequest, GetProductRequest, ListProductsRequest, ListProductsResponse,
};
use contracts::tradewind::eventlog::v1::ReadLogRequest;
use contracts::tradewind::eventlog::v1::event_log_service_client::EventLogServiceClient;
use contracts::tradewind::ordering::v1::ListOrdersRequest;
use contracts::tradewind::ordering::v1::ordering_service_client::OrderingServiceClient;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use prost::Message;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request};
use tradewind_mesh::{reason, violations};

use crate::shop::{Shop, header};

async fn dial(shop: &Shop) -> Channel {
    Endpoint::from_shared(shop.url("")).unwrap().connect().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_is_passed_through_with_its_errors_details() {
    let shop = Shop::open().await;
    shop.list("assam").await;
    let mut client = CatalogServiceClient::new(dial(&shop).await);
    let product = |id: &str| GetProductRequest { product_id: id.to_owned() };
    let answer = client.get_product(product("assam")).await.unwrap();
    assert!(answer.metadata().contains_key("x-request-id"), "{:?}", answer.metadata());
    assert!(!answer.metadata().keys().any(|key| format!("{key:?}").contains("tradewind-")), "{:?}", answer.metadata());
    assert_eq!(answer.into_inner().product.unwrap().name, "Assam");
    let refused = client.get_product(product("none")).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_deref()), (Code::NotFound, Some("PRODUCT_NOT_FOUND")));
    let refused = client.get_product(product("Assam")).await.unwrap_err();
    assert_eq!(violations(&refused)[0].field, "product_id");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_may_be_packed_both_ways() {
    let shop = Shop::open().await;
    for number in 0..20 {
        shop.list(&format!("tea-{number}")).await;
    }
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(&ListProductsRequest { page_size: 50, ..Default::default() }.encode_to_vec()).unwrap();
    let packed = packed.finish().unwrap();
    let body = [&[1][..], &u32::try_from(packed.len()).unwrap().to_be_bytes(), &packed].concat();
    let http2 = tradewind_runtime::direct().http2_prior_knowledge().build().unwrap();
    let post = http2.post(shop.url("/tradewind.catalog.v1.CatalogService/ListProducts"));
    let post = post.header("content-type", "application/grpc").header("te", "trailers");
    let post = post.header("grpc-encoding", "gzip").header("grpc-accept-encoding", "gzip").body(body);
    let answer = post.send().await.unwrap();
    assert_eq!(header(&answer, "grpc-encoding"), "gzip");
    let answer = answer.bytes().await.unwrap();
    let mut plain = Vec::new();
    GzDecoder::new(&answer[5..]).read_to_end(&mut plain).unwrap();
    assert_eq!((answer[0], ListProductsResponse::decode(&plain[..]).unwrap().products.len()), (1, 20));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_not_call_is_told_in_grpc() {
    let shop = Shop::open().await;
    let channel = dial(&shop).await;
    let refused = CatalogServiceClient::new(channel.clone()).create_product(CreateProductRequest::default()).await;
    assert_eq!(refused.unwrap_err().code(), Code::Unauthenticated);
    let refused = OrderingServiceClient::new(channel.clone()).list_orders(ListOrdersRequest::default()).await;
    assert_eq!(refused.unwrap_err().code(), Code::Unauthenticated);
    let refused = EventLogServiceClient::new(channel.clone()).read_log(ReadLogRequest::default()).await.unwrap_err();
    assert_eq!((refused.code(), refused.details().len()), (Code::Unimplemented, 0), "{refused:?}");
    let mut request = Request::new(ListOrdersRequest::default());
    request.metadata_mut().insert("authorization", "Bearer nobody's".parse().unwrap());
    let refused = OrderingServiceClient::new(channel).list_orders(request).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_deref()), (Code::Unauthenticated, Some("TOKEN_MALFORMED")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deadline_is_kept_and_a_service_that_is_away_is_unavailable() {
    let mut shop = Shop::open().await;
    // A generated client would give up by itself.
    let http2 = tradewind_runtime::direct().http2_prior_knowledge().build().unwrap();
    let post = http2.post(shop.url("/tradewind.catalog.v1.CatalogService/ListProducts")).body(vec![0; 5]);
    let post = post.header("content-type", "application/grpc").header("grpc-timeout", "1n");
    assert_eq!(header(&post.send().await.unwrap(), "grpc-status"), "4");
    let mut client = CatalogServiceClient::new(dial(&shop).await);
    shop.catalog.stop();
    shop.catalog.wait().await.unwrap();
    let refused = client.list_products(ListProductsRequest::default()).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
    assert!(!refused.message().contains("127.0.0.1"), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_call_is_told_by_http() {
    let shop = Shop::open().await;
    let path = shop.url("/tradewind.catalog.v1.CatalogService/ListProducts");
    let post = |kind: &str| shop.client.post(&path).header("content-type", kind.to_owned()).body(vec![0; 5]);
    assert_eq!(post("application/grpc").send().await.unwrap().status().as_u16(), 505, "HTTP/1.1");
    let http2 = tradewind_runtime::direct().http2_prior_knowledge().build().unwrap();
    let post = |kind: &str| http2.post(&path).header("content-type", kind.to_owned()).body(vec![0; 5]);
    assert_eq!(post("application/grpc+json").send().await.unwrap().status().as_u16(), 415);
    assert_eq!(post("text/plain").send().await.unwrap().status().as_u16(), 415);
    let get = http2.get(&path).header("content-type", "application/grpc").send().await.unwrap();
    assert_eq!(get.status().as_u16(), 405);
}
