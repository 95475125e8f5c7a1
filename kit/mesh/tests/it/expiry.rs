//! Callers whose certificate expires while they are connected.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::StatusExt;
use tradewind_mesh::{SpiffeId, pki, reason};

use crate::echo::{SAY, WATCH, ask, listen};
use crate::world::{DOMAIN, World, eventually};

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
