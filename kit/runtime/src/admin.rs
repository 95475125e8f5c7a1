//! The admin server: plain HTTP for probes and scrapers, never for clients.

use std::{future::IntoFuture, io};

use axum::{
    Json, Router,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
};
use tokio::{net::TcpListener, sync::watch};
use tokio_util::sync::CancellationToken;

use crate::{readiness::Report, telemetry::Telemetry};

/// Serves `/health/live`, `/health/ready` and `/metrics` until told to stop.
pub(crate) async fn serve(
    listener: TcpListener,
    reports: watch::Receiver<Report>,
    telemetry: &'static Telemetry,
    stop: CancellationToken,
) -> io::Result<()> {
    let routes = Router::new()
        .route("/health/live", get(|| async { Json(serde_json::json!({ "live": true })) }))
        .route("/health/ready", get(move || std::future::ready(ready(&reports))))
        .route("/metrics", get(move || std::future::ready(metrics(telemetry))));
    tokio::select! {
        // Kept-alive connections of scrapers would hold up a graceful end.
        () = stop.cancelled() => Ok(()),
        served = axum::serve(listener, routes).into_future() => served,
    }
}

fn ready(reports: &watch::Receiver<Report>) -> Response {
    let report = reports.borrow().clone();
    let status = if report.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(report)).into_response()
}

fn metrics(telemetry: &Telemetry) -> Response {
    match telemetry.metrics() {
        Ok(text) => ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "metrics cannot be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
