//! The console at the edge, over a running shop: staff sign in, look, and do something, each call made for whoever it is.

use std::net::SocketAddr;

use contracts::tradewind::consumer::v1::{ActKind, ListActsRequest};
use contracts::tradewind::identity::v1::{CreateStaffAccountRequest, LockAccountRequest};
use reqwest::header::{COOKIE, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode};
use system_tests::PATIENCE;
use tradewind_testing::{Database, eventually};

use crate::shop::{Shop, in_a_shop};

const EMAIL: &str = "staff@example.com";
const PASSWORD: &str = "a long pass phrase";
/// Every page of the menu; the shop answers each.
const PAGES: [&str; 9] = ["", "/orders", "/flow", "/mesh", "/quarantine", "/consumers", "/money", "/sales", "/faults"];

#[test]
fn staff_sign_in_look_and_do_what_is_written_down_as_theirs() {
    in_a_shop(Database::sqlite, async |shop: &mut Shop| {
        let account =
            CreateStaffAccountRequest { email: EMAIL.into(), password: PASSWORD.into(), ..Default::default() };
        let made = shop.operator.identity().create_staff_account(account).await.unwrap().into_inner();
        let account_id = made.account.unwrap().account_id;
        let order = shop.offer("tea", 450, 5).await.order(1);
        let order = shop.operator.place(order).await.order_id;
        shop.operator.settled(&order).await;
        let browser = Browser::at(shop.open_the_console().await);
        let (status, page) = browser.read("/console", "").await;
        assert!(status == StatusCode::UNAUTHORIZED && !page.contains("<nav"), "{page}");
        assert_eq!(browser.sign_in("wrong").await.status(), StatusCode::UNAUTHORIZED);
        let session = cookie(&browser.sign_in(PASSWORD).await, "tradewind_console=");

        let refused = ["CALLER_NOT_ALLOWED", "NOT_FOR_PEOPLE", "ROLE_MISSING", "NOT_SIGNED_IN", "Cannot be shown"];
        let order_page = format!("/orders/{order}");
        for path in PAGES.into_iter().chain([order_page.as_str()]) {
            let (status, page) = browser.read(&format!("/console{path}"), &session).await;
            assert!(status == StatusCode::OK && page.contains(EMAIL), "{path}: {status}: {page}");
            assert!(!refused.iter().any(|refused| page.contains(refused)), "{path}: {page}");
        }

        let (_, page) = browser.read("/console/consumers", &session).await;
        let act = "act=pause&service=payment&consumer=payment&reason=stocktaking&back=%2Fconsole%2Fconsumers";
        let done = browser.send("/console/do", &session, &format!("mark={}&{act}", mark(&page))).await;
        assert_eq!(done.status(), StatusCode::SEE_OTHER);
        let (_, page) = browser.read("/console/consumers", &session).await;
        assert!(page.contains("payment of payment is paused."), "{page}");
        let acts =
            shop.operator.consumers_of("payment").list_acts(ListActsRequest::default()).await.unwrap().into_inner();
        let paused = acts.acts.iter().find(|act| act.kind() == ActKind::Pause).unwrap();
        assert_eq!(
            (paused.principal.as_str(), paused.detail.as_str()),
            (&*format!("user/{account_id}"), "stocktaking")
        );
        let act = "act=resume&service=payment&consumer=payment&back=";
        browser.send("/console/do", &session, &format!("mark={}&{act}", mark(&page))).await;

        shop.operator.identity().lock_account(LockAccountRequest { account_id }).await.unwrap();
        eventually(PATIENCE, "whoever is locked is in no longer", async || {
            match browser.read("/console", &session).await.0 {
                StatusCode::UNAUTHORIZED => Ok(()),
                status => Err(status),
            }
        })
        .await;
    });
}

/// What of a browser it takes.
struct Browser {
    console: SocketAddr,
    http: Client,
}

impl Browser {
    fn at(console: SocketAddr) -> Self {
        Self { console, http: tradewind_runtime::direct().redirect(Policy::none()).build().unwrap() }
    }

    async fn read(&self, path: &str, cookie: &str) -> (StatusCode, String) {
        let asking = self.http.get(format!("http://{}{path}", self.console)).header(COOKIE, cookie);
        let answer = asking.send().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    }

    async fn send(&self, path: &str, cookie: &str, body: &str) -> Response {
        let asking = self.http.post(format!("http://{}{path}", self.console)).header(COOKIE, cookie);
        let asking = asking.header("content-type", "application/x-www-form-urlencoded");
        asking.header("origin", format!("http://{}", self.console)).body(body.to_owned()).send().await.unwrap()
    }

    async fn sign_in(&self, password: &str) -> Response {
        let shown = self.http.get(format!("http://{}/console/sign-in", self.console)).send().await.unwrap();
        let cookie = cookie(&shown, "tradewind_console_form=");
        let mark = mark(&shown.text().await.unwrap());
        let password = password.replace(' ', "+");
        let body = format!("mark={mark}&email={}&password={password}", EMAIL.replace('@', "%40"));
        self.send("/console/sign-in", &cookie, &body).await
    }
}

/// The cookie whose name begins so.
fn cookie(answer: &Response, name: &str) -> String {
    let all = answer.headers().get_all(SET_COOKIE).iter().map(|cookie| cookie.to_str().unwrap());
    let cookie = all.into_iter().find(|cookie| cookie.starts_with(name)).expect("the cookie");
    cookie.split(';').next().unwrap().to_owned()
}

fn mark(page: &str) -> String {
    page.split("name=\"mark\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}
