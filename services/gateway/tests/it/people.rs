//! Whoever has signed in: whose tokens are believed, and what they say of their bearer.

use std::sync::{Arc, Mutex};

use contracts::tradewind::identity::v1::CreateStaffAccountRequest;
use contracts::tradewind::identity::v1::identity_service_client::IdentityServiceClient;
use gateway::{Found, Trusted};
use reqwest::RequestBuilder;
use rustls::pki_types::UnixTime;
use serde_json::{Map, Value, json};
use tradewind_edge::Proxies;
use tradewind_mesh::{IdentityFiles, User};
use tradewind_runtime::{FreePort, Settings};
use tradewind_testing::{Database, channel};
use tradewind_tokens::Signer;

use crate::shop::{DEADLINE, Shop, json as whole, told};
use crate::stand::{Opening, Stand};

const OWN: &str = "https://identity.example";

/// Whoever signs, and what is published of their keys.
#[derive(Clone)]
pub(crate) struct Keys {
    signer: Arc<Signer>,
    published: Arc<Mutex<Vec<u8>>>,
}

impl Keys {
    pub(crate) fn new() -> Self {
        let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
        let signer = Arc::new(Signer::from_pem(&pair.serialize_pem()).unwrap());
        let published = json!({ "keys": [signer.public()] }).to_string().into_bytes();
        Self { signer, published: Arc::new(Mutex::new(published)) }
    }

    pub(crate) fn trusted(&self) -> Trusted {
        let published = self.published.clone();
        let fetch = move || {
            let published = published.lock().unwrap().clone();
            let fetched = if published.is_empty() { Err("away".to_owned()) } else { Ok(published) };
            Box::pin(std::future::ready(fetched)) as futures::future::BoxFuture<'static, _>
        };
        Trusted::own(OWN, Arc::new(fetch))
    }

    /// A token of its own, but for what is changed of it.
    pub(crate) fn token(&self, changed: Value) -> String {
        let now = UnixTime::now().as_secs();
        let mut claims: Map<String, Value> = Map::new();
        let usual = json!({
            "iss": OWN, "sub": "c-1", "aud": "tradewind", "iat": now, "exp": now + 600, "sid": "s-1", "roles": [],
        });
        claims.extend(usual.as_object().unwrap().clone());
        claims.extend(changed.as_object().unwrap().clone());
        self.signer.sign("at+jwt", &claims).unwrap()
    }
}

fn open(keys: &Keys) -> Stand {
    Stand::open(Opening { issuers: vec![keys.trusted()], ..Opening::default() })
}

fn get(stand: &Stand, path: &str) -> RequestBuilder {
    tradewind_runtime::direct().build().unwrap().get(stand.url(path))
}

#[tokio::test]
async fn whoever_has_signed_in_is_named_to_the_service_and_his_token_stays_here() {
    let keys = Keys::new();
    let stand = open(&keys);
    for _ in 0..2 {
        let token = keys.token(json!({ "roles": ["staff", "other"] }));
        let asking = tokio::spawn(get(&stand, "/v1/mine").bearer_auth(token).send());
        let called = stand.called().await;
        let user = called.caller.user.clone().unwrap();
        assert_eq!((user.id.as_str(), user.session.as_deref()), ("c-1", Some("s-1")));
        assert_eq!(user.roles, ["staff", "other"]);
        assert!(!called.headers.contains_key("authorization"));
        called.say("mine");
        called.end();
        assert_eq!(asking.await.unwrap().unwrap().status().as_u16(), 200);
    }
}

#[tokio::test]
async fn of_what_is_for_everybody_no_token_is_looked_at() {
    let stand = open(&Keys::new());
    let asking = tokio::spawn(get(&stand, "/v1/notes/a").bearer_auth("none").send());
    let called = stand.called().await;
    assert_eq!(called.caller.user, None);
    called.say("a");
    called.end();
    assert_eq!(asking.await.unwrap().unwrap().status().as_u16(), 200);
}

#[tokio::test]
async fn a_token_that_is_not_good_is_refused() {
    let (keys, others) = (Keys::new(), Keys::new());
    let stand = open(&keys);
    let past = UnixTime::now().as_secs() - 3_600;
    let foreign = others.token(json!({}));
    for (token, reason) in [
        (keys.token(json!({ "exp": past })), "TOKEN_EXPIRED"),
        (keys.token(json!({ "aud": "ordering" })), "TOKEN_AUDIENCE"),
        (keys.token(json!({ "iss": "https://other.example" })), "TOKEN_ISSUER"),
        (keys.token(json!({ "sub": "c 1" })), "TOKEN_CLAIM"),
        (keys.signer.sign("tw-user+jwt", &Map::new()).unwrap(), "TOKEN_ISSUER"),
        (foreign, "TOKEN_KEY_UNKNOWN"),
        ("none".to_owned(), "TOKEN_MALFORMED"),
    ] {
        let (status, told) = told(get(&stand, "/v1/mine").bearer_auth(&token)).await;
        assert_eq!((status, &told["error"]["details"][0]["reason"]), (401, &json!(reason)));
    }
    for odd in ["Basic YTpi", "Bearer", "bearer  ", ""] {
        let refused = get(&stand, "/v1/mine").header("authorization", odd).send().await.unwrap();
        assert_eq!(refused.status().as_u16(), 401, "{odd:?}");
    }
    let twice = get(&stand, "/v1/mine").bearer_auth(keys.token(json!({}))).bearer_auth(keys.token(json!({})));
    assert_eq!(twice.send().await.unwrap().status().as_u16(), 401);
}

