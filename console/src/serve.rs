//! How browsers are answered: connections that are bounded in number, in time and in what they may say.

use std::time::Duration;

use anyhow::Result;
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// The most connections at once; one more waits.
const CONNECTIONS: usize = 512;
const HEADERS: usize = 64;
const HEADER_BYTES: usize = 32 * 1024;
const HEADERS_WITHIN: Duration = Duration::from_secs(10);

/// Answers whoever comes to `listener`, until `stop`; what is under way is ended then within `grace`.
///
/// # Errors
/// None at present.
pub async fn serve(listener: TcpListener, router: Router, stop: CancellationToken, grace: Duration) -> Result<()> {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    while let Some(Ok(place)) = stop.run_until_cancelled(room.clone().acquire_owned()).await {
        while connections.try_join_next().is_some() {}
        let Some(accepted) = stop.run_until_cancelled(listener.accept()).await else { break };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Too many open files, most likely: whoever is there goes on.
                tracing::warn!(%error, "a connection cannot be taken");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let (service, stop) = (TowerToHyperService::new(router.clone()), stop.clone());
        connections.spawn(async move {
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEADERS_WITHIN)
                .max_headers(HEADERS)
                .max_buf_size(HEADER_BYTES)
                .serve_connection(TokioIo::new(stream), service);
            let mut connection = std::pin::pin!(connection);
            tokio::select! {
                _ = connection.as_mut() => {}
                () = stop.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    let _ = connection.await;
                }
            }
            drop(place);
        });
    }
    let _ = tokio::time::timeout(grace, async { while connections.join_next().await.is_some() {} }).await;
    Ok(())
}
