//! For whom a call is made, and whose what it asks for is.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use rustls::pki_types::{ServerName, UnixTime};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::{Code, Request, Status};
use tradewind_mesh::{Channel, Identity, IdentityFiles, Owners, User, pki, reason};
use tradewind_tokens::{Minted, Minter};
use tradewind_workload::tls;

use crate::echo::{FOLLOW, MINE, OPEN, SAY, STAFFED, THING, ask, ask_with, listen};
use crate::telemetry::is_written;
use crate::world::World;

const USER: &str = "tradewind-user";
const CHAIN: &str = "tradewind-user-chain";

fn ada() -> User {
    User { id: "ada".to_owned(), ..User::default() }
}

fn staff() -> User {
    User { id: "stu".to_owned(), roles: vec!["staff".to_owned()], ..User::default() }
}

/// Things are called by who owns them: `ada's thing`.
async fn world() -> World {
    let whose = async |thing: String| match thing.split_once("'s ") {
        Some((owner, _)) => Ok(Some(owner.to_owned())),
        None => Ok(None),
    };
    let missing = |_: &str| Status::not_found("there is no such thing");
    let whose = move |thing| Box::pin(async move { whose(thing).await });
    let owners = Owners::default().of("value", whose, missing);
    World::start_as(|server| server.with_owners(owners), Duration::from_secs(10)).await
}

fn speaking(channel: &Channel, user: User) -> Channel {
    channel.speaking_for(Arc::new(user))
}

/// What the gateway is answered that asks for `user`.
async fn ask_for(world: &World, user: User, path: &'static str, text: &str) -> Result<String, Status> {
    ask(&speaking(&world.channel("gateway"), user), path, text).await
}

/// The same as what is said of it, and why.
async fn told(world: &World, user: User, path: &'static str, text: &str) -> Result<String, (Code, String)> {
    why(ask_for(world, user, path, text).await)
}

fn why<T>(answer: Result<T, Status>) -> Result<T, (Code, String)> {
    answer.map_err(|refused| (refused.code(), reason(&refused).unwrap_or_else(|| refused.message().to_owned())))
}

fn refused<T>(code: Code, why: &str) -> Result<T, (Code, String)> {
    Err((code, why.to_owned()))
}

#[tokio::test]
async fn a_handler_knows_for_whom_a_call_is_and_has_nothing_to_hand_on() {
    let world = world().await;
    assert_eq!(ask_for(&world, ada(), OPEN, "whom").await.unwrap(), "ada");
    assert_eq!(ask_for(&world, ada(), OPEN, "logged").await.unwrap(), "ada", "lines of the log name them");
    assert_eq!(ask_for(&world, ada(), OPEN, "metadata").await.unwrap(), "");
    assert_eq!(ask(&world.channel("gateway"), OPEN, "whom").await.unwrap(), "nobody");
    // A connection carries many, and each is for somebody else.
    let channel = world.channel("gateway");
    for number in 0..50 {
        let user = User { id: format!("u-{number}"), ..User::default() };
        assert_eq!(ask(&speaking(&channel, user.clone()), OPEN, "whom").await.unwrap(), user.id);
        assert_eq!(ask(&speaking(&channel, user.clone()), MINE, "").await.unwrap(), user.id);
    }
}

#[tokio::test]
async fn the_gateway_makes_no_call_of_its_own_but_such_as_are_for_anybody() {
    let world = world().await;
    let gateway = world.channel("gateway");
    for path in [MINE, THING, STAFFED] {
        let answer = why(ask(&gateway, path, "ada").await);
        assert_eq!(answer, refused(Code::Unauthenticated, "NOT_SIGNED_IN"), "{path}");
    }
    assert_eq!(world.echo.calls.load(Ordering::SeqCst), 0, "no handler was reached");
    assert_eq!(ask(&gateway, OPEN, "hello").await.unwrap(), "hello");
    assert_eq!(ask(&gateway, SAY, "hello").await.unwrap(), "hello", "internal, and the contract names it");
}

#[tokio::test]
async fn what_is_for_staff_wants_the_role_and_what_is_internal_wants_nobody() {
    let world = world().await;
    assert_eq!(told(&world, ada(), STAFFED, "hello").await, refused(Code::PermissionDenied, "ROLE_MISSING"));
    let almost = User { roles: vec!["Staff".to_owned(), "staff ".to_owned()], ..ada() };
    assert_eq!(told(&world, almost, STAFFED, "hello").await, refused(Code::PermissionDenied, "ROLE_MISSING"));
    assert_eq!(told(&world, staff(), STAFFED, "hello").await.as_deref(), Ok("hello"));
    for user in [ada(), staff()] {
        assert_eq!(told(&world, user, SAY, "hello").await, refused(Code::PermissionDenied, "NOT_FOR_PEOPLE"));
    }
    let facts = [("user", "ada"), ("reason", "ROLE_MISSING"), ("layer", "server.user")];
    let before =
        [("caller", "spiffe://tradewind.test/svc/gateway"), ("method", "tradewind.echo.v1.EchoService/Staffed")];
    is_written("call refused", &[before[0], before[1], facts[1], facts[2]]).await;
}

