//! What is read here of others, as functions of bytes: `make fuzz` looks for an input that panics, takes long or does not come back as it
//! was read.

#![allow(clippy::expect_used, reason = "a target without what it reads with would see nothing")]

use std::net::IpAddr;
use std::sync::{Arc, LazyLock};

use bytes::{BufMut, Bytes, BytesMut};
use contracts::CONTRACT;
use contracts::tables::{Content, Field, Method};
use contracts::tradewind::options::v1::Audience;
use http::{HeaderMap, HeaderName, HeaderValue};
use prost_reflect::prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, ReflectMessage as _};
use serde_json::Value;
use tokio::runtime::Runtime;
use tradewind_calls::{deadline, form, message};
use tradewind_edge::Proxies;

use crate::framing::{self, ENCODING};
use crate::limits::{Limits, Rules};
use crate::methods::{self, Methods};
use crate::reading::HEAD;
use crate::refused::Refused;
use crate::request_id::RequestId;
use crate::streaming::Form;
use crate::web::Web;
use crate::who::{Issuers, Who};
use crate::{Metadata, Origins, etag};

type Target = (&'static str, fn(&[u8]));

/// Each by its name.
pub const TARGETS: &[Target] = &[
    ("rest", rest),
    ("rest-answers", rest_answers),
    ("requests", requests),
    ("grpc-web", grpc_web),
    ("forwarded", forwarded),
    ("headers", headers),
    ("edge-settings", edge_settings),
    ("shared-limits", shared_limits),
];

/// What is offered outside.
static OFFERED: LazyLock<Methods> = LazyLock::new(|| {
    let methods = methods::of_contract(|_| methods::nobody()).expect("the contract can be read");
    Methods::new(methods).expect("its routes can be told apart")
});

/// A request without its headers: `GET /v1/orders?page_size=7`, and its body on the lines that follow.
fn rest(bytes: &[u8]) {
    let (line, body) = first_line(bytes);
    let Some((http, target)) = str::from_utf8(line).ok().and_then(|line| line.split_once(' ')) else { return };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    match OFFERED.routed(http, path).and_then(|(found, _)| found.request(query, body).map(|message| (found, message))) {
        Err(refusal) => _ = Refused::from(refusal),
        Ok((found, message)) => {
            let bytes = message.encode_to_vec();
            let again = DynamicMessage::decode(message.descriptor(), bytes.as_slice());
            assert_eq!(again.ok().map(|again| again.encode_to_vec()).as_ref(), Some(&bytes));
            let declared = found.route.declared();
            if declared.body == "*" && !declared.template.contains('{') {
                let json = serde_json::to_vec(&message).unwrap_or_default();
                let again = found.request("", &json).ok().map(|again| again.encode_to_vec());
                assert_eq!(again, Some(bytes), "its JSON is another");
            }
        }
    }
}

/// Which route, and a message that answers. By whichever way it becomes JSON, it is the same.
fn rest_answers(bytes: &[u8]) {
    let Some((which, bytes)) = bytes.split_first() else { return };
    let routes: Vec<_> = OFFERED.routes().map(|(route, _)| route).collect();
    let Some(route) = routes.get(usize::from(*which) % routes.len().max(1)) else { return };
    let value = |json: Vec<u8>| serde_json::from_slice::<Value>(&json).ok();
    let long_way = DynamicMessage::decode(route.method().output(), bytes).ok();
    let long_way = long_way.and_then(|message| route.answer(&message).ok()).map(value);
    assert_eq!(route.answer_of(bytes).ok().map(value), long_way, "{route:?}");
}

/// What the contract has of calls, with the messages that they take.
static ASKED: LazyLock<Vec<(&Method, MessageDescriptor)>> = LazyLock::new(|| {
    let pool = DescriptorPool::decode(contracts::DESCRIPTOR).expect("the contract can be read");
    let input = |method: &'static Method| {
        let known = pool.services().flat_map(|service| service.methods().collect::<Vec<_>>());
        let mut known =
            known.filter(|known| method.path == format!("/{}/{}", known.parent_service().full_name(), known.name()));
        (method, known.next().expect("each method is in it").input())
    };
    CONTRACT.methods.iter().map(input).collect()
});

/// Which call, and its request. What is let through can be decoded, and what can be decoded is let through.
fn requests(bytes: &[u8]) {
    let Some((which, bytes)) = bytes.split_first() else { return };
    let Some((method, kind)) = ASKED.iter().cycle().nth(usize::from(*which)) else { return };
    let decoded = DynamicMessage::decode(kind.clone(), bytes);
    match form::check(method.request, bytes).map(|violations| violations.finish().is_ok()) {
        Err(malformed) => assert!(decoded.is_err(), "{malformed}"),
        Ok(false) => {}
        Ok(true) => {
            assert!(decoded.is_ok(), "{decoded:?}");
            method.request.fields.iter().for_each(|field| takes_a_text(field, bytes));
        }
    }
}

