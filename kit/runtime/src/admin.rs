//! The admin server: plain HTTP for probes and scrapers, never for clients.

use std::{collections::VecDeque, convert::Infallible, io, time::Duration};

use axum::{
    Json, Router,
    http::{
        HeaderMap, StatusCode,
        header::{ACCEPT, CONTENT_TYPE, VARY},
    },
    response::{IntoResponse, Response},
    routing::get,
};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    sync::watch,
    task::{AbortHandle, JoinSet},
};
use tokio_util::sync::CancellationToken;
use tradewind_mesh::Listener;

use crate::{
    readiness::Report,
    telemetry::{Telemetry, openmetrics},
};

/// Connections at once; probes and scrapers are few. One more ends the oldest, which has long had its answer: so connections that
/// say nothing keep nobody out.
const CONNECTIONS: usize = 64;
/// How long a request's head may take, and the pause before the next one of a connection.
const HEADERS: Duration = Duration::from_secs(30);
/// Before the next attempt where no connection can be accepted, such as without file descriptors.
const PAUSE: Duration = Duration::from_millis(50);

/// Serves `/health/live`, `/health/ready` and `/metrics` until told to stop.
pub(crate) async fn serve(
    listener: Listener,
    reports: watch::Receiver<Report>,
    telemetry: &'static Telemetry,
    stop: CancellationToken,
) -> io::Result<()> {
    let routes = Router::new()
        .route("/health/live", get(|| async { Json(serde_json::json!({ "live": true })) }))
        .route("/health/ready", get(move || std::future::ready(ready(&reports))))
        .route("/metrics", get(move |headers: HeaderMap| std::future::ready(metrics(telemetry, &headers))));
    // Kept-alive connections of scrapers would hold up a graceful end.
    stop.run_until_cancelled(accept(listener, routes)).await.map_or(Ok(()), |never| match never {})
}

async fn accept(listener: Listener, routes: Router) -> Infallible {
    let mut serving = JoinSet::new();
    let mut open: VecDeque<AbortHandle> = VecDeque::new();
    loop {
        let Ok((tcp, _)) = listener.accept().await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        while serving.try_join_next().is_some() {}
        open.retain(|connection| !connection.is_finished());
        if open.len() >= CONNECTIONS
            && let Some(oldest) = open.pop_front()
        {
            oldest.abort();
        }
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADERS)
            .serve_connection(TokioIo::new(tcp), TowerToHyperService::new(routes.clone()));
        open.push_back(serving.spawn(async move { drop(connection.await) }));
    }
}

fn ready(reports: &watch::Receiver<Report>) -> Response {
    let report = reports.borrow().clone();
    let status = if report.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(report)).into_response()
}

fn metrics(telemetry: &Telemetry, headers: &HeaderMap) -> Response {
    let accepted = headers.get_all(ACCEPT).iter().filter_map(|accept| accept.to_str().ok());
    let with_exemplars = accepted.into_iter().any(openmetrics::is_asked_for);
    let kind = if with_exemplars { openmetrics::CONTENT_TYPE } else { "text/plain; version=0.0.4; charset=utf-8" };
    match telemetry.metrics(with_exemplars) {
        Ok(text) => ([(CONTENT_TYPE, kind), (VARY, "accept")], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "metrics cannot be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
