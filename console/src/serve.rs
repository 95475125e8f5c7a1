//! How browsers are answered: connections that are bounded in number, in time and in what they may say.

use std::time::Duration;

use anyhow::Result;
use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tradewind_edge::Files;

use crate::arrival::Arrival;
use crate::patient::Patient;
use crate::places::Places;
use crate::site::router;
use crate::{Desk, metrics};

const HEADERS: usize = 64;
const HEADER_BYTES: usize = 32 * 1024;
const HEADERS_WITHIN: Duration = Duration::from_secs(10);

/// Takes connections over TLS with the certificate of these files, which are followed from then on, and tells when it ends. Must be
/// called within a tokio runtime.
///
/// # Errors
/// Files that hold no certificate and its key.
pub fn acceptor(files: &Files) -> Result<TlsAcceptor> {
    tradewind_edge::acceptor(files, &["http/1.1"], metrics::certificate)
}

/// Answers whoever comes to `listener`, over TLS where there is `tls`, until the desk is to stop; what is under way is ended then within
/// `grace`.
///
/// # Errors
/// None at present.
pub async fn serve(listener: TcpListener, tls: Option<TlsAcceptor>, desk: Desk, grace: Duration) -> Result<()> {
    let (places, stop) = (Places::new(desk.proxies.clone()), desk.stop.clone());
    let router = router(desk);
    let mut connections = JoinSet::new();
    while let Some(Some(room)) = stop.run_until_cancelled(places.room()).await {
        while connections.try_join_next().is_some() {}
        let Some(accepted) = stop.run_until_cancelled(listener.accept()).await else { break };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Too many open files, most likely: whoever is there goes on.
                tracing::warn!(%error, "a connection cannot be taken");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Some(place) = places.take(room, peer.ip()) else { continue };
        let arrival = Arrival { peer: peer.ip(), is_tls: tls.is_some() };
        let (router, tls, stop) = (router.clone().layer(Extension(arrival)), tls.clone(), stop.clone());
        connections.spawn(async move {
            match tls {
                None => answer(stream, router, stop).await,
                Some(tls) => {
                    let shaken = stop.run_until_cancelled(tokio::time::timeout(HEADERS_WITHIN, tls.accept(stream)));
                    if let Some(Ok(Ok(stream))) = shaken.await {
                        answer(stream, router, stop).await;
                    }
                }
            }
            drop(place);
        });
    }
    let _ = tokio::time::timeout(grace, async { while connections.join_next().await.is_some() {} }).await;
    Ok(())
}

/// Answers what comes over one connection.
async fn answer(stream: impl AsyncRead + AsyncWrite + Unpin, router: Router, stop: CancellationToken) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_WITHIN)
        .max_headers(HEADERS)
        .max_buf_size(HEADER_BYTES)
        .serve_connection(TokioIo::new(Patient::new(stream)), TowerToHyperService::new(router));
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => {}
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}
