//! Key sets as a whole.

use serde_json::{Value, json};

use super::made::{Keys, NOW, jwk_2, set, verifier};
use crate::{Jwks, JwksError, Refusal};

fn refused(text: &str) -> JwksError {
    Jwks::parse(text.as_bytes()).unwrap_err()
}

#[test]
fn a_set_that_could_not_be_used_in_place_of_another_is_an_error() {
    assert_eq!(refused(&" ".repeat(10 << 20)), JwksError::TooLarge);
    for text in ["<html></html>", "", "{}", "[]", r#"{"keys": {}}"#, r#"{"keys": [], "keys": []}"#, r#"{"keys": ["#] {
        assert_eq!(refused(text), JwksError::Malformed, "{text}");
    }
    assert_eq!(refused(r#"{"keys": []}"#), JwksError::Empty);
    assert_eq!(refused(r#"{"keys": [1, null, "x", [], {}]}"#), JwksError::Empty);
    let many: Vec<Value> = (0..65).map(|_| json!({})).collect();
    assert_eq!(refused(&json!({ "keys": many }).to_string()), JwksError::TooMany);
}

#[test]
fn two_keys_of_one_id_are_neither() {
    let keys = Keys::new();
    let twice = verifier(set([keys.jwk_1(), keys.jwk_of_attacker("k1"), jwk_2()]));
    assert_eq!(twice.verify(&keys.base(), NOW).unwrap_err().why, Refusal::UnknownKey);
    let same = verifier(set([keys.jwk_1(), keys.jwk_1()]));
    assert!(same.verify(&keys.base(), NOW).is_ok(), "one that stands there twice is one");
}

#[test]
fn a_token_that_names_no_key_is_of_the_only_one() {
    let keys = Keys::new();
    let nameless = keys.with(json!({ "kid": "absent" }), json!({}));
    let mut bare = keys.jwk_1();
    bare.as_object_mut().unwrap().remove("kid");
    for only in [keys.jwk_1(), bare.clone()] {
        assert!(verifier(set([only])).verify(&nameless, NOW).is_ok());
    }
    let why = |jwks: Jwks, token: &str| verifier(jwks).verify(token, NOW).unwrap_err().why;
    assert_eq!(why(set([keys.jwk_1(), keys.jwk_3()]), &nameless), Refusal::UnknownKey);
    assert_eq!(why(set([bare]), &keys.base()), Refusal::UnknownKey, "a key that has no id is not of every id");
}

#[test]
fn keys_take_the_place_of_those_before() {
    let (old, new) = (Keys::new(), Keys::new());
    let verifier = verifier(set([old.jwk_1()]));
    assert!(!verifier.keys("https://nobody.example", new.set()));
    let mut next = new.jwk_1();
    next["kid"] = "k4".into();
    let token = new.with(json!({ "kid": "k4" }), json!({}));
    let refused = verifier.verify(&token, NOW).unwrap_err();
    assert_eq!((refused.why, refused.issuer.is_some()), (Refusal::UnknownKey, true), "whoever has newer keys may ask");
    verifier.keys(super::made::ISSUER, set([old.jwk_1(), next.clone()]));
    assert!(verifier.verify(&token, NOW).is_ok() && verifier.verify(&old.base(), NOW).is_ok());
    verifier.keys(super::made::ISSUER, set([next]));
    assert_eq!(verifier.verify(&old.base(), NOW).unwrap_err().why, Refusal::UnknownKey);
}
