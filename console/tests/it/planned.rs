//! What is given up is what was shown, of the service that was named; over services that a test makes up.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::StatusCode;
use axum::http::header::LOCATION;
use contracts::tradewind::analytics::v1::flow_service_server::{FlowService, FlowServiceServer};
use contracts::tradewind::analytics::v1::{Flow, FlowStep, FlowTurn, ListStuckFlowsRequest, ListStuckFlowsResponse};
use contracts::tradewind::consumer::v1::consumer_service_server::{ConsumerService, ConsumerServiceServer};
use contracts::tradewind::consumer::v1::{self, ParkedStream};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic::{Request, Response, Status};
use tradewind_mesh::{Identity, IdentityFiles, Policy, Server};
use tradewind_testing::eventually;

use crate::stand::{Stand, form, get, text};

/// Events that were given up: of which stream, where in it, and why.
type GivenUp = Vec<(String, u64, String)>;
pub(crate) type Answer<T> = Result<Response<T>, Status>;

/// Orders o1 and o2 wait for payment and shipping, and for whatever the step is, which has to be one that was asked for; o3 waits for
/// payment alone, at another step.
struct Stuck;

const STOCKED: &str = "tradewind.ordering.v1.OrderStockConfirmed";
const CANCELLED: &str = "tradewind.ordering.v1.OrderCancelled";

#[tonic::async_trait]
impl FlowService for Stuck {
    async fn list_stuck_flows(&self, request: Request<ListStuckFlowsRequest>) -> Answer<ListStuckFlowsResponse> {
        let flow = |event: &str, order: &str, services: &[&str]| Flow {
            step: Some(FlowStep { event: event.to_owned(), ..FlowStep::default() }),
            order_id: order.to_owned(),
            turns: services.iter().map(|one| FlowTurn { service: (*one).to_owned(), ..FlowTurn::default() }).collect(),
            ..Flow::default()
        };
        let mut flows = vec![flow(STOCKED, "o3", &["payment"])];
        // As analytics of a build before the field would, where another step is asked for.
        if request.into_inner().step != STOCKED {
            flows = ["o1", "o2"].map(|order| flow(CANCELLED, order, &["payment", "shipping"])).into();
        }
        Ok(Response::new(ListStuckFlowsResponse { flows, ..ListStuckFlowsResponse::default() }))
    }
}

/// What is in quarantine at a service, and what was given up of it.
#[derive(Clone, Default)]
pub(crate) struct Quarantine(Arc<Mutex<(Vec<ParkedStream>, GivenUp)>>);

impl Quarantine {
    pub(crate) fn park(&self, stream: &str, position: u64) {
        let parked = ParkedStream { stream: stream.to_owned(), position, ..ParkedStream::default() };
        self.0.lock().unwrap().0.push(parked);
    }

    fn given_up(&self) -> GivenUp {
        let mut all = self.0.lock().unwrap().1.clone();
        all.sort();
        all
    }
}

pub(crate) fn unasked<T>() -> Answer<T> {
    Err(Status::unimplemented("nobody asks this"))
}

/// A page of these, and where the next one begins.
pub(crate) fn page<T>(all: Vec<T>, size: i32, token: &str) -> (Vec<T>, String) {
    let (at, size, many) = (token.parse().unwrap_or(0), usize::try_from(size).unwrap(), all.len());
    let next = if at + size < many { (at + size).to_string() } else { String::new() };
    (all.into_iter().skip(at).take(size).collect(), next)
}

#[tonic::async_trait]
impl ConsumerService for Quarantine {
    async fn list_parked_streams(
        &self,
        request: Request<v1::ListParkedStreamsRequest>,
    ) -> Answer<v1::ListParkedStreamsResponse> {
        let v1::ListParkedStreamsRequest { page_size, page_token } = request.into_inner();
        let streams = self.0.lock().unwrap().0.clone();
        let (streams, next_page_token) = page(streams, page_size, &page_token);
        Ok(Response::new(v1::ListParkedStreamsResponse { streams, next_page_token }))
    }

    async fn discard_parked_event(
        &self,
        request: Request<v1::DiscardParkedEventRequest>,
    ) -> Answer<v1::DiscardParkedEventResponse> {
        let v1::DiscardParkedEventRequest { stream, position, reason, .. } = request.into_inner();
        self.0.lock().unwrap().1.push((stream, position, reason));
        Ok(Response::new(v1::DiscardParkedEventResponse::default()))
    }

