//! The innermost layer: what serves a method, with its message unpacked before and its answer packed behind.

use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use http::{Request, Response};
use tonic::body::Body;
use tonic::service::Routes;
use tonic::{Code, Status};
use tower::ServiceExt;
use tradewind_domain::Error;

use crate::message;
use crate::observe::code_of;
use crate::status::{self, Layer};
use crate::{Policy, metrics};

/// What a server of one context serves.
pub(super) struct Handlers {
    context: String,
    routes: Routes,
}

impl Handlers {
    pub(super) fn new(context: String, routes: Routes) -> Self {
        Self { context, routes: routes.prepare() }
    }

    /// The context under whose name the policy is looked up.
    pub(super) fn context(&self) -> &str {
        &self.context
    }

    /// Answers a call that has passed every other layer.
    pub(super) async fn handle(&self, policy: &Policy, request: Request<Body>) -> Result<Response<Body>, Status> {
        let path = request.uri().path();
        let method = policy.method(path).map(|method| method.path);
        let packs = !policy.streams(path) && message::takes_gzip(request.headers());
        let label = policy.label(path);
        let response = match AssertUnwindSafe(self.routes.clone().oneshot(request)).catch_unwind().await {
            Ok(Ok(response)) => response,
            Ok(Err(never)) => match never {},
            Err(_) => {
                metrics::panicked(label);
                return Err(status::status(Error::internal("a handler panicked")));
            }
        };
        match method {
            Some(method) if is_served_by_nobody(&response) => Err(self.unserved(policy, method)),
            _ if packs => message::pack(response).await,
            _ => Ok(response),
        }
    }

    fn unserved(&self, policy: &Policy, method: &str) -> Status {
        let context = self.context.as_str();
        let services = policy.services_of(context).join(", ");
        let text = format!("{context} does not serve {method}; it serves {services}");
        let facts = [("method", method), ("context", context)];
        status::refusal(Layer::Handle, Code::Unimplemented, "METHOD_NOT_SERVED", &text, facts)
    }
}

/// tonic's answer where no handler is registered, which says nothing; one that a handler gives says why.
fn is_served_by_nobody(response: &Response<Body>) -> bool {
    code_of(response.headers()) == Some(Code::Unimplemented) && !response.headers().contains_key("grpc-message")
}
