//! A service that does what its request says.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, StreamExt};
use http::uri::PathAndQuery;
use opentelemetry::trace::TraceContextExt;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tonic::body::Body;
use tonic::server::{Grpc, NamedService};
use tonic::{Request, Response, Status, Streaming};
use tonic_prost::ProstCodec;
use tower::{Service, service_fn};
use tradewind_mesh::{Channel, Serving, deadline, peer, user};

pub(crate) const SAY: &str = "/tradewind.echo.v1.EchoService/Say";
pub(crate) const BRIEF: &str = "/tradewind.echo.v1.EchoService/Brief";
pub(crate) const NAMED: &str = "/tradewind.echo.v1.EchoService/Named";
pub(crate) const STREAM: &str = "/tradewind.echo.v1.EchoService/Stream";
pub(crate) const WATCH: &str = "/tradewind.echo.v1.EchoService/Watch";
pub(crate) const COUNT: &str = "/tradewind.echo.v1.EchoService/Count";
pub(crate) const REPORT: &str = "/tradewind.echo.v1.EchoService/Report";
pub(crate) const VITAL: &str = "/tradewind.echo.v1.EchoService/Vital";
pub(crate) const ONCE: &str = "/tradewind.echo.v1.EchoService/Once";
pub(crate) const OPEN: &str = "/tradewind.echo.v1.EchoService/Open";
pub(crate) const MINE: &str = "/tradewind.echo.v1.EchoService/Mine";
pub(crate) const THING: &str = "/tradewind.echo.v1.EchoService/Thing";
pub(crate) const FOLLOW: &str = "/tradewind.echo.v1.EchoService/Follow";
pub(crate) const STAFFED: &str = "/tradewind.echo.v1.EchoService/Staffed";
pub(crate) const BARE: &str = "/tradewind.echo.v1.EchoService/Bare";

#[derive(Clone)]
pub(crate) struct Echo {
    pub(crate) calls: Arc<AtomicU32>,
    /// A call that says `wait` ends when it gets a permit.
    pub(crate) gate: Arc<Semaphore>,
    /// How many times longer than 10 ms it takes a call that says so.
    pub(crate) slower: Arc<AtomicU32>,
    /// It fails every call that would take that long.
    pub(crate) broken: Arc<AtomicBool>,
}

impl Default for Echo {
    fn default() -> Self {
        Self {
            calls: Arc::default(),
            gate: Arc::new(Semaphore::new(0)),
            slower: Arc::new(AtomicU32::new(1)),
            broken: Arc::default(),
        }
    }
}

impl Echo {
    async fn say(self, request: Request<String>) -> Result<Response<String>, Status> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        let answer = match request.get_ref().as_str() {
            "who" => peer(&request)?.id.to_string(),
            "whom" => user(&request).map_or("nobody", |user| user.id.as_str()).to_owned(),
            "logged" => opentelemetry::Context::map_current(|context| {
                context.get::<Serving>().and_then(Serving::user).unwrap_or("nobody").to_owned()
            }),
            "metadata" => {
                let names = request.metadata().as_ref().keys().map(http::HeaderName::as_str);
                names.filter(|name| name.starts_with("tradewind-")).collect::<Vec<_>>().join(" ")
            }
            "time left" => deadline::current()
                .map_or("for ever".to_owned(), |deadline| (deadline - Instant::now()).as_millis().to_string()),
            "wait" => {
                self.gate.acquire().await.expect("never closed").forget();
                "waited".to_owned()
            }
            // The trace that it is served in, and what lines of the log say of the call.
            "trace" => opentelemetry::Context::map_current(|context| {
                let serving = context.get::<Serving>().expect("every call has one");
                format!("{} {} {}", context.span().span_context().trace_id(), serving.caller.id.name(), serving.method)
            }),
            "10 ms" if self.broken.load(Ordering::SeqCst) => return Err(Status::unavailable("broken")),
            "10 ms" => {
                tokio::time::sleep(Duration::from_millis(10) * self.slower.load(Ordering::SeqCst)).await;
                "done".to_owned()
            }
            "hang" => std::future::pending().await,
            "panic" => panic!("as asked"),
            "unavailable late" => {
                // As long as a wait for something that does not come: two thirds of the time there is.
                let left = deadline::current().map_or(Duration::ZERO, |deadline| deadline - Instant::now());
                tokio::time::sleep(left * 2 / 3).await;
                return Err(Status::unavailable("late"));
            }
            "unavailable once" if call == 0 => return Err(Status::unavailable("once")),
            text => text.to_owned(),
        };
        Ok(Response::new(answer))
    }
}

impl NamedService for Echo {
    const NAME: &'static str = "tradewind.echo.v1.EchoService";
}

impl Service<http::Request<Body>> for Echo {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let echo = self.clone();
        Box::pin(async move {
            let mut grpc = Grpc::new(ProstCodec::<String, String>::default());
            Ok(match request.uri().path() {
                STREAM | WATCH | FOLLOW => {
                    let service = service_fn(|request: Request<String>| async move {
                        let first = stream::iter([Ok::<_, Status>(request.into_inner())]);
                        let items: BoxStream<'static, Result<String, Status>> = first.chain(stream::pending()).boxed();
                        Ok::<_, Status>(Response::new(items))
                    });
                    grpc.server_streaming(service, request).await
                }
                _ => grpc.unary(service_fn(move |request| echo.clone().say(request)), request).await,
            })
        })
    }
}

/// Calls a unary method and returns its answer.
pub(crate) async fn ask(channel: &Channel, path: &'static str, text: &str) -> Result<String, Status> {
    ask_with(channel, path, Request::new(text.to_owned())).await
}

pub(crate) async fn ask_with(
    channel: &Channel,
    path: &'static str,
    request: Request<String>,
) -> Result<String, Status> {
    let mut grpc = tonic::client::Grpc::new(channel.clone());
    grpc.ready().await?;
    let codec = ProstCodec::<String, String>::default();
    Ok(grpc.unary(request, PathAndQuery::from_static(path), codec).await?.into_inner())
}

/// Calls a method that sends its request back, and then nothing for as long as it may.
pub(crate) async fn listen(channel: &Channel, path: &'static str, text: &str) -> Result<Streaming<String>, Status> {
    listen_with(channel, path, Request::new(text.to_owned())).await
}

pub(crate) async fn listen_with(
    channel: &Channel,
    path: &'static str,
    request: Request<String>,
) -> Result<Streaming<String>, Status> {
    let mut grpc = tonic::client::Grpc::new(channel.clone());
    grpc.ready().await?;
    let codec = ProstCodec::<String, String>::default();
    Ok(grpc.server_streaming(request, PathAndQuery::from_static(path), codec).await?.into_inner())
}