#[tokio::test]
async fn who_shows_a_key_is_bound_to_what_it_is_for() {
    let world = world().await;
    let bound = |scopes: &[&str], user: User| {
        let scopes = Some(scopes.iter().map(|scope| (*scope).to_owned()).collect());
        User { scopes, ..user }
    };
    assert_eq!(told(&world, bound(&["other.read", "echo.read"], ada()), MINE, "").await.as_deref(), Ok("ada"));
    let missing = || refused(Code::PermissionDenied, "SCOPE_MISSING");
    for scopes in [&[][..], &["echo.write"], &["echo"], &["echo.rea"]] {
        assert_eq!(told(&world, bound(scopes, ada()), MINE, "").await, missing(), "{scopes:?}");
    }
    let all = ["echo.read", "echo.write", ""];
    assert_eq!(
        told(&world, bound(&all, ada()), MINE, "bob").await,
        refused(Code::PermissionDenied, "OTHER_CUSTOMER"),
        "it is nobody else's for that"
    );
    assert_eq!(told(&world, bound(&all, staff()), STAFFED, "hello").await, missing(), "no key is for what staff does");
    assert_eq!(told(&world, bound(&[], ada()), OPEN, "whom").await.as_deref(), Ok("ada"), "what is for anybody");
}

#[tokio::test]
async fn a_customer_asks_for_themselves_and_staff_for_anybody() {
    let world = world().await;
    assert_eq!(told(&world, ada(), MINE, "ada").await.as_deref(), Ok("ada"));
    assert_eq!(told(&world, ada(), MINE, "").await.as_deref(), Ok("ada"), "who says nothing speaks of themselves");
    let calls = world.echo.calls.load(Ordering::SeqCst);
    for other in ["bob", "Ada", "ada ", "nobody there"] {
        assert_eq!(
            told(&world, ada(), MINE, other).await,
            refused(Code::PermissionDenied, "OTHER_CUSTOMER"),
            "{other}"
        );
    }
    assert_eq!(world.echo.calls.load(Ordering::SeqCst), calls, "no handler was reached");
    is_written("call refused", &[("user", "ada"), ("reason", "OTHER_CUSTOMER"), ("layer", "server.user")]).await;
    for said in ["bob", ""] {
        assert_eq!(told(&world, staff(), MINE, said).await.as_deref(), Ok(said));
    }
}

#[tokio::test]
async fn what_is_somebody_elses_is_not_there() {
    let world = world().await;
    assert_eq!(told(&world, ada(), THING, "ada's thing").await.as_deref(), Ok("ada's thing"));
    let calls = world.echo.calls.load(Ordering::SeqCst);
    let all = |refused: &Status| {
        format!("{:?} {} {:?} {:?}", refused.code(), refused.message(), refused.details(), reason(refused))
    };
    let gateway = speaking(&world.channel("gateway"), ada());
    let (theirs, none) = ("bob's thing", "a thing");
    let unary = [theirs, none].map(|thing| ask_for(&world, ada(), THING, thing));
    let [theirs_told, none_told] = futures::future::join_all(unary).await.try_into().unwrap();
    let (theirs_told, none_told): (Status, Status) = (theirs_told.unwrap_err(), none_told.unwrap_err());
    assert_eq!((all(&theirs_told), theirs_told.code()), (all(&none_told), Code::NotFound));
    for thing in [theirs, none] {
        let stream = listen(&gateway, FOLLOW, thing).await;
        let told = match stream {
            Ok(mut stream) => stream.message().await.unwrap_err(),
            Err(told) => told,
        };
        assert_eq!(all(&told), all(&none_told), "{thing}");
    }
    assert_eq!(world.echo.calls.load(Ordering::SeqCst), calls, "no handler was reached");
    let mut mine = listen(&gateway, FOLLOW, "ada's thing").await.unwrap();
    assert_eq!(mine.message().await.unwrap().as_deref(), Some("ada's thing"));
    for thing in [theirs, none] {
        assert_eq!(told(&world, staff(), THING, thing).await.as_deref(), Ok(thing), "the handler's to answer");
    }
}

#[tokio::test]
async fn a_workload_that_the_contract_names_acts_for_itself() {
    let world = world().await;
    let operator = world.channel("operator");
    for (path, text) in [(OPEN, "whom"), (MINE, "ada"), (MINE, ""), (THING, "bob's thing"), (STAFFED, "hello")] {
        let expected = if text == "whom" { "nobody" } else { text };
        assert_eq!(ask(&operator, path, text).await.unwrap(), expected, "{path}");
    }
    // Where nobody is asked, nobody is looked up.
    assert_eq!(
        why(ask(&world.channel("stranger"), MINE, "ada").await),
        refused(Code::PermissionDenied, "CALLER_NOT_ALLOWED")
    );
}

