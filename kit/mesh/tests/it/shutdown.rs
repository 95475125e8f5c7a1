//! Stopping loses no call that was accepted, and waits for none for ever.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt;

use crate::echo::{SAY, WATCH, ask, listen};
use crate::world::{World, eventually};

#[tokio::test]
async fn a_call_in_flight_finishes_and_nothing_new_is_accepted() {
    let mut world = World::start().await;
    let channel = world.channel("gateway");
    let call = tokio::spawn(async move { ask(&channel, SAY, "wait").await });
    eventually("the handler runs", async || world.echo.calls.load(Ordering::SeqCst) == 1).await;
    world.stop.cancel();
    eventually("the port is closed", async || TcpStream::connect(world.address).await.is_err()).await;
    assert!(!world.served.is_finished(), "the call is still in flight");
    world.echo.gate.add_permits(1);
    assert_eq!(call.await.unwrap().unwrap(), "waited");
    (&mut world.served).await.unwrap().unwrap();
}

#[tokio::test]
async fn streams_are_told_at_once_while_a_call_in_flight_finishes() {
    let mut world = World::start().await;
    let channel = world.channel("gateway");
    let mut stream = listen(&channel, WATCH, "first").await.unwrap();
    assert_eq!(stream.message().await.unwrap().as_deref(), Some("first"));
    let mut health =
        HealthClient::new(channel.clone()).watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    assert!(health.message().await.unwrap().is_some());
    let call = tokio::spawn(async move { ask(&channel, SAY, "wait").await });
    eventually("the handler runs", async || world.echo.calls.load(Ordering::SeqCst) == 1).await;

    world.stop.cancel();
    for told in [stream.message().await.unwrap_err(), health.message().await.unwrap_err()] {
        assert_eq!(told.code(), Code::Unavailable, "{told:?}");
        let info = told.get_details_error_info().unwrap();
        assert_eq!((info.reason.as_str(), info.domain.as_str()), ("SHUTTING_DOWN", "mesh.tradewind"));
    }
    assert!(!call.is_finished() && !world.served.is_finished(), "the call is still in flight");
    world.echo.gate.add_permits(1);
    assert_eq!(call.await.unwrap().unwrap(), "waited");
    (&mut world.served).await.unwrap().unwrap();
}

#[tokio::test]
async fn after_the_grace_period_calls_are_cut_off() {
    let mut world = World::start_with_grace(Duration::from_millis(100)).await;
    let channel = world.channel("operator");
    let call = tokio::spawn(async move { ask(&channel, SAY, "hang").await });
    eventually("the handler runs", async || world.echo.calls.load(Ordering::SeqCst) == 1).await;
    let stopped = Instant::now();
    world.stop.cancel();
    (&mut world.served).await.unwrap().unwrap();
    assert!(stopped.elapsed() < Duration::from_secs(1));
    let cut = call.await.unwrap().unwrap_err();
    assert_eq!(cut.code(), Code::Unavailable, "{cut:?}");
}
