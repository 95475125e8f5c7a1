//! The rows, a function for each class of attacks.

use serde_json::{Value, json};

use super::Decided::{Refused, Taken};
use super::Rows;
use crate::Refusal;
use crate::signed::{decoded, encoded};
use crate::tests::made::{ISSUER, Keys, LEEWAY, NOW, claims_with, header_with, jwk_2, mac, rsa, token};

pub(super) fn controls(rows: &mut Rows, keys: &Keys) {
    rows.row("control_es256", Taken, [keys.base()]);
    rows.row("control_rs256", Taken, [rsa("rs256")]);
    let ed = |algorithm: &str| {
        let header = header_with(json!({ "alg": algorithm, "kid": "k3" }));
        token(&header.to_string(), claims_with(json!({})).to_string(), |text| keys.k3(text))
    };
    rows.row("control_ed25519", Taken, [ed("Ed25519"), ed("EdDSA")]);
    rows.claims(keys, "control_aud_list", Taken, "aud", [json!(["other", "tradewind"])]);
    let extra = json!({ "a": 1, "b": -1.5, "c": "x", "d": true, "e": null, "f": [1, "x"], "g": { "h": {} } });
    rows.row("control_extra_claims", Taken, [keys.with(json!({}), extra)]);
    let kinds = ["application/at+jwt", "AT+JWT", "Application/At+Jwt"];
    rows.row("typ_prefix_and_case", Taken, kinds.map(|kind| keys.with(json!({ "typ": kind }), json!({}))));
}

pub(super) fn algorithms(rows: &mut Rows, keys: &Keys) {
    let unsigned = |algorithm: &str| {
        let header = header_with(json!({ "alg": algorithm })).to_string();
        token(&header, claims_with(json!({})).to_string(), |_| Vec::new())
    };
    for (name, algorithm) in
        [("alg_none_lower", "none"), ("alg_none_title", "None"), ("alg_none_upper", "NONE"), ("alg_none_mixed", "nOnE")]
    {
        rows.row(name, Refused(Refusal::Malformed), [unsigned(algorithm)]);
    }
    let base = keys.base();
    let (_, rest) = base.split_once('.').unwrap();
    let none = format!("{}.{rest}", encoded(header_with(json!({ "alg": "none" })).to_string()));
    rows.row("alg_none_keeps_signature", Refused(Refusal::Algorithm), [none]);
    rows.headers(keys, "alg_missing", Refusal::Malformed, [json!({ "alg": "absent" })]);
    let types = [json!(null), json!(256), json!(["ES256"])].map(|alg| json!({ "alg": alg }));
    rows.headers(keys, "alg_wrong_json_type", Refusal::Malformed, types);

    let by_mac = |name: &str, key: &[u8]| {
        let header = header_with(json!({ "alg": "HS256", "kid": name })).to_string();
        token(&header, claims_with(json!({})).to_string(), |text| mac(key, text))
    };
    let refused = Refused(Refusal::Algorithm);
    let der = decoded(&rsa("n")).unwrap();
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----", encoded(&der));
    rows.row(
        "hmac_from_public_pem",
        refused,
        [pem.clone(), format!("{pem}\n")].map(|pem| by_mac("k2", pem.as_bytes())),
    );
    rows.row("hmac_from_public_jwk", refused, [by_mac("k2", jwk_2().to_string().as_bytes()), by_mac("k2", &der)]);
    rows.row("alg_of_other_key", refused, [rsa("alg_of_other_key")]);
    rows.row("same_family_other_hash", refused, [rsa("rs512"), rsa("ps256")]);
    rows.row("blank_hmac_secret", refused, [by_mac("k1", b"")]);
    let common = ["secret", "password", "changeme", "your-256-bit-secret", "jwt", "key", "test", "123456"];
    rows.row("common_hmac_secrets", refused, common.map(|secret| by_mac("k1", secret.as_bytes())));

    let unknown = Refused(Refusal::UnknownKey);
    let null = ["../../../../dev/null", "/dev/null"];
    rows.row("kid_traversal_null", unknown, null.map(|id| by_mac(id, b"")));
    rows.row("kid_traversal_known_file", unknown, [by_mac("../../../etc/hostname", b"localhost")]);
    let union = ["x' UNION SELECT 'key' --", "x' UNION SELECT 'key' #", "x' UNION SELECT 'key' FROM dual --"];
    rows.row("kid_sql", unknown, union.map(|id| by_mac(id, b"key")));
}

