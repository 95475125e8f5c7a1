//! Staff: who comes in by a password, everything that can be asked for by whoever does not, and when somebody is in no longer.

use std::time::Duration;

use axum::http::StatusCode;
use axum::http::header::{LOCATION, SET_COOKIE};
use tokio::time::Instant;
use tradewind_testing::eventually;

use crate::people::{LIFE, PASSWORD, People};
use crate::stand::{FORMS, PAGES, Stand, form, get, session_in, text};

/// What a browser says of a form of the console's own, which is served over nothing here.
const OWN: [(&str, &str); 2] = [("sec-fetch-site", "same-origin"), ("origin", "http://127.0.0.1:8090")];
const A_WHILE: Duration = Duration::from_secs(20);

async fn is_in(stand: &Stand, cookie: &str) -> bool {
    stand.ask(get("/console/jobs/1", cookie)).await.status() != StatusCode::UNAUTHORIZED
}

/// Waits until the session is over.
async fn is_out(stand: &Stand, cookie: &str, why: &str) {
    eventually(A_WHILE, why, async || if is_in(stand, cookie).await { Err("still in") } else { Ok(()) }).await;
}

#[tokio::test]
async fn staff_sees_every_page_and_is_told_who_does_not_answer() {
    let stand = Stand::for_staff(&People::default(), "");
    let cookie = stand.sign_in().await;
    for path in PAGES {
        let answer = stand.ask(get(path, &cookie)).await;
        let status = answer.status();
        let page = text(answer).await;
        assert!(page.contains("staff@example.org") && page.contains("action=\"/console/leave\""), "{path}: {page}");
        assert!(![StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&status), "{path}: {status}");
    }
}

#[tokio::test]
async fn nobody_else_sees_or_does_anything() {
    let people = People::default();
    let stand = Stand::for_staff(&people, "");
    let over = stand.sign_in().await;
    let mark = stand.mark(&over).await;
    people.now(|known| known.over.extend(["s-1".to_owned()]));
    is_out(&stand, &over, "identity has said that it is over").await;
    let left = stand.sign_in().await;
    let body = format!("mark={}", stand.mark(&left).await);
    assert_eq!(stand.ask(form("/console/leave", &left, body, &OWN)).await.status(), StatusCode::SEE_OTHER);
    let good = stand.sign_in().await;
    let plain = good.trim_start_matches("__Host-").to_owned();
    let other = Stand::for_staff(&people, "").sign_in().await;
    let (page_cookie, _) = stand.sign_in_page().await;
    let forged = format!("__Host-tradewind_console={}", "0".repeat(64));
    let long = format!("__Host-tradewind_console={}", "a".repeat(4_000));
    let nobody = ["", "__Host-tradewind_console=", &forged, &long, &over, &left, &plain, &other, &page_cookie];
    for cookie in nobody {
        for path in PAGES {
            let answer = stand.ask(get(path, cookie)).await;
            assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{path} with {cookie}");
            let page = text(answer).await;
            assert!(page.contains("action=\"/console/sign-in\"") && !page.contains("<nav"), "{page}");
        }
        for (path, body) in FORMS {
            let answer = stand.ask(form(path, cookie, format!("mark={mark}&{body}"), &OWN)).await;
            assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{path} {body} with {cookie}");
        }
    }
    assert_eq!(stand.ask(get(&stand.ticket.path(), "")).await.status(), StatusCode::NOT_FOUND, "there is no ticket");
    assert!(is_in(&stand, &good).await);
}

#[tokio::test]
async fn a_form_is_taken_only_from_a_page_of_the_session() {
    let stand = Stand::for_staff(&People::default(), "");
    let (cookie, other) = (stand.sign_in().await, stand.sign_in().await);
    let (mark, others) = (stand.mark(&cookie).await, stand.mark(&other).await);
    for (path, body) in FORMS {
        for body in [body.to_owned(), format!("mark=&{body}"), format!("mark={others}&{body}")] {
            let answer = stand.ask(form(path, &cookie, body.clone(), &OWN)).await;
            assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{path} {body}");
        }
        let elsewhere: [&[(&str, &str)]; 4] = [
            &[("sec-fetch-site", "cross-site")],
            &[("origin", "http://evil.example")],
            &[("origin", "https://127.0.0.1:8090")],
            &[("origin", "null")],
        ];
        for headers in elsewhere {
            let answer = stand.ask(form(path, &cookie, format!("mark={mark}&{body}"), headers)).await;
            assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{path} {headers:?}");
        }
    }
    assert!(is_in(&stand, &cookie).await, "nothing was done, not even leaving");
}

