//! gRPC-Web, by its frames.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use contracts::tradewind::catalog::v1::{GetProductRequest, GetProductResponse};
use prost::Message;

use crate::shop::{Shop, header};

const BINARY: &str = "application/grpc-web+proto";
const TEXT: &str = "application/grpc-web-text";

/// The frames of a body, each with its flag.
fn frames(mut body: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut frames = Vec::new();
    while let Some(([flag, length @ ..], rest)) = body.split_first_chunk::<5>() {
        let (frame, after) = rest.split_at(u32::from_be_bytes(*length).try_into().unwrap());
        frames.push((*flag, frame.to_vec()));
        body = after;
    }
    assert!(body.is_empty(), "{body:?}");
    frames
}

fn framed(message: &impl Message) -> Vec<u8> {
    let message = message.encode_to_vec();
    [&[0][..], &u32::try_from(message.len()).unwrap().to_be_bytes(), &message].concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answers_last_frame_holds_its_trailers() {
    let shop = Shop::open().await;
    shop.list("assam").await;
    let request = framed(&GetProductRequest { product_id: "assam".to_owned() });
    let post = shop.client.post(shop.url("/tradewind.catalog.v1.CatalogService/GetProduct"));
    let post = post.header("content-type", BINARY).header("x-grpc-web", "1").body(request);
    let response = post.send().await.unwrap();
    assert_eq!((response.status().as_u16(), header(&response, "content-type")), (200, BINARY));
    let frames = frames(&response.bytes().await.unwrap());
    let [(0, message), (0x80, trailers)] = &frames[..] else { panic!("{frames:?}") };
    assert_eq!(GetProductResponse::decode(&message[..]).unwrap().product.unwrap().product_id, "assam");
    assert_eq!(String::from_utf8_lossy(trailers), "grpc-status:0\r\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_of_it_may_be_text() {
    let shop = Shop::open().await;
    shop.list("assam").await;
    let request = framed(&GetProductRequest { product_id: "assam".to_owned() });
    let (head, rest) = request.split_at(5);
    let body = STANDARD.encode(head) + &STANDARD.encode(rest);
    let post = shop.client.post(shop.url("/tradewind.catalog.v1.CatalogService/GetProduct"));
    let response = post.header("content-type", TEXT).body(body).send().await.unwrap();
    assert_eq!(header(&response, "content-type"), "application/grpc-web-text+proto");
    let text = response.text().await.unwrap();
    let mut plain = Vec::new();
    for part in text.split_inclusive('=').filter(|part| *part != "=") {
        plain.extend(
            STANDARD
                .decode(part.trim_end_matches('='))
                .or_else(|_| {
                    let whole = part.trim_end_matches('=').len().next_multiple_of(4);
                    STANDARD.decode(format!("{:=<whole$}", part.trim_end_matches('=')))
                })
                .unwrap(),
        );
    }
    assert_eq!(frames(&plain).len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_is_told_as_the_trailers_are() {
    let shop = Shop::open().await;
    let post = |method: &str| {
        let post = shop.client.post(shop.url(&format!("/tradewind.catalog.v1.CatalogService/{method}")));
        post.header("content-type", BINARY).body(framed(&GetProductRequest { product_id: "none".to_owned() }))
    };
    for (method, code) in [("GetProduct", "5"), ("CreateProduct", "16"), ("Nothing", "12")] {
        let response = post(method).send().await.unwrap();
        assert_eq!((response.status().as_u16(), header(&response, "content-type")), (200, BINARY));
        let status = header(&response, "grpc-status").to_owned();
        let body = response.bytes().await.unwrap();
        let told = if status.is_empty() {
            String::from_utf8_lossy(&frames(&body)[0].1).into_owned()
        } else {
            format!("grpc-status:{status}\r\n")
        };
        assert!(told.contains(&format!("grpc-status:{code}\r\n")), "{method}: {told}");
    }
}
