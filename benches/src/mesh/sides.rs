//! The two ways to the same handler: the kit's server and channel, and tonic's own.

use std::collections::BTreeMap;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use contracts::tradewind::catalog::v1::GetProductRequest;
use contracts::tradewind::catalog::v1::catalog_service_client::CatalogServiceClient;
use contracts::tradewind::catalog::v1::catalog_service_server::CatalogServiceServer;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{self, Certificate, ClientTlsConfig, Endpoint, ServerTlsConfig};
use tradewind_mesh::{Channels, Identity, IdentityFiles, Policy, Server};

use super::catalog::{Catalog, PRODUCT_ID};
use super::{Call, Threads};

/// Who calls, and who is called.
pub(crate) const CLIENT: &str = "gateway";
pub(crate) const SERVER: &str = "catalog";

/// Serves through the whole kit, and tells how to call it.
pub(super) fn kit(threads: &Threads, credentials: &Path) -> Result<Call> {
    let address = serve(&threads.server, credentials, Catalog::default())?;
    caller(&threads.client, credentials, &address.to_string())
}

/// Serves through the whole kit.
pub(super) fn serve(thread: &Runtime, credentials: &Path, catalog: Catalog) -> Result<SocketAddr> {
    let identity = Identity::load(IdentityFiles::in_dir(credentials, SERVER))?;
    let policy = Policy::new(&contracts::CONTRACT);
    let server = thread.block_on(Server::bind(any_port(), identity, policy, SERVER))?;
    let address = server.local_addr();
    thread.spawn(server.serve(routes(catalog), CancellationToken::new(), Duration::ZERO));
    Ok(address)
}

/// Calls through the whole kit whoever is at these addresses.
pub(super) fn caller(thread: &Runtime, credentials: &Path, addresses: &str) -> Result<Call> {
    let identity = Identity::load(IdentityFiles::in_dir(credentials, CLIENT))?;
    let peers = BTreeMap::from([(SERVER.to_owned(), addresses.to_owned())]);
    let _context = thread.enter();
    let channels = Channels::new(identity, Policy::new(&contracts::CONTRACT), peers);
    let client = CatalogServiceClient::new(channels.to(SERVER)?);
    Ok(Arc::new(move || {
        let mut client = client.clone();
        Box::pin(async move {
            client.get_product(asked()).await?;
            Ok(())
        })
    }))
}

/// The same with tonic alone.
pub(super) fn bare(threads: &Threads, credentials: &Path) -> Result<Call> {
    let file = |name: &str| fs::read(credentials.join(name));
    let authority = Certificate::from_pem(file("ca.pem")?);
    let identity = |name: &str| -> Result<_> {
        let [certificate, key] = ["pem", "key"].map(|end| file(&format!("{name}.{end}")));
        Ok(transport::Identity::from_pem(certificate?, key?))
    };
    let tls = ServerTlsConfig::new().identity(identity(SERVER)?).client_ca_root(authority.clone());
    let (address, serving) = {
        let _context = threads.server.enter();
        let incoming = TcpIncoming::bind(any_port())?.with_nodelay(Some(true));
        let address = incoming.local_addr()?;
        let server = transport::Server::builder().tls_config(tls)?.add_routes(routes(Catalog::default()));
        (address, server.serve_with_incoming(incoming))
    };
    threads.server.spawn(serving);
    let tls = ClientTlsConfig::new().identity(identity(CLIENT)?).ca_certificate(authority).domain_name("localhost");
    let endpoint = Endpoint::from_shared(format!("https://{address}"))?.tls_config(tls)?.tcp_nodelay(true);
    let client = CatalogServiceClient::new(threads.client.block_on(endpoint.connect())?);
    Ok(Arc::new(move || {
        let mut client = client.clone();
        Box::pin(async move {
            client.get_product(asked()).await?;
            Ok(())
        })
    }))
}

pub(crate) fn any_port() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

fn routes(catalog: Catalog) -> Routes {
    Routes::new(CatalogServiceServer::new(catalog))
}

fn asked() -> GetProductRequest {
    GetProductRequest { product_id: PRODUCT_ID.to_owned() }
}
