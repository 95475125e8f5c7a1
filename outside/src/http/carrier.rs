//! The carrier's handlers.

use axum::extract::State;
use axum::response::Response;

use super::Shared;
use super::extract::{Filter, Input, Key, OfOrder};
use crate::carrier::{BookingRequest, CancelRequest};

pub(super) async fn book(State(app): Shared, Input(request): Input<BookingRequest>) -> Response {
    app.respond(app.books.decide(|world| world.carrier.book(request)).await).await
}

pub(super) async fn lookup(State(app): Shared, Key(key): Key) -> Response {
    app.respond(app.books.read(|world| world.carrier.lookup(&key)).await).await
}

pub(super) async fn cancel(State(app): Shared, Key(key): Key, Input(request): Input<CancelRequest>) -> Response {
    app.respond(app.books.decide(|world| world.carrier.cancel(key, request)).await).await
}

pub(super) async fn dispatch(State(app): Shared, Key(key): Key) -> Response {
    app.respond(app.books.decide(|world| world.carrier.dispatch(key)).await).await
}

pub(super) async fn deliver(State(app): Shared, Key(key): Key) -> Response {
    app.respond(app.books.decide(|world| world.carrier.deliver(key)).await).await
}

pub(super) async fn statement(State(app): Shared, Filter(of): Filter<OfOrder>) -> Response {
    app.respond(app.books.read(|world| Ok(world.carrier.statement(of.order_id.as_deref()))).await).await
}
