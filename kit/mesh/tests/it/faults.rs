//! Faults that operators ask for: what calls that have them come to, and who sees it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use contracts::tables::Method;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Request};
use tonic_types::StatusExt;
use tradewind_domain::{Error, ErrorKind};
use tradewind_mesh::{At, Channels, Circuit, Fault, Faults, Identity, IdentityFiles, Standing, Wanted, reason};

use crate::echo::{BRIEF, COUNT, NAMED, SAY, WATCH, ask, ask_with, listen};
use crate::made;
use crate::world::{World, counted_of, credentials, eventually, policy};

const ECHO: &str = "tradewind.echo.v1.EchoService/*";
const MINUTE: Duration = Duration::from_secs(60);

/// Every call of a method ends so.
fn abort(method: &str, code: Code) -> Wanted {
    let (method, lasts) = (method.to_owned(), MINUTE);
    Wanted { method, at: At::Server, percent: 100, latency: None, abort: Some(code), lasts }
}

fn set(faults: &Faults, wanted: Wanted) -> Result<Fault, Error> {
    faults.set(&policy(), "echo", wanted, "operator")
}

fn method(path: &str) -> &'static Method {
    policy().method(path).unwrap()
}

/// Channels to several servers of `echo`.
fn channels(credentials: &std::path::Path, addresses: &[SocketAddr]) -> Channels {
    let identity = Identity::load(IdentityFiles::in_dir(credentials, "gateway")).unwrap();
    let addresses = addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    Channels::new(identity, policy(), BTreeMap::from([("echo".to_owned(), addresses)]))
}

#[tokio::test]
async fn a_call_that_is_served_ends_as_an_operator_has_asked_and_says_so() {
    let world = World::start().await;
    let fault = set(&world.faults, abort(NAMED, Code::Aborted)).unwrap();
    let refused = ask(&world.channel("gateway"), NAMED, "").await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_deref()), (Code::Aborted, Some("FAULT_INJECTED")));
    let facts = refused.get_details_error_info().unwrap().metadata;
    assert_eq!((facts["layer"].as_str(), facts["fault"].as_str()), ("fault", "1"));
    assert_eq!(world.echo.calls.load(Ordering::SeqCst), 0, "nothing was carried out");
    assert!(ask(&world.channel("gateway"), SAY, "another").await.is_ok(), "other methods have none");
    let labels = [("grpc.method", NAMED.trim_start_matches('/')), ("fault", "abort")];
    assert!(counted_of("tradewind_mesh_faults", &labels) >= 1);

    let listed = world.faults.list().remove(0);
    assert_eq!((listed.number, listed.by.as_str(), listed.injected), (fault.number, "operator", 1));
    assert_eq!(world.faults.clear(&[fault.number + 1], "operator").len(), 0);
    assert_eq!(world.faults.clear(&[fault.number], "operator").len(), 1);
    assert!(ask(&world.channel("gateway"), NAMED, "").await.is_ok());
}

#[tokio::test]
async fn whoever_may_not_call_learns_nothing_of_faults() {
    let world = World::start().await;
    set(&world.faults, abort(ECHO, Code::Aborted)).unwrap();
    let refused = ask(&world.channel("stranger"), SAY, "").await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_deref()), (Code::PermissionDenied, Some("CALLER_NOT_ALLOWED")));
    assert_eq!(world.faults.list()[0].injected, 0);
}

#[tokio::test]
async fn a_call_waits_no_longer_than_its_deadline() {
    let world = World::start().await;
    let wait = |latency| Wanted { latency: Some(latency), ..abort(BRIEF, Code::Unknown) };
    set(&world.faults, Wanted { abort: None, ..wait(MINUTE) }).unwrap();
    let late = ask(&world.channel("gateway"), BRIEF, "").await.unwrap_err();
    assert_eq!((late.code(), world.echo.calls.load(Ordering::SeqCst)), (Code::DeadlineExceeded, 0));
    let _ = world.faults.clear(&[], "operator");

    set(&world.faults, Wanted { abort: None, ..wait(Duration::from_millis(1)) }).unwrap();
    assert!(ask(&world.channel("gateway"), BRIEF, "").await.is_ok(), "it waits, and is answered");
    let _ = world.faults.clear(&[], "operator");
    set(&world.faults, wait(Duration::from_millis(1))).unwrap();
    let failed = ask(&world.channel("gateway"), BRIEF, "").await.unwrap_err();
    assert_eq!((failed.code(), world.echo.calls.load(Ordering::SeqCst)), (Code::Unknown, 1), "it waits, and fails");
    let labels = [("grpc.method", BRIEF.trim_start_matches('/')), ("fault", "latency")];
    assert!(counted_of("tradewind_mesh_faults", &labels) >= 3);
}