#[tokio::test]
async fn whoever_does_not_fit_is_told_no_more_than_that() {
    let people = People::default();
    let stand = Stand::for_staff(&people, "");
    let unknown = "No account has this address and this password, or it is locked.";
    let table = [
        ("email=staff%40x&password=wrong", StatusCode::UNAUTHORIZED, unknown),
        ("email=stranger%40x&password=right+horse", StatusCode::UNAUTHORIZED, unknown),
        ("email=&password=", StatusCode::UNAUTHORIZED, unknown),
        ("", StatusCode::UNAUTHORIZED, unknown),
        ("email=customer%40x&password=wrong", StatusCode::UNAUTHORIZED, unknown),
        ("email=customer%40x&password=right+horse", StatusCode::FORBIDDEN, "This account is not one of the staff."),
        ("email=busy%40x&password=wrong", StatusCode::TOO_MANY_REQUESTS, "There were too many tries."),
        ("email=away%40x&password=wrong", StatusCode::SERVICE_UNAVAILABLE, "identity does not answer"),
        ("email=once%40x&password=right+horse", StatusCode::UNPROCESSABLE_ENTITY, "made for one use"),
        (
            "email=once%40x&password=right+horse&new_password=short",
            StatusCode::UNPROCESSABLE_ENTITY,
            "Choose another new password: in identity's words",
        ),
    ];
    for (fields, status, words) in table {
        let answer = stand.signs_in(fields).await;
        let cookies: Vec<_> = answer.headers().get_all(SET_COOKIE).iter().collect();
        assert!(cookies.iter().all(|cookie| !cookie.to_str().unwrap().contains("_console=")), "{fields}: {cookies:?}");
        assert_eq!(answer.status(), status, "{fields}");
        let page = text(answer).await;
        assert!(page.contains(words), "{fields}: {page}");
        assert!(!page.contains(PASSWORD) && !page.contains("right horse"), "{fields}: {page}");
    }
    let left = people.0.lock().unwrap().left.clone();
    assert_eq!(left.len(), 1, "the customer's session at identity is over: {left:?}");
    let chosen = stand.signs_in("email=once%40x&password=right+horse&new_password=another+horse").await;
    assert_eq!(chosen.status(), StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_password_is_hidden_and_may_be_pasted_and_kept_by_a_program() {
    let stand = Stand::for_staff(&People::default(), "");
    let page = text(stand.ask(get("/console/sign-in", "")).await).await;
    let field = "<input type=\"password\" name=\"password\" autocomplete=\"current-password\" required>";
    assert!(page.contains(field) && page.contains("autocomplete=\"username\""), "{page}");
    let page = text(stand.signs_in("email=once%40x&password=right+horse").await).await;
    let field = "<input type=\"password\" name=\"new_password\" autocomplete=\"new-password\" required>";
    assert!(page.contains(field), "{page}");
    // What a page does of itself is this, and no page has more (`served.rs`).
    let script = text(stand.ask(get("/console/assets/console.js", "")).await).await;
    assert!(["paste", "copy", "beforeinput", "keydown"].iter().all(|event| !script.contains(event)), "{script}");
}

#[tokio::test]
async fn the_form_to_sign_in_is_taken_only_from_where_it_was_shown() {
    let stand = Stand::for_staff(&People::default(), "");
    let (cookie, mark) = stand.sign_in_page().await;
    let (_, others) = stand.sign_in_page().await;
    let fields = "email=staff%40example.org&password=right+horse";
    for (cookie, mark) in [("", mark.as_str()), (&cookie, ""), (&cookie, &others)] {
        let answer = stand.ask(form("/console/sign-in", cookie, format!("mark={mark}&{fields}"), &[])).await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    }
    for headers in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")] {
        let answer = stand.ask(form("/console/sign-in", &cookie, format!("mark={mark}&{fields}"), &[headers])).await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{headers:?}");
    }
    let goes_on = format!("mark={mark}&back=%2Fconsole%2Forders&{fields}");
    let answer = stand.ask(form("/console/sign-in", &cookie, goes_on, &OWN)).await;
    assert_eq!(answer.headers()[LOCATION].to_str().unwrap(), "/console/orders");
}

#[tokio::test]
async fn a_session_that_was_there_before_is_over_and_its_key_is_never_taken_up() {
    let stand = Stand::for_staff(&People::default(), "");
    let before = stand.sign_in().await;
    let (page, mark) = stand.sign_in_page().await;
    let body = format!("mark={mark}&email=staff%40example.org&password=right+horse");
    let planted = format!("__Host-tradewind_console={}", "a".repeat(64));
    for own in [&before, &planted] {
        let answer = stand.ask(form("/console/sign-in", &format!("{page}; {own}"), body.clone(), &OWN)).await;
        let now = session_in(&answer);
        assert!(now != *own && is_in(&stand, &now).await && !is_in(&stand, own).await);
    }
}

#[tokio::test]
async fn only_a_proxy_that_is_named_is_believed_where_somebody_comes_from_and_came_to() {
    let people = People::default();
    let said = [("x-forwarded-for", "192.0.2.7"), ("x-forwarded-proto", "https"), ("x-forwarded-host", "shop.example")];
    let outside = ("origin", "https://shop.example");
    for (proxies, from, status) in
        [("", "127.0.0.1", StatusCode::FORBIDDEN), ("127.0.0.0/8", "192.0.2.7", StatusCode::SEE_OTHER)]
    {
        let stand = Stand::for_staff(&people, proxies);
        let (cookie, mark) = stand.sign_in_page().await;
        let body = format!("mark={mark}&email=staff%40example.org&password=right+horse");
        let answer = stand.ask(form("/console/sign-in", &cookie, body.clone(), &said)).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        assert_eq!(people.0.lock().unwrap().from, Some(from.parse().unwrap()));
        let headers = [said.as_slice(), &[outside]].concat();
        assert_eq!(stand.ask(form("/console/sign-in", &cookie, body, &headers)).await.status(), status, "{proxies:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn somebody_is_in_for_as_long_as_identity_knows_them_as_staff() {
    let people = People::default();
    let stand = Stand::for_staff(&people, "");
    let cookie = stand.sign_in().await;
    for _ in 0..4 {
        tokio::time::sleep(LIFE).await;
        assert!(is_in(&stand, &cookie).await, "their tokens are followed by the next");
    }
    people.now(|known| known.away = true);
    tokio::time::sleep(LIFE).await;
    assert!(!is_in(&stand, &cookie).await, "what was believed is over, and nobody says more");
    people.now(|known| known.away = false);
    tokio::time::sleep(LIFE / 10).await;
    assert!(is_in(&stand, &cookie).await);
    people.now(|known| known.revoked = true);
    tokio::time::sleep(LIFE).await;
    assert!(!is_in(&stand, &cookie).await, "they are staff no longer");
    assert_eq!(people.0.lock().unwrap().left, ["s-1"], "and signed out");
}

#[tokio::test(start_paused = true)]
async fn a_session_that_nobody_uses_ends_at_identity_too() {
    let people = People::default();
    let stand = Stand::for_staff(&people, "");
    let cookie = stand.sign_in().await;
    tokio::time::sleep(Duration::from_secs(61 * 60)).await;
    assert!(!is_in(&stand, &cookie).await);
    assert_eq!(people.0.lock().unwrap().left, ["s-1"]);
}

/// Identity has exchanged a token, and the console does not hear of it. Many are asked about at once.
#[tokio::test(start_paused = true)]
async fn whose_next_tokens_are_lost_asks_again_before_that_looks_like_theft() {
    let people = People::default();
    people.now(|known| known.loses = true);
    let stand = Stand::for_staff(&people, "");
    let mut all = Vec::new();
    for who in ["staff", "colleague"] {
        for _ in 0..8 {
            all.push(stand.sign_in_as(who).await);
        }
    }
    for _ in 0..4 {
        tokio::time::sleep(LIFE).await;
        for cookie in &all {
            assert!(is_in(&stand, cookie).await);
        }
    }
    let known = people.0.lock().unwrap();
    assert!(known.over.is_empty() && known.left.is_empty() && known.asked.values().all(|asked| *asked >= 8));
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_whom_identity_does_not_answer_and_it_is_asked_once() {
    let people = People::default();
    let stand = Stand::for_staff(&people, "");
    let (waits, other) = (stand.sign_in().await, stand.sign_in_as("colleague").await);
    people.now(|known| known.silent = Some("s-1".to_owned()));
    tokio::time::sleep(LIFE - Duration::from_secs(60)).await;
    let before = Instant::now();
    assert_eq!(people.0.lock().unwrap().asked["s-1"], 1, "it is being asked for the next tokens");
    assert!(is_in(&stand, &waits).await, "the token that is there is good for another minute");
    assert_eq!(before.elapsed(), Duration::ZERO);
    for _ in 0..4 {
        tokio::time::sleep(LIFE).await;
        assert!(is_in(&stand, &other).await, "others have theirs");
        assert!(!is_in(&stand, &waits).await);
    }
    assert_eq!(people.0.lock().unwrap().asked["s-1"], 1, "who asks twice looks like a thief");
}