/// Sends exactly these headers over a connection of `who`, as a channel would not.
async fn send(world: &World, who: &str, path: &str, text: &str, headers: &[(&str, &str)]) -> Result<String, Status> {
    let tcp = TcpStream::connect(world.address).await.unwrap();
    let connector = TlsConnector::from(Arc::new(tls::client(&world.identity(who), "echo").unwrap()));
    let stream = connector.connect(ServerName::try_from("echo").unwrap(), tcp).await.unwrap();
    let (client, connection) = h2::client::handshake(stream).await.unwrap();
    let connection = tokio::spawn(connection);
    let mut request = http::Request::post(format!("https://echo{path}"));
    for (name, value) in [("content-type", "application/grpc"), ("te", "trailers")].iter().chain(headers) {
        request = request.header(*name, *value);
    }
    let (response, mut body) = client.ready().await.unwrap().send_request(request.body(()).unwrap(), false).unwrap();
    let message = prost::Message::encode_to_vec(&text.to_owned());
    let framed = [&[0], &u32::try_from(message.len()).unwrap().to_be_bytes()[..], &message].concat();
    body.send_data(Bytes::from(framed), true).unwrap();
    let response = response.await.unwrap();
    let (head, mut body) = response.into_parts();
    let mut answer = Vec::new();
    while let Some(data) = body.data().await {
        answer.extend(data.unwrap());
    }
    let trailers = body.trailers().await.unwrap();
    connection.abort();
    for found in [Some(&head.headers), trailers.as_ref()].into_iter().flatten() {
        match Status::from_header_map(found) {
            Some(status) if status.code() != Code::Ok => return Err(status),
            _ => {}
        }
    }
    Ok(prost::Message::decode(&answer[5..]).unwrap())
}

fn minted(dir: &TempDir, by: &str, service: &str, age: u64) -> Minted {
    minted_for(dir, by, &ada(), service, age)
}

fn minted_for(dir: &TempDir, by: &str, user: &User, service: &str, age: u64) -> Minted {
    let identity = Identity::load(IdentityFiles::in_dir(dir.path(), by)).unwrap();
    Minter::new(identity).mint(user, service, UnixTime::now().as_secs() - age).unwrap()
}

#[tokio::test]
async fn whoever_brings_a_token_is_bound_by_it() {
    let world = world().await;
    let Minted { token, chain } = minted(&world.dir, "gateway", "echo", 0);
    let both = [(USER, &*token), (CHAIN, &*chain)];
    let bound = async |path: &str, text: &str| why(send(&world, "gateway", path, text, &both).await);
    assert_eq!(bound(OPEN, "whom").await.as_deref(), Ok("ada"));
    assert_eq!(bound(MINE, "").await.as_deref(), Ok("ada"));
    assert_eq!(bound(MINE, "bob").await, refused(Code::PermissionDenied, "OTHER_CUSTOMER"));
    assert_eq!(bound(STAFFED, "hello").await, refused(Code::PermissionDenied, "ROLE_MISSING"));
    assert_eq!(bound(THING, "bob's thing").await, refused(Code::NotFound, "there is no such thing"));
    let stranger = why(send(&world, "stranger", OPEN, "whom", &both).await);
    assert_eq!(stranger, refused(Code::PermissionDenied, "CALLER_NOT_ALLOWED"), "a token lets nobody in");
}

/// Who says that a call is for whom, over whose connection: the gateway anybody, the console staff, each over its own; others nobody.
#[tokio::test]
async fn somebody_is_believed_of_the_edge_alone_that_may_speak_for_them() {
    let world = world().await;
    let workloads = ["gateway", "console", "operator", "reader"];
    for signer in workloads {
        for user in [ada(), staff()] {
            let Minted { token, chain } = minted_for(&world.dir, signer, &user, "echo", 0);
            let both = [(USER, &*token), (CHAIN, &*chain)];
            for brings in workloads {
                for path in [OPEN, MINE, STAFFED, SAY] {
                    let answer = why(send(&world, brings, path, "", &both).await).map(drop);
                    let speaks = signer == brings && ["gateway", "console"].contains(&signer);
                    let is_staffs = signer == "console" || path == STAFFED;
                    let expected = match path {
                        SAY if !["gateway", "operator"].contains(&brings) => {
                            refused(Code::PermissionDenied, "CALLER_NOT_ALLOWED")
                        }
                        _ if !speaks => refused(Code::Unauthenticated, "TOKEN_SIGNER"),
                        SAY => refused(Code::PermissionDenied, "NOT_FOR_PEOPLE"),
                        _ if is_staffs && user == ada() => refused(Code::PermissionDenied, "ROLE_MISSING"),
                        _ => Ok(()),
                    };
                    assert_eq!(answer, expected, "{brings} brings to {path} what {signer} says of {}", user.id);
                }
            }
        }
    }
}