#[tokio::test]
async fn as_many_calls_have_it_as_was_asked() {
    let faults = Faults::default();
    let had = |percent| {
        let fault = set(&faults, Wanted { percent, ..abort(SAY, Code::Unavailable) }).unwrap();
        let had = (0..1_000).filter(|_| faults.served(method(SAY)).is_some()).count();
        let _ = faults.clear(&[fault.number], "operator");
        had
    };
    assert_eq!((had(0), had(100)), (0, 1_000));
    assert!((1..1_000).contains(&had(50)));
}

#[tokio::test]
async fn a_fault_is_of_its_methods_its_end_its_peer_and_its_endpoint_alone() {
    let [here, there] = [1, 2].map(|port| SocketAddr::from(([10, 0, 0, 1], port)));
    let faults = Faults::default();
    let is_had = |path| {
        let of = |peer, at| faults.made(method(path), peer, at).is_some();
        (faults.served(method(path)).is_some(), of("echo", here), of("echo", there), of("reader", here))
    };
    assert_eq!(is_had(SAY), (false, false, false, false));
    for (asked, at, expected) in [
        (SAY, At::Server, (true, false, false, false)),
        (ECHO, At::Server, (true, false, false, false)),
        (COUNT, At::Server, (false, false, false, false)),
        (SAY, At::Peer("echo".to_owned(), None), (false, true, true, false)),
        (ECHO, At::Peer("echo".to_owned(), Some(there)), (false, false, true, false)),
    ] {
        set(&faults, Wanted { at: at.clone(), ..abort(asked, Code::Unavailable) }).unwrap();
        assert_eq!(is_had(SAY), expected, "{asked} {at}");
        let _ = faults.clear(&[], "operator");
    }
}

#[tokio::test(start_paused = true)]
async fn a_fault_ends_by_itself() {
    let faults = Faults::default();
    let brief = set(&faults, abort(SAY, Code::Unavailable)).unwrap();
    let longer = set(&faults, Wanted { lasts: MINUTE * 60, ..abort(BRIEF, Code::Unavailable) }).unwrap();
    tokio::time::sleep(MINUTE - Duration::from_millis(1)).await;
    assert!(faults.served(method(SAY)).is_some());
    assert_eq!(faults.list().iter().map(|fault| fault.number).collect::<Vec<_>>(), [brief.number, longer.number]);
    tokio::time::sleep(Duration::from_millis(2)).await;
    assert!(faults.served(method(SAY)).is_none());
    assert_eq!(faults.list().iter().map(|fault| fault.number).collect::<Vec<_>>(), [longer.number]);
    tokio::time::sleep(MINUTE * 60).await;
    assert!(faults.list().is_empty());
}

#[tokio::test]
async fn there_are_sixty_four_at_most() {
    let faults = Faults::default();
    let all: Vec<_> = (0..64).map(|_| set(&faults, abort(SAY, Code::Unavailable)).unwrap().number).collect();
    let refused = set(&faults, abort(SAY, Code::Unavailable)).unwrap_err();
    assert_eq!((refused.kind, refused.reason), (ErrorKind::Exhausted, "TOO_MANY_FAULTS"));
    assert_eq!(faults.clear(&all[..1], "operator").len(), 1);
    assert!(set(&faults, abort(SAY, Code::Unavailable)).is_ok());
    assert_eq!((faults.clear(&[], "operator").len(), faults.list().len()), (64, 0));
}

