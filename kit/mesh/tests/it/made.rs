//! A server whose methods are what a test makes of them.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::BoxStream;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::server::{Grpc, NamedService};
use tonic::service::Routes;
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;
use tower::{Service, service_fn};
use tradewind_mesh::{Identity, IdentityFiles, Server};

use crate::echo::WATCH;
use crate::world::policy;

type Handler<A> = Arc<dyn Fn(String) -> BoxFuture<'static, Result<A, Status>> + Send + Sync>;

/// What a stream says.
pub(crate) type Told = BoxStream<'static, Result<String, Status>>;

/// Answers every unary method by one function, and the stream by another.
#[derive(Clone)]
struct Made {
    say: Handler<String>,
    watch: Handler<Told>,
}

impl NamedService for Made {
    const NAME: &'static str = "tradewind.echo.v1.EchoService";
}

impl Service<http::Request<Body>> for Made {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let Self { say, watch } = self.clone();
        Box::pin(async move {
            let mut grpc = Grpc::new(ProstCodec::<String, String>::default());
            Ok(match request.uri().path() {
                WATCH => grpc.server_streaming(service_fn(move |request| answer(&watch, request)), request).await,
                _ => grpc.unary(service_fn(move |request| answer(&say, request)), request).await,
            })
        })
    }
}

fn answer<A: 'static>(
    handler: &Handler<A>,
    request: Request<String>,
) -> impl Future<Output = Result<Response<A>, Status>> + use<A> {
    let answer = handler(request.into_inner());
    async move { answer.await.map(Response::new) }
}

/// Serves at a free port, or at `address`, until `stop`.
pub(crate) async fn serve<F>(
    credentials: &Path,
    address: Option<SocketAddr>,
    stop: CancellationToken,
    handler: impl Fn(String) -> F + Send + Sync + 'static,
) -> SocketAddr
where
    F: Future<Output = Result<String, Status>> + Send + 'static,
{
    let watch = |_| async { Err(Status::unimplemented("says one thing at a time")) };
    serve_both(credentials, address, stop, handler, watch).await
}

/// The same, with streams that `watch` makes.
pub(crate) async fn serve_both<F, G>(
    credentials: &Path,
    address: Option<SocketAddr>,
    stop: CancellationToken,
    say: impl Fn(String) -> F + Send + Sync + 'static,
    watch: impl Fn(String) -> G + Send + Sync + 'static,
) -> SocketAddr
where
    F: Future<Output = Result<String, Status>> + Send + 'static,
    G: Future<Output = Result<Told, Status>> + Send + 'static,
{
    let identity = Identity::load(IdentityFiles::in_dir(credentials, "echo")).unwrap();
    let any = address.unwrap_or_else(|| "127.0.0.1:0".parse().unwrap());
    let server = Server::bind(any, identity, policy(), "echo").await.unwrap();
    let address = server.local_addr();
    let made =
        Made { say: Arc::new(move |text| Box::pin(say(text))), watch: Arc::new(move |text| Box::pin(watch(text))) };
    tokio::spawn(server.serve(Routes::new(made), stop, Duration::ZERO));
    address
}