    async fn list_consumers(&self, _: Request<v1::ListConsumersRequest>) -> Answer<v1::ListConsumersResponse> {
        unasked()
    }

    async fn get_progress(&self, _: Request<v1::GetProgressRequest>) -> Answer<v1::GetProgressResponse> {
        unasked()
    }

    async fn pause_consumer(&self, _: Request<v1::PauseConsumerRequest>) -> Answer<v1::PauseConsumerResponse> {
        unasked()
    }

    async fn resume_consumer(&self, _: Request<v1::ResumeConsumerRequest>) -> Answer<v1::ResumeConsumerResponse> {
        unasked()
    }

    async fn get_parked_stream(&self, _: Request<v1::GetParkedStreamRequest>) -> Answer<v1::GetParkedStreamResponse> {
        unasked()
    }

    async fn replay_parked_stream(
        &self,
        _: Request<v1::ReplayParkedStreamRequest>,
    ) -> Answer<v1::ReplayParkedStreamResponse> {
        unasked()
    }

    async fn list_acts(&self, request: Request<v1::ListActsRequest>) -> Answer<v1::ListActsResponse> {
        let v1::ListActsRequest { page_size, page_token } = request.into_inner();
        let act = |number| v1::Act { detail: format!("act {number}"), ..v1::Act::default() };
        let (acts, next_page_token) = page((0..130).map(act).collect(), page_size, &page_token);
        Ok(Response::new(v1::ListActsResponse { acts, next_page_token }))
    }

    async fn list_projections(&self, _: Request<v1::ListProjectionsRequest>) -> Answer<v1::ListProjectionsResponse> {
        unasked()
    }

    async fn rebuild_projection(
        &self,
        _: Request<v1::RebuildProjectionRequest>,
    ) -> Answer<v1::RebuildProjectionResponse> {
        unasked()
    }
}

pub(crate) async fn serve(pki: &TempDir, name: &str, routes: Routes) -> SocketAddr {
    let identity = Identity::load(IdentityFiles::in_dir(pki.path(), name)).unwrap();
    let policy = Policy::new(&contracts::CONTRACT);
    let server = Server::bind(([127, 0, 0, 1], 0).into(), identity, policy, name).await.unwrap();
    let address = server.local_addr();
    tokio::spawn(server.serve(routes, CancellationToken::new(), Duration::ZERO));
    address
}

/// A console over what payment and shipping have in quarantine.
async fn stand(payment: &Quarantine, shipping: &Quarantine) -> Stand {
    let pki = tradewind_testing::pki(&["operator", "analytics", "payment", "shipping"]);
    let consumers = |of: &Quarantine| Routes::new(ConsumerServiceServer::new(of.clone()));
    let flows =
        Routes::new(FlowServiceServer::new(Stuck)).add_service(ConsumerServiceServer::new(Quarantine::default()));
    let peers = BTreeMap::from([
        ("analytics".to_owned(), serve(&pki, "analytics", flows).await.to_string()),
        ("payment".to_owned(), serve(&pki, "payment", consumers(payment)).await.to_string()),
        ("shipping".to_owned(), serve(&pki, "shipping", consumers(shipping)).await.to_string()),
    ]);
    Stand::of_services(pki, peers)
}

/// What is shown that would be given up, by these fields.
async fn shown(stand: &Stand, cookie: &str, mark: &str, fields: &str) -> String {
    let asked = format!("mark={mark}&kind=discard&reason=+it+is+paid+{fields}");
    let answer = stand.ask(form("/console/bulk", cookie, asked, &[])).await;
    assert_eq!(answer.status(), StatusCode::OK);
    text(answer).await
}

/// What of it is said to be done.
fn acts(page: &str) -> Vec<&str> {
    page.split("<li>").skip(1).map(|act| act.split("</li>").next().unwrap()).collect()
}

/// The id of the plan.
fn plan(page: &str) -> &str {
    page.split("name=\"plan\" value=\"").nth(1).unwrap().split('"').next().unwrap()
}

