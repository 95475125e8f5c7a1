//! A service that gives back what it is asked, over the mesh, by descriptors alone.

use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{BufMut, BytesMut};
use contracts::Contract;
use contracts::tables::{Form, Method};
use contracts::tradewind::options::v1::{Audience, Criticality, RetryClass};
use futures::future::BoxFuture;
use futures::stream;
use gateway::{Caller, Metadata, Offer, Upstream};
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use prost::Message;
use prost_reflect::{DynamicMessage, MethodDescriptor, ServiceDescriptor, Value as Field};
use tempfile::TempDir;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::Status;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::service::Routes;
use tower::Service;
use tradewind_mesh::{Channels, Identity, IdentityFiles, Policy, Server, pki};

use super::Front;

/// The service of the public suite, and that of the rows here.
pub(super) const PUBLIC: &str = "google.showcase.v1beta1.Compliance";
pub(super) const OWN: &str = "tradewind.repeat.v1.RepeatService";

#[derive(Clone)]
struct Repeat<const IS_OWN: bool>(Arc<HashMap<String, MethodDescriptor>>);

impl<const IS_OWN: bool> NamedService for Repeat<IS_OWN> {
    const NAME: &'static str = if IS_OWN { OWN } else { PUBLIC };
}

impl<const IS_OWN: bool> Service<Request<Body>> for Repeat<IS_OWN> {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let method = self.0[request.uri().path()].clone();
        Box::pin(async move {
            let body = request.into_body().collect().await.unwrap().to_bytes();
            let asked = DynamicMessage::decode(method.input(), &body[5..]).unwrap();
            let mut answer = DynamicMessage::new(method.output());
            answer.set_field_by_name("request", Field::Message(asked));
            let mut framed = BytesMut::new();
            framed.put_u8(0);
            framed.put_u32(answer.encoded_len().try_into().unwrap());
            answer.encode(&mut framed).unwrap();
            let mut ended = HeaderMap::new();
            Status::ok("").add_header(&mut ended).unwrap();
            let frames = [Frame::data(framed.freeze()), Frame::trailers(ended)].map(Ok::<_, Status>);
            let mut response = Response::new(Body::new(StreamBody::new(stream::iter(frames))));
            response.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
            Ok(response)
        })
    }
}

/// It, and a gateway before it.
pub(super) struct Repeating {
    pub(super) front: Front,
    _credentials: TempDir,
    _stopped: DropGuard,
}

impl Repeating {
    /// Serves what has this descriptor.
    pub(super) async fn open(service: &ServiceDescriptor) -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let credentials = tempfile::tempdir().unwrap();
        // A contract knows a context by the second word of its package.
        let context = service.full_name().split('.').nth(1).unwrap().to_owned();
        pki::init(credentials.path(), &[&context, "gateway"], "tradewind.local").unwrap();
        let identity = |name: &str| Identity::load(IdentityFiles::in_dir(credentials.path(), name)).unwrap();
        let policy = policy(service, &context);
        let any = ([127, 0, 0, 1], 0).into();
        let server = Server::bind(any, identity(&context), policy.clone(), &context).await.unwrap();
        let address = server.local_addr();
        let methods = Arc::new(service.methods().map(|method| (path(&method), method)).collect());
        let routes = match service.full_name() {
            OWN => Routes::new(Repeat::<true>(methods)),
            _ => Routes::new(Repeat::<false>(methods)),
        };
        let stop = CancellationToken::new();
        tokio::spawn(server.serve(routes, stop.clone(), Duration::from_secs(5)));
        let peers = BTreeMap::from([(context.clone(), address.to_string())]);
        let channel = Channels::new(identity("gateway"), policy, peers).to(&context).unwrap();
        let upstream: Upstream = Arc::new(move |request, _: Caller| channel.clone().call(request));
        let offer = |descriptor| Offer { descriptor, audience: Audience::Public, upstream: upstream.clone() };
        let front = Front::open(service.methods().map(offer).collect(), Metadata::default());
        Self { front, _credentials: credentials, _stopped: stop.drop_guard() }
    }
}

fn path(method: &MethodDescriptor) -> String {
    format!("/{}/{}", method.parent_service().full_name(), method.name())
}

/// What a contract would say of the service. Its tables live as long as the process, as a contract's do.
fn policy(service: &ServiceDescriptor, context: &str) -> Policy {
    static ANY: Form = Form { fields: &[] };
    let method = |method: MethodDescriptor| Method {
        path: path(&method).leak(),
        callers: &["gateway"],
        audience: Audience::Public,
        owner: None,
        scope: None,
        timeout: Duration::from_secs(30),
        criticality: Criticality::Default,
        retry: RetryClass::Never,
        hedge_after: None,
        request_streams: false,
        response_streams: false,
        request: &ANY,
    };
    let methods: Vec<_> = service.methods().map(method).collect();
    let contexts: &[&str] = Vec::leak(vec![&*context.to_owned().leak()]);
    Policy::new(&Contract { contexts, methods: methods.leak(), reactions: &[] })
}
