//! A console of a shop that does not answer: what is refused is refused before anybody is asked.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::{ACCEPT, CONTENT_TYPE, COOKIE, HOST, LOCATION, SET_COOKIE};
use axum::http::{HeaderValue, Method, Request, StatusCode};
use axum::response::Response;
use shop::Clients;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;
use tradewind_console::{Desk, Door, Ticket, router, serve};
use tradewind_edge::Proxies;

use crate::people::People;

/// Every page there is.
pub(crate) const PAGES: [&str; 14] = [
    "/console",
    "/console?service=payment&min_age=5m",
    "/console/orders",
    "/console/orders/0190163d-8694-739b-aea5-966c26f8ad91",
    "/console/flow",
    "/console/mesh",
    "/console/quarantine",
    "/console/quarantine/stream?service=payment&consumer=payment&source=ordering&stream=order-1",
    "/console/consumers",
    "/console/money",
    "/console/sales",
    "/console/faults",
    "/console/jobs/1",
    "/console/orders?filter=%22",
];

/// Everything that a form asks for, but for its mark.
pub(crate) const FORMS: [(&str, &str); 13] = [
    ("/console/do", "act=cancel&order_id=0190163d-8694-739b-aea5-966c26f8ad91"),
    ("/console/do", "act=replay&service=payment&consumer=payment&source=ordering&stream=order-1"),
    ("/console/do", "act=discard&service=payment&consumer=payment&source=ordering&stream=order-1&position=1&reason=x"),
    ("/console/do", "act=pause&service=payment&consumer=payment&reason=x"),
    ("/console/do", "act=resume&service=payment&consumer=payment"),
    ("/console/do", "act=rebuild&service=payment&projection=payment.ledger&reason=x"),
    ("/console/do", "act=fault&service=payment&method=*&peer=&percent=100&latency=1s&abort=&lasts=1s"),
    ("/console/do", "act=clear&service=payment&number=1"),
    ("/console/do", "act=resolve&difference_id=0190163d-8694-739b-aea5-966c26f8ad91&note=x"),
    ("/console/bulk", "kind=cancel"),
    ("/console/bulk/confirm", "plan=x"),
    ("/console/jobs/1/stop", ""),
    ("/console/leave", "x=y"),
];

/// Where nobody listens.
const NOBODY: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9);

type Serving = JoinHandle<anyhow::Result<()>>;

/// A console, and the ticket that opens it.
pub(crate) struct Stand {
    desk: Desk,
    router: Router,
    pub(crate) ticket: Ticket,
    _pki: TempDir,
}

impl Stand {
    pub(crate) fn new() -> Self {
        let ticket = Ticket::new();
        Self::behind(Door::of(ticket.clone(), "operator"), ticket, "", NOBODY)
    }

    /// One whose shop is at that address.
    pub(crate) fn of_a_shop_at(address: SocketAddr) -> Self {
        let ticket = Ticket::new();
        Self::behind(Door::of(ticket.clone(), "operator"), ticket, "", address)
    }

    /// One at which staff sign in, for encrypted connections alone, behind those proxies.
    pub(crate) fn for_staff(people: &People, proxies: &str) -> Self {
        Self::behind(Door::for_staff(people.staff()).secure(), Ticket::new(), proxies, NOBODY)
    }

    fn behind(door: Door, ticket: Ticket, proxies: &str, address: SocketAddr) -> Self {
        let peers = ["analytics", "ordering", "payment"].map(|name| (name.to_owned(), address.to_string()));
        Self::with(door, ticket, proxies, tradewind_testing::pki(&["operator"]), BTreeMap::from(peers))
    }

    /// One of the operator's, of a shop of these services.
    pub(crate) fn of_services(pki: TempDir, peers: BTreeMap<String, String>) -> Self {
        let ticket = Ticket::new();
        Self::with(Door::of(ticket.clone(), "operator"), ticket, "", pki, peers)
    }

    fn with(door: Door, ticket: Ticket, proxies: &str, pki: TempDir, peers: BTreeMap<String, String>) -> Self {
        let shop = Clients::new(pki.path(), "operator", peers).unwrap();
        let desk = Desk::new(shop, door).behind(Proxies::read(proxies).unwrap());
        Self { router: router(desk.clone()), desk, ticket, _pki: pki }
    }