#[tokio::test]
async fn a_program_is_who_its_key_is_for_and_bound_to_what_it_is_for() {
    let (keys, key) = (Keys::new(), format!("twk_0190163d8694739baea5966c26f8ad91_{}", "a".repeat(43)));
    let seen = Arc::new(Mutex::new(Vec::new()));
    let find = {
        let seen = seen.clone();
        move |digest: String| {
            assert!(!digest.contains("aaaa") && digest.len() == 43, "the key stays here");
            let mut seen = seen.lock().unwrap();
            seen.push(digest);
            let user =
                User { id: "partner:acme".to_owned(), scopes: Some(vec!["stand.read".to_owned()]), ..User::default() };
            let found = (seen.len() == 1).then_some(Found { user, expires: None });
            Box::pin(std::future::ready(Ok(found))) as futures::future::BoxFuture<'static, _>
        }
    };
    let opening = Opening { issuers: vec![keys.trusted()], find: Some(Arc::new(find)), ..Opening::default() };
    let stand = Stand::open(opening);
    for asks in [get(&stand, "/v1/mine").bearer_auth(&key), get(&stand, "/v1/mine").header("x-api-key", &key)] {
        let asking = tokio::spawn(asks.send());
        let called = stand.called().await;
        let user = called.caller.user.clone().unwrap();
        assert_eq!((user.id.as_str(), user.scopes.as_deref()), ("partner:acme", Some(&["stand.read".to_owned()][..])));
        assert!(!called.headers.contains_key("authorization") && !called.headers.contains_key("x-api-key"));
        called.say("mine");
        called.end();
        assert_eq!(asking.await.unwrap().unwrap().status().as_u16(), 200);
    }
    assert_eq!(seen.lock().unwrap().len(), 1, "it is known by now");

    let other = key.replace("aaa", "bbb");
    for asks in [get(&stand, "/v1/mine").bearer_auth(&other), get(&stand, "/v1/mine").header("x-api-key", &other)] {
        let refused = asks.send().await.unwrap();
        assert_eq!(refused.headers()["www-authenticate"], "Bearer error=\"invalid_token\"");
        let (status, told) = (refused.status().as_u16(), whole(refused).await);
        assert_eq!((status, &told["error"]["details"][0]["reason"]), (401, &json!("KEY_UNKNOWN")));
    }
    let token = keys.token(json!({}));
    for (asks, reason) in [
        (get(&stand, "/v1/mine").bearer_auth(&token).header("x-api-key", &key), "TOKEN_MALFORMED"),
        (get(&stand, "/v1/mine").header("x-api-key", &key).header("x-api-key", &key), "TOKEN_MALFORMED"),
        (get(&stand, "/v1/mine").header("x-api-key", &token), "KEY_UNKNOWN"),
        (get(&stand, "/v1/mine").bearer_auth("twk_"), "KEY_UNKNOWN"),
    ] {
        let (status, told) = told(asks).await;
        assert_eq!((status, &told["error"]["details"][0]["reason"]), (401, &json!(reason)));
    }
    assert_eq!(seen.lock().unwrap().len(), 2, "of what was found to be none nobody is asked again");
}

#[tokio::test]
async fn where_nobody_keeps_keys_none_is_good() {
    let stand = open(&Keys::new());
    let key = format!("twk_0190163d8694739baea5966c26f8ad91_{}", "a".repeat(43));
    let (status, told) = told(get(&stand, "/v1/mine").bearer_auth(key)).await;
    assert_eq!((status, &told["error"]["details"][0]["reason"]), (401, &json!("KEY_UNKNOWN")));
}

#[tokio::test]
async fn a_token_that_is_good_for_too_long_is_refused() {
    let keys = Keys::new();
    let trusted = Trusted { longest: 600, ..keys.trusted() };
    let stand = Stand::open(Opening { issuers: vec![trusted], ..Opening::default() });
    let now = UnixTime::now().as_secs();
    for claims in [json!({ "exp": now + 601 }), json!({ "iat": now - 100, "exp": now + 501 })] {
        let (status, told) = told(get(&stand, "/v1/mine").bearer_auth(keys.token(claims))).await;
        assert_eq!((status, &told["error"]["details"][0]["reason"]), (401, &json!("TOKEN_CLAIM")));
    }
    let asking = tokio::spawn(get(&stand, "/v1/mine").bearer_auth(keys.token(json!({ "exp": now + 600 }))).send());
    let called = stand.called().await;
    called.say("mine");
    called.end();
    assert_eq!(asking.await.unwrap().unwrap().status().as_u16(), 200);
}

