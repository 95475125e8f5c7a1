//! How often, and how much at once, somebody may ask; through one gateway, and through two that share a broker.

use std::sync::Arc;
use std::time::Duration;

use gateway::{Found, Rules};
use reqwest::{Client, RequestBuilder, Response};
use serde_json::json;
use tempfile::TempDir;
use tonic::{Code, Status};
use tonic_types::StatusExt;
use tradewind_broker::Retention;
use tradewind_mesh::{IdentityFiles, Policy, User};
use tradewind_runtime::{Running, Settings, broker_streams, broker_users};
use tradewind_testing::{Nats, TRUST_DOMAIN, eventually, pki};

use crate::people::Keys;
use crate::shop::{DEADLINE, header, told};
use crate::stand::{Opening, Stand, note};

fn client() -> Client {
    tradewind_runtime::direct().build().unwrap()
}

fn limited(rules: &str) -> Opening {
    Opening { rules: Rules::read(rules).unwrap(), ..Opening::default() }
}

/// Asks for a note, which its service gives.
async fn look(stand: &Stand, asked: RequestBuilder) -> Response {
    let asking = tokio::spawn(asked.send());
    tokio::select! {
        called = stand.called() => {
            called.say("a");
            called.end();
        }
        () = async { while !asking.is_finished() { tokio::task::yield_now().await } } => {}
    }
    asking.await.unwrap().unwrap()
}

#[tokio::test]
async fn whoever_asks_too_often_is_told_when_to_come_again() {
    let stand = Stand::open(limited("read address 2/min burst 3"));
    let get = || client().get(stand.url("/v1/notes/a"));
    for left in [2, 1, 0] {
        let answer = look(&stand, get()).await;
        assert_eq!((answer.status().as_u16(), header(&answer, "ratelimit-policy")), (200, "\"read-address\";q=3;w=90"));
        let standing = header(&answer, "ratelimit").to_owned();
        assert!(standing.starts_with(&format!("\"read-address\";r={left};t=")), "{standing}");
    }
    let refused = get().send().await.unwrap();
    let again: u64 = header(&refused, "retry-after").parse().unwrap();
    assert!((1..=30).contains(&again), "{again}");
    assert_eq!(header(&refused, "ratelimit"), format!("\"read-address\";r=0;t={again}"));
    let (status, told) = told(get()).await;
    assert_eq!((status, &told["error"]["status"]), (429, &json!("RESOURCE_EXHAUSTED")));
    let detail = |name: &str| {
        let kind = json!(format!("type.googleapis.com/google.rpc.{name}"));
        told["error"]["details"].as_array().unwrap().iter().find(|detail| detail["@type"] == kind).unwrap()
    };
    assert_eq!(detail("ErrorInfo")["reason"], "RATE_LIMITED");
    assert_eq!(detail("QuotaFailure")["violations"][0]["subject"], "address:read");
    assert!(detail("RetryInfo")["retryDelay"].as_str().unwrap().ends_with('s'));
    let other = client().get(stand.url("/nothing")).send().await.unwrap();
    assert_eq!(other.status().as_u16(), 429, "what is nowhere counts as well");
}

#[tokio::test]
async fn classes_are_counted_apart() {
    let stand = Stand::open(limited("read address 1/h; credentials address 1/h"));
    let get = || client().get(stand.url("/v1/notes/a"));
    let post = || client().post(stand.url("/v1/notes")).header("content-type", "application/json").body("{}");
    assert_eq!(look(&stand, get()).await.status().as_u16(), 200);
    assert_eq!(get().send().await.unwrap().status().as_u16(), 429);
    let kept = look(&stand, post()).await;
    assert_eq!(
        (kept.status().as_u16(), header(&kept, "ratelimit-policy")),
        (200, "\"credentials-address\";q=1;w=3600")
    );
    assert_eq!(post().send().await.unwrap().status().as_u16(), 429);
}

#[tokio::test]
async fn grpc_and_grpc_web_say_it_with_details() {
    let stand = Stand::open(limited("read address 1/h"));
    assert_eq!(look(&stand, client().get(stand.url("/v1/notes/a"))).await.status().as_u16(), 200);
    for kind in ["application/grpc", "application/grpc-web+proto"] {
        let http2 = tradewind_runtime::direct().http2_prior_knowledge().build().unwrap();
        let call = http2.post(stand.url("/stand.v1.StandService/Look")).header("te", "trailers");
        let refused = call.header("content-type", kind).body(note("a")).send().await.unwrap();
        assert_eq!((refused.status().as_u16(), header(&refused, "grpc-status")), (200, "8"), "{kind}");
        let status = Status::from_header_map(refused.headers()).unwrap();
        assert_eq!(status.code(), Code::ResourceExhausted);
        let details = status.get_error_details();
        assert_eq!(details.error_info().unwrap().reason, "RATE_LIMITED");
        assert!(details.retry_info().unwrap().retry_delay.unwrap() > Duration::ZERO);
        assert_eq!(details.quota_failure().unwrap().violations[0].subject, "address:read");
    }
}