#[tokio::test]
async fn what_is_given_up_is_what_was_shown_of_the_service_that_was_named() {
    let (payment, shipping) = (Quarantine::default(), Quarantine::default());
    for (stream, position) in [("order-o1", 3), ("order-o2", 4), ("order-o9", 5)] {
        payment.park(stream, position);
    }
    shipping.park("shipment-o1", 6);
    let stand = stand(&payment, &shipping).await;
    let cookie = stand.enter().await;
    let mark = stand.mark(&cookie).await;

    let page = shown(&stand, &cookie, &mark, "&service=payment").await;
    assert!(page.contains("<b>2</b> in all"), "{page}");
    assert_eq!(acts(&page), ["payment: give up 3 of order-o1", "payment: give up 4 of order-o2"]);

    payment.park("payment-o1", 7);
    let confirmed = format!("mark={mark}&plan={}", plan(&page));
    for _ in 0..2 {
        let answer = stand.ask(form("/console/bulk/confirm", &cookie, confirmed.clone(), &[])).await;
        assert_eq!(answer.headers()[LOCATION], "/console/jobs/1");
    }
    eventually(Duration::from_secs(20), "all of it is done", async || {
        let page = text(stand.ask(get("/console/jobs/1", &cookie)).await).await;
        if page.contains("2 of 2, all ended") && !page.contains("failed") { Ok(()) } else { Err(page) }
    })
    .await;
    let given_up = payment.given_up();
    let reason = "it is paid".to_owned();
    assert_eq!(given_up, [("order-o1".to_owned(), 3, reason.clone()), ("order-o2".to_owned(), 4, reason)]);
    assert_eq!(shipping.given_up(), []);
}

/// Of an order that waits at one step, whoever has no turn there keeps what it has, and so does every order that waits at another.
#[tokio::test]
async fn of_a_step_only_what_waits_there_is_dealt_with_at_whose_turn_it_is() {
    let (payment, shipping) = (Quarantine::default(), Quarantine::default());
    for (stream, position) in [("order-o1", 3), ("order-o3", 4)] {
        payment.park(stream, position);
    }
    shipping.park("order-o1", 5);
    shipping.park("order-o3", 6);
    let stand = stand(&payment, &shipping).await;
    let cookie = stand.enter().await;
    let mark = stand.mark(&cookie).await;
    for step in ["OrderStockConfirmed", STOCKED] {
        let page = shown(&stand, &cookie, &mark, &format!("&step={step}")).await;
        assert_eq!(acts(&page), ["payment: give up 4 of order-o3"], "{step}");
        assert!(page.contains(&format!("href=\"/console?step={step}\"")), "it leads back to where it stood: {page}");
    }
    let cancel = format!("mark={mark}&kind=cancel&step=OrderStockConfirmed");
    let page = text(stand.ask(form("/console/bulk", &cookie, cancel, &[])).await).await;
    assert_eq!(acts(&page), ["cancel o3"]);
    // The services tell of what waits at another step: they do not know this one's field.
    let old = format!("mark={mark}&kind=cancel&step=OrderPaid");
    let answer = stand.ask(form("/console/bulk", &cookie, old, &[])).await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER, "nothing is shown that was not asked for");
    let page = text(stand.ask(get("/console/jobs/1", &cookie)).await).await;
    assert!(page.contains("Not done: analytics is of a build that cannot tell one step from others"), "{page}");
    let none = format!("mark={mark}&kind=cancel&step=OrderPayed");
    let answer = stand.ask(form("/console/bulk", &cookie, none, &[])).await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER, "nothing is shown of a step that is none");
    let page = text(stand.ask(get("/console/jobs/1", &cookie)).await).await;
    assert!(page.contains("Not done: &quot;OrderPayed&quot; is no step of an order"), "{page}");
}

#[tokio::test]
async fn an_order_is_cancelled_once_that_was_shown_and_said_to_be_right() {
    let stand = Stand::new();
    let cookie = stand.enter().await;
    let mark = stand.mark(&cookie).await;
    let order = "0190163d-8694-739b-aea5-966c26f8ad91";
    let back = format!("/console/orders/{order}");
    let asked = format!("mark={mark}&act=cancel&order_id={order}&back=%2Fconsole%2Forders%2F{order}");
    let page = text(stand.ask(form("/console/do", &cookie, asked, &[])).await).await;
    assert_eq!(acts(&page), [format!("cancel {order}")]);
    assert!(page.contains("Nothing has been yet.") && page.contains(&format!("href=\"{back}\"")), "{page}");
    let confirmed = format!("mark={mark}&plan={}", plan(&page));
    for _ in 0..2 {
        let answer = stand.ask(form("/console/bulk/confirm", &cookie, confirmed.clone(), &[])).await;
        assert_eq!(answer.headers()[LOCATION], *back);
    }
    // The shop does not answer.
    let page = text(stand.ask(get("/console/jobs/1", &cookie)).await).await;
    assert_eq!(page.matches("Not done: ").count(), 1, "it was tried once, and is no work of many: {page}");
}
