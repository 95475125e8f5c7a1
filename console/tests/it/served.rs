//! What every answer says.

use axum::http::{HeaderValue, StatusCode};

use crate::people::People;
use crate::stand::{PAGES, Stand, form, get, text};

#[tokio::test]
async fn every_answer_keeps_the_browser_from_what_is_not_the_consoles() {
    let stand = Stand::new();
    let cookie = stand.enter().await;
    let assets = ["/console/assets/console.css", "/console/assets/console.js"];
    let others = ["/", "/console/", "/console/none", "/console/enter?ticket=0", "/console/enter"];
    for cookie in ["", &cookie] {
        for path in PAGES.into_iter().chain(assets).chain(others) {
            let answer = stand.ask(get(path, cookie)).await;
            let said = |name: &str| answer.headers().get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
            let policy = said("content-security-policy");
            assert!(
                policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'; "),
                "{path}: {policy}"
            );
            assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"), "{path}: {policy}");
            let rest = ["x-content-type-options", "x-frame-options", "referrer-policy", "cache-control"].map(said);
            let caching = if assets.contains(&path) { "no-cache" } else { "no-store" };
            assert_eq!(rest, ["nosniff", "DENY", "same-origin", caching], "{path}");
        }
    }
}

/// At the edge, where a request has come encrypted, as its proxy says or as its connection was (`tls.rs`); on this machine, never.
#[tokio::test]
async fn every_answer_at_the_edge_has_the_browser_come_encrypted_from_then_on() {
    let others = ["/", "/console/none", "/console/sign-in", "/console/assets/console.js"];
    for (stand, said) in [
        (Stand::for_staff(&People::default(), "127.0.0.0/8"), Some("max-age=31536000")),
        (Stand::for_staff(&People::default(), ""), None),
        (Stand::new(), None),
    ] {
        for path in PAGES.into_iter().chain(others) {
            for scheme in ["https", "http"] {
                let mut asked = get(path, "");
                asked.headers_mut().insert("x-forwarded-proto", HeaderValue::from_static(scheme));
                asked.headers_mut().insert("x-forwarded-host", HeaderValue::from_static("console.shop.example"));
                let answer = stand.ask(asked).await;
                let told = answer.headers().get("strict-transport-security").map(|value| value.to_str().unwrap());
                assert_eq!(told, said.filter(|_| scheme == "https"), "{path} over {scheme}");
            }
        }
    }
}

/// The bytes of all that a browser fetches for a page.
#[tokio::test]
async fn what_a_page_needs_is_small_and_comes_from_here() {
    let stand = Stand::new();
    let cookie = stand.enter().await;
    let mut bytes = 0;
    for path in ["/console/assets/console.css", "/console/assets/console.js", "/console"] {
        let body = text(stand.ask(get(path, &cookie)).await).await;
        let elsewhere = ["src=\"http", "href=\"http", "src=\"//", "href=\"//", "url(", "@import"];
        assert!(elsewhere.iter().all(|way| !body.contains(way)), "{path} names another place");
        bytes += body.len();
    }
    assert!(bytes < 200_000, "{bytes} bytes");
}

#[tokio::test]
async fn a_form_that_is_none_or_too_long_is_refused() {
    let stand = Stand::new();
    let cookie = stand.enter().await;
    let mark = stand.mark(&cookie).await;
    let refused = async |body: String| stand.ask(form("/console/do", &cookie, body, &[])).await.status();
    assert_eq!(refused(String::new()).await, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(refused(format!("mark={mark}&act=burn")).await, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(refused(format!("mark={mark}&act=cancel")).await, StatusCode::UNPROCESSABLE_ENTITY);
    let long = format!("mark={mark}&act=cancel&order_id={}", "x".repeat(20_000));
    assert_eq!(refused(long).await, StatusCode::PAYLOAD_TOO_LARGE);
}
