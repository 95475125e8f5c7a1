//! A certificate authority for one machine: issues the identities of a development or test system, and is itself replaced
//! while everything runs. A production system brings its own issuer and only hands files to [`crate::Identity`].

mod authority;
mod leaf;
mod rotate;
mod show;

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rcgen::{CertificateParams, DistinguishedName, DnType};
use time::OffsetDateTime;

pub use self::leaf::LEAF_VALIDITY;
use self::leaf::{Template, is_good};
pub use self::rotate::{Rotated, Stage, due, rotate};
pub use self::show::{Facts, Role, Shown, readers, show};
use crate::{Error, IdentityFiles, Result, SpiffeId};

/// A workload that is to have a certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Workload {
    /// Its name in its SPIFFE id.
    pub name: String,
    /// Host names for clients that check them, beside its name and the loopback's; a leading `*` stands for any label.
    pub hosts: Vec<String>,
    /// Of whoever is outside and reads events, the contexts that it is granted: it is a reader then.
    pub reads: Vec<String>,
}

/// Certificates are valid from a little earlier, for machines whose clock is behind.
const CLOCK_SKEW: Duration = Duration::from_secs(300);

/// What the authority's files are called.
const AUTHORITY: &str = "ca";

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
    let workload = |name: &&str| Workload { name: (*name).to_owned(), ..Workload::default() };
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
    let _turn = turn(dir)?;
    let mut report = Report::default();
    let ca = dir.join(authority::CERTIFICATE);
    if is_blank(dir)? {
        let (certificate, key) = authority::make()?;
        write(&dir.join(authority::KEY), &key, 0o600)?;
        write(&ca, &certificate, 0o644)?;
        report.made.push(ca);
    } else {
        report.kept.push(ca);
    }
    let mut wanted = Vec::new();
    for Workload { name, hosts, reads } in workloads {
        let id = match reads.as_slice() {
            [] => SpiffeId::new(trust_domain, name)?,
            contexts => SpiffeId::reader(trust_domain, name, contexts.iter().map(String::as_str))?,
        };
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
    let names: Vec<_> = wanted.iter().map(|(id, _)| id.short_name()).collect();
    let authority = authority::read(dir, &names)?;
    for (id, hosts) in wanted {
        report.made.push(IdentityFiles::in_dir(dir, id.short_name()).cert);
        Template { id, hosts: hosts.clone(), validity: LEAF_VALIDITY }.issue(dir, &authority)?;
    }
    Ok(report)
}

/// Nobody else makes or changes anything in the folder until this is dropped.
fn turn(dir: &Path) -> Result<File> {
    let turn = File::open(dir).map_err(Error::file(dir))?;
    turn.lock().map_err(Error::file(dir))?;
    Ok(turn)
}

/// Tells whether the folder holds neither certificates nor keys, nor an authority that is to come.
fn is_blank(dir: &Path) -> Result<bool> {
    for entry in fs::read_dir(dir).map_err(Error::file(dir))? {
        let name = PathBuf::from(entry.map_err(Error::file(dir))?.file_name());
        if name.extension().is_some_and(|end| end == "pem" || end == "key") || name == Path::new(rotate::FOLDER) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The workloads that have a certificate in the folder, by name.
fn workloads(dir: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(dir).map_err(Error::file(dir))? {
        let name = entry.map_err(Error::file(dir))?.file_name();
        let name = name.to_str().and_then(|name| name.strip_suffix(".pem"));
        names.extend(name.filter(|name| *name != AUTHORITY).map(str::to_owned));
    }
    names.sort();
    Ok(names)
}

/// Issues a certificate with a new key for `id`, valid from now for `validity`, and replaces what is there.
pub fn issue(dir: &Path, id: &SpiffeId, validity: Duration) -> Result<()> {
    issue_with(dir, id, &[], validity)
}

/// The same for a certificate with further names or addresses of its host.
///
/// # Errors
/// When the folder's authority cannot issue, or the name is the authority's.
pub fn issue_with(dir: &Path, id: &SpiffeId, hosts: &[String], validity: Duration) -> Result<()> {
    is_workload(id.short_name())?;
    if let Some(host) = hosts.iter().find(|host| !leaf::is_host(host)) {
        return Err(Error::Name(format!("`{host}` is neither a host's name nor an address")));
    }
    let _turn = turn(dir)?;
    let authority = authority::read(dir, &[id.short_name()])?;
    Template { id: id.clone(), hosts: hosts.to_owned(), validity }.issue(dir, &authority)
}

/// Whether `dir` holds a certificate or a key of `name` already.
#[must_use]
pub fn holds(dir: &Path, name: &str) -> bool {
    let files = IdentityFiles::in_dir(dir, name);
    files.cert.exists() || files.key.exists()
}

/// Issues `name` anew, with a new key, under the identity, the host names and for the time that its present certificate has. A
/// process that uses it picks it up while it runs.
pub fn renew(dir: &Path, name: &str) -> Result<()> {
    is_workload(name)?;
    let _turn = turn(dir)?;
    let template = Template::of(dir, name)?;
    template.issue(dir, &authority::read(dir, &[name])?)
}

/// The authority's files are named like a workload's, and are none.
fn is_workload(name: &str) -> Result<()> {
    if name == AUTHORITY {
        return Err(Error::Name(format!("`{name}` is the authority, not a workload: it is replaced by a rotation")));
    }
    Ok(())
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
    written.map_err(|said| {
        // A leftover is harmless: the next attempt truncates it.
        let _ = fs::remove_file(&temporary);
        Error::File { path: path.to_owned(), said }
    })
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