#[tokio::test]
async fn whoever_asks_for_what_cannot_be_is_told_why_not() {
    let faults = Faults::default();
    let fine = || abort(SAY, Code::Unavailable);
    let at_reader = At::Peer("reader".to_owned(), None);
    for (reason, field, wanted) in [
        ("METHOD_UNKNOWN", "method", abort("tradewind.echo.v1.EchoService/Sing", Code::Unavailable)),
        ("METHOD_UNKNOWN", "method", abort("tradewind.echo.v1.Choir/*", Code::Unavailable)),
        ("METHOD_UNKNOWN", "method", abort("*", Code::Unavailable)),
        ("METHOD_UNKNOWN", "method", abort("", Code::Unavailable)),
        ("METHOD_NEVER_FAULTED", "method", abort("grpc.health.v1.Health/*", Code::Unavailable)),
        ("METHOD_NEVER_FAULTED", "method", abort("tradewind.mesh.v1.MeshService/ClearFaults", Code::Unavailable)),
        ("METHOD_NOT_SERVED", "method", Wanted { at: at_reader, ..fine() }),
        ("PERCENT_OUT_OF_RANGE", "percent", Wanted { percent: 101, ..fine() }),
        ("LATENCY_OUT_OF_RANGE", "latency", Wanted { latency: Some(Duration::ZERO), ..fine() }),
        ("LATENCY_OUT_OF_RANGE", "latency", Wanted { latency: Some(MINUTE * 2), ..fine() }),
        ("ABORT_INVALID", "abort", abort(SAY, Code::Ok)),
        ("FAULT_EMPTY", "abort", Wanted { abort: None, ..fine() }),
        ("LASTS_OUT_OF_RANGE", "lasts", Wanted { lasts: Duration::ZERO, ..fine() }),
        ("LASTS_OUT_OF_RANGE", "lasts", Wanted { lasts: MINUTE * 61, ..fine() }),
    ] {
        let refused = set(&faults, wanted.clone()).unwrap_err();
        assert_eq!((refused.kind, refused.reason), (ErrorKind::Invalid, reason), "{wanted:?}");
        assert_eq!(refused.violations[0].field, field, "{wanted:?}");
    }
    let all = Wanted { percent: 200, lasts: Duration::ZERO, ..abort("", Code::Ok) };
    assert_eq!(set(&faults, all).unwrap_err().violations.len(), 4, "everything is told at once");
    assert!(faults.list().is_empty());
}

/// What an operator has asked for is seen as if the endpoint were to blame.
#[tokio::test]
async fn a_circuit_opens_by_faults_and_closes_when_they_are_over() {
    let world = World::start().await;
    let channels = channels(world.dir.path(), &[world.address]);
    let channel = channels.to("echo").unwrap();
    let circuit = || channels.status()[0].endpoints[0].circuits.first().copied();
    set(channels.faults(), Wanted { at: At::Peer("echo".to_owned(), None), ..abort(SAY, Code::Unavailable) }).unwrap();
    eventually("the circuit is open", async || {
        let failed = ask(&channel, SAY, "a").await.unwrap_err();
        assert_eq!(failed.code(), Code::Unavailable);
        circuit() == Some((SAY, Circuit::Open))
    })
    .await;
    assert_eq!(world.echo.calls.load(Ordering::SeqCst), 0);
    let _ = channels.faults().clear(&[], "operator");
    eventually("the circuit is closed", async || {
        ask(&channel, SAY, "a").await.is_ok() && circuit() == Some((SAY, Circuit::Closed))
    })
    .await;
}

/// Whoever watches goes when they have seen enough: a circuit that heard of ends alone would stay open.
#[tokio::test]
async fn a_stream_that_begins_closes_the_circuit_although_its_caller_ends_it() {
    let world = World::start().await;
    let channels = channels(world.dir.path(), &[world.address]);
    let channel = channels.to("echo").unwrap();
    let circuit = || channels.status()[0].endpoints[0].circuits.first().copied();
    set(channels.faults(), Wanted { at: At::Peer("echo".to_owned(), None), ..abort(WATCH, Code::Unavailable) })
        .unwrap();
    eventually("the circuit is open", async || {
        listen(&channel, WATCH, "a").await.unwrap_err();
        circuit() == Some((WATCH, Circuit::Open))
    })
    .await;
    let _ = channels.faults().clear(&[], "operator");
    eventually("the circuit is closed", async || {
        drop(listen(&channel, WATCH, "a").await);
        circuit() == Some((WATCH, Circuit::Closed))
    })
    .await;
    for _ in 0..10 {
        drop(listen(&channel, WATCH, "a").await.unwrap());
    }
    assert_eq!(circuit(), Some((WATCH, Circuit::Closed)));
}

