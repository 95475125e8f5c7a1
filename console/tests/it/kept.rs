//! What a session keeps, and how much of it.

use std::time::Duration;

use axum::http::header::CACHE_CONTROL;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use futures::FutureExt as _;
use tradewind_testing::eventually;

use crate::people::People;
use crate::stand::{Stand, form, get, live, text};

const A_WHILE: Duration = Duration::from_secs(20);
const PAGE: &str = "/console/jobs/1";
const RESUME: &str = "act=resume&service=payment&consumer=payment";

async fn notes(stand: &Stand, cookie: &str) -> Vec<String> {
    let page = text(stand.ask(get(PAGE, cookie)).await).await;
    let notes = page.split("<p class=\"note\" role=\"status\">").skip(1);
    notes.map(|note| note.split("</p>").next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_session_has_so_many_pages_open_and_keeps_no_other_from_it() {
    let stand = Stand::new();
    let (cookie, other) = (stand.enter().await, stand.enter().await);
    let mut open: Vec<Response> = Vec::new();
    for _ in 0..8 {
        let answer = stand.ask(live(PAGE, &cookie)).await;
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.headers()[CACHE_CONTROL], "no-store");
        open.push(answer);
    }
    assert_eq!(stand.ask(live(PAGE, &cookie)).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(stand.ask(live(PAGE, &other)).await.status(), StatusCode::OK);
    open.pop();
    assert_eq!(stand.ask(live(PAGE, &cookie)).await.status(), StatusCode::OK, "one was closed");
}

/// The shop takes the connection and says nothing, and time goes on where all wait.
#[tokio::test(start_paused = true)]
async fn an_act_goes_on_and_is_told_of_where_the_browser_goes_away() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let stand = Stand::of_a_shop_at(silent.local_addr().unwrap());
    let cookie = stand.enter().await;
    let body = format!("mark={}&{RESUME}", stand.mark(&cookie).await);
    let gone = stand.ask(form("/console/do", &cookie, body, &[])).now_or_never();
    assert!(gone.is_none(), "it was asked for, and not answered yet");
    eventually(A_WHILE, "what came of it is told", async || {
        notes(&stand, &cookie).await.pop().filter(|note| note.starts_with("Not done: ")).ok_or("nothing yet")
    })
    .await;
}

#[tokio::test]
async fn notes_wait_for_a_page_that_is_shown_and_the_first_make_room() {
    let stand = Stand::new();
    let cookie = stand.enter().await;
    let mark = stand.mark(&cookie).await;
    for number in 0..25 {
        let body = format!("mark={mark}&act=clear&service=payment&number=n{number}");
        assert_eq!(stand.ask(form("/console/do", &cookie, body, &[])).await.status(), StatusCode::SEE_OTHER);
    }
    let last = format!("mark={mark}&act=rebuild&service=nobody&projection=x&reason=x");
    stand.ask(form("/console/do", &cookie, last, &[])).await;
    let mut head = get(PAGE, &cookie);
    *head.method_mut() = Method::HEAD;
    stand.ask(head).await;
    let notes_there = notes(&stand, &cookie).await;
    assert_eq!(notes_there.len(), 20);
    assert!(notes_there[19].contains("nobody") && !notes_there[18].contains("nobody"), "{notes_there:?}");
    assert!(notes(&stand, &cookie).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_account_has_so_many_sessions_and_makes_room_for_its_own() {
    let people = People::default();
    let stand = Stand::for_staff(&people, "");
    let is_in = async |cookie: &str| stand.ask(get(PAGE, cookie)).await.status() != StatusCode::UNAUTHORIZED;
    let other = stand.sign_in_as("colleague").await;
    let mut own = Vec::new();
    for _ in 0..9 {
        tokio::time::advance(Duration::from_secs(1)).await;
        own.push(stand.sign_in().await);
    }
    assert!(!is_in(&own[0]).await, "the first made room");
    for cookie in own[1..].iter().chain([&other]) {
        assert!(is_in(cookie).await);
    }
    eventually(A_WHILE, "it is over at identity too", async || {
        let left = people.0.lock().unwrap().left.clone();
        if left == ["s-2"] { Ok(()) } else { Err(left) }
    })
    .await;
}
