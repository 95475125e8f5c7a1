//! What would be done, to be said to be right: exactly what is shown is done then, once.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Extension, Form};
use maud::{Markup, html};
use serde::Deserialize;

use crate::Desk;
use crate::act::{self, Act, refused};
use crate::frame::{self, View};
use crate::visitor::Visitor;
use crate::words::count;

const LAPSED: &str = "this was shown too long ago, or something else since; have it shown again";

#[derive(Deserialize)]
pub(crate) struct Confirmed {
    #[serde(default)]
    mark: String,
    plan: String,
}

/// Shows what would be done, and keeps it to be said to be right; `back` leads to where it was asked for.
pub(crate) fn show(desk: &Desk, visitor: &Visitor, title: &str, acts: Vec<Act>, back: String) -> Response {
    let shown = shown(&acts);
    let is_any = !acts.is_empty();
    let keep = || desk.door.with(visitor, |kept| kept.keep(title.to_owned(), acts, back.clone()));
    let id = is_any.then(keep).flatten();
    let still = html! {
        (shown)
        @if let Some(id) = id {
            form method="post" action="/console/bulk/confirm" {
                (frame::mark(visitor))
                input type="hidden" name="plan" value=(id);
                button #confirm.danger { "Do it" }
            }
        }
        p { a href=(back) { "Back, and change nothing" } }
    };
    let view = View { title: title.to_owned(), still, live: html! {} };
    frame::page("/console", visitor, &[], &view).into_response()
}

/// Every act, by whom it is asked of.
pub(crate) fn shown(acts: &[Act]) -> Markup {
    let mut by_reader: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for act in acts {
        by_reader.entry(act.of()).or_default().push(act.words());
    }
    html! {
        @if acts.is_empty() {
            p { "There is nothing to do for what was asked for: nothing of it is in quarantine where its turn is, and no reader there is paused." }
        } @else {
            p { "This would be done, " b { (number(acts.len())) } " in all. Nothing has been yet." }
        }
        @for ((service, reader), acts) in &by_reader {
            details open {
                summary { b { (service) } @if !reader.is_empty() { ", " (reader) } ": " (number(acts.len())) }
                ul.plan { @for act in acts { li { (act) } } }
            }
        }
    }
}

fn number(of: usize) -> String {
    count(i128::try_from(of).unwrap_or_default())
}

/// Does what was shown, once; whoever asks twice is led to what goes on.
pub(crate) async fn confirm(
    State(desk): State<Desk>,
    Extension(visitor): Extension<Visitor>,
    Form(Confirmed { mark, plan: id }): Form<Confirmed>,
) -> Response {
    if let Some(refused) = refused(&mark, &visitor) {
        return refused;
    }
    let Some(plan) = desk.door.with(&visitor, |kept| kept.take(&id)).flatten() else {
        let begun = desk.door.with(&visitor, |kept| kept.begun(&id)).flatten();
        let path = begun.unwrap_or_else(|| {
            desk.door.note(&visitor, format!("Not done: {LAPSED}"));
            "/console".to_owned()
        });
        return Redirect::to(&path).into_response();
    };
    let back = plan.back.clone();
    let path = match plan.acts.as_slice() {
        // What is asked for by itself is done by itself, whatever else goes on.
        [act] if act.asks_first().is_some() => {
            let one = act.clone();
            desk.door.with(&visitor, |kept| kept.begin(id, back.clone()));
            act::done(one, desk, visitor).await;
            back
        }
        _ => match desk.jobs.begin(&desk, visitor.clone(), plan) {
            Ok(number) => {
                let path = format!("/console/jobs/{number}");
                desk.door.with(&visitor, |kept| kept.begin(id, path.clone()));
                path
            }
            Err(error) => {
                desk.door.note(&visitor, format!("Not done: {error:#}"));
                back
            }
        },
    };
    Redirect::to(&path).into_response()
}
