//! Time runs out on both sides, and is handed on.

use std::convert::Infallible;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::service::Routes;
use tonic::{Code, Request};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tower::Service;
use tradewind_mesh::{Server, deadline, reason};

use crate::echo::{BRIEF, SAY, STREAM, ask, ask_with, listen};
use crate::world::{World, counted, eventually};

#[tokio::test]
async fn an_expired_call_is_deadline_exceeded_on_both_sides() {
    let world = World::start().await;
    let brief = |side: &str| counted(&format!("grpc.{side}.call.duration"), "grpc.status", "DEADLINE_EXCEEDED");
    let (server, client) = (brief("server"), brief("client"));
    let started = Instant::now();
    let expired = ask(&world.channel("gateway"), BRIEF, "hang").await.unwrap_err();
    assert_eq!(expired.code(), Code::DeadlineExceeded, "{expired:?}");
    assert_eq!(reason(&expired).as_deref(), Some("DEADLINE"));
    assert!(started.elapsed() < Duration::from_secs(1), "the method's own timeout is 200 ms");
    // A server that is told a moment too late counts the call as cancelled by its caller.
    eventually("both sides count it", async || {
        ask(&world.channel("gateway"), BRIEF, "hang").await.unwrap_err();
        brief("server") > server && brief("client") > client
    })
    .await;
}

#[tokio::test]
async fn a_stream_ends_when_its_deadline_passes() {
    let world = World::start().await;
    let mut stream = listen(&world.channel("gateway"), STREAM, "first").await.unwrap();
    assert_eq!(stream.message().await.unwrap().as_deref(), Some("first"));
    let expired = stream.message().await.unwrap_err();
    assert_eq!(expired.code(), Code::DeadlineExceeded, "{expired:?}");
}

#[tokio::test]
async fn a_handler_sees_the_shortest_of_what_was_asked_declared_and_inherited() {
    let world = World::start().await;
    let channel = world.channel("gateway");
    let left = async |request: Request<String>| ask_with(&channel, SAY, request).await.unwrap().parse::<u64>().unwrap();

    let declared = left(Request::new("time left".to_owned())).await;
    assert!((1_000..=10_000).contains(&declared), "{declared} ms of the method's 10 s");

    let mut impatient = Request::new("time left".to_owned());
    impatient.set_timeout(Duration::from_millis(900));
    let asked = left(impatient).await;
    assert!((100..=900).contains(&asked), "{asked} ms of 900 asked for");

    let parent = tokio::time::Instant::now() + Duration::from_millis(800);
    let inherited = deadline::scope(parent, left(Request::new("time left".to_owned()))).await;
    assert!((100..=790).contains(&inherited), "{inherited} ms of the parent's 800, less a margin");
}

#[tokio::test]
async fn the_caller_gives_up_by_itself_when_nobody_answers() {
    let world = World::start().await;
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap();
    let done = CancellationToken::new();
    let held = tokio::spawn(done.clone().run_until_cancelled_owned(async move {
        let _connection = silent.accept().await;
        std::future::pending::<()>().await;
    }));
    let channel = crate::world::channel(world.identity("gateway"), "echo", address);
    let expired = ask(&channel, BRIEF, "hello").await.unwrap_err();
    assert_eq!(expired.code(), Code::DeadlineExceeded, "{expired:?}");
    done.cancel();
    held.await.unwrap();
}

/// Never says how it is.
#[derive(Clone)]
struct Mute;

impl NamedService for Mute {
    const NAME: &'static str = "grpc.health.v1.Health";
}

impl Service<http::Request<Body>> for Mute {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = futures::future::Pending<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: http::Request<Body>) -> Self::Future {
        futures::future::pending()
    }
}

#[tokio::test]
async fn who_asks_for_health_is_answered_in_the_end() {
    let world = World::start().await;
    let any = "127.0.0.1:0".parse().unwrap();
    let server = Server::bind(any, world.identity("echo"), crate::world::policy(), "echo").await.unwrap();
    let address = server.local_addr();
    tokio::spawn(server.serve(Routes::new(Mute), world.stop.clone(), Duration::ZERO));
    let mut health = HealthClient::new(crate::world::channel(world.identity("gateway"), "echo", address));
    let expired = health.check(HealthCheckRequest::default()).await.unwrap_err();
    assert_eq!(expired.code(), Code::DeadlineExceeded, "{expired:?}");
}
