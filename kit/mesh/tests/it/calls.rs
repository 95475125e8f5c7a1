//! Who may call what, and what comes back when something goes wrong.

use std::sync::atomic::Ordering;

use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt;
use tradewind_mesh::reason;

use crate::contract::{READ_KEY, READ_LOG};
use crate::echo::{BARE, BRIEF, NAMED, ONCE, SAY, ask, ask_with};
use crate::world::{World, channel};

#[tokio::test]
async fn an_allowed_caller_is_served_and_known_to_the_handler() {
    let world = World::start().await;
    let answer = ask(&world.channel("gateway"), SAY, "who").await.unwrap();
    assert_eq!(answer, "spiffe://tradewind.test/svc/gateway");
}

#[tokio::test]
async fn a_caller_that_the_contract_does_not_name_is_refused_with_a_reason() {
    let world = World::start().await;
    for (caller, path) in [("stranger", SAY), ("operator", BRIEF), ("gateway", BARE)] {
        let refused = ask(&world.channel(caller), path, "hello").await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied, "{caller} {path}");
        assert_eq!(reason(&refused).as_deref(), Some("CALLER_NOT_ALLOWED"));
        let info = refused.get_details_error_info().unwrap();
        assert_eq!((info.domain.as_str(), info.metadata["caller"].as_str()), ("mesh.tradewind", caller));
    }
    assert_eq!(world.echo.calls.load(Ordering::SeqCst), 0, "no handler was reached");
}

#[tokio::test]
async fn a_method_outside_the_contract_does_not_exist() {
    let world = World::start().await;
    let unknown = ask(&world.channel("gateway"), "/tradewind.echo.v1.EchoService/Other", "hello").await.unwrap_err();
    assert_eq!(unknown.code(), Code::Unimplemented);
    assert_eq!(world.echo.calls.load(Ordering::SeqCst), 0, "no handler was reached");
}

#[tokio::test]
async fn every_workload_may_ask_for_health() {
    let world = World::start().await;
    let mut health = HealthClient::new(world.channel("stranger"));
    health.check(HealthCheckRequest::default()).await.unwrap();
}

#[tokio::test]
async fn only_readers_of_a_contexts_events_and_named_callers_may_read_its_log() {
    let world = World::start().await;
    // Nothing is registered under that name here: whoever passes the policy is told so.
    for (caller, path, expected) in [
        ("reader", READ_LOG, Code::Unimplemented),
        ("operator", READ_LOG, Code::Unimplemented),
        ("gateway", READ_LOG, Code::PermissionDenied),
        ("reader", READ_KEY, Code::PermissionDenied),
    ] {
        let answer = ask(&world.channel(caller), path, "").await.unwrap_err();
        assert_eq!(answer.code(), expected, "{caller} {path}");
    }
}

#[tokio::test]
async fn a_panic_in_a_handler_is_an_internal_error_of_that_call_alone() {
    let world = World::start().await;
    let channel = world.channel("gateway");
    let failed = ask(&channel, SAY, "panic").await.unwrap_err();
    assert_eq!((failed.code(), failed.message()), (Code::Internal, "internal error"));
    assert_eq!(ask(&channel, SAY, "still here").await.unwrap(), "still here");
}

#[tokio::test]
async fn a_call_that_is_harmless_twice_is_repeated_when_the_service_was_unavailable() {
    for (harmless, why) in [(SAY, "changes nothing"), (NAMED, "has a request_id")] {
        let world = World::start().await;
        let answer = ask(&world.channel("gateway"), harmless, "unavailable once").await;
        assert_eq!(answer.unwrap(), "unavailable once", "{why}");
        assert_eq!(world.echo.calls.load(Ordering::SeqCst), 2, "{why}");
    }

    let other = World::start().await;
    let refused = ask(&other.channel("gateway"), BRIEF, "unavailable once").await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable, "one that may be repeated with a request_id, and has none, is not");
    assert_eq!(other.echo.calls.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_call_that_could_not_be_answered_in_time_again_ends_with_the_answer_that_there_is() {
    let world = World::start().await;
    let mut request = tonic::Request::new("unavailable late".to_owned());
    request.set_timeout(std::time::Duration::from_secs(3));
    let refused = ask_with(&world.channel("gateway"), SAY, request).await.unwrap_err();
    assert_eq!((refused.code(), refused.message()), (Code::Unavailable, "late"));
    assert_eq!(world.echo.calls.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_unreachable_service_is_unavailable_and_says_so() {
    let world = World::start().await;
    // Bound, so that nobody else gets it, but nobody listens.
    let nobody = tokio::net::TcpSocket::new_v4().unwrap();
    nobody.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = nobody.local_addr().unwrap();
    let away = ask(&channel(world.identity("gateway"), "echo", address), SAY, "hello").await.unwrap_err();
    assert_eq!(away.code(), Code::Unavailable);
    assert_eq!(reason(&away).as_deref(), Some("PEER_UNREACHABLE"));
    assert!(away.message().contains("refused"), "{}", away.message());
}

#[tokio::test]
async fn a_method_that_is_not_served_here_is_refused_by_its_name_and_with_what_is() {
    let world = World::start().await;
    let refused = ask(&world.channel("operator"), READ_LOG, "").await.unwrap_err();
    assert_eq!(reason(&refused).as_deref(), Some("METHOD_NOT_SERVED"));
    let text =
        "echo does not serve /tradewind.eventlog.v1.EventLogService/ReadLog; it serves tradewind.echo.v1.EchoService";
    assert_eq!(refused.message(), text);
    assert_eq!(refused.get_details_error_info().unwrap().metadata["method"], READ_LOG);
}

#[tokio::test]
async fn a_burst_over_a_channel_that_is_new_loses_no_call() {
    let world = World::start().await;
    let channel = world.channel("operator");
    let burst = (0..600).map(|_| ask(&channel, ONCE, "one of many"));
    for answer in futures::future::join_all(burst).await {
        answer.unwrap();
    }
}

#[tokio::test]
async fn a_header_that_http_2_does_not_have_is_told_and_closes_no_connection() {
    let world = World::start().await;
    let channel = world.channel("gateway");
    let mut request = tonic::Request::new("hello".to_owned());
    request.metadata_mut().insert("connection", "keep-alive".parse().unwrap());
    let refused = ask_with(&channel, SAY, request).await.unwrap_err();
    assert_eq!(reason(&refused).as_deref(), Some("REQUEST_UNSENDABLE"), "{refused:?}");
    assert_eq!(ask(&channel, SAY, "hello").await.unwrap(), "hello");
}
