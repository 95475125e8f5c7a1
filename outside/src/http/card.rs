//! The card provider's handlers.

use axum::extract::State;
use axum::response::Response;

use super::Shared;
use super::extract::{Filter, Input, Key, OfOrder};
use crate::card::{ChargeRequest, RefundRequest, VoidRequest, Wanted};

pub(super) async fn charge(State(app): Shared, Input(request): Input<ChargeRequest>) -> Response {
    app.respond(app.books.decide(|world| world.card.charge(request)).await).await
}

pub(super) async fn lookup(State(app): Shared, Key(key): Key) -> Response {
    app.respond(app.books.read(|world| world.card.lookup(&key)).await).await
}

pub(super) async fn void(State(app): Shared, Key(key): Key, Input(request): Input<VoidRequest>) -> Response {
    app.respond(app.books.decide(|world| world.card.void(key, request)).await).await
}

pub(super) async fn refund(State(app): Shared, Input(request): Input<RefundRequest>) -> Response {
    app.respond(app.books.decide(|world| world.card.refund(request)).await).await
}

pub(super) async fn statement(State(app): Shared, Filter(of): Filter<OfOrder>) -> Response {
    app.respond(app.books.read(|world| Ok(world.card.statement(of.order_id.as_deref()))).await).await
}

pub(super) async fn transactions(State(app): Shared, Filter(wanted): Filter<Wanted>) -> Response {
    app.respond(app.books.read(|world| world.card.transactions(&wanted)).await).await
}