/// A text that is put into a request is what it says.
fn takes_a_text(field: &Field, message: &[u8]) {
    if field.repeated || !matches!(field.content, Content::Text { .. }) {
        return;
    }
    let mut framed = BytesMut::new();
    framed.put_bytes(0, HEAD);
    framed.put_slice(message);
    let put = form::with_text(&framed, field.tag, "put in").unwrap_or_default();
    assert_eq!(form::text(field.tag, put.get(HEAD..).unwrap_or_default()), "put in", "{}", field.name);
}

/// How it is written, and a body.
fn grpc_web(bytes: &[u8]) {
    let Some((how, body)) = bytes.split_first() else { return };
    let web = if how % 2 == 1 { Web::Text } else { Web::Binary };
    let mut headers = HeaderMap::new();
    headers.extend((how & 2 == 2).then_some((ENCODING, HeaderValue::from_static("gzip"))));
    let Ok(body) = web.read(Bytes::copy_from_slice(body)) else { return };
    assert_eq!(web.read(web.write(body.clone())).ok(), Some(body.clone()));
    if framing::is_one(&headers, &body).is_ok() {
        let _ = message::unpack(&mut headers, body);
    }
}

/// Networks of proxies, and what they say, each on a line.
fn forwarded(bytes: &[u8]) {
    let (networks, said) = first_line(bytes);
    let Some(proxies) = str::from_utf8(networks).ok().and_then(|text| Proxies::read(text).ok()) else { return };
    let said = said.split(|byte| *byte == b'\n').filter_map(|line| HeaderValue::from_bytes(line).ok());
    let headers = said.map(|said| (HeaderName::from_static("x-forwarded-for"), said)).collect();
    for peer in [[10, 0, 0, 1], [192, 0, 2, 1]].map(IpAddr::from) {
        let origin = proxies.origin(peer, &headers);
        assert!(origin == peer || proxies.trusts(peer), "somebody who is not trusted speaks for {origin}");
        assert_eq!(origin, origin.to_canonical());
    }
}

/// Nobody is trusted.
static WHO: LazyLock<(Runtime, Who)> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("there are threads");
    let who = {
        let _within = runtime.enter();
        Who::trusting(Vec::new())
    };
    (runtime, who)
});

/// `NAME: VALUE` on each line.
fn headers(bytes: &[u8]) {
    let lines = bytes.split(|byte| *byte == b'\n').filter_map(|line| {
        let at = line.windows(2).position(|pair| pair == b": ")?;
        Some((HeaderName::from_bytes(&line[..at]).ok()?, HeaderValue::from_bytes(&line[at + 2..]).ok()?))
    });
    let headers = lines.take(100).collect::<HeaderMap>();
    assert!((1..=128).contains(&RequestId::of(&headers).text().len()));
    let _ = etag::of(bytes).map(|mark| etag::has(&headers, &mark));
    let _ = (Form::accepted(&headers), deadline::asked(&headers), message::takes_gzip(&headers));
    let mut passed = HeaderMap::new();
    Metadata::beginning(["x-", "t"]).pass(&headers, &mut passed);
    assert!(passed.keys().all(|name| !name.as_str().starts_with("tradewind-")));
    let (runtime, who) = &*WHO;
    let user = runtime.block_on(who.user(Audience::Customer, &headers));
    assert!(!matches!(user, Ok(Some(_))), "nobody has vouched for anybody");
}

/// Which setting, and its text.
fn edge_settings(bytes: &[u8]) {
    let Some((which, text)) = bytes.split_first() else { return };
    let Ok(text) = str::from_utf8(text) else { return };
    match which % 4 {
        0 => _ = Rules::read(text),
        1 => _ = Origins::read(text),
        2 => _ = Issuers::read(text),
        _ => _ = Proxies::read(text),
    }
}

static LIMITS: LazyLock<Arc<Limits>> = LazyLock::new(|| Limits::new(Rules::default()));

/// What another replica tells.
fn shared_limits(bytes: &[u8]) {
    LIMITS.hear(Bytes::copy_from_slice(bytes));
    if let Some(words) = LIMITS.words() {
        LIMITS.hear(words);
    }
}

fn first_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    (&bytes[..end], bytes.get(end + 1..).unwrap_or_default())
}

#[cfg(test)]
#[path = "../../../fuzz/replay.rs"]
mod replay;
