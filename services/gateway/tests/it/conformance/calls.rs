//! Own calls of the kinds that Connect's suites have: each by gRPC and by gRPC-Web.

use std::sync::Arc;

use bytes::Bytes;
use contracts::tradewind::options::v1::Audience;
use futures::stream;
use gateway::{Caller, Metadata, Offer, Upstream};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use reqwest::{Client, ClientBuilder};
use tonic::Status;
use tonic::body::Body;

use super::Front;
use super::public::compiled;

const PROTO: &str = r#"
syntax = "proto3";
package echo.v1;
message Note { string text = 1; }
service EchoService {
    rpc Say(Note) returns (Note);
    rpc Watch(Note) returns (stream Note);
    rpc Gather(stream Note) returns (stream Note);
}
"#;
const ONE: &[u8] = &[0, 0, 0, 0, 3, 0x0a, 1, b'a'];
const UNKNOWN: &str = "grpc-status:12";
const INTERNAL: &str = "grpc-status:13";

/// Answers with what it was sent, and says behind it which `x-` headers it has heard.
async fn echo(request: Request<Body>) -> Response<Body> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let mut ended = HeaderMap::new();
    Status::ok("").add_header(&mut ended).unwrap();
    for (name, value) in head.headers.iter().filter(|(name, _)| name.as_str().starts_with("x-")) {
        ended.append(HeaderName::try_from(format!("x-heard-{name}")).unwrap(), value.clone());
    }
    ended.insert("tradewind-said", HeaderValue::from_static("inside"));
    let length = body.len();
    let frames = [Frame::data(body), Frame::trailers(ended)].map(Ok::<_, Status>);
    let mut response = Response::new(Body::new(StreamBody::new(stream::iter(frames))));
    // Some say how long the body is that they know whole; it is not what goes out in gRPC-Web.
    response.headers_mut().insert("content-length", HeaderValue::from(length));
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
    response.headers_mut().insert("x-first", HeaderValue::from_static("said"));
    response
}

fn front(metadata: Metadata) -> Front {
    let pool = compiled(PROTO);
    let upstream: Upstream = Arc::new(|request, _: Caller| Box::pin(async { Ok(echo(request).await) }));
    let service = pool.get_service_by_name("echo.v1.EchoService").unwrap();
    let offer = |descriptor| Offer { descriptor, audience: Audience::Public, upstream: upstream.clone() };
    Front::open(service.methods().map(offer).collect(), metadata)
}

/// How a caller speaks: its client, its media type, and whether the end is in the body.
fn ways() -> [(&'static str, Client, &'static str); 3] {
    let client = |change: fn(ClientBuilder) -> ClientBuilder| change(tradewind_runtime::direct()).build().unwrap();
    [
        ("gRPC", client(ClientBuilder::http2_prior_knowledge), "application/grpc+proto"),
        ("gRPC-Web over HTTP/1.1", client(ClientBuilder::http1_only), "application/grpc-web+proto"),
        ("gRPC-Web over HTTP/2", client(ClientBuilder::http2_prior_knowledge), "application/grpc-web+proto"),
    ]
}

/// All that an answer says, in lines: its headers, its body, its trailers.
async fn told(response: reqwest::Response) -> (Bytes, String) {
    let mut lines = lines(response.headers());
    let body = http::Response::<reqwest::Body>::from(response).into_body().collect().await.unwrap();
    lines += &body.trailers().map(self::lines).unwrap_or_default();
    let bytes = body.to_bytes();
    lines += &String::from_utf8_lossy(&bytes);
    (bytes, lines)
}

fn lines(headers: &HeaderMap) -> String {
    headers.iter().map(|(name, value)| format!("{name}:{}\r\n", value.to_str().unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_breaks_the_protocol_is_told_as_the_protocol_has_it() {
    let front = front(Metadata::default());
    let (two, packed) = ([ONE, ONE].concat(), [&[1], &ONE[1..]].concat());
    let rows = [
        ("Say", None, ONE, "grpc-status:0"),
        ("Watch", None, ONE, "grpc-status:0"),
        ("Gather", None, &two, "grpc-status:0"),
        ("Gather", None, &[], "grpc-status:0"),
        ("Say", Some("identity"), ONE, "grpc-status:0"),
        ("Say", None, &[], UNKNOWN),
        ("Watch", None, &[], UNKNOWN),
        ("Say", None, &two, UNKNOWN),
        ("Watch", None, &two, UNKNOWN),
        ("Say", Some("zstd"), ONE, UNKNOWN),
        ("Nothing", None, ONE, UNKNOWN),
        ("Say", None, &packed, INTERNAL),
        ("Watch", Some("identity"), &packed, INTERNAL),
        ("Say", None, &ONE[..3], INTERNAL),
        ("Say", None, &ONE[..6], INTERNAL),
    ];
    for (way, client, kind) in ways() {
        for (method, encoding, body, end) in rows {
            let post = client.post(format!("http://{}/echo.v1.EchoService/{method}", front.address));
            let mut post = post.header("content-type", kind).header("te", "trailers").body(body.to_vec());
            if let Some(encoding) = encoding {
                post = post.header("grpc-encoding", encoding);
            }
            let (_, told) = told(post.send().await.unwrap()).await;
            assert!(told.contains(&format!("{end}\r\n")), "{way}: {method} {encoding:?} {body:?}: {told}");
            assert!(!told.contains("grpc-status-details-bin"), "{way}: {method} {body:?}: {told}");
        }
        for (kind, status) in [("text/plain", 415), ("application/json", 415), ("application/grpc-web+foo", 415)] {
            let post = client.post(format!("http://{}/echo.v1.EchoService/Say", front.address));
            let answered = post.header("content-type", kind).body(ONE.to_vec()).send().await.unwrap();
            assert_eq!(answered.status().as_u16(), status, "{way}: {kind}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_said_beside_a_message_is_passed_on_where_it_is_named() {
    let (open, closed) = (front(Metadata::beginning(["x-"])), front(Metadata::default()));
    for (way, client, kind) in ways() {
        let rows = [(&open, "Say", true), (&open, "Watch", true), (&closed, "Say", false), (&closed, "Watch", false)];
        for (front, method, is_heard) in rows {
            let post = client.post(format!("http://{}/echo.v1.EchoService/{method}", front.address));
            let post = post.header("content-type", kind).header("te", "trailers").header("tradewind-user", "me");
            let post = post.header("x-own", "one").header("x-own", "two").body(ONE);
            let (body, told) = told(post.send().await.unwrap()).await;
            let place = format!("{way}: {method}: {told}");
            assert!(body.starts_with(ONE) && told.contains("grpc-status:0\r\n"), "{place}");
            assert!(told.contains("x-first:said\r\n") && !told.contains("tradewind-"), "{place}");
            let heard = ["one", "two"].map(|value| told.contains(&format!("x-heard-x-own:{value}\r\n")));
            assert_eq!(heard, [is_heard; 2], "{place}");
        }
    }
}
