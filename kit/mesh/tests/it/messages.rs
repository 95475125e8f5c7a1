//! What is in a request before a handler sees it: bytes that are no message, texts that may not be, sizes and packing.

use std::io::{Read, Write};
use std::sync::atomic::Ordering;

use bytes::Bytes;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use http::{HeaderMap, Request};
use http_body::Body as _;
use http_body_util::{BodyExt, Full};
use tonic::body::Body;
use tonic::{Code, Status};
use tower::ServiceExt;
use tradewind_mesh::{Channel, reason, violations};

use crate::echo::{NAMED, ONCE, SAY};
use crate::world::{World, counted};

const HEALTH: &str = "/grpc.health.v1.Health/Check";

/// Calls a method with exactly these bytes, and returns the headers and the bytes of the answer, or its status.
async fn send(
    world: &World,
    path: &str,
    headers: &[(&'static str, &str)],
    body: Vec<u8>,
) -> Result<(HeaderMap, Bytes), Status> {
    send_over(&world.channel("operator"), path, headers, body).await
}

async fn send_over(
    channel: &Channel,
    path: &str,
    headers: &[(&'static str, &str)],
    body: Vec<u8>,
) -> Result<(HeaderMap, Bytes), Status> {
    let mut request = Request::post(path).header("content-type", "application/grpc").header("te", "trailers");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::new(Full::new(Bytes::from(body)))).unwrap();
    let response = channel.clone().oneshot(request).await?;
    let headers = response.headers().clone();
    let body = response.into_body().collect().await?;
    for found in [Some(&headers), body.trailers()].into_iter().flatten() {
        match Status::from_header_map(found) {
            Some(status) if status.code() != Code::Ok => return Err(status),
            _ => {}
        }
    }
    Ok((headers, body.to_bytes()))
}

fn framed(flag: u8, message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap();
    [&[flag], &length.to_be_bytes()[..], message].concat()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A message whose only text is this.
fn saying(text: &[u8]) -> Vec<u8> {
    let mut message = vec![0x0a];
    prost::encoding::encode_varint(text.len() as u64, &mut message);
    message.extend(text);
    message
}

#[tokio::test]
async fn what_cannot_be_decoded_is_the_callers_fault() {
    let world = World::start().await;
    let internal = counted("grpc.server.call.duration", "grpc.status", "INTERNAL");
    for body in [
        framed(0, &[0x0a, 0x02, 0xff, 0xfe]),
        framed(0, &[0x0a, 0x05, b'x']),
        framed(0, &[0x0a]),
        framed(0, &[0x08, 0x01]),
        framed(0, &[0x0b, 0x0c]),
        framed(0, &[0x0f]),
        framed(0, &[0x00]),
        framed(0, &[0xff; 11]),
        framed(0, &[0x13; 200]),
        framed(1, &[0x0a, 0x01, b'x']),
        framed(7, &[0x0a, 0x01, b'x']),
        framed(0, &saying(b"x"))[..6].to_vec(),
        [framed(0, &saying(b"x")), framed(0, &saying(b"y"))].concat(),
        b"none".to_vec(),
        Vec::new(),
    ] {
        for path in [SAY, HEALTH] {
            let refused = send(&world, path, &[], body.clone()).await.unwrap_err();
            assert_eq!(refused.code(), Code::InvalidArgument, "{path} {body:x?} {refused:?}");
            assert_eq!(reason(&refused).as_deref(), Some("REQUEST_UNDECODABLE"), "{path} {body:x?}");
        }
    }
    let refused = send(&world, SAY, &[("grpc-encoding", "gzip")], framed(1, b"not gzip")).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument, "{refused:?}");
    let refused = send(&world, SAY, &[("grpc-encoding", "snappy")], framed(1, b"snappy")).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unimplemented, "{refused:?}");
    assert_eq!(counted("grpc.server.call.duration", "grpc.status", "INTERNAL"), internal, "nothing alarms");
    assert_eq!(world.echo.calls.load(Ordering::SeqCst), 0, "no handler was reached");
    let unknown = [saying(b"fine"), vec![0x10, 0x01, 0x1a, 0x00]].concat();
    send(&world, SAY, &[], framed(0, &unknown)).await.expect("fields of a later contract are passed over");
}

#[tokio::test]
async fn a_text_that_holds_nul_or_is_too_long_is_refused_by_its_field() {
    let world = World::start().await;
    for (text, expected) in [
        ("\0".to_owned(), "INVALID_TEXT"),
        ("tea\0".to_owned(), "INVALID_TEXT"),
        ("x".repeat(513), "TEXT_TOO_LONG"),
        ("é".repeat(513), "TEXT_TOO_LONG"),
        ("x".repeat(4_000_000), "TEXT_TOO_LONG"),
    ] {
        let refused = send(&world, SAY, &[], framed(0, &saying(text.as_bytes()))).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_deref()), (Code::InvalidArgument, Some(expected)));
        assert_eq!(violations(&refused)[0].field, "value");
    }
    assert_eq!(world.echo.calls.load(Ordering::SeqCst), 0, "no handler was reached");
    for text in ["", "x", &"이".repeat(512)] {
        send(&world, SAY, &[], framed(0, &saying(text.as_bytes()))).await.unwrap();
    }
}

