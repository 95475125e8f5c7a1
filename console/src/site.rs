//! Which path is which page, and what has to hold of every request and every answer.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Query, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONNECTION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY, SET_COOKIE,
    STRICT_TRANSPORT_SECURITY, VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Extension, Form, Router};
use maud::html;
use serde::Deserialize;

use crate::arrival::Arrival;
use crate::cookies::SESSION;
use crate::live::{is_live, page};
use crate::visitor::Visitor;
use crate::{Desk, act, bulk, frame, jobs, pages, perform, plan, sign_in};

const STYLE: &str = include_str!("../assets/console.css");
const SCRIPT: &str = include_str!("../assets/console.js");
/// A form is a few names and a reason.
const LONGEST_FORM: usize = 16 * 1024;
const FORM_WITHIN: Duration = Duration::from_secs(10);
/// A page runs its own script alone, is sent its own forms alone, and stands in no other page.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; base-uri 'none'; \
     form-action 'self'; frame-ancestors 'none'",
);

/// For how long a browser comes by encrypted connections alone: a year.
const ENCRYPTED_FOR: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Every page, and what can be done.
pub fn router(desk: Desk) -> Router {
    let inside = Router::new()
        .route("/console", page(pages::stuck))
        .route("/console/orders", page(pages::orders))
        .route("/console/orders/{order_id}", page(pages::order))
        .route("/console/flow", page(pages::flow))
        .route("/console/mesh", page(pages::mesh))
        .route("/console/quarantine", page(pages::quarantine))
        .route("/console/quarantine/stream", page(pages::parked))
        .route("/console/consumers", page(pages::consumers))
        .route("/console/money", page(pages::money))
        .route("/console/sales", page(pages::sales))
        .route("/console/faults", page(pages::faults))
        .route("/console/jobs/{job}", page(jobs::show))
        .route("/console/jobs/{job}/stop", post(jobs::stop))
        .route("/console/do", post(perform::perform))
        .route("/console/bulk", post(bulk::ask))
        .route("/console/bulk/confirm", post(plan::confirm))
        .route("/console/leave", post(leave))
        .layer(from_fn_with_state(desk.clone(), admit));
    let ways = if desk.door.asks_for_a_password() {
        Router::new().route("/console/sign-in", get(sign_in::show).post(sign_in::enter))
    } else {
        Router::new().route("/console/enter", get(enter))
    };
    Router::new()
        .merge(inside)
        .merge(ways)
        .route("/", get(async || Redirect::to("/console")))
        .route("/console/", get(async || Redirect::to("/console")))
        .route("/console/assets/console.css", get(async || asset("text/css; charset=utf-8", STYLE)))
        .route("/console/assets/console.js", get(async || asset("text/javascript; charset=utf-8", SCRIPT)))
        .layer(from_fn(received))
        .layer(from_fn_with_state(desk.clone(), guarded))
        .with_state(desk)
}

/// Has all of a request here, in time, before anything is made of it.
async fn received(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let refused = match tokio::time::timeout(FORM_WITHIN, to_bytes(body, LONGEST_FORM)).await {
        Ok(Ok(body)) => return next.run(Request::from_parts(parts, Body::from(body))).await,
        Ok(Err(_)) => StatusCode::PAYLOAD_TOO_LARGE,
        Err(_) => StatusCode::REQUEST_TIMEOUT,
    };
    (refused, [(CONNECTION, "close")]).into_response()
}

/// What every answer says to the browser.
async fn guarded(State(desk): State<Desk>, request: Request, next: Next) -> Response {
    let (arrival, headers) = (Arrival::of(&request), request.headers());
    let is_encrypted = desk.door.is_secure() && arrival.is_encrypted(headers, &desk.proxies);
    let is_to_follow = is_encrypted && !arrival.is_to_this_machine(headers, &desk.proxies);
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    // What is not encrypted may be anybody's word, and on this machine other programs answer at the same host.
    if is_to_follow {
        headers.insert(STRICT_TRANSPORT_SECURITY, ENCRYPTED_FOR);
    }
    headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    // A browser that is told to send none says of a form that nobody knows where it comes from.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(VARY, HeaderValue::from_static("accept, cookie"));
    response
}

/// Lets in who has a session, and what is sent only from the console's own pages.
async fn admit(State(desk): State<Desk>, mut request: Request, next: Next) -> Response {
    let headers = request.headers();
    let key = SESSION.of(headers, desk.door.is_secure());
    let reads = [Method::GET, Method::HEAD].contains(request.method());
    let Some(visitor) = key.and_then(|key| desk.door.visitor(key, !is_live(headers))) else {
        if desk.door.asks_for_a_password() {
            let wanted = request.uri().path_and_query().filter(|_| reads).map_or("", |wanted| wanted.as_str());
            return sign_in::instead(&desk, wanted, headers);
        }
        let text = html! { p { "Open the link that the console printed when it was started." } };
        return (StatusCode::UNAUTHORIZED, frame::outside("Who is there?", &text)).into_response();
    };
    if !reads && Arrival::of(&request).is_of_another_site(headers, &desk.proxies) {
        return (StatusCode::FORBIDDEN, "this was sent by another site").into_response();
    }
    request.extensions_mut().insert(visitor);
    next.run(request).await
}

#[derive(Deserialize)]
pub(crate) struct Shown {
    ticket: String,
}

async fn enter(State(desk): State<Desk>, Query(Shown { ticket }): Query<Shown>) -> Response {
    match desk.door.enter(&ticket) {
        Some(key) => {
            let cookie = SESSION.set(&key, desk.door.is_secure());
            (StatusCode::SEE_OTHER, [(SET_COOKIE, cookie), (LOCATION, "/console".to_owned())]).into_response()
        }
        None => {
            let text = html! {
                p { "This link is of a console that is not running any more. Open the one that it printed when it was started last." }
            };
            (StatusCode::FORBIDDEN, frame::outside("That is no key", &text)).into_response()
        }
    }
}

async fn leave(
    State(desk): State<Desk>,
    Extension(visitor): Extension<Visitor>,
    Form(act::Marked { mark }): Form<act::Marked>,
) -> Response {
    if let Some(refused) = act::refused(&mark, &visitor) {
        return refused;
    }
    desk.door.leave(&visitor);
    let cookie = SESSION.clear(desk.door.is_secure());
    (StatusCode::SEE_OTHER, [(SET_COOKIE, cookie), (LOCATION, "/console".to_owned())]).into_response()
}

fn asset(kind: &'static str, text: &'static str) -> impl IntoResponse {
    ([(CONTENT_TYPE, kind), (CACHE_CONTROL, "no-cache")], text)
}
