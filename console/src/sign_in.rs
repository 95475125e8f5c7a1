//! The page on which staff sign in. It stands wherever somebody is who has no session, so that they come to what they wanted.

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::http::header::{LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Form, RequestExt as _};
use contracts::tradewind::identity::v1::LogInRequest;
use maud::{Markup, html};
use serde::Deserialize;

use crate::act::inside;
use crate::arrival::Arrival;
use crate::cookies::{FORM, SESSION};
use crate::secret::secret;
use crate::staff::Refused;
use crate::{Desk, frame};

#[derive(Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    mark: String,
    #[serde(default)]
    back: String,
    #[serde(default)]
    email: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    new_password: String,
}

/// The page, for whoever wants to sign in.
pub(crate) async fn show(State(desk): State<Desk>, request: Request) -> Response {
    shown(&desk, StatusCode::OK, "/console", None, request.headers())
}

/// The page, in place of what was wanted.
pub(crate) fn instead(desk: &Desk, wanted: &str, headers: &HeaderMap) -> Response {
    shown(desk, StatusCode::UNAUTHORIZED, wanted, None, headers)
}

/// Lets in who fits, and goes on to what was wanted; a session that they had is over.
pub(crate) async fn enter(State(desk): State<Desk>, request: Request) -> Response {
    let (headers, arrival) = (request.headers().clone(), Arrival::of(&request));
    if arrival.is_of_another_site(&headers, &desk.proxies) {
        return (StatusCode::FORBIDDEN, "this was sent by another site").into_response();
    }
    let Form(asked) = match request.extract::<Form<Asked>, _>().await {
        Ok(asked) => asked,
        Err(refused) => return refused.into_response(),
    };
    let is_secure = desk.door.is_secure();
    if asked.mark.is_empty() || FORM.of(&headers, is_secure) != Some(&asked.mark) {
        return (StatusCode::FORBIDDEN, "this form is not of a page that was shown here").into_response();
    }
    let from: IpAddr = desk.proxies.origin(arrival.peer, &headers);
    let Asked { back, email, password, new_password, .. } = asked;
    let request = LogInRequest { email: email.clone(), password, new_password, ..LogInRequest::default() };
    match desk.door.sign_in(request, from).await {
        Ok(key) => {
            SESSION.of(&headers, is_secure).into_iter().for_each(|before| desk.door.forget(before));
            let cookies = [(SET_COOKIE, SESSION.set(&key, is_secure)), (SET_COOKIE, FORM.clear(is_secure))];
            let to = [(LOCATION, inside(&back))];
            (StatusCode::SEE_OTHER, axum::response::AppendHeaders(cookies), to).into_response()
        }
        Err(refused) => shown(&desk, status(&refused), &back, Some((&refused, &email)), &headers),
    }
}

const fn status(refused: &Refused) -> StatusCode {
    match refused {
        Refused::Credentials => StatusCode::UNAUTHORIZED,
        Refused::NotStaff => StatusCode::FORBIDDEN,
        Refused::NewPassword | Refused::UnfitPassword(_) => StatusCode::UNPROCESSABLE_ENTITY,
        Refused::Throttled => StatusCode::TOO_MANY_REQUESTS,
        Refused::Away => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// What whoever is refused is told.
fn words(refused: &Refused) -> Markup {
    match refused {
        Refused::Credentials => html! { "No account has this address and this password, or it is locked." },
        Refused::NotStaff => html! { "This account is not one of the staff." },
        Refused::NewPassword => html! { "This password was made for one use. Choose the one that is to follow it." },
        Refused::UnfitPassword(why) => html! { "Choose another new password: " (why) },
        Refused::Throttled => html! { "There were too many tries. Wait a minute, and try again." },
        Refused::Away => html! { "Nobody can sign in at the moment: identity does not answer. Try again later." },
    }
}

/// The page; to whoever was refused, with why, and the address that they gave.
fn shown(
    desk: &Desk,
    status: StatusCode,
    back: &str,
    refused: Option<(&Refused, &str)>,
    headers: &HeaderMap,
) -> Response {
    let is_secure = desk.door.is_secure();
    // A second tab has the mark of the first.
    let known = FORM.of(headers, is_secure).filter(|known| known.len() == secret().len());
    let mark =
        known.filter(|known| known.bytes().all(|byte| byte.is_ascii_hexdigit())).map_or_else(secret, str::to_owned);
    let (refused, email) = refused.unzip();
    let chooses = matches!(refused, Some(Refused::NewPassword | Refused::UnfitPassword(_)));
    let form = html! {
        @if let Some(refused) = refused { p.fault role="alert" { (words(refused)) } }
        form.sign-in method="post" action="/console/sign-in" {
            input type="hidden" name="mark" value=(mark);
            input type="hidden" name="back" value=(inside(back));
            label { "E-mail address " input type="email" name="email" value=[email] autocomplete="username" required autofocus[email.is_none()]; }
            label { "Password " input type="password" name="password" autocomplete="current-password" required autofocus[email.is_some()]; }
            @if chooses {
                label { "New password " input type="password" name="new_password" autocomplete="new-password" required; }
            }
            button { "Sign in" }
        }
    };
    let page = frame::outside("Sign in", &form);
    (status, [(SET_COOKIE, FORM.set(&mark, is_secure))], page).into_response()
}
