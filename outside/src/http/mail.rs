//! The mail sink's handlers.

use axum::extract::State;
use axum::response::Response;

use super::Shared;
use super::extract::{Filter, Input, To};
use crate::mail::MessageRequest;

pub(super) async fn accept(State(app): Shared, Input(request): Input<MessageRequest>) -> Response {
    app.respond(app.books.decide(|world| world.mail.accept(request)).await).await
}

pub(super) async fn list(State(app): Shared, Filter(to): Filter<To>) -> Response {
    app.respond(app.books.read(|world| Ok(world.mail.list(to.to.as_deref()))).await).await
}
