//! What is read here of others, as functions of bytes: `make fuzz` looks for an input that panics, takes long or does not come back as it
//! was read.

use std::net::IpAddr;
use std::time::Duration;

use time::OffsetDateTime;

use crate::grpc::webhook_requests;
use crate::reactions::{name, of_key};
use crate::webhooks::{address::Networks, post};

type Target = (&'static str, fn(&[u8]));

/// Each by its name.
pub const TARGETS: &[Target] = &[
    ("webhook-requests", webhook_requests),
    ("webhook-rests", rests),
    ("networks", networks),
    ("letter-keys", letter_keys),
];

/// How long a receiver asks to be left alone: what any server on the network may say.
fn rests(bytes: &[u8]) {
    let Ok(said) = str::from_utf8(bytes) else { return };
    let now = OffsetDateTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let Some(rest) = post::rest(said, now) else { return };
    assert!(rest <= post::LONGEST_REST, "{rest:?}");
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

#[cfg(test)]
#[path = "../../../fuzz/replay.rs"]
mod replay;
