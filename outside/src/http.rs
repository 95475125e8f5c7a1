//! HTTP/JSON: routes to the three parties, and how replies become responses. Decides nothing itself.

mod card;
mod carrier;
mod extract;
mod mail;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde::Serialize;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::books::Books;
use crate::decision::Reply;
use crate::faults::{Faults, Party, Settings};
use crate::refusal::{Kind, Refusal};
use extract::Input;

/// The largest request body, in bytes.
const LARGEST_BODY: usize = 256 * 1024;

/// What all handlers share.
pub(crate) struct App {
    pub(crate) books: Books,
    pub(crate) faults: Faults,
    /// Cancelled when the process is to end: nobody is kept waiting on purpose after that.
    pub(crate) draining: CancellationToken,
}

pub(crate) type Shared = State<Arc<App>>;

/// Marks a response that must not be sent: the server ends the connection instead.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NoAnswer;

/// All routes. Faults disturb what the shop calls, not the statements and lists by which it is checked.
pub(crate) fn router(app: Arc<App>) -> Router {
    let disturbed =
        |party, routes: Router<Arc<App>>| routes.route_layer(from_fn_with_state((app.clone(), party), disturb));
    let card = Router::new()
        .route("/card/charges", post(card::charge))
        .route("/card/charges/{key}", get(card::lookup))
        .route("/card/charges/{key}/void", post(card::void))
        .route("/card/refunds", post(card::refund))
        .route("/card/balance_transactions", get(card::transactions));
    let carrier = Router::new()
        .route("/carrier/bookings", post(carrier::book))
        .route("/carrier/bookings/{key}", get(carrier::lookup))
        .route("/carrier/bookings/{key}/cancel", post(carrier::cancel))
        .route("/carrier/bookings/{key}/dispatch", post(carrier::dispatch))
        .route("/carrier/bookings/{key}/deliver", post(carrier::deliver));
    let mail = Router::new().route("/mail/messages", post(mail::accept));
    Router::new()
        .merge(disturbed(Party::Card, card))
        .merge(disturbed(Party::Carrier, carrier))
        .merge(disturbed(Party::Mail, mail))
        .route("/card/statement", get(card::statement))
        .route("/carrier/statement", get(carrier::statement))
        .route("/mail/messages", get(mail::list))
        .route("/faults", put(set_faults).get(get_faults).delete(clear_faults))
        .route("/health/live", get(|| async { Json(json!({"status": "live"})) }))
        .route("/health/ready", get(ready))
        .route("/", get(|| async { include_str!("http/about.txt") }))
        .fallback(|| async { Refusal::not_found("NO_SUCH_PATH", "there is nothing at this path; see GET /") })
        .method_not_allowed_fallback(|| async {
            Refusal::new(Kind::MethodNotAllowed, "METHOD_NOT_ALLOWED", "this path does not take this method; see GET /")
        })
        .layer(from_fn(log))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .with_state(app)
}

impl App {
    /// Turns a reply into a response, in the manner the reply asks for.
    pub(crate) async fn respond<T: Serialize>(&self, reply: Reply<T>) -> Response {
        match reply {
            Reply::Now(answer) => Json(answer).into_response(),
            Reply::After(delay, answer) => {
                self.pause(delay).await;
                Json(answer).into_response()
            }
            Reply::Lost => NoAnswer.into_response(),
            Reply::Never => {
                self.draining.cancelled().await;
                NoAnswer.into_response()
            }
            Reply::Refused(refusal) => refusal.into_response(),
        }
    }

    async fn pause(&self, duration: Duration) {
        if !duration.is_zero() {
            let _ = tokio::time::timeout(duration, self.draining.cancelled()).await;
        }
    }
}

impl IntoResponse for NoAnswer {
    fn into_response(self) -> Response {
        // The status is for the log alone.
        let mut response = StatusCode::GATEWAY_TIMEOUT.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = match self.kind {
            Kind::Invalid => StatusCode::BAD_REQUEST,
            Kind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Kind::NotFound => StatusCode::NOT_FOUND,
            Kind::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Kind::Conflict => StatusCode::CONFLICT,
            Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        };
        (status, Json(json!({"error": self}))).into_response()
    }
}

async fn disturb(State((app, party)): State<(Arc<App>, Party)>, request: Request, next: Next) -> Response {
    let fate = app.faults.draw(party);
    if fate.down {
        return Refusal::unavailable("DOWN", "set by /faults: this party is down").into_response();
    }
    app.pause(fate.latency).await;
    if fate.error {
        return Refusal::unavailable("INJECTED", "set by /faults: nothing was decided").into_response();
    }
    let response = next.run(request).await;
    if fate.lost { NoAnswer.into_response() } else { response }
}

/// Logs the route and the status: never the query or the body, which may carry people's data.
async fn log(request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let response = next.run(request).await;
    let answered = response.extensions().get::<NoAnswer>().is_none();
    tracing::debug!(%method, route, status = response.status().as_u16(), answered, "request");
    response
}

async fn set_faults(State(app): Shared, Input(settings): Input<Settings>) -> Json<Settings> {
    app.faults.set(settings);
    tracing::info!(?settings, "faults set");
    Json(settings)
}

async fn get_faults(State(app): Shared) -> Json<Settings> {
    Json(app.faults.get())
}

async fn clear_faults(State(app): Shared) -> Json<Settings> {
    app.faults.set(Settings::default());
    tracing::info!("faults cleared");
    Json(app.faults.get())
}

async fn ready(State(app): Shared) -> Response {
    if app.draining.is_cancelled() {
        return Refusal::unavailable("DRAINING", "the process is about to end").into_response();
    }
    if !app.books.journal().healthy() {
        return Refusal::unavailable("RECORD_UNWRITABLE", "the record cannot be written").into_response();
    }
    Json(json!({"status": "ready"})).into_response()
}
