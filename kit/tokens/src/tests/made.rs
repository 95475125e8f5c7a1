//! Keys of an issuer and of somebody who is none, and tokens of any shape signed by them.

use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
    Ed25519KeyPair, KeyPair,
};
use serde_json::{Map, Value, json};

use crate::signed::encoded;
use crate::{Algorithm, Issuer, Jwks, Verifier};

pub(super) const NOW: u64 = 1_800_000_000;
pub(super) const ISSUER: &str = "https://issuer.example";
pub(super) const KIND: &str = "at+jwt";
pub(super) const LEEWAY: u64 = 30;

/// A modulus and tokens signed under it at [`NOW`], made once: nothing here signs with RSA.
pub(super) fn rsa(name: &str) -> String {
    let all: Value = serde_json::from_str(include_str!("rsa.json")).unwrap();
    all[name].as_str().unwrap().to_owned()
}

/// The keys k1 (P-256), k2 (RSA), k3 (Ed25519) of an issuer, and those of an attacker.
pub(super) struct Keys {
    k1: Vec<u8>,
    k3: Vec<u8>,
    attacker: Vec<u8>,
}

impl Keys {
    pub(super) fn new() -> Self {
        let random = SystemRandom::new();
        let p256 = || EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        Self {
            k1: p256().as_ref().to_vec(),
            k3: Ed25519KeyPair::generate_pkcs8(&random).unwrap().as_ref().to_vec(),
            attacker: p256().as_ref().to_vec(),
        }
    }

    pub(super) fn k1(&self, text: &str) -> Vec<u8> {
        ecdsa(&self.k1, &ECDSA_P256_SHA256_FIXED_SIGNING, text)
    }

    pub(super) fn k1_in_der(&self, text: &str) -> Vec<u8> {
        ecdsa(&self.k1, &ECDSA_P256_SHA256_ASN1_SIGNING, text)
    }

    pub(super) fn k3(&self, text: &str) -> Vec<u8> {
        Ed25519KeyPair::from_pkcs8(&self.k3).unwrap().sign(text.as_bytes()).as_ref().to_vec()
    }

    pub(super) fn attacker(&self, text: &str) -> Vec<u8> {
        ecdsa(&self.attacker, &ECDSA_P256_SHA256_FIXED_SIGNING, text)
    }

    pub(super) fn jwk_1(&self) -> Value {
        point(&self.k1, "k1")
    }

    pub(super) fn jwk_3(&self) -> Value {
        let pair = Ed25519KeyPair::from_pkcs8(&self.k3).unwrap();
        json!({ "kty": "OKP", "crv": "Ed25519", "x": encoded(pair.public_key()), "kid": "k3", "use": "sig" })
    }

    pub(super) fn jwk_of_attacker(&self, id: &str) -> Value {
        point(&self.attacker, id)
    }

    pub(super) fn set(&self) -> Jwks {
        set([self.jwk_1(), jwk_2(), self.jwk_3()])
    }

    /// Whoever trusts the issuer alone, with its three keys.
    pub(super) fn verifier(&self) -> Verifier {
        verifier(self.set())
    }

    /// A token whose header and claims are `base`'s with these members instead, signed by k1.
    pub(super) fn with(&self, header: Value, claims: Value) -> String {
        self.by_k1(&header_with(header).to_string(), claims_with(claims).to_string())
    }

    pub(super) fn by_k1(&self, header: &str, claims: impl AsRef<[u8]>) -> String {
        token(header, claims, |text| self.k1(text))
    }

    pub(super) fn base(&self) -> String {
        self.with(json!({}), json!({}))
    }
}

pub(super) fn jwk_2() -> Value {
    json!({ "kty": "RSA", "n": rsa("n"), "e": "AQAB", "kid": "k2", "alg": "RS256", "use": "sig" })
}

pub(super) fn set(keys: impl IntoIterator<Item = Value>) -> Jwks {
    let keys: Vec<_> = keys.into_iter().collect();
    Jwks::parse(json!({ "keys": keys }).to_string().as_bytes()).unwrap()
}

pub(super) fn issuer(name: &str) -> Issuer {
    Issuer {
        name: name.to_owned(),
        audience: "tradewind".to_owned(),
        kinds: vec![KIND.to_owned()],
        algorithms: vec![Algorithm::Ed25519, Algorithm::Es256, Algorithm::Rs256],
    }
}

pub(super) fn verifier(keys: Jwks) -> Verifier {
    let verifier = Verifier::new([issuer(ISSUER)]);
    assert!(verifier.keys(ISSUER, keys));
    verifier
}

fn ecdsa(pkcs8: &[u8], algorithm: &'static EcdsaSigningAlgorithm, text: &str) -> Vec<u8> {
    let random = SystemRandom::new();
    let pair = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8, &random).unwrap();
    pair.sign(&random, text.as_bytes()).unwrap().as_ref().to_vec()
}

fn point(pkcs8: &[u8], id: &str) -> Value {
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8, &SystemRandom::new()).unwrap();
    let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
    json!({ "kty": "EC", "crv": "P-256", "x": encoded(x), "y": encoded(y), "kid": id, "alg": "ES256", "use": "sig" })
}

pub(super) fn mac(key: &[u8], text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
}

pub(super) fn token(header: &str, claims: impl AsRef<[u8]>, sign: impl FnOnce(&str) -> Vec<u8>) -> String {
    let text = format!("{}.{}", encoded(header), encoded(claims));
    let signature = encoded(sign(&text));
    format!("{text}.{signature}")
}

pub(super) fn header_with(changes: Value) -> Value {
    changed(json!({ "alg": "ES256", "kid": "k1", "typ": KIND }), changes)
}

pub(super) fn claims_with(changes: Value) -> Value {
    let base = json!({
        "iss": ISSUER, "aud": "tradewind", "sub": "u-1", "iat": NOW, "nbf": NOW, "exp": NOW + 300, "jti": "t-1", "scope": "read",
    });
    changed(base, changes)
}

/// The same with these members; `"absent"` takes one away.
fn changed(mut base: Value, changes: Value) -> Value {
    let Value::Object(changes) = changes else { panic!("no object") };
    let members: &mut Map<_, _> = base.as_object_mut().unwrap();
    for (name, value) in changes {
        if value == "absent" {
            members.remove(&name)
        } else {
            members.insert(name, value)
        };
    }
    base
}
