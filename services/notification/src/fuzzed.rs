//! What is read here of others, as functions of bytes: `make fuzz` looks for an input that panics, takes long or does not come back as it
//! was read.

use std::net::IpAddr;
use std::time::Duration;

use contracts::tables::EVENTS;
use prost::Message;
use time::OffsetDateTime;

use crate::grpc::fuzzed::{notification_requests, webhook_requests};
use crate::mail::{Letter, Written, message};
use crate::reactions::{name, of_key};
use crate::webhooks::{address::Networks, body, post};

type Target = (&'static str, fn(&[u8]));

/// Each by its name.
pub const TARGETS: &[Target] = &[
    ("notification-requests", notification_requests),
    ("webhook-requests", webhook_requests),
    ("webhook-rests", rests),
    ("webhook-bodies", bodies),
    ("networks", networks),
    ("letter-keys", letter_keys),
    ("stored-letters", stored_letters),
];

/// The headers of a letter.
const HEAD: [&str; 8] =
    ["Message-ID", "Date", "From", "To", "Subject", "Content-Type", "Content-Transfer-Encoding", "MIME-Version"];

/// How long a receiver asks to be left alone: what any server on the network may say.
fn rests(bytes: &[u8]) {
    let Ok(said) = str::from_utf8(bytes) else { return };
    let now = OffsetDateTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let Some(rest) = post::rest(said, now) else { return };
    assert!(rest <= post::LONGEST_REST, "{rest:?}");
}

/// Which event, and its bytes. What is told of it is JSON.
fn bodies(bytes: &[u8]) {
    let Some((which, payload)) = bytes.split_first() else { return };
    let Some(event) = EVENTS.get(usize::from(*which) % EVENTS.len()) else { return };
    let time = OffsetDateTime::UNIX_EPOCH;
    let event =
        body::Event { type_name: event.name, id: "7", subject: "order", position: 1, time, traceparent: "", payload };
    let Ok(told) = body::of(&event) else { return };
    assert!(serde_json::from_str::<serde_json::Value>(&told).is_ok(), "{told}");
}

/// Networks on the first line, an address on the next.
fn networks(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let (networks, address) = text.split_once('\n').unwrap_or((text, "127.0.0.1"));
    let (Ok(networks), Ok(address)) = (Networks::read(networks), address.parse::<IpAddr>()) else { return };
    assert_eq!(networks.contain(address), networks.contain(address.to_canonical()), "{networks:?} {address}");
}

fn letter_keys(bytes: &[u8]) {
    let Ok(key) = str::from_utf8(bytes) else { return };
    let Some((about, kind)) = of_key(key) else { return };
    assert_eq!(format!("{about}/{}", name(kind)), key);
}

/// What is kept of a letter. Nothing that it says is another line of its head.
fn stored_letters(bytes: &[u8]) {
    let Ok(written) = Written::decode(bytes) else { return };
    let letter = Letter::new("mail/7/confirmed".to_owned(), written);
    let Ok(from) = "orders@tradewind.local".parse() else { return };
    let Some(sent) = letter.has_safe_head().then(|| message(&letter, &from)).flatten() else { return };
    let sent = sent.formatted();
    let head = String::from_utf8_lossy(&sent);
    let head = head.split_once("\r\n\r\n").map_or_else(|| head.as_ref(), |(head, _)| head);
    for line in head.split("\r\n").filter(|line| !line.starts_with([' ', '\t'])) {
        assert!(line.split_once(": ").is_some_and(|(name, _)| HEAD.contains(&name)), "{line:?}");
    }
}

#[cfg(test)]
#[path = "../../../fuzz/replay.rs"]
mod replay;