pub(super) fn signatures(rows: &mut Rows, keys: &Keys) {
    let (base, malformed) = (keys.base(), Refused(Refusal::Malformed));
    let (text, signature) = base.rsplit_once('.').unwrap();
    rows.row("null_signature", malformed, [format!("{text}.")]);
    rows.row("two_parts", malformed, [text.to_owned()]);
    rows.row("four_parts", malformed, [format!("{base}."), format!("{base}.x"), format!("{base}.{signature}")]);
    let wrong = Refused(Refusal::Signature);
    let bytes = decoded(signature).unwrap();
    let flipped = [0, 31, 63].map(|at| {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1;
        format!("{text}.{}", encoded(bytes))
    });
    rows.row("bit_flip_signature", wrong, flipped);
    let (header, _) = text.split_once('.').unwrap();
    let payload = encoded(claims_with(json!({ "sub": "u-2" })).to_string());
    rows.row("payload_changed", wrong, [format!("{header}.{payload}.{signature}")]);

    const ORDER: &str = "_____wAAAAD__________7zm-q2nF56E87nKwvxjJVE";
    let numbers = |r: &[u8], s: &[u8]| format!("{text}.{}", encoded([r, s].concat()));
    let (zero, mut one, order) = ([0; 32], [0; 32], decoded(ORDER).unwrap());
    one[31] = 1;
    let zeros = [numbers(&zero, &zero), numbers(&zero, &one), numbers(&order, &one), numbers(&one, &order)];
    rows.row("zero_signature_ecdsa", wrong, zeros);
    let der =
        token(&header_with(json!({})).to_string(), claims_with(json!({})).to_string(), |text| keys.k1_in_der(text));
    rows.row("ecdsa_der_signature", wrong, [der]);
}

pub(super) fn keys_of_others(rows: &mut Rows, keys: &Keys) {
    let by_attacker = |header: Value| {
        token(&header_with(header).to_string(), claims_with(json!({})).to_string(), |text| keys.attacker(text))
    };
    let brought = Refused(Refusal::Header);
    rows.row("embedded_jwk", brought, [by_attacker(json!({ "jwk": keys.jwk_of_attacker("own"), "kid": "own" }))]);
    rows.row("embedded_jwk_with_known_kid", brought, [by_attacker(json!({ "jwk": keys.jwk_of_attacker("k1") }))]);
    let at = |address: &str| by_attacker(json!({ "jku": address }));
    rows.row("jku_attacker", brought, [at("https://127.0.0.1:1/keys")]);
    let alike = [
        "https://issuer.example@attacker.example/keys",
        "https://issuer.example:444/keys",
        "https://keys.issuer.example/keys",
        "https://issuer.example/../keys",
        "https://issuer.example/to?url=https://attacker.example/keys",
    ];
    rows.row("jku_lookalike", brought, alike.map(at));
    let inside = ["http://127.0.0.1/", "http://169.254.169.254/latest", "file:///etc/passwd", "data:,{}"];
    rows.row("jku_internal", brought, inside.map(at));
    rows.row("x5u_x5c_attacker", brought, [by_attacker(json!({ "x5u": "https://127.0.0.1:1/chain" }))]);
    rows.row("x5u_x5c_attacker", Refused(Refusal::Signature), [by_attacker(json!({ "x5c": ["MIIB"] }))]);

    let unknown = Refused(Refusal::UnknownKey);
    let of = |id: &str| by_attacker(json!({ "kid": id }));
    rows.row("kid_shell", unknown, ["|sleep 10", ";sleep 10", "`sleep 10`"].map(of));
    rows.row("kid_empty_or_absent", unknown, [of(""), of("absent")]);
    rows.row("kid_unknown", unknown, (0..100).map(|number| of(&format!("never-{number}"))));
    rows.row("kid_oversize", Refused(Refusal::TooLarge), [of(&"k".repeat(64 << 10))]);
    rows.row("kid_oversize", Refused(Refusal::Malformed), [of(&"k".repeat(1_000))]);
    rows.row("kid_control_characters", unknown, ["k1\r\nforged", "k1\0", "k1\u{202e}"].map(of));
    let types = [json!(1), json!(null), json!({}), json!(["k1"])].map(|id| json!({ "kid": id }));
    rows.headers(keys, "kid_wrong_json_type", Refusal::Malformed, types);
}

