//! Either end whose certificate expires while they are connected.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::StatusExt;
use tradewind_mesh::{SpiffeId, pki, reason};

use crate::echo::{SAY, WATCH, ask, listen};
use crate::world::{DOMAIN, World, credentials, eventually};

/// A world whose gateway has a certificate for no more than a few seconds.
async fn short_lived() -> World {
    let world = World::start().await;
    pki::issue(world.dir.path(), &SpiffeId::new(DOMAIN, "gateway").unwrap(), Duration::from_secs(3)).unwrap();
    world
}

#[tokio::test]
async fn a_call_on_a_connection_whose_certificate_has_expired_is_refused() {
    let world = short_lived().await;
    let channel = world.channel("gateway");
    assert_eq!(ask(&channel, SAY, "in time").await.unwrap(), "in time");
    let mut refused = Status::ok("");
    eventually("a call is refused", async || {
        let calls = world.echo.calls.load(Ordering::SeqCst);
        let Err(status) = ask(&channel, SAY, "too late?").await else { return false };
        assert_eq!(world.echo.calls.load(Ordering::SeqCst), calls, "no handler was reached");
        refused = status;
        true
    })
    .await;
    assert_eq!(
        (refused.code(), reason(&refused).as_deref()),
        (Code::Unauthenticated, Some("CERTIFICATE_EXPIRED")),
        "{refused:?}"
    );
    assert_eq!(refused.get_details_error_info().unwrap().metadata["layer"], "server.identify");
    eventually("the connection is closed", async || {
        ask(&channel, SAY, "again").await.is_err_and(|status| status.code() == Code::Unavailable)
    })
    .await;
}

#[tokio::test]
async fn a_stream_ends_when_the_certificate_of_its_connection_has_expired() {
    let world = short_lived().await;
    let mut stream = listen(&world.channel("gateway"), WATCH, "hello").await.unwrap();
    assert_eq!(stream.message().await.unwrap().as_deref(), Some("hello"));
    let ended = stream.message().await.unwrap_err();
    assert_eq!(ended.code(), Code::Unavailable, "{ended:?}");
}

/// A world whose server has a certificate for no more than a few seconds.
async fn served_for_short() -> World {
    let dir = credentials();
    issue(dir.path(), Duration::from_secs(3));
    World::start_in(dir, Duration::from_secs(10)).await
}

/// To the server.
fn issue(dir: &Path, lasts: Duration) {
    pki::issue(dir, &SpiffeId::new(DOMAIN, "echo").unwrap(), lasts).unwrap();
}

#[tokio::test]
async fn nobody_goes_on_calling_a_server_whose_certificate_has_expired() {
    let world = served_for_short().await;
    let channel = world.channel("gateway");
    ask(&channel, SAY, "in time").await.unwrap();
    let mut refused = Status::ok("");
    eventually("it is not called any more", async || {
        let Err(status) = ask(&channel, SAY, "too late?").await else { return false };
        refused = status;
        true
    })
    .await;
    assert_eq!(reason(&refused).as_deref(), Some("PEER_UNREACHABLE"), "{refused:?}");
    assert!(refused.message().contains("expired"), "{}", refused.message());
}

#[tokio::test]
async fn a_server_that_renews_its_certificate_in_time_loses_no_call_when_the_one_before_expires() {
    let world = served_for_short().await;
    let channel = world.channel("gateway");
    ask(&channel, SAY, "under the first").await.unwrap();
    issue(world.dir.path(), Duration::from_secs(3_600));
    eventually("no connection lives under the certificate that has expired", async || {
        ask(&channel, SAY, "hello").await.unwrap();
        let generations = world.identity.generations();
        generations.iter().all(|one| one.number == 2) && generations[0].connections > 0
    })
    .await;
}
