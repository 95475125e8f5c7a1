//! Opens one TLS connection to one service.

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use http::Uri;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tower::Service;

use crate::handshake::Failure;
use crate::metrics;
use crate::{Error, Result};

/// From name resolution to the end of the handshake.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

#[derive(Clone)]
pub(super) struct Connector {
    target: Arc<str>,
    address: Arc<str>,
    /// Sent for proxies and logs; what is verified is the SPIFFE id.
    name: ServerName<'static>,
    tls: TlsConnector,
}

impl Connector {
    pub(super) fn new(target: &str, address: &str, config: ClientConfig) -> Result<Self> {
        let malformed = || Error::Name(format!("`{address}` is not of the form host:port"));
        let (host, port) = address.rsplit_once(':').ok_or_else(malformed)?;
        port.parse::<u16>().map_err(|_| malformed())?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(host.to_owned()).map_err(|_| malformed())?;
        Ok(Self { target: target.into(), address: address.into(), name, tls: TlsConnector::from(Arc::new(config)) })
    }

    async fn connect(self) -> io::Result<TokioIo<TlsStream<TcpStream>>> {
        let connecting = async {
            let tcp = TcpStream::connect(&*self.address).await?;
            tcp.set_nodelay(true)?;
            let target = self.target;
            let refused = |error: io::Error| {
                let kind = error.kind();
                let failure = Failure::from(error);
                failure.count(Some(&target));
                io::Error::new(kind, failure)
            };
            let stream = self.tls.connect(self.name, tcp).await.map_err(refused)?;
            metrics::handshaken(Some(&target), None);
            Ok(stream)
        };
        match tokio::time::timeout(CONNECT_TIMEOUT, connecting).await {
            Ok(connected) => connected.map(TokioIo::new),
            Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "connecting timed out")),
        }
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<TlsStream<TcpStream>>;
    type Error = io::Error;
    type Future = BoxFuture<'static, io::Result<Self::Response>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        Box::pin(self.clone().connect())
    }
}
