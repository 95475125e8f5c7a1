//! What a form asks for: it is done, or, where nobody could take it back, shown first.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Extension, Form};
use serde::Deserialize;

use crate::act::{Act, inside, refused};
use crate::visitor::Visitor;
use crate::{Desk, plan};

#[derive(Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    mark: String,
    #[serde(default)]
    back: String,
    #[serde(flatten)]
    act: Act,
}

/// Does what a form asks for, and goes back to where it stood.
pub(crate) async fn perform(
    State(desk): State<Desk>,
    Extension(visitor): Extension<Visitor>,
    Form(Asked { mark, back, act }): Form<Asked>,
) -> Response {
    if let Some(refused) = refused(&mark, &visitor) {
        return refused;
    }
    let back = inside(&back);
    if let Some(title) = act.asks_first() {
        return plan::show(&desk, &visitor, title, vec![act], back);
    }
    done(act, desk, visitor).await;
    Redirect::to(&back).into_response()
}

/// Does it. It goes on, and is told of, where the browser goes away.
pub(crate) async fn done(act: Act, desk: Desk, visitor: Visitor) {
    if let Err(error) = tokio::spawn(tell(act, desk, visitor)).await {
        tracing::error!(%error, "an act came to nothing");
    }
}

/// Does it; what came of it the next page tells, and the log.
async fn tell(act: Act, desk: Desk, visitor: Visitor) {
    let text = match act.done(&desk.shop_for(&visitor)).await {
        Ok(text) => {
            tracing::info!(who = visitor.who, act = act.words(), "done");
            text
        }
        Err(error) => {
            tracing::warn!(who = visitor.who, act = act.words(), error = shop::explain_error(&error), "not done");
            format!("Not done: {}", shop::explain_error(&error))
        }
    };
    desk.door.note(&visitor, text);
}
