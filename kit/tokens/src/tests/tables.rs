//! The public tables of tokens (Wycheproof), where they are at hand: in the folder that `DATA` names, or beside the repository. Each
//! row is decided as its file says; where a row asks for what is not done here, the choice and its reason stand below.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::signed::Signed;
use crate::{Jwks, Refusal};

/// Algorithms of good rows that are refused all the same.
const REFUSED: [(&str, &str); 9] = [
    ("HS256", "a shared secret lets whoever verifies sign"),
    ("HS384", "a shared secret lets whoever verifies sign"),
    ("HS512", "a shared secret lets whoever verifies sign"),
    ("RS384", "no issuer needs it who has RS256"),
    ("RS512", "no issuer needs it who has RS256"),
    ("PS256", "no issuer that is served by default signs with it alone"),
    ("PS384", "no issuer that is served by default signs with it alone"),
    ("PS512", "no issuer that is served by default signs with it alone"),
    ("ES512", "ring has no P-521"),
];

/// The content of a table; says that it is skipped where it is absent.
#[expect(clippy::disallowed_methods, reason = "where the tables are is said to the test alone")]
pub(super) fn table(name: &str) -> Option<Value> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let named = std::env::var_os("DATA").map(|folder| root.join(PathBuf::from(folder)));
    let asked = named.is_some();
    let folder = named.unwrap_or_else(|| root.join("../shared/data"));
    assert!(!asked || folder.is_dir(), "DATA names no folder: {}", folder.display());
    let Ok(text) = std::fs::read(folder.join("jwt").join(name)) else {
        eprintln!("skipped: there is no jwt/{name}; DATA names the folder of the public tables");
        return None;
    };
    Some(serde_json::from_slice(&text).unwrap())
}

/// What is decided of a signed text under the keys of its group.
fn decide(keys: &Value, token: &str) -> Result<Vec<u8>, Refusal> {
    let set = if keys["keys"].is_array() { keys.clone() } else { json!({ "keys": [keys] }) };
    // Keys of which none can be used are none.
    let keys = Jwks::parse(set.to_string().as_bytes()).unwrap_or_default();
    let signed = Signed::read(token)?;
    let key = keys.find(signed.header.key.as_deref()).ok_or(Refusal::UnknownKey)?;
    signed.holds(key)?;
    signed.payload()
}

fn each(name: &str, rows: usize) {
    let Some(table) = table(name) else { return };
    let (mut wrong, mut decided) = (Vec::new(), 0);
    for group in table["testGroups"].as_array().unwrap() {
        // Shared secrets have no public half.
        let keys = if group["public"].is_null() { &group["private"] } else { &group["public"] };
        for row in group["tests"].as_array().unwrap() {
            // Encrypted text is none that is signed: where it is good, it is not taken.
            let encrypted = row.get("jwe");
            let text = row.get("jws").or(encrypted).unwrap();
            let text = text.as_str().map_or_else(|| text.to_string(), str::to_owned);
            let found = decide(keys, &text);
            let algorithm = algorithm(&text);
            let not_done = encrypted.is_some() || REFUSED.iter().any(|(name, _)| Some(*name) == algorithm.as_deref());
            let expected = row["result"] == "valid" && !not_done;
            if found.is_ok() != expected {
                wrong.push(format!("{} {}: {found:?}", row["tcId"], row["comment"]));
            }
            decided += 1;
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(decided >= rows, "{decided} rows of {name}");
}

fn algorithm(token: &str) -> Option<String> {
    let header = crate::signed::decoded(token.split('.').next()?).ok()?;
    let header: Value = serde_json::from_slice(&header).ok()?;
    header["alg"].as_str().map(str::to_owned)
}

#[test]
fn signatures_are_decided_as_the_table_says() {
    each("json_web_signature_test.json", 200);
}

#[test]
fn keys_are_decided_as_the_table_says() {
    each("json_web_key_test.json", 15);
}

#[test]
fn keys_and_signatures_together_are_decided_as_the_table_says() {
    each("json_web_crypto_test.json", 50);
}
