//! TLS as the mesh wants it: 1.3 only, no resumption (a resumed session skips the verification of
//! certificates), HTTP/2, both sides named by their SPIFFE id. Host names mean nothing here.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ResolvesClientCert, Resumption};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme};

use crate::crypto::provider;
use crate::handshake::Failure;
use crate::identity::{Leaf, vouched};
use crate::{Identity, Result, SpiffeId};

const H2: &[u8] = b"h2";

/// Who is at the other end of a connection, by the certificate that it was let in with.
pub fn peer(certificates: Option<&[CertificateDer<'_>]>) -> Result<Leaf, Failure> {
    let leaf = certificates.and_then(<[_]>::first).ok_or(Failure::NoCertificate)?;
    Leaf::read(leaf).map_err(Failure::Refused)
}

/// Settings of a server: our certificate, and a client certificate of our trust domain or no connection.
pub fn server(identity: &Identity) -> Result<ServerConfig> {
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_client_cert_verifier(Arc::new(Workloads(identity.clone())))
        .with_cert_resolver(Arc::new(Own(identity.clone())));
    config.alpn_protocols = vec![H2.to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(config)
}

/// Settings of a client that talks to the workload `service` of our trust domain and to nobody else.
pub fn client(identity: &Identity, service: &str) -> Result<ClientConfig> {
    let expected = SpiffeId::new(identity.spiffe_id().trust_domain(), service)?;
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Workload { identity: identity.clone(), expected }))
        .with_client_cert_resolver(Arc::new(Own(identity.clone())));
    config.alpn_protocols = vec![H2.to_vec()];
    config.resumption = Resumption::disabled();
    Ok(config)
}

impl Identity {
    /// TLS settings for servers that are no workloads of ours, such as the broker: the host name is
    /// checked as on the web, against our roots, and our certificate is presented. Reloads reach it.
    #[must_use]
    pub fn client_config(&self) -> ClientConfig {
        let versions = ClientConfig::builder_with_provider(provider());
        #[expect(clippy::expect_used, reason = "the provider always has TLS 1.3 cipher suites")]
        let mut config = versions
            .with_protocol_versions(&[&rustls::version::TLS13])
            .expect("ring supports TLS 1.3")
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(HostName(self.clone())))
            .with_client_cert_resolver(Arc::new(Own(self.clone())));
        config.resumption = Resumption::disabled();
        config
    }
}

/// Presents whatever certificate is current, on either side.
#[derive(Debug)]
struct Own(Identity);

impl ResolvesServerCert for Own {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.current().key.clone())
    }
}

impl ResolvesClientCert for Own {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(self.0.current().key.clone())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// Accepts clients that are workloads of our trust domain.
#[derive(Debug)]
struct Workloads(Identity);

impl ClientCertVerifier for Workloads {
    /// No hints: the roots may change, and every workload has one certificate only.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        self.0.current().client(end_entity, intermediates, now)?;
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.current().clients.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.current().clients.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.current().clients.supported_verify_schemes()
    }
}

/// Accepts the one expected workload, wherever it was reached.
#[derive(Debug)]
struct Workload {
    identity: Identity,
    expected: SpiffeId,
}

impl ServerCertVerifier for Workload {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let leaf = Leaf::acceptable(end_entity, now)?;
        vouched(end_entity, intermediates, &self.identity.current().roots, now)?;
        leaf.only(&self.expected)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.identity.current().servers.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.identity.current().servers.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.identity.current().servers.supported_verify_schemes()
    }
}

/// Checks chain and host name against whatever roots are current.
#[derive(Debug)]
struct HostName(Identity);

impl ServerCertVerifier for HostName {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.0.current().servers.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.current().servers.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.current().servers.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.current().servers.supported_verify_schemes()
    }
}
