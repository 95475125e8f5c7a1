//! Everything that can be asked for, by everybody who might.

use std::time::Duration;

use axum::http::StatusCode;
use axum::http::header::LOCATION;

use crate::stand::{FORMS, PAGES, Stand, form, get, text};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// What a browser says of a form of the console's own.
const OWN: [(&str, &str); 2] = [("sec-fetch-site", "same-origin"), ("origin", "http://127.0.0.1:8090")];

#[tokio::test]
async fn who_has_a_session_sees_every_page_and_is_told_who_does_not_answer() {
    let stand = Stand::new();
    let cookie = stand.enter().await;
    for path in PAGES {
        let answer = stand.ask(get(path, &cookie)).await;
        let status = answer.status();
        let page = text(answer).await;
        assert!(page.contains("operator") && page.contains("action=\"/console/leave\""), "{path}: {page}");
        assert!(![StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&status), "{path}: {status}");
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_else_sees_or_does_anything() {
    let stand = Stand::new();
    let over = stand.enter().await;
    let mark = stand.mark(&over).await;
    tokio::time::advance(DAY).await;
    let left = stand.enter().await;
    let body = format!("mark={}", stand.mark(&left).await);
    assert_eq!(stand.ask(form("/console/leave", &left, body, &OWN)).await.status(), StatusCode::SEE_OTHER);
    let other = Stand::new().enter().await;
    let long = format!("tradewind_console={}", "a".repeat(4_000));
    let nobody = ["", "tradewind_console=", "tradewind_console=0", "other=1; x", &long, &over, &left, &other];
    for cookie in nobody {
        for path in PAGES {
            let answer = stand.ask(get(path, cookie)).await;
            assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{path} with {cookie}");
            let page = text(answer).await;
            assert!(page.contains("Who is there?") && !page.contains("<nav"), "{page}");
        }
        for (path, body) in FORMS {
            let answer = stand.ask(form(path, cookie, format!("mark={mark}&{body}"), &OWN)).await;
            assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{path} {body} with {cookie}");
        }
    }
    for path in ["/console/enter?ticket=", "/console/enter?ticket=0", "/console/enter?ticket=%27"] {
        assert_eq!(stand.ask(get(path, "")).await.status(), StatusCode::FORBIDDEN, "{path}");
    }
}

#[tokio::test]
async fn a_form_is_taken_only_from_a_page_of_the_session() {
    let stand = Stand::new();
    let (cookie, other) = (stand.enter().await, stand.enter().await);
    let (mark, others) = (stand.mark(&cookie).await, stand.mark(&other).await);
    for (path, body) in FORMS.into_iter().filter(|(path, _)| *path != "/console/leave") {
        let marked = format!("mark={mark}&{body}");
        let unmarked = [body.to_owned(), format!("mark=&{body}"), format!("mark={others}&{body}")];
        for body in unmarked {
            let answer = stand.ask(form(path, &cookie, body.clone(), &OWN)).await;
            assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{path} {body}");
        }
        let elsewhere: [&[(&str, &str)]; 6] = [
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "none")],
            &[("origin", "http://evil.example")],
            &[("origin", "http://127.0.0.1:8091")],
            &[("origin", "null")],
        ];
        for headers in elsewhere {
            let answer = stand.ask(form(path, &cookie, marked.clone(), headers)).await;
            assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{path} {headers:?}");
        }
        let answer = stand.ask(form(path, &cookie, marked.clone(), &OWN)).await;
        let asks_first = body.starts_with("act=cancel");
        let taken = if asks_first { StatusCode::OK } else { StatusCode::SEE_OTHER };
        assert_eq!(answer.status(), taken, "{path} {marked}");
    }
}

/// A page that stays open asks again and again; only what somebody does keeps a session.
#[tokio::test(start_paused = true)]
async fn a_session_ends_that_nobody_uses_and_one_that_is_old() {
    let stand = Stand::new();
    let is_in =
        async |cookie: &str| stand.ask(get("/console/jobs/1", cookie)).await.status() != StatusCode::UNAUTHORIZED;
    let unused = stand.enter().await;
    let used = stand.enter().await;
    for _ in 0..13 {
        tokio::time::advance(Duration::from_secs(50 * 60)).await;
        assert!(is_in(&used).await);
    }
    assert!(!is_in(&unused).await);
    // A page that is left open asks again and again, as its streams end.
    let left_open = stand.enter().await;
    for _ in 0..5 {
        tokio::time::advance(Duration::from_secs(15 * 60)).await;
        let mut again = get("/console/jobs/1", &left_open);
        again.headers_mut().insert("accept", "text/event-stream".parse().unwrap());
        drop(stand.ask(again).await);
    }
    assert!(!is_in(&left_open).await);
    tokio::time::advance(Duration::from_secs(59 * 60)).await;
    tokio::time::advance(Duration::from_secs(59 * 60)).await;
    assert!(!is_in(&used).await);
}

#[tokio::test]
async fn a_form_goes_back_to_where_it_stood_and_never_elsewhere() {
    let stand = Stand::new();
    let cookie = stand.enter().await;
    let mark = stand.mark(&cookie).await;
    let table = [
        ("/console/orders?status=paid", "/console/orders?status=paid"),
        ("/console", "/console"),
        ("", "/console"),
        ("//evil.example", "/console"),
        ("https://evil.example/console", "/console"),
        ("/console@evil.example", "/console"),
        ("/consoles", "/console"),
        ("/console/\\evil.example", "/console"),
        ("/console/\r\nset-cookie: x=y", "/console"),
    ];
    for (back, to) in table {
        let encoded: String = back.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let body = format!("mark={mark}&back={encoded}&act=resume&service=payment&consumer=payment");
        let answer = stand.ask(form("/console/do", &cookie, body, &OWN)).await;
        assert_eq!(answer.headers()[LOCATION].to_str().unwrap(), to, "{back:?}");
    }
    let page = text(stand.ask(get("/console/jobs/1", &cookie)).await).await;
    assert!(page.contains("Not done: "), "what came of it is told: {page}");
}