#[tokio::test]
async fn a_token_that_is_not_the_gateways_for_this_service_and_this_minute_is_none() {
    let world = world().await;
    let good = minted(&world.dir, "gateway", "echo", 0);
    let foreign = tempfile::tempdir().unwrap();
    pki::init(foreign.path(), &["gateway"], "elsewhere.test").unwrap();
    let other = tempfile::tempdir().unwrap();
    pki::init(other.path(), &["gateway"], crate::world::DOMAIN).unwrap();
    let elsewhere = minted(&world.dir, "gateway", "reader", 0);
    let old = minted(&world.dir, "gateway", "echo", 91);
    let signed_by_reader = minted(&world.dir, "reader", "echo", 0);
    let by_foreign = minted(&foreign, "gateway", "echo", 0);
    let by_other = minted(&other, "gateway", "echo", 0);
    let (both, twice) = (
        |minted: &'_ Minted| vec![(USER, minted.token.to_string()), (CHAIN, minted.chain.to_string())],
        good.token.to_string(),
    );
    let changed = good.token.replacen('.', ".e", 1);
    let rows = [
        ("for another service", both(&elsewhere), "TOKEN_AUDIENCE"),
        ("expired", both(&old), "TOKEN_EXPIRED"),
        ("signed by another workload", both(&signed_by_reader), "TOKEN_SIGNER"),
        ("of another trust domain", both(&by_foreign), "TOKEN_SIGNER"),
        ("of another authority", both(&by_other), "TOKEN_SIGNER"),
        (
            "of another with the gateway's certificates",
            vec![(USER, signed_by_reader.token.to_string()), (CHAIN, good.chain.to_string())],
            "TOKEN_SIGNATURE",
        ),
        ("changed", vec![(USER, changed), (CHAIN, good.chain.to_string())], "TOKEN_SIGNATURE"),
        ("without certificates", vec![(USER, good.token.to_string())], "TOKEN_MALFORMED"),
        ("certificates alone", vec![(CHAIN, good.chain.to_string())], "TOKEN_MALFORMED"),
        ("twice", [both(&good), vec![(USER, twice)]].concat(), "TOKEN_MALFORMED"),
        ("no token", vec![(USER, "ada".to_owned()), (CHAIN, good.chain.to_string())], "TOKEN_MALFORMED"),
        ("too long", vec![(USER, "a".repeat(9 << 10)), (CHAIN, good.chain.to_string())], "TOKEN_TOO_LARGE"),
    ];
    for (what, headers, expected) in &rows {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        // A workload that could act for itself doesn't, if it brings what does not hold.
        for (who, path) in [("gateway", OPEN), ("gateway", MINE), ("operator", MINE), ("operator", SAY)] {
            let (code, told) = why(send(&world, who, path, "ada", &headers).await).unwrap_err();
            assert_eq!(code, Code::Unauthenticated, "{what}, {who}, {path}");
            assert!(told == *expected || who == "operator" && told == "TOKEN_SIGNER", "{what}, {who}, {path}: {told}");
        }
    }
    assert_eq!(world.echo.calls.load(Ordering::SeqCst), 0, "no handler was reached");
    let signed_by_reader = ask(&speaking(&world.channel("reader"), ada()), MINE, "ada").await;
    assert_eq!(why(signed_by_reader), refused(Code::Unauthenticated, "TOKEN_SIGNER"), "nor by its own channel");
}

#[tokio::test]
async fn nobody_hands_on_a_token_that_he_was_given() {
    let world = world().await;
    let Minted { token, chain } = minted(&world.dir, "gateway", "echo", 0);
    let mut request = Request::new("whom".to_owned());
    request.metadata_mut().insert(USER, token.parse().unwrap());
    request.metadata_mut().insert(CHAIN, chain.parse().unwrap());
    assert_eq!(ask_with(&world.channel("gateway"), OPEN, request).await.unwrap(), "nobody");
}

#[tokio::test]
async fn a_gateway_whose_certificate_is_replaced_speaks_on() {
    let world = world().await;
    let identity = world.identity("gateway");
    let channel = crate::world::channel(identity.clone(), "echo", world.address);
    assert_eq!(ask(&speaking(&channel, ada()), MINE, "").await.unwrap(), "ada");
    pki::renew(world.dir.path(), "gateway").unwrap();
    identity.reload().unwrap();
    assert_eq!(ask(&speaking(&channel, ada()), MINE, "").await.unwrap(), "ada");
}