pub(super) fn headers(rows: &mut Rows, keys: &Keys) {
    let refused = Refusal::Header;
    rows.headers(keys, "crit_unknown", refused, [json!({ "crit": ["x"], "x": 1 })]);
    rows.headers(
        keys,
        "crit_malformed",
        refused,
        [json!([]), json!("x"), json!(["alg"])].map(|crit| json!({ "crit": crit })),
    );
    let header = header_with(json!({ "b64": false, "crit": ["b64"] })).to_string();
    let text = format!("{}.{}", encoded(header), claims_with(json!({})));
    let detached = format!("{text}.{}", encoded(keys.k1(&text)));
    rows.row("b64_false", Refused(refused), [keys.with(json!({ "b64": false, "crit": ["b64"] }), json!({}))]);
    rows.row("b64_false", Refused(Refusal::Malformed), [detached]);
    let twice = ["none", "ES256"].map(|first| {
        let other = if first == "none" { "ES256" } else { "none" };
        let header = format!(r#"{{"alg":"{first}","alg":"{other}","kid":"k1","typ":"at+jwt"}}"#);
        keys.by_k1(&header, claims_with(json!({})).to_string())
    });
    rows.row("duplicate_header_member", Refused(Refusal::Malformed), twice);
    let claims = claims_with(json!({})).to_string();
    let again = [r#","sub":"u-2"}"#, r#","exp":1}"#].map(|more| claims.replacen('}', more, 1));
    rows.row(
        "duplicate_claim",
        Refused(Refusal::Malformed),
        again.map(|claims| keys.by_k1(&header_with(json!({})).to_string(), claims)),
    );

    let kind = Refusal::Type;
    let kinds = |kind: &str| [json!({ "typ": kind })];
    rows.headers(keys, "typ_refresh_as_access", kind, kinds("rt+jwt"));
    rows.headers(keys, "typ_internal_at_the_edge", kind, kinds("tw-user+jwt"));
    rows.row(
        "typ_id_token_as_access",
        Refused(kind),
        [keys.with(json!({ "typ": "JWT" }), json!({ "nonce": "n", "aud": "client" }))],
    );
    rows.headers(keys, "typ_absent_or_JWT", kind, [json!({ "typ": "absent" }), json!({ "typ": "JWT" })]);
    rows.headers(keys, "typ_outer_token_inside", kind, kinds("application/tw-user+jwt"));
    let base = keys.base();
    rows.row(
        "cty_nested",
        Refused(Refusal::Header),
        [keys.by_k1(&header_with(json!({ "cty": "JWT" })).to_string(), &base)],
    );
    rows.row("cty_nested", Refused(Refusal::Malformed), [keys.by_k1(&header_with(json!({})).to_string(), &base)]);
}

pub(super) fn formats(rows: &mut Rows, keys: &Keys) {
    let (base, malformed) = (keys.base(), Refused(Refusal::Malformed));
    let parts: Vec<_> = base.split('.').collect();
    let general = json!({ "payload": parts[1], "signatures": [{ "protected": parts[0], "signature": parts[2] }] });
    let flat = json!({ "payload": parts[1], "protected": parts[0], "signature": parts[2] });
    let both = format!(r#"{{"protected":"{}.{}.{}"}}"#, parts[0], parts[1], parts[2]);
    rows.row("json_serialization", malformed, [general.to_string(), flat.to_string(), both]);
    let jwe = |header: Value| format!("{}.a.b.c.d", encoded(header.to_string()));
    rows.row("jwe_in_place_of_jws", malformed, [jwe(json!({ "alg": "RSA-OAEP", "enc": "A256GCM", "kid": "k2" }))]);
    rows.row("jwe_pbes2_count", malformed, [jwe(json!({ "alg": "PBES2-HS256+A128KW", "p2c": 2_000_000_000 }))]);
    rows.row("jwe_zip_bomb", malformed, [jwe(json!({ "alg": "dir", "enc": "A256GCM", "zip": "DEF" }))]);

    let spare = |part: &str| {
        // The last letter of 64 bytes holds two bits; another with the same two is not the one that was written.
        let last = part.chars().last().unwrap();
        format!("{}{}", &part[..part.len() - 1], if last == 'A' { 'B' } else { char::from(last as u8 + 1) })
    };
    let with = |at: usize, part: String| {
        let mut parts: Vec<_> = parts.iter().map(|part| (*part).to_owned()).collect();
        parts[at] = part;
        parts.join(".")
    };
    let padded = (0..3).map(|at| with(at, format!("{}=", parts[at])));
    let spaced = (0..3).flat_map(|at| [" ", "\n", "\t"].map(|space| with(at, format!("{space}{}", parts[at]))));
    rows.row("base64_not_url_or_padded", malformed, padded.chain(spaced));
    rows.row(
        "base64_not_url_or_padded",
        malformed,
        [format!(" {base}"), format!("{base}\n"), with(2, parts[2].replacen(&parts[2][..1], "+", 1))],
    );
    rows.row("base64_not_url_or_padded", malformed, [with(2, spare(parts[2]))]);

    let header = header_with(json!({})).to_string();
    let claims = claims_with(json!({})).to_string();
    let utf16: Vec<u8> = claims.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let marked = [b"\xef\xbb\xbf", claims.as_bytes()].concat();
    let broken = claims.replace("u-1", "u-?").into_bytes();
    let broken = broken.into_iter().map(|byte| if byte == b'?' { 0xff } else { byte }).collect();
    rows.row("not_utf8", malformed, [utf16, marked, broken].map(|claims| keys.by_k1(&header, claims)));
    let nested =
        |depth: usize| claims.replacen('{', &format!(r#"{{"a":{}{},"#, "[".repeat(depth), "]".repeat(depth)), 1);
    let number = |digits: usize| claims.replacen('{', &format!(r#"{{"a":1{},"#, "0".repeat(digits)), 1);
    let large = Refused(Refusal::TooLarge);
    rows.row(
        "deep_or_huge_json",
        large,
        [nested(100_000), number(100_000), claims.replace("u-1", &"x".repeat(1 << 20))]
            .map(|claims| keys.by_k1(&header, claims)),
    );
    rows.row("deep_or_huge_json", malformed, [nested(2_000), number(4_000)].map(|claims| keys.by_k1(&header, claims)));
    let wrong = |length: usize| {
        let filled = token(&header, claims.replace("t-1", &"x".repeat(length / 4 * 3 - 600)), |_| vec![1; 64]);
        assert!(filled.len() <= length, "{}", filled.len());
        filled
    };
    rows.row("eight_kb_header_bomb", Refused(Refusal::Signature), [wrong(8 << 10)]);
    rows.row("eight_kb_header_bomb", large, [wrong(64 << 10)]);
    let others = ["[]", r#"["a"]"#, r#""x""#, "1", "null", ""];
    rows.row("claims_not_an_object", malformed, others.map(|claims| keys.by_k1(&header, claims)));
}

pub(super) fn names(rows: &mut Rows, keys: &Keys) {
    let refused = Refused(Refusal::Issuer);
    let others = ["https://other.example", "https://issuer.example/", "HTTPS://ISSUER.EXAMPLE"].map(Value::from);
    rows.claims(keys, "iss_other", refused, "iss", others);
    rows.claims(keys, "iss_other", refused, "iss", [json!([ISSUER])]);
    rows.claims(keys, "iss_missing", refused, "iss", [json!("absent")]);
    rows.claims(keys, "iss_other_types", refused, "iss", [json!(1), json!(null), json!(true), json!([]), json!({})]);
    let audience = Refused(Refusal::Audience);
    rows.claims(keys, "aud_other_or_missing", audience, "aud", [json!("other"), json!(""), json!([])]);
    rows.claims(keys, "aud_other_or_missing", Refused(Refusal::Claim("aud")), "aud", [json!("absent")]);
    rows.claims(keys, "aud_substring", audience, "aud", ["tradewinds", "xtradewind", "Tradewind"].map(Value::from));
    let types = [json!(1), json!(null), json!(true), json!({}), json!(["tradewind", 1])];
    rows.claims(keys, "aud_other_types", Refused(Refusal::Claim("aud")), "aud", types);
    let subject = Refused(Refusal::Claim("sub"));
    rows.claims(keys, "sub_missing_or_empty", subject, "sub", [json!("absent"), json!(""), json!(" \t ")]);
    let types = || [json!(1), json!(null), json!(true), json!(["u-1"]), json!({})];
    rows.claims(keys, "sub_other_types", subject, "sub", types());
    rows.claims(keys, "jti_other_types", Refused(Refusal::Claim("jti")), "jti", types());
}

pub(super) fn times(rows: &mut Rows, keys: &Keys) {
    rows.claims(keys, "exp_past", Refused(Refusal::Expired), "exp", [json!(NOW - LEEWAY - 1)]);
    rows.claims(keys, "exp_within_leeway", Taken, "exp", [json!(NOW - LEEWAY + 1), json!(NOW)]);
    let wrong = |name| Refused(Refusal::Claim(name));
    rows.claims(keys, "exp_missing", wrong("exp"), "exp", [json!("absent")]);
    rows.claims(keys, "nbf_future", Refused(Refusal::NotYetValid), "nbf", [json!(NOW + LEEWAY + 1)]);
    rows.claims(keys, "nbf_text", wrong("nbf"), "nbf", [json!((NOW * 2).to_string())]);
    rows.claims(keys, "nbf_other_types", wrong("nbf"), "nbf", [json!(null), json!(false), json!([]), json!({})]);
    rows.claims(keys, "iat_future_or_text", Refused(Refusal::NotYetValid), "iat", [json!(NOW + 3_600)]);
    rows.claims(keys, "iat_future_or_text", wrong("iat"), "iat", [json!("1"), json!(null), json!({})]);

    // As text, for JSON has more numbers than one type of ours.
    let of = |number: &str| {
        let claims = claims_with(json!({ "exp": "@" })).to_string().replace("\"@\"", number);
        keys.by_k1(&header_with(json!({})).to_string(), claims)
    };
    let name = "exp_extreme_numbers";
    rows.row(name, Taken, ["9007199254740993", "9223372036854775807", "1800000300.5", "1.8000003e9"].map(of));
    rows.row(name, Refused(Refusal::Expired), ["0", "1.5", "-0.0"].map(of));
    rows.row(name, wrong("exp"), ["-1", "-1.5", "9223372036854775808", "18446744073709551616", "1e300"].map(of));
    rows.row(name, Refused(Refusal::Malformed), ["1e400", "NaN", "Infinity", "0x10"].map(of));
}

pub(super) fn types(rows: &mut Rows, keys: &Keys) {
    let wrong = Refused(Refusal::Claim("exp"));
    let texts = [(NOW + 300).to_string(), "never".to_owned(), String::new()];
    rows.claims(keys, "exp_text", wrong, "exp", texts.map(Value::from));
    rows.claims(keys, "exp_other_types", wrong, "exp", [json!(null), json!(true), json!([NOW + 300]), json!({})]);
}
