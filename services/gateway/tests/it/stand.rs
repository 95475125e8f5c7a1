//! A gateway before a service of which a test says what it answers.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use contracts::tradewind::options::v1::Audience;
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use gateway::{Caller, Door, FindKey, Limits, Memory, Methods, Offer, Patience, Rules, Server, Trusted, Upstream, Who};
use http::{HeaderMap, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use prost_reflect::DescriptorPool;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::Status;
use tonic::body::Body;
use tradewind_edge::{Files, Proxies, TellEnded};
use tradewind_mesh::IdentityFiles;
use tradewind_runtime::Settings;

const PROTO: &str = r#"
syntax = "proto3";
package stand.v1;
import "google/api/annotations.proto";
service StandService {
    rpc Keep(Note) returns (Note) { option (google.api.http) = { post: "/v1/notes" body: "*" }; }
    rpc Look(Note) returns (Note) { option (google.api.http) = { get: "/v1/notes/{text}" }; }
    rpc Watch(Note) returns (stream Note) { option (google.api.http) = { get: "/v1/notes:watch" }; }
    rpc Gather(stream Note) returns (stream Note);
    rpc Mine(Note) returns (Note) { option (google.api.http) = { get: "/v1/mine" }; }
    rpc Follow(Note) returns (stream Note) { option (google.api.http) = { get: "/v1/mine:follow" }; }
    rpc Inside(Note) returns (Note) { option (google.api.http) = { get: "/v1/inside" }; }
}
message Note {
    string request_id = 1;
    string text = 2;
}
"#;

/// What its service says next.
pub(crate) type Says = UnboundedSender<Result<Frame<Bytes>, Status>>;

/// A call that has reached its service.
pub(crate) struct Called {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) caller: Caller,
    /// Answers it.
    pub(crate) says: Says,
}

/// A gateway that serves.
pub(crate) struct Stand {
    pub(crate) address: SocketAddr,
    pub(crate) stop: CancellationToken,
    pub(crate) served: JoinHandle<anyhow::Result<()>>,
    calls: Mutex<UnboundedReceiver<Called>>,
    _stopped: DropGuard,
}

/// How it is opened.
#[derive(Default)]
pub(crate) struct Opening {
    pub(crate) files: Option<Files>,
    pub(crate) connections: Option<usize>,
    pub(crate) patience: Patience,
    /// In MiB.
    pub(crate) memory: Option<usize>,
    pub(crate) issuers: Vec<Trusted>,
    pub(crate) proxies: Proxies,
    pub(crate) rules: Rules,
    pub(crate) find: Option<FindKey>,
    pub(crate) tell: Option<TellEnded>,
}

/// What a process has before its first gateway: instruments that are made before there is anybody to tell would tell no other test.
pub(crate) fn prepare() {
    drop(rustls::crypto::ring::default_provider().install_default());
    let files = IdentityFiles::in_dir(Path::new(""), "gateway");
    let settings = Settings::in_process(files, "sqlite::memory:", "nats://127.0.0.1:1");
    tradewind_runtime::install_telemetry("gateway", &settings);
}

pub(crate) fn pool() -> DescriptorPool {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("stand.proto"), PROTO).unwrap();
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto");
    let mut compiler = protox::Compiler::new([folder.path().to_owned(), project]).unwrap();
    compiler.include_imports(true).open_file("stand.proto").unwrap();
    DescriptorPool::decode(compiler.encode_file_descriptor_set().as_slice()).unwrap()
}

impl Stand {
    pub(crate) fn open(opening: Opening) -> Self {
        prepare();
        let (called, calls) = unbounded();
        let service = pool().get_service_by_name("stand.v1.StandService").unwrap();
        let upstream: Upstream = Arc::new(move |request, caller| {
            let called: UnboundedSender<Called> = called.clone();
            Box::pin(async move { Ok(answer(&called, request, caller).await) })
        });
        let audience = |name: &str| match name {
            "Mine" | "Follow" => Audience::Customer,
            "Inside" => Audience::Internal,
            _ => Audience::Public,
        };
        let offers = service.methods().map(|descriptor| {
            let (audience, upstream) = (audience(descriptor.name()), upstream.clone());
            Offer { descriptor, audience, upstream }
        });
        let (methods, stop) = (Methods::new(offers).unwrap(), CancellationToken::new());
        let any = ([127, 0, 0, 1], 0).into();
        let server = Server::bind(any, opening.files, opening.connections.unwrap_or(1_000)).unwrap();
        let server = server.patient(opening.patience);
        let address = server.local_addr();
        let who = Who::trusting(opening.issuers);
        let who = match opening.find {
            Some(find) => who.finding(find),
            None => who,
        };
        let who = match opening.tell {
            Some(tell) => who.heeding(tell),
            None => who,
        };
        let door = Door::new(methods, who, stop.clone()).behind(opening.proxies);
        let door = door.reckoning(Memory::of(opening.memory.unwrap_or(256)), 1 << 20);
        let door = Arc::new(door.within(Limits::new(opening.rules)));
        let served = tokio::spawn(server.serve(door, stop.clone(), Duration::from_secs(30)));
        Self { address, _stopped: stop.clone().drop_guard(), stop, served, calls: Mutex::new(calls) }
    }

    /// Waits for a call.
    pub(crate) async fn called(&self) -> Called {
        std::future::poll_fn(|cx| {
            let mut calls = self.calls.lock().unwrap();
            futures::Stream::poll_next(std::pin::Pin::new(&mut *calls), cx)
        })
        .await
        .unwrap()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

async fn answer(called: &UnboundedSender<Called>, request: Request<Body>, caller: Caller) -> Response<Body> {
    let (head, body) = request.into_parts();
    let (says, said) = unbounded();
    let body = body.collect().await.unwrap().to_bytes();
    let call = Called { path: head.uri.path().to_owned(), headers: head.headers, body, caller, says };
    called.unbounded_send(call).unwrap();
    Response::new(Body::new(StreamBody::new(said)))
}

/// A message `Note` in its frame.
pub(crate) fn note(text: &str) -> Bytes {
    let length = u8::try_from(text.len()).unwrap();
    [&[0, 0, 0, 0, length + 2, 0x12, length][..], text.as_bytes()].concat().into()
}

impl Called {
    pub(crate) fn say(&self, text: &str) {
        self.says.unbounded_send(Ok(Frame::data(note(text)))).unwrap();
    }

    /// Ends well.
    pub(crate) fn end(self) {
        self.end_with(&Status::ok(""));
    }

    pub(crate) fn end_with(self, status: &Status) {
        let mut trailers = HeaderMap::new();
        status.add_header(&mut trailers).unwrap();
        self.says.unbounded_send(Ok(Frame::trailers(trailers))).unwrap();
    }
}
