//! Which path is which page, and what has to hold of every request and every answer.

use axum::extract::{Query, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, COOKIE, HOST, LOCATION, ORIGIN, REFERRER_POLICY, SET_COOKIE,
    VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Extension, Form, Router};
use serde::Deserialize;

use crate::door::Visitor;
use crate::live::page;
use crate::{Desk, act, bulk, frame, jobs, pages};

const STYLE: &str = include_str!("../assets/console.css");
const SCRIPT: &str = include_str!("../assets/console.js");
const SESSION: &str = "tradewind_console";
/// A form is a few names and a reason.
const LONGEST_FORM: usize = 16 * 1024;
/// A page runs its own script alone, is sent its own forms alone, and stands in no other page.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; base-uri 'none'; \
     form-action 'self'; frame-ancestors 'none'",
);

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
        .route("/console/do", post(act::perform))
        .route("/console/bulk", post(bulk::plan))
        .route("/console/leave", post(leave))
        .layer(from_fn_with_state(desk.clone(), admit));
    Router::new()
        .merge(inside)
        .route("/", get(async || Redirect::to("/console")))
        .route("/console/", get(async || Redirect::to("/console")))
        .route("/console/enter", get(enter))
        .route("/console/assets/console.css", get(async || asset("text/css; charset=utf-8", STYLE)))
        .route("/console/assets/console.js", get(async || asset("text/javascript; charset=utf-8", SCRIPT)))
        .layer(axum::extract::DefaultBodyLimit::max(LONGEST_FORM))
        .layer(from_fn(guarded))
        .with_state(desk)
}

/// What every answer says to the browser.
async fn guarded(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
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
    let Some(visitor) = cookie(request.headers()).and_then(|key| desk.door.visitor(key)) else {
        let text = "Open the link that the console printed when it was started.";
        return (StatusCode::UNAUTHORIZED, frame::outside("Who is there?", text)).into_response();
    };
    if request.method() != Method::GET && request.method() != Method::HEAD && is_of_another_site(request.headers()) {
        return (StatusCode::FORBIDDEN, "this was sent by another site").into_response();
    }
    request.extensions_mut().insert(visitor);
    next.run(request).await
}

/// A browser says where a form comes from; who says nothing is none, and has to know the mark.
fn is_of_another_site(headers: &HeaderMap) -> bool {
    let said = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let elsewhere = said("sec-fetch-site").is_some_and(|site| site != "same-origin");
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let origin = said(ORIGIN.as_str()).map(|origin| origin.split_once("://").map(|(_, host)| host));
    elsewhere || origin.is_some_and(|origin| origin.is_none() || origin != host)
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|cookies| cookies.to_str().ok());
    let mut pairs = cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find_map(|(name, key)| (name == SESSION).then_some(key))
}

#[derive(Deserialize)]
pub(crate) struct Shown {
    ticket: String,
}

async fn enter(State(desk): State<Desk>, Query(Shown { ticket }): Query<Shown>) -> Response {
    match desk.door.enter(&ticket) {
        Some(key) => {
            let cookie = format!("{SESSION}={key}; Path=/console; HttpOnly; SameSite=Strict");
            (StatusCode::SEE_OTHER, [(SET_COOKIE, cookie), (LOCATION, "/console".to_owned())]).into_response()
        }
        None => {
            let text = "This link is of a console that is not running any more. Open the one that it printed when it was started last.";
            (StatusCode::FORBIDDEN, frame::outside("That is no key", text)).into_response()
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct Marked {
    #[serde(default)]
    mark: String,
}

async fn leave(
    State(desk): State<Desk>,
    Extension(visitor): Extension<Visitor>,
    Form(Marked { mark }): Form<Marked>,
) -> Response {
    if let Some(refused) = act::refused(&mark, &visitor) {
        return refused;
    }
    desk.door.leave(&visitor);
    Redirect::to("/console").into_response()
}

fn asset(kind: &'static str, text: &'static str) -> impl IntoResponse {
    ([(CONTENT_TYPE, kind), (CACHE_CONTROL, "no-cache")], text)
}
