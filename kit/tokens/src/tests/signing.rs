//! What is signed here is what is verified here.

use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use serde_json::{Value, json};

use super::made::{KIND, NOW, claims_with, set, verifier};
use crate::{Algorithm, Signer, SignerError};

fn signers() -> [Signer; 2] {
    let random = SystemRandom::new();
    let ed = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
    let p256 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    [Signer::from_pkcs8(ed.as_ref()).unwrap(), Signer::from_pkcs8(p256.as_ref()).unwrap()]
}

#[test]
fn a_token_is_verified_by_the_public_half_of_the_key_that_signed_it() {
    for signer in signers() {
        let claims = claims_with(json!({ "roles": ["staff"], "sid": "s-1" }));
        let token = signer.sign(KIND, claims.as_object().unwrap()).unwrap();
        let found = verifier(set([Value::Object(signer.public())])).verify(&token, NOW).unwrap();
        assert_eq!((found.roles, found.session.as_deref()), (vec!["staff".to_owned()], Some("s-1")));
        assert_eq!(Value::Object(found.all), claims);
        let names: Vec<_> = signer.public().keys().cloned().collect();
        let expected: &[&str] = match signer.algorithm() {
            Algorithm::Ed25519 => &["alg", "crv", "kid", "kty", "use", "x"],
            _ => &["alg", "crv", "kid", "kty", "use", "x", "y"],
        };
        assert_eq!(names, expected);
    }
}

/// The example of RFC 8037, A.1 to A.3.
#[test]
fn the_id_of_a_key_is_its_thumbprint() {
    let pem = "-----BEGIN PRIVATE KEY-----\n\
               MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n\
               -----END PRIVATE KEY-----\n";
    let signer = Signer::from_pem(pem).unwrap();
    assert_eq!(signer.id(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    assert_eq!(signer.public()["x"], "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
}

#[test]
fn what_is_no_key_that_signs_is_refused() {
    for text in ["", "x", "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n"] {
        assert!(Signer::from_pem(text).is_err(), "{text}");
    }
    let p384 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, &SystemRandom::new()).unwrap();
    assert_eq!(Signer::from_pkcs8(p384.as_ref()).unwrap_err(), SignerError::OtherKind);
    let shown = format!("{:?}", signers());
    assert!(shown.contains("Ed25519") && !shown.contains("key"), "{shown}");
}
