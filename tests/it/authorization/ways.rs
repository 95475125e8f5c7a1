//! The ways to ask: through the gateway in each of its protocols, and past it at the service, as the gateway itself does.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;

use prost::Message;
use prost::bytes::{Buf, BufMut, Bytes};
use prost_reflect::{DynamicMessage, MethodDescriptor};
use reqwest::{Client, Response};
use serde_json::Value;
use tonic::client::{Grpc, GrpcService};
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::codegen::http::{HeaderMap, HeaderName, HeaderValue};
use tonic::codegen::{Body as HttpBody, StdError};
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;
use tradewind_mesh::{Channels, User, code_name, missing, violations};

use super::request::over_http;

/// A way to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Way {
    Rest,
    GrpcWeb,
    Grpc,
    /// Past the gateway, with its certificate.
    Inside,
}

impl Way {
    pub(super) const ALL: [Self; 4] = [Self::Rest, Self::GrpcWeb, Self::Grpc, Self::Inside];
}

/// Whoever has signed in.
#[derive(Clone, Debug)]
pub(super) struct SignedIn {
    pub(super) token: String,
    pub(super) user: Arc<User>,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) code: Code,
    /// Over REST.
    pub(super) http: Option<u16>,
    pub(super) reason: String,
    pub(super) domain: String,
    /// What kinds of things are said to be missing, of those that are named.
    pub(super) missing: Vec<String>,
    /// Whether fields are at fault.
    pub(super) at_fault: bool,
    /// All of it, but for when it was said.
    pub(super) whole: String,
}

/// All of them.
pub(super) struct Ways {
    gateway: SocketAddr,
    http: Client,
    grpc: Channel,
    inside: Channels,
}

impl Ways {
    pub(super) async fn to(gateway: SocketAddr, inside: Channels) -> Self {
        let grpc = Channel::from_shared(format!("http://{gateway}")).unwrap().connect().await.unwrap();
        Self { gateway, http: tradewind_runtime::direct().build().unwrap(), grpc, inside }
    }

    /// Asks over REST, and returns what is told.
    pub(super) async fn told(&self, verb: &str, path: &str, body: &Value) -> Value {
        let request = self.http.request(verb.parse().unwrap(), format!("http://{}{path}", self.gateway));
        let response = request.json(body).send().await.unwrap();
        let (status, text) = (response.status(), response.text().await.unwrap());
        assert!(status.is_success(), "{verb} {path}: {status}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// Asks; nothing, where that cannot be said this way.
    pub(super) async fn ask(
        &self,
        way: Way,
        method: &MethodDescriptor,
        request: &DynamicMessage,
        who: Option<&SignedIn>,
    ) -> Option<Answer> {
        let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
        let token = who.map(|who| who.token.as_str());
        Some(match way {
            Way::Rest => self.rest(method, &path, request, token).await?,
            Way::GrpcWeb => self.web(&path, request, token).await,
            Way::Grpc => grpc(self.grpc.clone(), &path, request, token).await,
            Way::Inside => {
                let context = method.full_name().split('.').nth(1).unwrap();
                let is_context = contracts::CONTRACT.contexts.contains(&context);
                // Every service has what is no context's own.
                let channel = self.inside.to(if is_context { context } else { "ordering" }).unwrap();
                match who {
                    Some(who) => grpc(channel.speaking_for(who.user.clone()), &path, request, None).await,
                    None => grpc(channel, &path, request, None).await,
                }
            }
        })
    }

    async fn rest(
        &self,
        method: &MethodDescriptor,
        path: &str,
        request: &DynamicMessage,
        token: Option<&str>,
    ) -> Option<Answer> {
        let has_route = !super::request::routes(method).is_empty();
        // One without a route is looked for where gRPC has it.
        let (verb, path, body) = if has_route {
            let http = over_http(method, request)?;
            (http.verb, http.path, http.body)
        } else {
            ("POST".to_owned(), path.to_owned(), Some("{}".to_owned()))
        };
        let mut asking = self.http.request(verb.parse().unwrap(), format!("http://{}{path}", self.gateway));
        asking = asking.header("x-request-id", "trial");
        if let Some(token) = token {
            asking = asking.bearer_auth(token);
        }
        if let Some(body) = body {
            asking = asking.header("content-type", "application/json").body(body);
        }
        Some(of_json(asking.send().await.unwrap()).await)
    }

    async fn web(&self, path: &str, request: &DynamicMessage, token: Option<&str>) -> Answer {
        let message = request.encode_to_vec();
        let length = u32::try_from(message.len()).unwrap().to_be_bytes();
        let asking = self.http.post(format!("http://{}{path}", self.gateway)).header("x-request-id", "trial");
        let mut asking = asking.header("content-type", "application/grpc-web+proto");
        if let Some(token) = token {
            asking = asking.bearer_auth(token);
        }
        let response = asking.body([&[0][..], &length, &message].concat()).send().await.unwrap();
        let mut headers = response.headers().clone();
        let mut body = response.bytes().await.unwrap();
        while body.len() >= 5 {
            let (flag, length) = (body.get_u8(), body.get_u32());
            let frame = body.split_to(length.try_into().unwrap());
            if flag & 0x80 != 0 {
                headers.extend(trailers(&frame));
            }
        }
        of_status(&Status::from_header_map(&headers).expect("a status ends it"))
    }
}

fn trailers(frame: &[u8]) -> HeaderMap {
    let text = std::str::from_utf8(frame).unwrap();
    let pairs = text.lines().filter_map(|line| line.split_once(':'));
    pairs
        .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value.trim()).unwrap()))
        .collect()
}