#[tokio::test]
async fn gzip_is_taken_and_given_to_whoever_asks() {
    let world = World::start().await;
    let headers = [("grpc-encoding", "gzip"), ("grpc-accept-encoding", "identity, gzip")];
    let long = saying("이".repeat(512).as_bytes());
    let (headers, body) = send(&world, SAY, &headers, framed(1, &gzip(&long))).await.unwrap();
    assert_eq!((headers["grpc-encoding"].as_bytes(), body[0]), (&b"gzip"[..], 1));
    let mut answer = Vec::new();
    GzDecoder::new(&body[5..]).read_to_end(&mut answer).unwrap();
    assert_eq!(answer, long);
    for asked in [("grpc-encoding", "identity"), ("grpc-accept-encoding", "deflate")] {
        let (_, body) = send(&world, SAY, &[asked], framed(0, &long)).await.unwrap();
        assert_eq!(body[..], framed(0, &long)[..], "{asked:?}");
    }
    send(&world, HEALTH, &[("grpc-encoding", "gzip")], framed(1, &gzip(&[]))).await.unwrap();
}

#[tokio::test]
async fn what_is_too_large_exhausts_a_limit_packed_or_not() {
    let world = World::start().await;
    let packed = [("grpc-encoding", "gzip")];
    let bomb = gzip(&vec![0; 200 << 20]);
    for (headers, body) in [
        (&[][..], framed(0, &vec![0; (4 << 20) + 1])),
        (&[][..], framed(0, &vec![0; 9 << 20])),
        (&[][..], vec![0, 0xff, 0xff, 0xff, 0xff]),
        (&packed[..], framed(1, &bomb)),
        (&packed[..], framed(1, &gzip(&vec![0; (4 << 20) + 1]))),
    ] {
        let refused = send(&world, SAY, headers, body).await.unwrap_err();
        assert_eq!(refused.code(), Code::ResourceExhausted, "{refused:?}");
        assert_eq!(reason(&refused).as_deref(), Some("REQUEST_TOO_LARGE"));
    }
    send(&world, SAY, &[], framed(0, &saying(b"x"))).await.unwrap();
}

#[tokio::test]
async fn a_refusal_ends_with_its_headers_whatever_packing_is_taken() {
    for accepted in ["identity", "identity, deflate, gzip"] {
        let world = World::start().await;
        let request = Request::post(ONCE).header("content-type", "application/grpc").header("te", "trailers");
        let request = request.header("grpc-accept-encoding", accepted);
        let body = Full::new(Bytes::from(framed(0, &saying(b"unavailable once"))));
        let response = world.channel("operator").oneshot(request.body(Body::new(body)).unwrap()).await.unwrap();
        assert_eq!(response.headers()["grpc-status"], "14", "{accepted}");
        assert!(response.body().is_end_stream(), "{accepted}: nothing comes behind the status");
    }
}

/// The text of such a request is its `request_id`, which comes back.
#[tokio::test]
async fn a_request_that_its_caller_packs_gets_a_name_and_is_repeated_as_any_other() {
    let world = World::start().await;
    let channel = world.channel("gateway");
    let packed = [("grpc-encoding", "gzip")];
    let id = async |message: &[u8]| {
        let (_, answer) = send_over(&channel, NAMED, &packed, framed(1, &gzip(message))).await.unwrap();
        String::from_utf8(answer[7..].to_vec()).unwrap()
    };
    assert_eq!(id(&saying(b"unavailable once")).await, "unavailable once");
    assert_eq!(world.echo.calls.load(Ordering::SeqCst), 2, "it has a name, and was sent again under it");
    let (first, second) = (id(b"").await, id(b"").await);
    assert!(first.len() == 36 && second.len() == 36 && first != second, "{first} {second}");
    // A method that takes none is sent what its caller has packed.
    let (_, answer) = send(&world, ONCE, &packed, framed(1, &gzip(&saying(b"hello")))).await.unwrap();
    assert_eq!(answer, framed(0, &saying(b"hello")));
}