    /// Answers at a port of this machine, until `stop`.
    pub(crate) async fn serve(&self, tls: Option<TlsAcceptor>, stop: &CancellationToken) -> (SocketAddr, Serving) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let (address, desk) = (listener.local_addr().unwrap(), self.desk.clone().until(stop.clone()));
        (address, tokio::spawn(serve(listener, tls, desk, Duration::from_secs(5))))
    }

    pub(crate) async fn ask(&self, request: Request<Body>) -> Response {
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// The cookie of a new session.
    pub(crate) async fn enter(&self) -> String {
        let answer = self.ask(get(&self.ticket.path(), "")).await;
        assert_eq!(
            (answer.status(), answer.headers()[LOCATION].to_str().unwrap()),
            (StatusCode::SEE_OTHER, "/console")
        );
        let cookie = answer.headers()[SET_COOKIE].to_str().unwrap().to_owned();
        assert!(cookie.ends_with("; Path=/console; HttpOnly; SameSite=Strict"), "{cookie}");
        cookie.split(';').next().unwrap().to_owned()
    }

    /// The page to sign in on: the cookie that it sets, and what its form brings back.
    pub(crate) async fn sign_in_page(&self) -> (String, String) {
        let answer = self.ask(get("/console/sign-in", "")).await;
        let cookie = answer.headers()[SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
        (cookie, mark_in(&text(answer).await))
    }

    /// What comes of it that somebody signs in with these fields.
    pub(crate) async fn signs_in(&self, fields: &str) -> Response {
        let (cookie, mark) = self.sign_in_page().await;
        self.ask(form("/console/sign-in", &cookie, format!("mark={mark}&{fields}"), &[])).await
    }

    /// The cookie of staff's new session.
    pub(crate) async fn sign_in(&self) -> String {
        self.sign_in_as("staff").await
    }

    pub(crate) async fn sign_in_as(&self, who: &str) -> String {
        let answer = self.signs_in(&format!("email={who}%40example.org&password=right+horse")).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        session_in(&answer)
    }

    /// What the session's forms bring back.
    pub(crate) async fn mark(&self, cookie: &str) -> String {
        mark_in(&text(self.ask(get("/console/jobs/1", cookie)).await).await)
    }
}

pub(crate) fn mark_in(page: &str) -> String {
    let after = page.split("name=\"mark\" value=\"").nth(1).unwrap();
    after.split('"').next().unwrap().to_owned()
}

/// The cookie of the session that an answer begins.
pub(crate) fn session_in(answer: &Response) -> String {
    let cookies = answer.headers().get_all(SET_COOKIE).iter().map(|cookie| cookie.to_str().unwrap());
    let session = cookies.into_iter().find(|cookie| cookie.starts_with("__Host-tradewind_console=")).unwrap();
    assert!(session.ends_with("; Path=/; Secure; HttpOnly; SameSite=Strict"), "{session}");
    session.split(';').next().unwrap().to_owned()
}

pub(crate) fn get(path: &str, cookie: &str) -> Request<Body> {
    Request::get(path).header(HOST, "127.0.0.1:8090").header(COOKIE, cookie).body(Body::empty()).unwrap()
}

/// Asks as a page's script does.
pub(crate) fn live(path: &str, cookie: &str) -> Request<Body> {
    let mut request = get(path, cookie);
    request.headers_mut().insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
    request
}

/// A form, with headers besides.
pub(crate) fn form(path: &str, cookie: &str, body: String, headers: &[(&str, &str)]) -> Request<Body> {
    let request = Request::builder().method(Method::POST).uri(path).header(HOST, "127.0.0.1:8090");
    let request = request.header(COOKIE, cookie).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    request.body(Body::from(body)).unwrap()
}

pub(crate) async fn text(answer: Response) -> String {
    let body = to_bytes(answer.into_body(), 1024 * 1024).await.unwrap();
    String::from_utf8(body.to_vec()).unwrap()
}