#[tokio::test]
async fn an_endpoint_with_faults_is_hardly_asked_and_costs_no_call_that_may_be_made_again() {
    let (credentials, stop) = (credentials(), CancellationToken::new());
    let serve = || made::serve(credentials.path(), None, stop.clone(), |text| async move { Ok(text) });
    let addresses = [serve().await, serve().await];
    let channels = channels(credentials.path(), &addresses);
    let channel = channels.to("echo").unwrap();
    let at = At::Peer("echo".to_owned(), Some(addresses[0]));
    set(channels.faults(), Wanted { at, ..abort(SAY, Code::Unavailable) }).unwrap();
    eventually("it was asked", async || {
        ask(&channel, SAY, "a").await.unwrap();
        channels.faults().list()[0].injected > 0
    })
    .await;
    for _ in 0..200 {
        ask(&channel, SAY, "a").await.unwrap();
    }
    let injected = channels.faults().list()[0].injected;
    assert!(injected < 100, "of more than 200 calls it was asked {injected}");
    stop.cancel();
}

#[tokio::test]
async fn what_a_channel_waits_for_or_begins_has_faults_as_well() {
    let world = World::start().await;
    let channels = channels(world.dir.path(), &[world.address]);
    let channel = channels.to("echo").unwrap();
    let at = At::Peer("echo".to_owned(), None);
    set(channels.faults(), Wanted { at: at.clone(), ..abort(WATCH, Code::PermissionDenied) }).unwrap();
    let refused = listen(&channel, WATCH, "a").await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_deref()), (Code::PermissionDenied, Some("FAULT_INJECTED")));

    let waits = Wanted { at, latency: Some(MINUTE), abort: None, ..abort(SAY, Code::Unknown) };
    set(channels.faults(), waits).unwrap();
    let mut request = Request::new("a".to_owned());
    request.set_timeout(Duration::from_millis(100));
    let late = ask_with(&channel, SAY, request).await.unwrap_err();
    assert_eq!((late.code(), world.echo.calls.load(Ordering::SeqCst)), (Code::DeadlineExceeded, 0));
}

#[tokio::test]
async fn channels_tell_how_those_stand_that_they_lead_to() {
    let world = World::start().await;
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let channels = channels(world.dir.path(), &[world.address, nobody]);
    assert!(channels.status().is_empty(), "nobody is called yet");
    let channel = channels.to("echo").unwrap();
    ask(&channel, SAY, "a").await.unwrap();
    eventually("it is known who cannot be reached", async || {
        let status = channels.status().remove(0);
        status.endpoints.iter().any(|endpoint| matches!(endpoint.standing, Standing::Failing(..)))
    })
    .await;
    let waiting = tokio::spawn({
        let channel = channel.clone();
        async move { ask(&channel, SAY, "wait").await }
    });
    eventually("a call is under way", async || channels.status()[0].calls.used == 1).await;
    let status = channels.status().remove(0);
    assert_eq!((status.peer.as_str(), status.calls.queued, status.retries), ("echo", 0, (10, 10)));
    let of = |address| status.endpoints.iter().find(|endpoint| endpoint.address == address).unwrap();
    let (here, away) = (of(world.address), of(nobody));
    assert_eq!((&here.standing, here.connections, here.in_flight), (&Standing::Ready, 1, 1));
    assert!(here.latency.is_some() && here.circuits == [(SAY, Circuit::Closed)], "{here:?}");
    assert_eq!((away.connections, away.in_flight, away.latency), (0, 0, None));
    world.echo.gate.add_permits(1);
    waiting.await.unwrap().unwrap();
    eventually("no call is under way", async || channels.status()[0].calls.used == 0).await;
}
