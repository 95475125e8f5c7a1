//! Stopping loses no call that was accepted, and waits for none for ever.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tonic::Code;
use tonic::service::Routes;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt;
use tradewind_mesh::Server;

use crate::echo::{Echo, ONCE, SAY, WATCH, ask, listen};
use crate::world::{World, channel, eventually, policy};

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

/// As many calls at once as a connection is given before others wait.
const FULL: u32 = 100;

#[tokio::test]
async fn calls_that_wait_for_a_connection_that_is_drained_are_made_over_the_next_one() {
    let world = World::start().await;
    let next = Server::bind("127.0.0.1:0".parse().unwrap(), world.identity("echo"), policy(), "echo").await.unwrap();
    let front = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let channel = channel(world.identity("operator"), "echo", front.local_addr().unwrap());
    let addresses = [world.address, next.local_addr()];
    let stopping = world.stop.clone();
    tokio::spawn(async move {
        for address in addresses {
            if address != addresses[0] {
                stopping.cancelled().await;
            }
            let (mut client, _) = front.accept().await.unwrap();
            let mut server = TcpStream::connect(address).await.unwrap();
            tokio::spawn(async move { copy_bidirectional(&mut client, &mut server).await });
        }
    });
    tokio::spawn(next.serve(Routes::new(Echo::default()), CancellationToken::new(), Duration::ZERO));
    let call = |text: &'static str| {
        let channel = channel.clone();
        tokio::spawn(async move { ask(&channel, ONCE, text).await })
    };
    let under_way: Vec<_> = (0..FULL).map(|_| call("wait")).collect();
    eventually("the connection is full", async || world.echo.calls.load(Ordering::SeqCst) == FULL).await;
    let waiting: Vec<_> = (0..10).map(|_| call("again")).collect();
    // They have come as far as they can once somebody else has been served.
    ask(&world.channel("operator"), SAY, "hello").await.unwrap();

    world.stop.cancel();
    for call in waiting {
        assert_eq!(call.await.unwrap().unwrap(), "again");
    }
    world.echo.gate.add_permits(under_way.len());
    for call in under_way {
        assert_eq!(call.await.unwrap().unwrap(), "waited");
    }
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

#[tokio::test]
async fn a_watch_is_told_before_its_connection_is_too_old() {
    let world = World::start().await;
    let server = Server::bind("127.0.0.1:0".parse().unwrap(), world.identity("echo"), policy(), "echo").await.unwrap();
    let address = server.local_addr();
    let routes = Routes::new(Echo::default());
    let served = server.draining_after(Duration::from_millis(200)).serve(routes, world.stop.clone(), Duration::ZERO);
    tokio::spawn(served);
    let channel = channel(world.identity("gateway"), "echo", address);
    let mut stream = listen(&channel, WATCH, "first").await.unwrap();
    assert_eq!(stream.message().await.unwrap().as_deref(), Some("first"));
    let told = stream.message().await.unwrap_err();
    assert_eq!(told.code(), Code::Unavailable, "{told:?}");
    assert_eq!(told.get_details_error_info().unwrap().reason, "CONNECTION_TOO_OLD");
    let mut again = listen(&channel, WATCH, "again").await.unwrap();
    assert_eq!(again.message().await.unwrap().as_deref(), Some("again"));
}

#[tokio::test]
async fn watchers_leave_room_for_calls_on_their_connection() {
    let world = World::start().await;
    let channel = world.channel("gateway");
    let mut open = Vec::new();
    let refused = loop {
        assert!(open.len() < 2_000, "streams take every place");
        match listen(&channel, WATCH, "first").await {
            Ok(mut stream) => match stream.message().await {
                Ok(_) => open.push(stream),
                Err(refused) => break refused,
            },
            Err(refused) => break refused,
        }
    };
    assert_eq!(refused.code(), Code::ResourceExhausted, "{refused:?}");
    assert_eq!(refused.get_details_error_info().unwrap().reason, "TOO_MANY_STREAMS");
    assert_eq!(ask(&channel, SAY, "hello").await.unwrap(), "hello");
    open.pop();
    eventually("a place is free again", async || listen(&channel, WATCH, "first").await.is_ok()).await;
}

#[tokio::test]
async fn nobody_but_who_watches_takes_a_watchers_place() {
    let world = World::start().await;
    let channel = world.channel("stranger");
    let mut health = HealthClient::new(channel.clone());
    let (mut open, mut refused) = (Vec::new(), 0);
    while refused < 20 {
        assert!(open.len() < 2_000, "streams take every place");
        match health.watch(HealthCheckRequest::default()).await {
            Ok(stream) => open.push(stream),
            Err(full) => {
                assert_eq!(full.get_details_error_info().unwrap().reason, "TOO_MANY_STREAMS");
                refused += 1;
            }
        }
    }
    for _ in 0..20 {
        health.check(HealthCheckRequest::default()).await.unwrap();
        let denied = listen(&channel, WATCH, "first").await.unwrap_err();
        assert_eq!(denied.code(), Code::PermissionDenied, "{denied:?}");
    }
}
