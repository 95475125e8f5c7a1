//! A workload's certificate: issued for the first time, and again with what it has.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::time::Duration;

use rcgen::{ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SanType};
use rustls::client::verify_server_name;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use super::authority::{self, Authority};
use super::{CLOCK_SKEW, valid_for, write};
use crate::identity::{Leaf, Material, certificates};
use crate::{Error, IdentityFiles, Reader, Result, SpiffeId};

const DAY: Duration = Duration::from_secs(86_400);
/// How long a leaf certificate lasts unless asked otherwise.
pub const LEAF_VALIDITY: Duration = Duration::from_secs(365 * 86_400);

/// What a workload's certificate is to say.
#[derive(Clone, Debug)]
pub(super) struct Template {
    pub(super) id: SpiffeId,
    /// Names and addresses beside its own and the loopback's.
    pub(super) hosts: Vec<String>,
    pub(super) validity: Duration,
}

impl Template {
    /// What the certificate of `name` in `dir` says, whether it is good or not.
    pub(super) fn of(dir: &Path, name: &str) -> Result<Self> {
        let path = IdentityFiles::in_dir(dir, name).cert;
        let chain = certificates(&path, &std::fs::read(&path).map_err(Error::file(&path))?)?;
        let Leaf { id, .. } = Leaf::read(&chain[0]).map_err(|refusal| Error::credential(&path, refusal))?;
        let mut template = Self { id, hosts: Vec::new(), validity: LEAF_VALIDITY };
        if let Ok((_, parsed)) = X509Certificate::from_der(&chain[0]) {
            let (from, to) = (parsed.validity().not_before.timestamp(), parsed.validity().not_after.timestamp());
            let lasts = Duration::from_secs(u64::try_from(to - from).unwrap_or(0));
            template.validity = lasts.saturating_sub(CLOCK_SKEW);
            if let Ok(Some(names)) = parsed.subject_alternative_name() {
                template.hosts = names.value.general_names.iter().filter_map(host).collect();
            }
        }
        Ok(template)
    }

    /// Issues a certificate with a new key, valid from now, and replaces what is there.
    pub(super) fn issue(&self, dir: &Path, authority: &Authority) -> Result<()> {
        let name = self.id.short_name();
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let mut params = valid_for(name, self.validity);
        params.subject_alt_names = vec![SanType::URI(self.id.to_string().try_into()?)];
        // A reader serves nothing, and may be called like whoever does.
        if Reader::of(self.id.name()).is_none() {
            params.subject_alt_names.extend([
                SanType::DnsName("localhost".try_into()?),
                SanType::DnsName(name.try_into()?),
                SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)),
                SanType::IpAddress(IpAddr::V6(Ipv6Addr::LOCALHOST)),
            ]);
        }
        for host in &self.hosts {
            let host = match host.parse() {
                Ok(address) => SanType::IpAddress(address),
                Err(_) => SanType::DnsName(host.as_str().try_into()?),
            };
            if !params.subject_alt_names.contains(&host) {
                params.subject_alt_names.push(host);
            }
        }
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&key, &authority.issuer)?;

        let files = IdentityFiles::in_dir(dir, name);
        write(&files.key, &key.serialize_pem(), 0o600)?;
        write(&files.cert, &certificate.pem(), 0o644)
    }
}

fn host(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => {
            let v4 = <[u8; 4]>::try_from(*bytes).map(IpAddr::from);
            v4.or_else(|_| <[u8; 16]>::try_from(*bytes).map(IpAddr::from)).ok().map(|address| address.to_string())
        }
        _ => None,
    }
}

/// Whether the files hold `id` with all `hosts`, issued by an authority in the bundle, for at least a day to come.
pub(super) fn is_good(files: &IdentityFiles, id: &SpiffeId, hosts: &[String]) -> bool {
    let Ok(bundle) = std::fs::read(&files.ca) else { return false };
    let Ok(bundle) = certificates(&files.ca, &bundle) else { return false };
    let Ok(material) = Material::read(files) else { return false };
    let Ok(leaf) = material.key.end_entity_cert() else { return false };
    let Ok(parsed) = ParsedCertificate::try_from(leaf) else { return false };
    let named = |host: &String| server_name(host).is_some_and(|host| verify_server_name(&parsed, &host).is_ok());
    material.id == *id && hosts.iter().all(named) && authority::vouches(&bundle, leaf, tomorrow())
}

/// Whether a certificate can have it among its names.
pub(super) fn is_host(host: &str) -> bool {
    server_name(host).is_some()
}

/// What a client would look for that comes to `host`; a `*` stands for any label.
fn server_name(host: &str) -> Option<ServerName<'static>> {
    ServerName::try_from(host.replace('*', "any")).ok()
}

/// Whether the files of `name` belong together and one of `authorities` has issued them, whatever else is trusted.
pub(super) fn is_of(dir: &Path, name: &str, authorities: &[CertificateDer<'_>]) -> bool {
    let Ok(material) = Material::read(&IdentityFiles::in_dir(dir, name)) else { return false };
    let leaf = material.key.end_entity_cert();
    leaf.is_ok_and(|leaf| authority::vouches(authorities, leaf, UnixTime::now()))
}

fn tomorrow() -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(UnixTime::now().as_secs()) + DAY)
}
