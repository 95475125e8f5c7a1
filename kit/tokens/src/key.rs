use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::DecodingKey;
use jsonwebtoken::crypto;
use serde_json::{Map, Value};

use crate::{Algorithm, provider, rsa};

/// A public key, and the one algorithm that it is for.
#[derive(Clone)]
pub(crate) struct Key {
    algorithm: Algorithm,
    key: DecodingKey,
}

impl Key {
    /// A key as certificates have it: 32 bytes of Ed25519, an uncompressed point of P-256 or P-384.
    pub(crate) fn of_bytes(algorithm: Algorithm, bytes: &[u8]) -> Option<Self> {
        provider::install();
        let key = match (algorithm, bytes.len()) {
            (Algorithm::Ed25519, 32) => DecodingKey::from_ed_der(bytes),
            (Algorithm::Es256, 65) | (Algorithm::Es384, 97) => DecodingKey::from_ec_der(bytes),
            _ => return None,
        };
        Some(Self { algorithm, key })
    }

    /// The key of a JWK; none where it is of a kind that is not used, is not to verify with, is weak, or is not public.
    pub(crate) fn of_jwk(jwk: &Map<String, Value>) -> Option<Self> {
        if ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"].iter().any(|name| jwk.contains_key(*name)) {
            return None;
        }
        let is_for_signatures = jwk.get("use").is_none_or(|used| used == "sig");
        let verifies =
            jwk.get("key_ops").is_none_or(|ops| ops.as_array().is_some_and(|ops| ops.contains(&"verify".into())));
        if !is_for_signatures || !verifies {
            return None;
        }
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        let bytes = |name: &str| URL_SAFE_NO_PAD.decode(text(name)?).ok();
        let algorithm = match (text("kty")?, text("crv")) {
            ("OKP", Some("Ed25519")) => Algorithm::Ed25519,
            ("EC", Some("P-256")) => Algorithm::Es256,
            ("EC", Some("P-384")) => Algorithm::Es384,
            ("RSA", None) => Algorithm::Rs256,
            _ => return None,
        };
        // The key says what it is for; where it doesn't, its kind does.
        match jwk.get("alg") {
            None => {}
            Some(Value::String(said)) if Algorithm::named(said) == Some(algorithm) => {}
            Some(_) => return None,
        }
        match algorithm {
            Algorithm::Ed25519 => Self::of_bytes(algorithm, &bytes("x")?),
            Algorithm::Es256 | Algorithm::Es384 => {
                let half = if algorithm == Algorithm::Es256 { 32 } else { 48 };
                let (x, y) = (bytes("x")?, bytes("y")?);
                let point = [&[4], &*x, &*y].concat();
                (x.len() == half).then(|| Self::of_bytes(algorithm, &point)).flatten()
            }
            Algorithm::Rs256 => {
                let (n, e) = (bytes("n")?, bytes("e")?);
                rsa::is_sound(&n, &e).then(|| Self { algorithm, key: DecodingKey::from_rsa_raw_components(&n, &e) })
            }
        }
    }

    /// The algorithm that it is for.
    pub(crate) const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    pub(crate) fn verifies(&self, message: &str, signature: &str) -> bool {
        provider::install();
        crypto::verify(signature, message.as_bytes(), &self.key, self.algorithm.library()).unwrap_or(false)
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Key").field(&self.algorithm).finish()
    }
}
