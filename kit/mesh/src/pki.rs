//! A certificate authority for one machine: issues the identities of a development or test system.
//! A production system brings its own issuer and only hands files to [`crate::Identity`].

mod authority;

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SanType,
};
use rustls::client::verify_server_name;
use rustls::pki_types::{ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use time::OffsetDateTime;

use crate::identity::Material;
use crate::{Error, IdentityFiles, Result, SpiffeId};

const DAY: Duration = Duration::from_secs(86_400);
const CA_VALIDITY: Duration = Duration::from_secs(3_650 * 86_400);
/// How long a leaf certificate lasts unless asked otherwise.
pub const LEAF_VALIDITY: Duration = Duration::from_secs(365 * 86_400);
/// Certificates are valid from a little earlier, for machines whose clock is behind.
const CLOCK_SKEW: Duration = Duration::from_secs(300);

const CA_NAME: &str = "Tradewind development CA";

/// A workload that is to have a certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Workload {
    /// Its name in its SPIFFE id.
    pub name: String,
    /// Host names for clients that check them, beside its name and the loopback's; a leading `*` stands for any label.
    pub hosts: Vec<String>,
}

/// What [`init`] did, by file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Certificates that were made, each with its key beside it.
    pub made: Vec<PathBuf>,
    /// Certificates that were there and are still good.
    pub kept: Vec<PathBuf>,
}

/// [`init_workloads`] for workloads without host names.
pub fn init(dir: &Path, names: &[&str], trust_domain: &str) -> Result<Report> {
    let workload = |name: &&str| Workload { name: (*name).to_owned(), hosts: Vec::new() };
    init_workloads(dir, &names.iter().map(workload).collect::<Vec<_>>(), trust_domain)
}

/// Makes sure that `dir` holds a certificate with its key for each of `workloads` (`<name>.pem`, `<name>.key`), issued by the
/// authority in it (`ca.pem`, `ca.key`). What exists stays, except certificates that have expired, are of another authority or
/// carry another name.
///
/// An authority is made only in a folder that holds no certificate and no key. Where it is lost in part or as a whole, is half
/// a file, has expired or is two that don't belong together, another one would split whoever trusts the first from whoever
/// trusts the second: what has to be issued fails then, and what is good stays.
pub fn init_workloads(dir: &Path, workloads: &[Workload], trust_domain: &str) -> Result<Report> {
    fs::create_dir_all(dir).map_err(Error::file(dir))?;
    // Nobody else looks while one is making an authority.
    let turn = File::open(dir).map_err(Error::file(dir))?;
    turn.lock().map_err(Error::file(dir))?;
    let mut report = Report::default();
    let ca = dir.join(authority::CERTIFICATE);
    if is_blank(dir)? {
        make_ca(dir)?;
        report.made.push(ca);
    } else {
        report.kept.push(ca);
    }
    let mut wanted = Vec::new();
    for Workload { name, hosts } in workloads {
        let id = SpiffeId::new(trust_domain, name)?;
        let files = IdentityFiles::in_dir(dir, name);
        if is_good(&files, &id, hosts) {
            report.kept.push(files.cert);
        } else {
            wanted.push((id, hosts));
        }
    }
    if wanted.is_empty() {
        return Ok(report);
    }
    let names: Vec<_> = wanted.iter().map(|(id, _)| id.name()).collect();
    let issuer = authority::read(dir, &names)?;
    for (id, hosts) in &wanted {
        issue_with(dir, &issuer, id, hosts, LEAF_VALIDITY)?;
        report.made.push(IdentityFiles::in_dir(dir, id.name()).cert);
    }
    Ok(report)
}

/// Tells whether the folder holds neither certificates nor keys.
fn is_blank(dir: &Path) -> Result<bool> {
    for entry in fs::read_dir(dir).map_err(Error::file(dir))? {
        let name = PathBuf::from(entry.map_err(Error::file(dir))?.file_name());
        if name.extension().is_some_and(|end| end == "pem" || end == "key") {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Issues a certificate with a new key for `id`, valid from now for `validity`, and replaces what is there.
pub fn issue(dir: &Path, id: &SpiffeId, validity: Duration) -> Result<()> {
    issue_with(dir, &authority::read(dir, &[id.name()])?, id, &[], validity)
}

fn issue_with(
    dir: &Path,
    issuer: &Issuer<'_, KeyPair>,
    id: &SpiffeId,
    hosts: &[String],
    validity: Duration,
) -> Result<()> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut params = valid_for(id.name(), validity);
    params.subject_alt_names = vec![
        SanType::URI(id.to_string().try_into()?),
        SanType::DnsName("localhost".try_into()?),
        SanType::DnsName(id.name().try_into()?),
        SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        SanType::IpAddress(IpAddr::V6(Ipv6Addr::LOCALHOST)),
    ];
    for host in hosts {
        params.subject_alt_names.push(SanType::DnsName(host.as_str().try_into()?));
    }
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    params.use_authority_key_identifier_extension = true;
    let certificate = params.signed_by(&key, issuer)?;

    let files = IdentityFiles::in_dir(dir, id.name());
    write(&files.key, &key.serialize_pem(), 0o600)?;
    write(&files.cert, &certificate.pem(), 0o644)
}

/// Issues `name` anew, with a new key, under the identity that its present certificate has. A
/// process that uses it picks it up while it runs.
pub fn renew(dir: &Path, name: &str) -> Result<()> {
    let id = Material::read(&IdentityFiles::in_dir(dir, name))?.id;
    issue(dir, &id, LEAF_VALIDITY)
}

fn make_ca(dir: &Path) -> Result<()> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut params = valid_for(CA_NAME, CA_VALIDITY);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let certificate = params.self_signed(&key)?;
    write(&dir.join(authority::KEY), &key.serialize_pem(), 0o600)?;
    write(&dir.join(authority::CERTIFICATE), &certificate.pem(), 0o644)
}

#[expect(clippy::disallowed_methods, reason = "a certificate's validity is wall time, which only its issuer reads")]
fn valid_for(name: &str, validity: Duration) -> CertificateParams {
    let now = OffsetDateTime::now_utc();
    let mut params = CertificateParams::default();
    params.not_before = now - CLOCK_SKEW;
    params.not_after = now + validity;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

/// Whether the files hold `id` with all `hosts`, issued by the authority beside them, for at least a day to come.
fn is_good(files: &IdentityFiles, id: &SpiffeId, hosts: &[String]) -> bool {
    let Ok(material) = Material::read(files) else { return false };
    let tomorrow = UnixTime::since_unix_epoch(Duration::from_secs(UnixTime::now().as_secs()) + DAY);
    let Ok(leaf) = material.key.end_entity_cert() else { return false };
    let Ok(parsed) = ParsedCertificate::try_from(leaf) else { return false };
    let named = |host: &String| {
        let host = ServerName::try_from(host.replace('*', "any"));
        host.is_ok_and(|host| verify_server_name(&parsed, &host).is_ok())
    };
    material.id == *id && hosts.iter().all(named) && authority::vouches(&files.ca, leaf, tomorrow)
}

/// Replaces `path` as a whole or not at all; nobody else ever sees the content of a private file.
fn write(path: &Path, content: &str, mode: u32) -> Result<()> {
    let temporary = path.with_extension(format!("{}.tmp", std::process::id()));
    let written = (|| {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&temporary)?;
        file.write_all(content.as_bytes())?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    })();
    written.map_err(|source| {
        // A leftover is harmless: the next attempt truncates it.
        let _ = fs::remove_file(&temporary);
        Error::File { path: path.to_owned(), source }
    })
}
