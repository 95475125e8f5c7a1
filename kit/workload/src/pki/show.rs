//! What certificates a folder holds, and whether anybody would accept them. Looks at files of any issuer, and changes none.

use std::fs;
use std::path::{Path, PathBuf};

use rustls::pki_types::{CertificateDer, UnixTime};
use time::OffsetDateTime;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::authority;
use crate::identity::{Leaf, Material, certificates, fingerprint};
use crate::reason::Refusal;
use crate::{Error, IdentityFiles, Reader, Reason, Result, SpiffeId};

/// What a certificate is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Its key is here, so it issues what is issued here.
    Issues,
    /// What it has issued is let in.
    Trusted,
    /// A workload has it.
    Workload,
}

/// One certificate of a folder.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Its file's name without the end.
    pub name: String,
    /// Where it lies.
    pub file: PathBuf,
    /// What it is for.
    pub role: Role,
    /// What can be read of it.
    pub facts: Option<Facts>,
    /// Why it is not good now, by its word and for people; none where it is.
    pub refused: Option<(Reason, String)>,
}

/// What a certificate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The SPIFFE id, or, of an authority, what it calls itself.
    pub id: String,
    /// What who issued it calls itself.
    pub issuer: String,
    /// From when on it is valid.
    pub not_before: OffsetDateTime,
    /// Until when.
    pub not_after: OffsetDateTime,
    /// Whole days until then; none when it has expired.
    pub days_left: i64,
    /// SHA-256, in hexadecimal.
    pub fingerprint: String,
}

/// The certificates of `dir`, the authorities of its bundle (`ca.pem` or `ca.crt`) first: `<name>.pem` or `.crt`, each with its
/// key in `<name>.key`.
///
/// # Errors
/// When the folder cannot be read.
pub fn show(dir: &Path) -> Result<Vec<Shown>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).map_err(Error::file(dir))? {
        let file = entry.map_err(Error::file(dir))?.path();
        if file.extension().is_some_and(|end| end == "pem" || end == "crt") {
            files.push(file);
        }
    }
    files.sort();
    let is_bundle = |file: &PathBuf| file.file_stem().is_some_and(|stem| stem == super::AUTHORITY);
    let bundle = files.iter().find(|file| is_bundle(file)).cloned().unwrap_or_else(|| dir.join(authority::CERTIFICATE));
    let mut shown = authorities(dir, &bundle);
    shown.extend(files.into_iter().filter(|file| !is_bundle(file)).map(|file| workload(&bundle, file)));
    Ok(shown)
}

/// The readers that have a certificate in `dir`, good or not: what each may read is in its name. And the files of which nobody can say
/// whose they are.
///
/// # Errors
/// When the folder cannot be read.
pub fn readers(dir: &Path) -> Result<(Vec<SpiffeId>, Vec<PathBuf>)> {
    let (mut readers, mut unknown) = (Vec::new(), Vec::new());
    for Shown { file, facts, .. } in show(dir)?.into_iter().filter(|shown| shown.role == Role::Workload) {
        match facts.and_then(|facts| SpiffeId::parse(&facts.id).ok()) {
            Some(id) if Reader::of(id.name()).is_some() => readers.push(id),
            Some(_) => {}
            None => unknown.push(file),
        }
    }
    Ok((readers, unknown))
}

fn authorities(dir: &Path, file: &Path) -> Vec<Shown> {
    let name = super::AUTHORITY.to_owned();
    let one = |role, facts, refused| Shown { name: name.clone(), file: file.to_owned(), role, facts, refused };
    let issues = authority::read(dir, &[]).ok().map(|authority| authority.certificate);
    let read = fs::read(file).map_err(Error::file(file)).and_then(|pem| certificates(file, &pem));
    let each = |root: CertificateDer<'static>| {
        let role = if issues.as_ref() == Some(&root) { Role::Issues } else { Role::Trusted };
        one(role, facts(&root), Refusal::of_authority(&root, UnixTime::now()).map(|why| (why.reason, why.to_string())))
    };
    match read {
        Ok(roots) => roots.into_iter().map(each).collect(),
        Err(error) => vec![one(Role::Trusted, None, Some(why(&error)))],
    }
}

fn workload(bundle: &Path, file: PathBuf) -> Shown {
    let files = IdentityFiles { ca: bundle.to_owned(), cert: file.clone(), key: file.with_extension("key") };
    let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let chain = fs::read(&file).ok().and_then(|pem| certificates(&file, &pem).ok());
    let facts = chain.and_then(|chain| facts(&chain[0]));
    // Where a file is called like a workload, it is that workload's. Other issuers call them otherwise.
    let is_its_own = |material: Material| {
        if file.extension().is_some_and(|end| end == "crt") || material.id.short_name() == name {
            return Ok(());
        }
        let text = format!("is for {}, and called like another workload's", material.id);
        Err(Error::credential(&file, Refusal::new(Reason::OtherService, text)))
    };
    let refused = good(&files).and_then(is_its_own).err().map(|error| why(&error));
    Shown { name, file, role: Role::Workload, facts, refused }
}

fn good(files: &IdentityFiles) -> Result<Material> {
    let material = Material::read(files)?;
    material.usable(files, UnixTime::now())?;
    Ok(material)
}

fn why(error: &Error) -> (Reason, String) {
    (error.reason(), error.to_string())
}

fn facts(certificate: &CertificateDer<'_>) -> Option<Facts> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    let (from, to) = (parsed.validity().not_before, parsed.validity().not_after);
    let id = Leaf::read(certificate).map_or_else(|_| parsed.subject().to_string(), |leaf| leaf.id.to_string());
    let now = i64::try_from(UnixTime::now().as_secs()).unwrap_or(i64::MAX);
    Some(Facts {
        id,
        issuer: parsed.issuer().to_string(),
        not_before: from.to_datetime(),
        not_after: to.to_datetime(),
        days_left: (to.timestamp() - now).div_euclid(86_400).max(0),
        fingerprint: fingerprint(certificate),
    })
}
