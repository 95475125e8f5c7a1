//! What can be called at the edge, by descriptors alone.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Context;
use contracts::tradewind::options::v1::Audience;
use futures::FutureExt;
use futures::future::BoxFuture;
use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue, Request, Response};
use prost_reflect::{DescriptorPool, FieldDescriptor, Kind, MethodDescriptor};
use tonic::Status;
use tonic::body::Body;
use tower::Service as _;
use tradewind_mesh::{Channel, Channels};
use tradewind_transcode::{Found, Refusal, Route, Routes};

use crate::limits::Class;
use crate::metrics::Measured;
use crate::refused::{away, is_ours, outward};
use crate::usual::Usual;
use crate::who::Caller;

/// The workload that the contract knows the edge as.
const EDGE: &str = "gateway";
/// Whoever counts from where people try to sign in, and what it is told of that.
pub(crate) const IDENTITY: &str = "identity";
const CLIENT_ADDRESS: HeaderName = HeaderName::from_static("tradewind-client-address");

/// Sends a gRPC request to whoever serves it.
pub type Upstream =
    Arc<dyn Fn(Request<Body>, Caller) -> BoxFuture<'static, Result<Response<Body>, Status>> + Send + Sync>;

/// A method that may be called at the edge.
pub struct Offer {
    /// What it is called, and what it takes and gives.
    pub descriptor: MethodDescriptor,
    /// Who may call it.
    pub audience: Audience,
    /// Who serves it.
    pub upstream: Upstream,
}

/// A method as it is offered.
pub(crate) struct Method {
    pub(crate) descriptor: MethodDescriptor,
    pub(crate) audience: Audience,
    /// As what it is counted.
    pub(crate) class: Class,
    pub(crate) path: PathAndQuery,
    /// The field that makes a repetition of a request harmless.
    pub(crate) request_id: Option<FieldDescriptor>,
    pub(crate) rest: Measured,
    pub(crate) grpc: Measured,
    pub(crate) web: Measured,
    pub(crate) usual: Arc<Usual>,
    upstream: Upstream,
}

/// Everything that is offered.
pub struct Methods {
    /// By `/package.Service/Method`.
    by_path: HashMap<String, Arc<Method>>,
    /// By `package.Service.Method`.
    by_name: HashMap<String, Arc<Method>>,
    routes: Routes,
}

impl Methods {
    /// Offers those of these methods that are for somebody outside: by their gRPC paths, and by the routes that their
    /// `google.api.http` declares.
    ///
    /// # Errors
    /// Where an option makes no route, or two take the same requests.
    pub fn new(offers: impl IntoIterator<Item = Offer>) -> anyhow::Result<Self> {
        let offers = offers.into_iter().filter(|offer| is_outside(offer.audience));
        let methods = offers.map(|offer| Ok(Arc::new(Method::new(offer)?)));
        let methods = methods.collect::<anyhow::Result<Vec<_>>>()?;
        let routes = Routes::of(methods.iter().map(|method| method.descriptor.clone()))?;
        let by_path = methods.iter().map(|method| (method.path.as_str().to_owned(), method.clone())).collect();
        let by_name = methods.iter().map(|method| (method.descriptor.full_name().to_owned(), method.clone())).collect();
        Ok(Self { by_path, by_name, routes })
    }

    /// The method of a gRPC path.
    pub(crate) fn called(&self, path: &str) -> Option<&Arc<Method>> {
        self.by_path.get(path)
    }

    /// The route of an HTTP request, and its method.
    ///
    /// # Errors
    /// Where there is none.
    pub(crate) fn routed(&self, http: &str, path: &str) -> Result<(Found<'_>, &Arc<Method>), Refusal> {
        let found = self.routes.find(http, path)?;
        let method = self.by_name.get(found.route.method().full_name()).ok_or(Refusal::NoRoute)?;
        Ok((found, method))
    }
}

impl Methods {
    /// Every route with its method.
    pub(crate) fn routes(&self) -> impl Iterator<Item = (&Route, &Arc<Method>)> {
        let named = |route: &Route| self.by_name.get(route.method().full_name());
        self.routes.all().filter_map(move |route| named(route).map(|method| (route, method)))
    }
}

