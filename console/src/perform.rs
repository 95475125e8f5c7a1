//! What a form asks for: it is done, or, where nobody could take it back, shown first.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Extension, Form};
use serde::Deserialize;

use crate::act::{self, Act, inside, refused};
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
    act::done(act, desk, visitor).await;
    Redirect::to(&back).into_response()
}