#[tokio::test]
async fn each_who_has_signed_in_has_a_budget_of_their_own() {
    let keys = Keys::new();
    let opening = Opening { issuers: vec![keys.trusted()], ..limited("read user 1/h burst 2") };
    let stand = Stand::open(opening);
    let mine = |name: &str| client().get(stand.url("/v1/mine")).bearer_auth(keys.token(json!({ "sub": name })));
    for name in ["c-1", "c-2"] {
        for left in [1, 0] {
            let answer = look(&stand, mine(name)).await;
            let standing = header(&answer, "ratelimit").to_owned();
            assert!(standing.starts_with(&format!("\"read-user\";r={left};")), "{name}: {standing}");
        }
    }
    // By another token of the same customer, too.
    let other = client().get(stand.url("/v1/mine")).bearer_auth(keys.token(json!({ "sub": "c-1", "sid": "s-2" })));
    assert_eq!(told(other).await.0, 429);
    assert_eq!(look(&stand, mine("c-3")).await.status().as_u16(), 200);
}

#[tokio::test]
async fn a_partner_has_one_budget_whichever_key_is_shown() {
    let find = |_digest: String| {
        let user =
            User { id: "partner:acme".to_owned(), scopes: Some(vec!["stand.read".to_owned()]), ..User::default() };
        let found = Some(Found { user, expires: None });
        Box::pin(std::future::ready(Ok(found))) as futures::future::BoxFuture<'static, _>
    };
    let opening = Opening { find: Some(Arc::new(find)), ..limited("read key 1/h burst 2; read user 1/h") };
    let stand = Stand::open(opening);
    let key = |part: &str| format!("twk_0190163d8694739baea5966c26f8ad91_{}", part.repeat(43));
    let mine = |part: &str| client().get(stand.url("/v1/mine")).header("x-api-key", key(part));
    for (part, left) in [("a", 1), ("b", 0)] {
        let answer = look(&stand, mine(part)).await;
        let standing = header(&answer, "ratelimit").to_owned();
        assert!(standing.starts_with(&format!("\"read-key\";r={left};")), "{standing}");
    }
    assert_eq!(told(mine("c")).await.0, 429);
}

#[tokio::test]
async fn whoever_brings_bad_tokens_is_counted_before_they_are_looked_at() {
    let keys = Keys::new();
    let opening = Opening { issuers: vec![keys.trusted()], ..limited("read address 1/h burst 3") };
    let stand = Stand::open(opening);
    let mine = |token: &str| client().get(stand.url("/v1/mine")).bearer_auth(token);
    for token in [Keys::new().token(json!({})), "none".to_owned()] {
        assert_eq!(told(mine(&token)).await.0, 401);
    }
    assert_eq!(told(client().get(stand.url("/v1/mine"))).await.0, 401, "nor is anybody without one");
    assert_eq!(told(mine(&keys.token(json!({})))).await.0, 429, "not even a good one is looked at");
}

#[tokio::test]
async fn nobody_has_more_streams_open_than_they_may_and_others_find_room() {
    let keys = Keys::new();
    let opening = Opening { issuers: vec![keys.trusted()], ..limited("streams address 2") };
    let stand = Stand::open(opening);
    let watch = || client().get(stand.url("/v1/notes:watch?text=a")).header("accept", "application/x-ndjson");
    let open = async || {
        let asking = tokio::spawn(watch().send());
        let called = stand.called().await;
        called.say("a");
        (asking.await.unwrap().unwrap(), called)
    };
    let (first, second) = (open().await, open().await);
    assert_eq!((first.0.status().as_u16(), second.0.status().as_u16()), (200, 200));
    let (status, told) = told(watch()).await;
    assert_eq!((status, &told["error"]["details"][0]["reason"]), (429, &json!("TOO_MANY_AT_ONCE")));
    assert_eq!(look(&stand, client().get(stand.url("/v1/notes/a"))).await.status().as_u16(), 200, "others are apart");
    first.1.end();
    first.0.bytes().await.unwrap();
    // Whoever goes away without the end of it leaves room as well.
    drop(second);
    for _ in 0..2 {
        let again = eventually(DEADLINE, "there is room for another", async || {
            let asking = tokio::spawn(watch().send());
            tokio::select! {
                called = stand.called() => {
                    called.say("a");
                    Ok((asking.await.unwrap().unwrap(), called))
                }
                () = async { while !asking.is_finished() { tokio::task::yield_now().await } } => Err("refused"),
            }
        })
        .await;
        assert_eq!(again.0.status().as_u16(), 200);
        drop(again);
    }
}

