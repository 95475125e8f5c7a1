//! Issuers outside: whom their tokens speak of, and what they may say of them.

use std::sync::Arc;

use gateway::Trusted;
use rustls::pki_types::UnixTime;
use serde_json::{Map, Value, json};
use tradewind_tokens::Signer;

use crate::stand::{Opening, Stand};

/// An issuer with a key of its own, and what it trusts it with.
fn issuer(name: &str, prefix: Option<&str>, gives_roles: bool) -> (Signer, Trusted) {
    let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    let signer = Signer::from_pem(&pair.serialize_pem()).unwrap();
    let keys = json!({ "keys": [signer.public()] }).to_string().into_bytes();
    let fetch = move || {
        let keys = keys.clone();
        Box::pin(std::future::ready(Ok(keys))) as futures::future::BoxFuture<'static, _>
    };
    let prefix = prefix.map(str::to_owned);
    (signer, Trusted { prefix, gives_roles, ..Trusted::own(name, Arc::new(fetch)) })
}

fn token(by: &Signer, issuer: &str, sub: &str) -> String {
    let now = UnixTime::now().as_secs();
    let claims: Value = json!({
        "iss": issuer, "sub": sub, "aud": "tradewind", "iat": now, "exp": now + 600, "roles": ["staff"],
    });
    let claims: Map<String, Value> = claims.as_object().unwrap().clone();
    by.sign("at+jwt", &claims).unwrap()
}

#[tokio::test]
async fn what_an_issuer_outside_says_is_of_its_own_people() {
    const OWN: &str = "https://identity.example";
    const CORP: &str = "https://login.example";
    const STORE: &str = "https://store.example";
    let (own, ours) = issuer(OWN, None, true);
    let (corp, trusted) = issuer(CORP, Some("corp"), false);
    let (store, believed) = issuer(STORE, Some("store"), true);
    let stand = Stand::open(Opening { issuers: vec![ours, trusted, believed], ..Opening::default() });
    let ask = |token: String| {
        let client = tradewind_runtime::direct().build().unwrap();
        tokio::spawn(client.get(stand.url("/v1/mine")).bearer_auth(token).send())
    };
    for (token, id, staff) in [
        (token(&own, OWN, "ada"), "ada", true),
        (token(&corp, CORP, "ada"), "corp:ada", false),
        (token(&store, STORE, "ada"), "store:ada", true),
        (token(&corp, CORP, "store:ada"), "corp:store:ada", false),
    ] {
        let asking = ask(token);
        let called = stand.called().await;
        let user = called.caller.user.clone().unwrap();
        assert_eq!((user.id.as_str(), user.is("staff")), (id, staff));
        called.say("mine");
        called.end();
        assert_eq!(asking.await.unwrap().unwrap().status().as_u16(), 200);
    }
    for forged in [token(&corp, OWN, "ada"), token(&corp, STORE, "ada"), token(&own, CORP, "ada")] {
        assert_eq!(ask(forged).await.unwrap().unwrap().status().as_u16(), 401);
    }
}
