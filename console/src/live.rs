//! A page, and the same again as long as somebody looks.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::header::{ACCEPT, CACHE_CONTROL};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, Uri};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use axum::{Extension, http::StatusCode};
use futures::Stream;
use serde::de::DeserializeOwned;
use shop::Clients;
use tokio::time::Instant;

use crate::Desk;
use crate::fault::Fault;
use crate::frame::{self, View};
use crate::visitor::Visitor;

/// How often what is shown is asked for again.
const EVERY: Duration = Duration::from_secs(2);
/// Whoever looks longer comes again by himself.
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// Who looks, and at which shop.
#[derive(Clone)]
pub(crate) struct Look {
    pub(crate) desk: Desk,
    shop: Clients,
    pub(crate) visitor: Visitor,
    /// The path and query that were asked for.
    pub(crate) here: String,
}

impl Look {
    pub(crate) const fn shop(&self) -> &Clients {
        &self.shop
    }

    /// Whether calls are the operator's own, and not made for somebody who has signed in.
    pub(crate) fn is_an_operators(&self) -> bool {
        self.visitor.user.is_none()
    }
}

/// What a path names.
#[derive(Clone)]
pub(crate) struct At<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for At<T> {
    type Rejection = PathRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, PathRejection> {
        Path::from_request_parts(parts, state).await.map(|Path(at)| Self(at))
    }
}

/// Whether a page's script asks, and not somebody.
pub(crate) fn is_live(headers: &HeaderMap) -> bool {
    headers.get(ACCEPT).is_some_and(|accept| accept.as_bytes() == b"text/event-stream")
}

/// Answers `GET` with what `show` shows of what is asked, as a page, or where the browser's script asks, as what becomes of it.
pub(crate) fn page<Q, F, R>(show: F) -> MethodRouter<Desk>
where
    Q: FromRequestParts<Desk> + Clone + Send + Sync + 'static,
    F: Fn(Look, Q) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Result<View, Fault>> + Send + 'static,
{
    get(
        async move |State(desk): State<Desk>,
                    Extension(visitor): Extension<Visitor>,
                    method: Method,
                    uri: Uri,
                    headers: HeaderMap,
                    asked: Q| {
            let here = uri.path_and_query().map_or_else(String::new, ToString::to_string);
            let look = Look { shop: desk.shop_for(&visitor), desk, visitor, here };
            if is_live(&headers) {
                return stream(look, move |look| show(look, asked.clone()));
            }
            let (status, view) = match show(look.clone(), asked).await {
                Ok(view) => (StatusCode::OK, view),
                Err(fault) => (
                    fault.status,
                    View { title: "Cannot be shown".to_owned(), still: fault.markup(), live: maud::html! {} },
                ),
            };
            // Whoever asks for the head alone shows nobody anything.
            let notes = if method == Method::GET { look.desk.door.notes(&look.visitor) } else { Vec::new() };
            (status, frame::page(uri.path(), &look.visitor, &notes, &view)).into_response()
        },
    )
}

fn stream<F, R>(look: Look, show: F) -> Response
where
    F: Fn(Look) -> R + Send + 'static,
    R: Future<Output = Result<View, Fault>> + Send + 'static,
{
    let of_session = look.desk.door.with(&look.visitor, |kept| kept.stream()).flatten();
    let of_all = look.desk.streams.clone().try_acquire_owned().ok();
    let Some(place) = of_session.zip(of_all) else {
        return (StatusCode::SERVICE_UNAVAILABLE, "too many pages are open").into_response();
    };
    let end = Instant::now() + LONGEST;
    let before = String::new();
    let stream = futures::stream::unfold((look, show, before, place), move |(look, show, before, place)| async move {
        loop {
            look.desk.stop.run_until_cancelled(tokio::time::sleep(EVERY)).await?;
            if Instant::now() > end || !look.desk.door.is_open(&look.visitor) {
                return None;
            }
            let now = match show(look.clone()).await {
                Ok(view) => view.live,
                Err(fault) => fault.markup(),
            };
            let now = frame::plain(&now).into_string();
            if now != before {
                return Some((Ok::<_, Infallible>(Event::default().data(&now)), (look, show, now, place)));
            }
        }
    });
    sent(stream)
}

fn sent(stream: impl Stream<Item = Result<Event, Infallible>> + Send + 'static) -> Response {
    let mut response = Sse::new(stream).keep_alive(KeepAlive::default()).into_response();
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
