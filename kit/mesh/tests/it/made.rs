//! A server whose unary methods are what a test makes of them.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::server::{Grpc, NamedService};
use tonic::service::Routes;
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;
use tower::{Service, service_fn};
use tradewind_mesh::{Identity, IdentityFiles, Server};

use crate::world::policy;

type Handler = dyn Fn(String) -> BoxFuture<'static, Result<String, Status>> + Send + Sync;

/// Answers every method by one function.
#[derive(Clone)]
struct Made(Arc<Handler>);

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
        let handler = self.0.clone();
        Box::pin(async move {
            let service = service_fn(move |request: Request<String>| {
                let answer = handler(request.into_inner());
                async move { answer.await.map(Response::new) }
            });
            Ok(Grpc::new(ProstCodec::<String, String>::default()).unary(service, request).await)
        })
    }
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
    let identity = Identity::load(IdentityFiles::in_dir(credentials, "echo")).unwrap();
    let any = address.unwrap_or_else(|| "127.0.0.1:0".parse().unwrap());
    let server = Server::bind(any, identity, policy(), "echo").await.unwrap();
    let address = server.local_addr();
    let handler: Arc<Handler> = Arc::new(move |text| Box::pin(handler(text)));
    tokio::spawn(server.serve(Routes::new(Made(handler)), stop, Duration::ZERO));
    address
}