async fn of_json(response: Response) -> Answer {
    let status = response.status();
    let headers = said_beside(response.headers());
    let text = response.text().await.unwrap();
    let told: Value = serde_json::from_str(&text).unwrap_or_default();
    // Of a stream the last element may be an error.
    let last = told.as_array().and_then(|all| all.last()).unwrap_or(&told);
    let error = &last["error"];
    let code = match error["status"].as_str() {
        Some(name) => (0..=16).map(Code::from_i32).find(|code| code_name(*code) == name).unwrap(),
        None => Code::Ok,
    };
    let details = error["details"].as_array().cloned().unwrap_or_default();
    let info = details.iter().find(|detail| !detail["reason"].is_null());
    let fact = |name: &str| info.and_then(|info| info[name].as_str()).unwrap_or_default().to_owned();
    let whole = format!("{status} {headers:?} {text}");
    let named = details.iter().filter(|detail| detail["resourceName"].as_str().is_some_and(|name| !name.is_empty()));
    let missing = named.map(|detail| detail["resourceType"].as_str().unwrap_or_default().to_owned()).collect();
    let at_fault = details.iter().any(|detail| !detail["fieldViolations"].is_null());
    let (reason, domain) = (fact("reason"), fact("domain"));
    Answer { code, http: Some(status.as_u16()), reason, domain, missing, at_fault, whole }
}

fn of_status(status: &Status) -> Answer {
    let mut details = status.get_error_details();
    let info = details.error_info().cloned();
    details.set_error_info("", "", HashMap::new());
    let (reason, domain, facts) = info.map(|info| (info.reason, info.domain, info.metadata)).unwrap_or_default();
    // A map comes in any order.
    let facts = BTreeMap::from_iter(facts);
    let beside = said_beside(&status.metadata().clone().into_headers());
    let (code, text, size) = (status.code(), status.message(), status.details().len());
    let whole = format!("{code:?} {text} {size} {reason} {domain} {facts:?} {details:?} {beside:?}");
    let missing = missing(status).into_iter().filter(|missing| !missing.name.is_empty());
    let (missing, at_fault) = (missing.map(|missing| missing.kind).collect(), !violations(status).is_empty());
    Answer { code: status.code(), http: None, reason, domain, missing, at_fault, whole }
}

/// The headers but for the time.
fn said_beside(headers: &HeaderMap) -> Vec<String> {
    let mut said: Vec<String> = headers
        .iter()
        .filter(|(name, _)| !["date", "x-request-id"].contains(&name.as_str()))
        .map(|(name, value)| format!("{name}: {}", value.as_bytes().escape_ascii()))
        .collect();
    said.sort();
    said
}

async fn grpc<S>(service: S, path: &str, request: &DynamicMessage, token: Option<&str>) -> Answer
where
    S: GrpcService<tonic::body::Body>,
    S::Error: Into<StdError>,
    S::ResponseBody: HttpBody<Data = Bytes> + Send + 'static,
    <S::ResponseBody as HttpBody>::Error: Into<StdError> + Send,
{
    let called = async {
        let mut client = Grpc::new(service);
        client.ready().await.map_err(|error| Status::from_error(error.into()))?;
        let mut request = Request::new(request.encode_to_vec());
        if let Some(token) = token {
            request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        }
        let path: PathAndQuery = path.parse().unwrap();
        let mut messages = client.server_streaming(request, path, Raw).await?.into_inner();
        while messages.message().await?.is_some() {}
        Ok::<_, Status>(())
    };
    of_status(&called.await.err().unwrap_or_else(|| Status::ok("")))
}

/// Messages as they are.
struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, into: &mut EncodeBuf<'_>) -> Result<(), Status> {
        into.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining()).to_vec()))
    }
}
