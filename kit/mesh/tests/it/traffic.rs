//! What is told of the calls to a peer that have ended of late.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tonic::{Code, Status};
use tradewind_mesh::{Channel, Channels, Identity, IdentityFiles, Traffic};

use crate::echo::{BARE, SAY, WATCH, ask, listen};
use crate::made;
use crate::world::{World, credentials, policy};

/// Slower than the rest by far.
const LONG: Duration = Duration::from_millis(320);

fn traffic(channels: &Channels) -> Traffic {
    let [peer] = channels.status().try_into().unwrap();
    peer.traffic
}

/// The channel to `echo`, and those through which it is looked at.
fn to_echo(world: &std::path::Path, caller: &str, address: std::net::SocketAddr) -> (Channel, Channels) {
    let identity = Identity::load(IdentityFiles::in_dir(world, caller)).unwrap();
    let channels = Channels::new(identity, policy(), [("echo".to_owned(), address.to_string())].into());
    (channels.to("echo").unwrap(), channels)
}

#[tokio::test]
async fn a_peer_that_fails_and_is_slow_is_told_of_by_what_its_callers_have_had_to_bear() {
    let (dir, stop) = (credentials(), CancellationToken::new());
    let answers = |text: String| async move {
        match text.as_str() {
            "fail" => Err(Status::internal("broken")),
            "refuse" => Err(Status::not_found("nothing is there")),
            "linger" => {
                tokio::time::sleep(LONG).await;
                Ok(text)
            }
            _ => Ok(text),
        }
    };
    let address = made::serve(dir.path(), None, stop.clone(), answers).await;
    let (channel, channels) = to_echo(dir.path(), "gateway", address);
    assert_eq!(traffic(&channels).calls, 0);
    for round in 0..4 {
        for text in ["fail", "refuse", "fine", "fine"] {
            assert_eq!(ask(&channel, SAY, text).await.is_ok(), text == "fine", "{round}");
        }
        ask(&channel, SAY, "linger").await.unwrap();
    }
    let told = traffic(&channels);
    assert_eq!((told.calls, told.failed), (20, 4), "what is refused has not failed");
    assert!((told.failed_percent() - 20.0).abs() < f64::EPSILON, "{told:?}");
    assert!(told.p99.unwrap() > LONG - Duration::from_millis(20) && told.p50.unwrap() < told.p99.unwrap(), "{told:?}");
    assert!(told.rate() > 0.0 && told.window > LONG, "{told:?}");
    stop.cancel();
}

#[tokio::test]
async fn a_peer_that_is_away_fails_every_call() {
    let dir = credentials();
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (channel, channels) = to_echo(dir.path(), "gateway", nobody);
    assert_eq!(ask(&channel, SAY, "hello").await.unwrap_err().code(), Code::Unavailable);
    let told = traffic(&channels);
    assert_eq!((told.calls, told.failed), (1, 1));
}

#[tokio::test]
async fn a_stream_is_a_call_whose_time_says_nothing() {
    let world = World::start().await;
    let (channel, channels) = to_echo(world.dir.path(), "gateway", world.address);
    drop(listen(&channel, WATCH, "hello").await.unwrap());
    let told = traffic(&channels);
    assert_eq!((told.calls, told.failed, told.p50, told.p99), (1, 0, None, None), "whoever listens may go");
    let (channel, channels) = to_echo(world.dir.path(), "stranger", world.address);
    ask(&channel, BARE, "hello").await.unwrap_err();
    let told = traffic(&channels);
    assert_eq!((told.calls, told.failed), (1, 0), "whoever may not call is at fault");
    assert!(told.p50.is_some());
}