#[tokio::test]
async fn nobody_has_more_requests_under_way_than_they_may() {
    let keys = Keys::new();
    let opening = Opening { issuers: vec![keys.trusted()], ..limited("requests user 2") };
    let stand = Stand::open(opening);
    let mine = |name: &str| client().get(stand.url("/v1/mine")).bearer_auth(keys.token(json!({ "sub": name })));
    let mut waiting = Vec::new();
    for _ in 0..2 {
        let asking = tokio::spawn(mine("c-1").send());
        waiting.push((stand.called().await, asking));
    }
    let (status, refused) = told(mine("c-1")).await;
    assert_eq!((status, &refused["error"]["details"][0]["metadata"]["by"]), (429, &json!("user")));
    assert_eq!(look(&stand, mine("c-2")).await.status().as_u16(), 200);
    for (called, asking) in waiting {
        called.say("a");
        called.end();
        asking.await.unwrap().unwrap().bytes().await.unwrap();
    }
    assert_eq!(look(&stand, mine("c-1")).await.status().as_u16(), 200);
}

/// Gateways over one broker that grants them what the contracts say, and nothing behind them.
struct Replicas {
    all: Vec<Running>,
    nats: Nats,
    pki: TempDir,
    client: Client,
}

const BURST: usize = 200;

impl Replicas {
    async fn open() -> Self {
        let pki = pki(&["nats", "broker-init", "gateway"]);
        let policy = Policy::new(&contracts::CONTRACT);
        let nats = Nats::start_secured(pki.path(), &broker_users(&policy, TRUST_DOMAIN).unwrap());
        let nats = nats.keeping(broker_streams(&policy, Retention::default()), Some(pki.path()));
        let mut replicas = Self { all: Vec::new(), nats, pki, client: client() };
        replicas.start().await;
        replicas.start().await;
        replicas
    }

    async fn start(&mut self) {
        let files = IdentityFiles::in_dir(self.pki.path(), "gateway");
        let mut settings = Settings::in_process(files, "sqlite::memory:", self.nats.url());
        settings.trust_domain = TRUST_DOMAIN.to_owned();
        let settings = settings.with("http_addr", "127.0.0.1:0").with("issuer", "");
        let settings = settings.with("limits", format!("read address 60/min burst {BURST}"));
        let mut gateway = gateway::service().start(settings).await.unwrap();
        gateway.ready(DEADLINE).await.unwrap();
        self.all.push(gateway);
    }

    /// Whether the replica of that number grants one more.
    async fn grants(&self, number: usize) -> bool {
        let url = format!("http://{}/nothing", self.all[number].grpc_addr());
        let status = self.client.get(url).send().await.unwrap().status().as_u16();
        assert!([404, 429].contains(&status), "{status}");
        status == 404
    }

    async fn exhaust(&self, number: usize) -> usize {
        let mut granted = 0;
        while self.grants(number).await {
            granted += 1;
        }
        granted
    }

    /// Asks now and then until the replica refuses; how often it granted meanwhile.
    async fn until_refused(&self, number: usize) -> usize {
        let mut granted = 0;
        eventually(DEADLINE, "the budget is known to be used up", async || match self.grants(number).await {
            false => Ok(()),
            true => {
                granted += 1;
                Err(granted)
            }
        })
        .await;
        granted
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_gateways_share_a_budget_and_a_third_hears_of_it() {
    let mut replicas = Replicas::open().await;
    let first = replicas.exhaust(0).await;
    assert!((BURST..BURST + 20).contains(&first), "{first}");
    let second = replicas.until_refused(1).await;
    assert!(second < BURST, "it granted {second} of its own before it heard");
    let metrics = format!("http://{}/metrics", replicas.all[0].admin_addr());
    let metrics = replicas.client.get(metrics).send().await.unwrap().text().await.unwrap();
    // Whatever else this process has counted.
    let mut refused = metrics.lines().filter(|line| line.starts_with("tradewind_gateway_limited_total{"));
    let is_told = refused.any(|line| line.contains("class=\"read\"") && line.contains("kind=\"address\""));
    assert!(is_told, "{metrics}");
    assert!(metrics.contains("\ntradewind_gateway_limit_accounts"), "{metrics}");
    // Whoever begins later was not told, and reads what was said last.
    replicas.start().await;
    let third = replicas.until_refused(2).await;
    assert!(third < BURST, "it granted {third} of its own before it had read");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_broker_each_limits_by_itself_and_shares_again_when_it_is_back() {
    let mut replicas = Replicas::open().await;
    replicas.nats.stop();
    for number in 0..2 {
        let granted = replicas.exhaust(number).await;
        assert!((BURST..BURST + 20).contains(&granted), "{number}: {granted}");
    }
    replicas.start().await;
    replicas.nats.start_again();
    // It comes back without anything that was said; whoever grants one more tells again how everybody stands.
    let mut third = 0;
    eventually(DEADLINE, "what is used up is told again", async || {
        replicas.exhaust(0).await;
        if !replicas.grants(2).await {
            return Ok(());
        }
        third += 1;
        Err(third)
    })
    .await;
    assert!(third < BURST, "it granted {third} of its own before it heard");
}
