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
    let identity = |name| Identity::load(IdentityFiles::in_dir(credentials, name));
    let policy = Policy::new(&contracts::CONTRACT);
    let server = threads.server.block_on(Server::bind(any_port(), identity(SERVER)?, policy.clone(), SERVER))?;
    let address = server.local_addr();
    threads.server.spawn(server.serve(routes(), CancellationToken::new(), Duration::ZERO));
    let peers = BTreeMap::from([(SERVER.to_owned(), address.to_string())]);
    let _context = threads.client.enter();
    let client = CatalogServiceClient::new(Channels::new(identity(CLIENT)?, policy, peers).to(SERVER)?);
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
        let server = transport::Server::builder().tls_config(tls)?.add_routes(routes());
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

fn any_port() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

fn routes() -> Routes {
    Routes::new(CatalogServiceServer::new(Catalog))
}

fn asked() -> GetProductRequest {
    GetProductRequest { product_id: PRODUCT_ID.to_owned() }
}
