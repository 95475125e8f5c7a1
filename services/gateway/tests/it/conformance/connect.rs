//! Connect's conformance suites, with a gateway between their runner and their reference server.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use contracts::tradewind::options::v1::Audience;
use gateway::{Caller, Metadata, Offer, Upstream};
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, Value as Field};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tonic::Status;
use tonic::transport::Endpoint;
use tower::{Service, ServiceExt};

use super::Front;
use super::public::{data, documented};

/// What the runner starts as the server: it hands over what the runner says, and back what is answered, until it is ended.
const BRIDGE: &str = "exec 3<>/dev/tcp/127.0.0.1/$0; cat >&3; exec cat <&3";
const PACKAGE: &str = "connectrpc.conformance.v1";

/// Where everything is: said by scripts/conformance.
#[derive(Clone)]
struct Tools {
    runner: PathBuf,
    reference: PathBuf,
    pool: DescriptorPool,
}

impl Tools {
    #[expect(clippy::disallowed_methods, reason = "whoever runs the suites says where their programs are")]
    fn find() -> Option<Self> {
        let [runner, reference, protos] = ["CONNECT_RUNNER", "CONNECT_REFERENCE", "CONNECT_PROTO"]
            .map(|name| std::env::var_os(name).map(PathBuf::from));
        let (Some(runner), Some(reference), Some(protos)) = (runner, reference, protos) else {
            eprintln!("skipped: Connect's suites; scripts/conformance connect runs them");
            return None;
        };
        let files = ["service", "server_compat"].map(|name| format!("connectrpc/conformance/v1/{name}.proto"));
        let files = protox::compile(files, [protos]).unwrap().encode_to_vec();
        let pool = DescriptorPool::decode(&files[..]).unwrap();
        Some(Self { runner, reference, pool })
    }

    fn message(&self, name: &str) -> DynamicMessage {
        DynamicMessage::new(self.pool.get_message_by_name(&format!("{PACKAGE}.{name}")).unwrap())
    }

    fn named(&self, kind: &str, name: &str) -> Field {
        let kind = self.pool.get_enum_by_name(&format!("{PACKAGE}.{kind}")).unwrap();
        Field::EnumNumber(kind.get_value_by_name(name).unwrap().number())
    }

    /// Is a server under test until whoever asked for it has gone.
    async fn serve(self, mut runner: TcpStream) {
        let mut wanted = self.message("ServerCompatRequest");
        read(&mut runner, &mut wanted).await;
        wanted.set_field_by_name("protocol", self.named("Protocol", "PROTOCOL_GRPC"));
        wanted.set_field_by_name("http_version", self.named("HTTPVersion", "HTTP_VERSION_2"));
        let (_reference, behind) = self.start(&wanted).await;
        let front = Front::open(self.offers(&behind), Metadata::beginning(["x-"]));
        let mut answer = self.message("ServerCompatResponse");
        answer.set_field_by_name("host", Field::String(front.address.ip().to_string()));
        answer.set_field_by_name("port", Field::U32(front.address.port().into()));
        write(&mut runner, &answer).await;
        let _ = runner.read(&mut [0]).await;
    }

    /// Starts the reference server; gives its URL.
    async fn start(&self, wanted: &DynamicMessage) -> (Child, String) {
        let mut reference = Command::new(&self.reference);
        let reference = reference.args(["-port", "0"]).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut reference = reference.spawn().unwrap();
        write(reference.stdin.as_mut().unwrap(), wanted).await;
        let mut answer = self.message("ServerCompatResponse");
        read(reference.stdout.as_mut().unwrap(), &mut answer).await;
        let [host, port] = ["host", "port"].map(|name| answer.get_field_by_name(name).unwrap().into_owned());
        let url = format!("http://{}:{}", host.as_str().unwrap(), port.as_u32().unwrap());
        (reference, url)
    }

    fn offers(&self, url: &str) -> Vec<Offer> {
        let channel = Endpoint::from_shared(url.to_owned()).unwrap().connect_lazy();
        let upstream: Upstream = Arc::new(move |request, _: Caller| {
            let mut channel = channel.clone();
            Box::pin(async move {
                let away = |error| Status::from_error(Box::new(error));
                channel.ready().await.map_err(away)?.call(request).await.map_err(away)
            })
        });
        let service = self.pool.get_service_by_name(&format!("{PACKAGE}.ConformanceService")).unwrap();
        let offer = |descriptor| Offer { descriptor, audience: Audience::Public, upstream: upstream.clone() };
        service.methods().map(offer).collect()
    }

    /// Runs the suites that a configuration names; gives how many cases there were.
    async fn run(&self, configuration: &Path) -> usize {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let tools = self.clone();
        let serving = tokio::spawn(async move {
            loop {
                tokio::spawn(tools.clone().serve(listener.accept().await.unwrap().0));
            }
        });
        let mut runner = Command::new(&self.runner);
        let runner = runner.args(["--mode", "server", "--max-servers", "1", "-p", "2", "--conf"]).arg(configuration);
        let runner = runner.args(["--", "bash", "-c", BRIDGE, &port.to_string()]).stdin(Stdio::null());
        let output = runner.kill_on_drop(true).output().await.unwrap();
        serving.abort();
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{}: {said}", configuration.display());
        let passed = said.lines().find_map(|line| line.strip_suffix(" passed, 0 failed"));
        passed.unwrap_or_else(|| panic!("{said}")).parse().unwrap()
    }
}

/// Reads a message behind its length.
async fn read(from: &mut (impl AsyncRead + Unpin), message: &mut DynamicMessage) {
    let mut bytes = vec![0; from.read_u32().await.unwrap().try_into().unwrap()];
    from.read_exact(&mut bytes).await.unwrap();
    message.merge(&bytes[..]).unwrap();
}

async fn write(to: &mut (impl AsyncWrite + Unpin), message: &DynamicMessage) {
    let bytes = message.encode_to_vec();
    to.write_u32(bytes.len().try_into().unwrap()).await.unwrap();
    to.write_all(&bytes).await.unwrap();
    to.flush().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connects_suites_pass() {
    let Some(tools) = Tools::find() else { return };
    for name in ["grpcweb-server.yaml", "grpc-and-grpcweb-server.yaml"] {
        let Some(configuration) = data(&format!("connect-conformance/{name}")) else { continue };
        let passed = tools.run(&configuration).await;
        println!("passed: {name} {passed}");
        documented(&format!("`{name}`"), &[format!("{passed} of {passed}")]);
    }
}
