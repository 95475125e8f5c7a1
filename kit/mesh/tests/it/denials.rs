//! Every method of the real contract, called by every workload of it and by a stranger, on a server of each context that has it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use contracts::tables::{CONTRACT, EDGES, Method};
use contracts::tradewind::options::v1::Audience;
use http::uri::PathAndQuery;
use tokio_util::sync::CancellationToken;
use tonic::client::Grpc;
use tonic::service::Routes;
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;
use tradewind_mesh::{Channel, Channels, Identity, IdentityFiles, Policy, Server, SpiffeId, User, pki, reason};

use crate::contract::READ_LOG;
use crate::echo::{BARE, Echo, ask};
use crate::telemetry::is_written;
use crate::world::{DOMAIN, channel, counted_of, credentials, policy};

const STRANGER: &str = "stranger";
/// As the labels of metrics have it.
const BARE_NAME: &str = "tradewind.echo.v1.EchoService/Bare";

/// No server here has handlers: what passes the policy is not served.
#[tokio::test]
async fn each_method_is_for_those_whom_the_contract_names_and_for_nobody_else() {
    let policy = Policy::new(&CONTRACT);
    let callers = workloads();
    let dir = tempfile::tempdir().unwrap();
    pki::init(dir.path(), &callers.iter().copied().collect::<Vec<_>>(), DOMAIN).unwrap();
    let identity = |name: &str| Identity::load(IdentityFiles::in_dir(dir.path(), name)).unwrap();
    let stop = CancellationToken::new();
    let _stopped = stop.clone().drop_guard();
    let mut wrong = Vec::new();
    for &context in CONTRACT.contexts {
        let any = "127.0.0.1:0".parse().unwrap();
        let server = Server::bind(any, identity(context), policy.clone(), context).await.unwrap();
        let peers = BTreeMap::from([(context.to_owned(), server.local_addr().to_string())]);
        tokio::spawn(server.serve(Routes::default(), stop.clone(), Duration::ZERO));
        for caller in &callers {
            let channel = Channels::new(identity(caller), policy.clone(), peers.clone()).to(context).unwrap();
            for method in CONTRACT.methods.iter().filter(|method| has(context, method)) {
                let refused = call(channel.clone(), method).await;
                let found = (refused.code(), reason(&refused));
                let (code, why) = if !may(context, caller, method) {
                    (Code::PermissionDenied, "CALLER_NOT_ALLOWED")
                } else if EDGES.iter().any(|edge| edge.name == *caller) && !is_open(method) {
                    (Code::Unauthenticated, "NOT_SIGNED_IN")
                } else {
                    (Code::Unimplemented, "METHOD_NOT_SERVED")
                };
                let expected = (code, Some(why.to_owned()));
                if found != expected {
                    wrong.push(format!("{caller} calls {} of {context}: {found:?}, not {expected:?}", method.path));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn a_policy_in_shadow_serves_and_tells_whom_it_would_refuse() {
    let dir = credentials();
    let outside = SpiffeId::reader(DOMAIN, "outsider", ["echo"]).unwrap();
    pki::issue(dir.path(), &outside, Duration::from_secs(3_600)).unwrap();
    let identity = |name: &str| Identity::load(IdentityFiles::in_dir(dir.path(), name)).unwrap();
    let stop = CancellationToken::new();
    let _stopped = stop.clone().drop_guard();
    let told = || counted_of("tradewind_policy_would_refuse", &[("caller", "stranger"), ("grpc.method", BARE_NAME)]);
    for shadow in [false, true] {
        let any = "127.0.0.1:0".parse().unwrap();
        let server = Server::bind(any, identity("echo"), policy().in_shadow(shadow), "echo").await.unwrap();
        let stranger = channel(identity("stranger"), "echo", server.local_addr());
        let outsider = channel(identity("outsider"), "echo", server.local_addr());
        tokio::spawn(server.serve(Routes::new(Echo::default()), stop.clone(), Duration::ZERO));
        let before = told();
        let answer = ask(&stranger, BARE, "hello").await.map_err(|refused| reason(&refused));
        let expected = if shadow { Ok("hello".to_owned()) } else { Err(Some("CALLER_NOT_ALLOWED".to_owned())) };
        assert_eq!((answer, told() - before), (expected, u64::from(shadow)), "in shadow: {shadow}");
        let refused = ask(&outsider, BARE, "hello").await.unwrap_err();
        assert_eq!(reason(&refused).as_deref(), Some("CALLER_NOT_ALLOWED"), "whoever reads outside is no part of it");
        // What the contract has not is nobody's to serve.
        let unknown = ask(&stranger, "/tradewind.echo.v1.EchoService/Other", "hello").await.unwrap_err();
        assert_eq!(reason(&unknown).as_deref(), Some("METHOD_UNKNOWN"), "in shadow: {shadow}");
    }
    let caller = ("caller", "spiffe://tradewind.test/svc/stranger");
    is_written("call would be refused", &[caller, ("method", BARE_NAME), ("reason", "CALLER_NOT_ALLOWED")]).await;
}

/// A service of no context is every context's.
fn has(context: &str, method: &Method) -> bool {
    let owner = method.path.split('.').nth(1).unwrap();
    owner == context || !CONTRACT.contexts.contains(&owner)
}

/// What the contract says, read once more: the method names the caller, or the caller reacts to what the context tells.
fn may(context: &str, caller: &str, method: &Method) -> bool {
    let events = format!("tradewind.{context}.");
    let reacts =
        || CONTRACT.reactions.iter().any(|reaction| reaction.context == caller && reaction.event.starts_with(&events));
    method.callers.contains(&caller) || method.path == READ_LOG && reacts()
}

/// Whatever the method is for.
#[tokio::test]
async fn the_console_speaks_for_staff_and_for_nobody_else() {
    let policy = Policy::new(&CONTRACT);
    let dir = tempfile::tempdir().unwrap();
    let names: Vec<_> = CONTRACT.contexts.iter().copied().chain(["console"]).collect();
    pki::init(dir.path(), &names, DOMAIN).unwrap();
    let identity = |name: &str| Identity::load(IdentityFiles::in_dir(dir.path(), name)).unwrap();
    let stop = CancellationToken::new();
    let _stopped = stop.clone().drop_guard();
    let (mut wrong, mut tried) = (Vec::new(), 0);
    for &context in CONTRACT.contexts {
        let any = "127.0.0.1:0".parse().unwrap();
        let server = Server::bind(any, identity(context), policy.clone(), context).await.unwrap();
        let peers = BTreeMap::from([(context.to_owned(), server.local_addr().to_string())]);
        tokio::spawn(server.serve(Routes::default(), stop.clone(), Duration::ZERO));
        let channel = Channels::new(identity("console"), policy.clone(), peers).to(context).unwrap();
        for roles in [Vec::new(), vec!["staff".to_owned()]] {
            let user = User { id: "u-1".to_owned(), roles, ..User::default() };
            let channel = channel.speaking_for(Arc::new(user.clone()));
            for method in CONTRACT.methods.iter().filter(|method| has(context, method)) {
                let refused = call(channel.clone(), method).await;
                let (code, why) = match method.audience {
                    _ if !method.callers.contains(&"console") => (Code::PermissionDenied, "CALLER_NOT_ALLOWED"),
                    Audience::Internal => (Code::PermissionDenied, "NOT_FOR_PEOPLE"),
                    _ if user.roles.is_empty() => (Code::PermissionDenied, "ROLE_MISSING"),
                    _ => (Code::Unimplemented, "METHOD_NOT_SERVED"),
                };
                let (found, expected) = ((refused.code(), reason(&refused)), (code, Some(why.to_owned())));
                tried += usize::from(why == "ROLE_MISSING");
                if found != expected {
                    wrong.push(format!("{} of {context} for {user:?}: {found:?}, not {expected:?}", method.path));
                }
            }
        }
    }
    assert!(wrong.is_empty() && tried > 20, "{tried} {wrong:#?}");
}

/// Whether those at the edge may call it for nobody.
fn is_open(method: &Method) -> bool {
    matches!(method.audience, Audience::Public | Audience::Internal)
}

/// Everybody whom the contract names, and one whom it doesn't.
fn workloads() -> BTreeSet<&'static str> {
    let callers = CONTRACT.methods.iter().flat_map(|method| method.callers);
    let known: BTreeSet<_> = callers.chain(CONTRACT.contexts).copied().collect();
    assert!(!known.contains(STRANGER));
    known.into_iter().chain([STRANGER]).collect()
}

/// How a call with an empty message ends; unary or a stream, nobody answers it.
async fn call(channel: Channel, method: &Method) -> Status {
    let mut client = Grpc::new(channel);
    client.ready().await.unwrap();
    let (path, codec) = (PathAndQuery::from_static(method.path), ProstCodec::<(), ()>::default());
    client.server_streaming(Request::new(()), path, codec).await.expect_err("nobody answers")
}