impl Method {
    fn new(offer: Offer) -> anyhow::Result<Self> {
        let Offer { descriptor, audience, upstream } = offer;
        let path = format!("/{}/{}", descriptor.parent_service().full_name(), descriptor.name());
        let request_id = descriptor.input().get_field_by_name("request_id");
        let request_id = request_id.filter(|field| matches!(field.kind(), Kind::String) && !field.is_list());
        let measured = |protocol| Measured::new(protocol, &path);
        let [rest, grpc, web] = ["rest", "grpc", "grpc_web"].map(measured);
        let path = path.parse().context("a method's path")?;
        let class = Class::of(&descriptor, audience);
        Ok(Self { descriptor, audience, class, path, request_id, rest, grpc, web, usual: Arc::default(), upstream })
    }

    /// Whether its answer is a stream.
    pub(crate) fn streams(&self) -> bool {
        self.descriptor.is_server_streaming()
    }

    /// Whether its request is a stream.
    pub(crate) fn takes_streams(&self) -> bool {
        self.descriptor.is_client_streaming()
    }

    /// Calls whoever serves it for `caller`.
    ///
    /// # Errors
    /// The status of a call that had no answer, without what is nobody's business outside.
    pub(crate) async fn call(&self, request: Request<Body>, caller: Caller) -> Result<Response<Body>, Status> {
        let answered = (self.upstream)(request, caller).await.map_err(outward)?;
        match Status::from_header_map(answered.headers()).filter(is_ours) {
            Some(status) => Err(outward(status)),
            None => Ok(answered),
        }
    }
}

/// The methods that the contract has for whoever is outside, each with who serves its context by `upstream`.
///
/// # Errors
/// A descriptor that cannot be read.
pub(crate) fn of_contract(upstream: impl Fn(&str) -> Upstream) -> anyhow::Result<Vec<Offer>> {
    let pool = DescriptorPool::decode(contracts::DESCRIPTOR).context("contract descriptor")?;
    let mut upstreams: HashMap<String, Upstream> = HashMap::new();
    let mut offers = Vec::new();
    for method in contracts::CONTRACT.methods {
        let context = method.path.split('.').nth(1).unwrap_or_default();
        if !is_outside(method.audience)
            || !method.callers.contains(&EDGE)
            || !contracts::CONTRACT.contexts.contains(&context)
        {
            continue;
        }
        let (service, name) = method.path.trim_start_matches('/').split_once('/').unwrap_or_default();
        let service = pool.get_service_by_name(service).context("contract descriptor")?;
        let descriptor = service.methods().find(|each| each.name() == name).context("contract descriptor")?;
        let upstream = upstreams.entry(context.to_owned()).or_insert_with(|| upstream(context)).clone();
        offers.push(Offer { descriptor, audience: method.audience, upstream });
    }
    Ok(offers)
}

const fn is_outside(audience: Audience) -> bool {
    matches!(audience, Audience::Public | Audience::Customer | Audience::Staff)
}

/// Whoever serves a context.
pub(crate) fn upstream(channels: &Channels, context: &str) -> Upstream {
    match channels.to(context) {
        Ok(channel) if context == IDENTITY => Arc::new(move |mut request, caller: Caller| {
            if let Ok(address) = HeaderValue::try_from(caller.address.to_string()) {
                request.headers_mut().insert(CLIENT_ADDRESS, address);
            }
            send(&channel, request, caller)
        }),
        Ok(channel) => Arc::new(move |request, caller| send(&channel, request, caller)),
        Err(error) => {
            tracing::warn!(context, %error, "its methods are offered, and answered UNAVAILABLE");
            nobody()
        }
    }
}

/// Nobody, who is not there.
pub(crate) fn nobody() -> Upstream {
    Arc::new(|_, _| std::future::ready(Err(away())).boxed())
}

fn send(
    channel: &Channel,
    request: Request<Body>,
    caller: Caller,
) -> BoxFuture<'static, Result<Response<Body>, Status>> {
    match caller.user {
        Some(user) => channel.speaking_for(user).call(request),
        None => channel.clone().call(request),
    }
}
