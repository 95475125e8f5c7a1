//! What is read here of others, as functions of bytes: `make fuzz` looks for an input that panics, takes long or does not come back as it
//! was read.

use std::sync::LazyLock;

use serde_json::Value;

use crate::claims::Claims;
use crate::signed::{Signed, encoded};
use crate::{Algorithm, Issuer, Jwks, Signer, Verifier, json};

type Target = (&'static str, fn(&[u8]));

/// Each by its name.
pub const TARGETS: &[Target] =
    &[("tokens", tokens), ("claims", claims), ("key-sets", key_sets), ("signing-keys", signing_keys)];

const NOW: u64 = 1_790_000_000;

/// One that knows an issuer without keys.
static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| {
    let text = |text: &str| text.to_owned();
    let algorithms = vec![Algorithm::Ed25519, Algorithm::Es256, Algorithm::Rs256];
    Verifier::new([Issuer { name: text("i"), audience: text("a"), kinds: vec![text("JWT")], algorithms }])
});

/// A token as it is sent.
fn tokens(bytes: &[u8]) {
    let Ok(token) = str::from_utf8(bytes) else { return };
    assert!(VERIFIER.verify(token, NOW).is_err(), "nobody has signed it");
    let payload = Signed::read(token).and_then(|signed| signed.payload());
    if let Some(all) = payload.ok().and_then(|payload| json::object(&payload)) {
        let _ = Claims::read(all);
    }
}

/// A header on the first line, and claims, in the clear.
fn claims(bytes: &[u8]) {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (header, payload) = (&bytes[..end], bytes.get(end + 1..).unwrap_or_default());
    let token = format!("{}.{}.{}", encoded(header), encoded(payload), encoded("signature"));
    assert!(VERIFIER.verify(&token, NOW).is_err(), "nobody has signed it");
    let Some(all) = json::object(payload) else { return };
    assert_eq!(serde_json::from_slice::<Value>(payload).ok(), Some(Value::Object(all.clone())));
    let Ok(claims) = Claims::read(all) else { return };
    for now in [0, NOW, u64::MAX] {
        let is_now = claims.is_now(now, 30).is_ok();
        assert!(!is_now || now < claims.expires.saturating_add(30));
    }
    assert!(claims.audience.iter().all(|who| claims.is_for(who).is_ok()));
}

fn key_sets(bytes: &[u8]) {
    if let Ok(keys) = Jwks::parse(bytes) {
        assert!(!keys.is_empty());
        let _ = keys.find(None);
    }
}

fn signing_keys(bytes: &[u8]) {
    let _ = str::from_utf8(bytes).map(Signer::from_pem);
}

#[cfg(test)]
#[path = "../../../fuzz/replay.rs"]
mod replay;
