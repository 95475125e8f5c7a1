//! Binding, accepting, draining. Speaks HTTP/1.1 through hyper directly, because ending a connection without an answer
//! is something a router cannot do.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use axum::Router;
use axum::body::Body;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::Options;
use crate::books::Books;
use crate::faults::Faults;
use crate::http::{self, App, NoAnswer};

/// How long requests in flight may take to end after the stop.
const GRACE: Duration = Duration::from_secs(5);
/// How long to wait after a connection could not be accepted, mostly for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The three parties, with their record restored and their address bound.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    app: Arc<App>,
}

impl Server {
    /// Restores the record and binds the address; serves nobody yet.
    pub async fn bind(options: Options) -> anyhow::Result<Self> {
        let Options { listen, data, seed } = options;
        let books = tokio::task::spawn_blocking(move || Books::open(&data)).await??;
        let listener = TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen}"))?;
        let address = listener.local_addr()?;
        let app = App { books, faults: Faults::new(seed), draining: CancellationToken::new() };
        Ok(Self { listener, address, app: Arc::new(app) })
    }

    /// The address that is bound, with its real port.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop`, then ends what is in flight, closes the record and returns; fails if the record cannot be
    /// written any more.
    pub async fn serve(self, stop: CancellationToken) -> anyhow::Result<()> {
        let Self { listener, address, app } = self;
        let router = http::router(app.clone());
        let mut connections = JoinSet::new();
        tracing::info!(%address, "listening");
        let unwritable = loop {
            tokio::select! {
                () = stop.cancelled() => break false,
                () = app.books.journal().failed() => break true,
                Some(_) = connections.join_next() => {}
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => {
                        connections.spawn(converse(stream, router.clone(), app.draining.clone()));
                    }
                    Err(error) => {
                        tracing::warn!(%error, "cannot accept a connection");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
            }
        };
        drop(listener);
        app.draining.cancel();
        tracing::info!(connections = connections.len(), "draining");
        let drained = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(GRACE, drained).await.is_err() {
            tracing::warn!(connections = connections.len(), "cut off after {GRACE:?}");
            connections.shutdown().await;
        }
        app.books.close().await;
        if unwritable {
            bail!("the record cannot be written any more");
        }
        tracing::info!("stopped");
        Ok(())
    }
}

/// Serves one connection until it ends, or until what is in flight on it is answered after `draining`.
async fn converse(stream: TcpStream, router: Router, draining: CancellationToken) {
    // Answers are small and waited for: they must not wait for more to send.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request: hyper::Request<Incoming>| answer(router.clone(), request));
    let mut connection = std::pin::pin!(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = draining.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "connection ended early");
    }
}

/// The router's response, or an error, on which hyper ends the connection without sending anything.
async fn answer(router: Router, request: hyper::Request<Incoming>) -> Result<Response, Unanswered> {
    let response = router.oneshot(request.map(Body::new)).await.unwrap_or_else(|never: Infallible| match never {});
    match response.extensions().get::<NoAnswer>() {
        None => Ok(response),
        Some(NoAnswer) => Err(Unanswered),
    }
}

#[derive(Debug)]
struct Unanswered;

impl std::fmt::Display for Unanswered {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("left unanswered on purpose")
    }
}

impl std::error::Error for Unanswered {}