#[tokio::test]
async fn where_keys_never_were_fetched_nobody_is_called_a_liar() {
    let keys = Keys::new();
    let published = std::mem::take(&mut *keys.published.lock().unwrap());
    let stand = open(&keys);
    let (status, told) = told(get(&stand, "/v1/mine").bearer_auth(keys.token(json!({})))).await;
    assert_eq!((status, &told["error"]["details"][0]["reason"]), (503, &json!("KEYS_AWAY")));
    *keys.published.lock().unwrap() = published;
    let token = keys.token(json!({}));
    tradewind_testing::eventually(DEADLINE, "the keys are there", async || {
        let asking = tokio::spawn(get(&stand, "/v1/mine").bearer_auth(&token).send());
        let answered = tokio::select! {
            called = stand.called() => { called.say("mine"); called.end(); true }
            () = tokio::time::sleep(std::time::Duration::from_millis(200)) => false,
        };
        answered && asking.await.unwrap().unwrap().status().as_u16() == 200
    })
    .await;
}

#[tokio::test]
async fn where_a_request_comes_from_is_what_a_proxy_of_ours_says() {
    let proxies = Proxies::read("127.0.0.0/8").unwrap();
    let stand = Stand::open(Opening { proxies, ..Opening::default() });
    let asking = tokio::spawn(get(&stand, "/v1/notes/a").header("x-forwarded-for", "6.6.6.6, 192.0.2.7").send());
    let called = stand.called().await;
    assert_eq!(called.caller.address.to_string(), "192.0.2.7");
    called.say("a");
    called.end();
    asking.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn staff_signs_in_at_identity_and_lists_a_product_once() {
    let (database, port) = (Database::sqlite(), FreePort::find().unwrap());
    let address = format!("127.0.0.1:{}", port.number());
    let shop = Shop::open_with(|settings| settings.with_peer("identity", address.clone())).await;
    let files = IdentityFiles::in_dir(shop.folder.path(), "identity");
    let mut settings = Settings::in_process(files, database.url(), shop.nats.url()).with("hash_memory", "64");
    settings.grpc_addr = address.parse().unwrap();
    let mut identity = identity::service().start(settings).await.unwrap();
    identity.ready(DEADLINE).await.unwrap();
    let operator = channel(shop.folder.path(), "operator", "identity", identity.grpc_addr());
    let mut operator = IdentityServiceClient::new(operator);
    let (email, password) = ("staff@example.com", "correct horse battery");
    let account = CreateStaffAccountRequest { email: email.into(), password: password.into(), ..Default::default() };
    operator.create_staff_account(account).await.unwrap();

    let post = |path: &str, body: Value| {
        shop.client.post(shop.url(path)).header("content-type", "application/json").body(body.to_string())
    };
    let (status, _) = told(post("/v1/sessions", json!({ "email": email, "password": "wrong horse battery" }))).await;
    assert_eq!(status, 401);
    let signed_in = post("/v1/sessions", json!({ "email": email, "password": password })).send().await.unwrap();
    assert_eq!(signed_in.headers()["cache-control"], "no-store");
    let signed_in = whole(signed_in).await;
    let token = signed_in["tokens"]["accessToken"].as_str().unwrap_or_else(|| panic!("{signed_in}"));

    let product =
        json!({ "productId": "tea", "sku": "TEA", "name": "Tea", "price": { "currency": "GBP", "minor": "450" } });
    let list = || post("/v1/products", product.clone()).header("idempotency-key", "k-1");
    assert_eq!(told(list()).await.0, 401);
    let (status, first) = told(list().bearer_auth(token)).await;
    assert_eq!((status, &first["product"]["productId"]), (200, &json!("tea")), "{first}");
    let (status, again) = told(list().bearer_auth(token)).await;
    assert_eq!((status, &again["product"]), (200, &first["product"]), "it is the same request");
    let (status, accounts) = told(shop.get("/v1/accounts").bearer_auth(token)).await;
    assert_eq!((status, &accounts["accounts"][0]["email"]), (200, &json!(email)), "{accounts}");
    let sessions = format!("/v1/accounts/{}/sessions", accounts["accounts"][0]["accountId"].as_str().unwrap());
    let (_, sessions) = told(shop.get(&sessions).bearer_auth(token)).await;
    assert_eq!(sessions["sessions"][0]["address"], "127.0.0.1", "{sessions}");
    assert_eq!(sessions["sessions"][0]["current"], true, "{sessions}");

    let wanted = json!({ "partnerId": "acme", "name": "warehouse", "scopes": ["ordering.read"] });
    let made = post("/v1/partnerKeys", wanted).bearer_auth(token).send().await.unwrap();
    assert_eq!(made.headers()["cache-control"], "no-store");
    let made = whole(made).await;
    let key = made["key"].as_str().unwrap_or_else(|| panic!("{made}"));
    for (asks, refused) in [
        (shop.get("/v1/profile"), "SCOPE_MISSING"),
        (shop.get("/v1/accounts"), "ROLE_MISSING"),
        (list(), "ROLE_MISSING"),
    ] {
        let (_, told) = told(asks.header("x-api-key", key)).await;
        assert_eq!(told["error"]["details"][0]["reason"], json!(refused), "{told}");
    }
}
