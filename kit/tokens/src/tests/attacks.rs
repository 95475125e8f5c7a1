//! A row for each way in which a token is not what it seems, by the names of the public table `jwt/attacks.json`, where that is at
//! hand: each of its rows is decided here as it says, or somewhere else that is named.

mod rows;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::made::{ISSUER, Keys, NOW, issuer, jwk_2, rsa, set, verifier};
use super::tables::table;
use crate::signed::encoded;
use crate::{Jwks, JwksError, Refusal, Verifier};

/// What is decided of a token; of those that are taken, whether any role follows from it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Decided {
    Taken,
    Refused(Refusal),
}

use Decided::{Refused, Taken};

/// Rows about what this crate does not do, and who does.
const ELSEWHERE: [(&str, &str); 6] = [
    ("two_tokens", "the gateway reads headers"),
    ("typ_access_as_refresh", "a refresh token is no JWT: identity looks it up"),
    ("jwks_slow", "the gateway fetches key sets"),
    ("jwks_redirect", "the gateway fetches key sets"),
    ("jwks_unreachable_at_start", "the gateway fetches key sets"),
    ("jwks_stampede", "the gateway fetches key sets"),
];

#[derive(Default)]
struct Rows(BTreeMap<&'static str, Vec<(String, Decided)>>);

impl Rows {
    fn row(&mut self, name: &'static str, expected: Decided, tokens: impl IntoIterator<Item = String>) {
        self.0.entry(name).or_default().extend(tokens.into_iter().map(|token| (token, expected)));
    }

    /// Tokens of which only the header differs, signed by k1.
    fn headers(
        &mut self,
        keys: &Keys,
        name: &'static str,
        expected: Refusal,
        changes: impl IntoIterator<Item = Value>,
    ) {
        self.row(name, Refused(expected), changes.into_iter().map(|changes| keys.with(changes, json!({}))));
    }

    /// Tokens of which only one claim differs, signed by k1.
    fn claims(
        &mut self,
        keys: &Keys,
        name: &'static str,
        expected: Decided,
        claim: &str,
        values: impl IntoIterator<Item = Value>,
    ) {
        self.row(name, expected, values.into_iter().map(|value| keys.with(json!({}), json!({ claim: value }))));
    }
}

#[test]
fn each_way_of_a_token_not_to_be_what_it_seems_is_refused() {
    let keys = Keys::new();
    let verifier = keys.verifier();
    let mut rows = Rows::default();
    rows::controls(&mut rows, &keys);
    rows::algorithms(&mut rows, &keys);
    rows::signatures(&mut rows, &keys);
    rows::keys_of_others(&mut rows, &keys);
    rows::headers(&mut rows, &keys);
    rows::formats(&mut rows, &keys);
    rows::names(&mut rows, &keys);
    rows::times(&mut rows, &keys);
    rows::types(&mut rows, &keys);
    let mut wrong = Vec::new();
    for (name, tokens) in &rows.0 {
        for (token, expected) in tokens {
            let found = match verifier.verify(token, NOW) {
                Ok(_) => Taken,
                Err(refused) => Refused(refused.why),
            };
            if found != *expected {
                wrong.push(format!("{name}: {found:?} instead of {expected:?}: {token:.80}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let own: [&str; 12] = [
        "control_after_refusals",
        "iss_of_a_with_key_of_b",
        "short_rsa_key",
        "key_not_for_signing",
        "scope_other_types",
        "jwks_10_mb",
        "jwks_not_json_or_empty",
        "jwks_duplicate_kid",
        "jwks_private_or_symmetric",
        "jwks_off_curve",
        "jwks_rotation",
        "jwks_removed_key",
    ];
    let Some(table) = table("attacks.json") else { return };
    let mut missing = Vec::new();
    for row in table["rows"].as_array().unwrap() {
        let name = row["name"].as_str().unwrap();
        let taken = |expected| {
            rows.0.get(name).is_some_and(|tokens| tokens.iter().all(|(_, decided)| (*decided == Taken) == expected))
        };
        let decided = match row["must_be"].as_str().unwrap() {
            "accepted" => taken(true),
            "rejected" => taken(false),
            _ => rows.0.contains_key(name),
        };
        if !decided && !own.contains(&name) && !ELSEWHERE.iter().any(|(elsewhere, _)| *elsewhere == name) {
            missing.push(name.to_owned());
        }
    }
    assert!(missing.is_empty(), "not decided here as the table says: {missing:?}");
}

#[test]
fn a_good_token_is_taken_after_a_hundred_that_are_refused() {
    let keys = Keys::new();
    let verifier = keys.verifier();
    for number in 0..100 {
        assert!(verifier.verify(&format!("{}{number}", keys.base()), NOW).is_err());
    }
    let claims = verifier.verify(&keys.base(), NOW).unwrap();
    assert_eq!((claims.subject.as_str(), claims.expires), ("u-1", NOW + 300));
}

#[test]
fn a_key_of_one_issuer_signs_nothing_for_another() {
    let (ours, theirs) = (Keys::new(), Keys::new());
    let verifier = Verifier::new([issuer(ISSUER), issuer("https://b.example")]);
    verifier.keys(ISSUER, ours.set());
    verifier.keys("https://b.example", theirs.set());
    let refused = verifier.verify(&theirs.base(), NOW).unwrap_err();
    assert_eq!((refused.why, refused.issuer.as_deref()), (Refusal::Signature, Some(ISSUER)));
    assert!(verifier.verify(&theirs.with(json!({}), json!({ "iss": "https://b.example" })), NOW).is_ok());
}

#[test]
fn keys_that_are_weak_private_shared_or_for_something_else_are_passed_over() {
    let keys = Keys::new();
    let changed = |mut jwk: Value, name: &str, value: Value| {
        jwk[name] = value;
        jwk
    };
    let short = json!({ "kty": "RSA", "n": rsa("n_short"), "e": "AQAB", "kid": "k2" });
    let shared = json!({ "kty": "oct", "k": "AAAA", "alg": "HS256", "kid": "k1" });
    for (what, jwk) in [
        ("short", short.clone()),
        ("for encryption", changed(keys.jwk_1(), "use", "enc".into())),
        ("to sign with", changed(keys.jwk_1(), "key_ops", json!(["sign"]))),
        ("operations that are no list", changed(keys.jwk_1(), "key_ops", json!("verify"))),
        ("private", changed(keys.jwk_1(), "d", "AAAA".into())),
        ("shared", shared),
        ("another algorithm", changed(keys.jwk_1(), "alg", "ES384".into())),
        ("no such algorithm", changed(keys.jwk_1(), "alg", "ES224".into())),
        ("another curve", changed(keys.jwk_1(), "crv", "P-384".into())),
        ("another kind", changed(keys.jwk_1(), "kty", "RSA".into())),
        ("a kind that nobody knows", changed(keys.jwk_1(), "kty", "AKP".into())),
        ("exponent 1", changed(jwk_2(), "e", "AQ".into())),
        ("an even modulus", changed(jwk_2(), "n", encoded([&[0x80][..], &[0; 255]].concat()).into())),
        ("an id that is no text", changed(keys.jwk_1(), "kid", json!(1))),
    ] {
        let text = json!({ "keys": [jwk] }).to_string();
        assert_eq!(Jwks::parse(text.as_bytes()).unwrap_err(), JwksError::Empty, "{what}");
        let verifier = verifier(set([jwk, keys.jwk_3()]));
        let why = verifier.verify(&keys.base(), NOW).unwrap_err().why;
        assert_eq!(why, Refusal::UnknownKey, "{what}");
    }
    let verifier = verifier(set([short, keys.jwk_1()]));
    assert_eq!(verifier.verify(&rsa("short"), NOW).unwrap_err().why, Refusal::UnknownKey);
}

#[test]
fn a_point_that_is_on_no_curve_verifies_nothing() {
    let keys = Keys::new();
    let mut jwk = keys.jwk_1();
    jwk["y"] = jwk["x"].clone();
    assert_eq!(verifier(set([jwk])).verify(&keys.base(), NOW).unwrap_err().why, Refusal::Signature);
}

#[test]
fn no_role_follows_from_what_is_no_list_of_texts() {
    let keys = Keys::new();
    let verifier = keys.verifier();
    let roles = |roles: Value| verifier.verify(&keys.with(json!({}), json!({ "roles": roles })), NOW).unwrap().roles;
    assert_eq!(roles(json!(["staff"])), ["staff"]);
    for other in
        [json!("staff"), json!(["staff", 1]), json!({ "staff": true }), json!(1), json!([["staff"]]), json!(null)]
    {
        assert_eq!(roles(other.clone()), [""; 0], "{other}");
    }
}
