//! A change of the authority that nobody notices: trusted beside the old one, then issuing, then alone. Each stage may be
//! repeated, and goes on where it was cut off: what is done is read from the files, in which every step is one rename.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rcgen::KeyPair;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::leaf::{Template, is_of};
use super::{authority, turn, workloads, write};
use crate::identity::certificates;
use crate::reason::Refusal;
use crate::{Error, IdentityFiles, Reason, Result};

/// Where the authority that is to come lies, with the one that goes, until it is alone.
pub(super) const FOLDER: &str = "rotation";
/// Written last, so that where it is the others are.
const NEW: &str = "new.pem";
const NEW_KEY: &str = "new.key";
const OLD: &str = "old.pem";
const END: &str = "-----END CERTIFICATE-----";

/// A stage of a rotation. Between two of them everybody has to have what the first has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// A new authority is made and added to the bundle; it issues nothing yet.
    Trust,
    /// The new authority issues every certificate anew; the old one is still trusted.
    Issue,
    /// The old authority is taken out of the bundle.
    Retire,
}

/// What a stage did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotated {
    /// Which.
    pub stage: Stage,
    /// The files that are new or other than before; none where the stage had been done already.
    pub changed: Vec<PathBuf>,
}

/// A rotation that has begun.
struct Rotation {
    old: CertificateDer<'static>,
    new: CertificateDer<'static>,
    /// PEM.
    key: String,
}

/// The stage that a rotation in `dir` has to go through next; the first where none has begun.
///
/// # Errors
/// When the folder cannot be read, or what has begun is not there as a whole.
pub fn due(dir: &Path) -> Result<Stage> {
    let Some(rotation) = Rotation::read(dir)? else { return Ok(Stage::Trust) };
    if !bundle(dir)?.1.contains(&rotation.new) {
        return Ok(Stage::Trust);
    }
    let names = workloads(dir)?;
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let is_issued = rotation.issues(dir)? && rotation.without_one_to_last(dir, &names)?.is_empty();
    Ok(if is_issued { Stage::Retire } else { Stage::Issue })
}

/// Goes through one stage of a rotation in `dir`, or what is left of it.
///
/// # Errors
/// Before anything is changed: when the authority is not there as a whole, a certificate cannot be read, or the stage before
/// has not been gone through. Later only when the file system refuses; the stage can be repeated then.
pub fn rotate(dir: &Path, stage: Stage) -> Result<Rotated> {
    let _turn = turn(dir)?;
    let names = workloads(dir)?;
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let authority = authority::read(dir, &names)?;
    let changed = match (stage, Rotation::read(dir)?) {
        (Stage::Trust, begun) => trust(dir, &names, &authority.certificate, begun)?,
        (Stage::Issue, Some(rotation)) => issue(dir, &names, &rotation)?,
        (Stage::Retire, Some(rotation)) => retire(dir, &names, &rotation)?,
        (Stage::Issue, None) => return Err(too_early(dir, "no other authority has been made")),
        (Stage::Retire, None) => sweep(dir).map(|()| Vec::new())?,
    };
    Ok(Rotated { stage, changed })
}

fn trust(dir: &Path, names: &[&str], old: &CertificateDer<'static>, begun: Option<Rotation>) -> Result<Vec<PathBuf>> {
    let mut changed = Vec::new();
    let new = match begun {
        Some(rotation) => rotation.new,
        None => {
            // What cannot be issued again is told of before anybody trusts anything new.
            names.iter().try_for_each(|name| Template::of(dir, name).map(drop))?;
            let folder = dir.join(FOLDER);
            fs::create_dir_all(&folder).map_err(Error::file(&folder))?;
            let (certificate, key) = authority::make()?;
            let (path, own) = (dir.join(authority::CERTIFICATE), folder.join(NEW));
            write(&folder.join(OLD), &section_of(&path, old)?, 0o644)?;
            write(&folder.join(NEW_KEY), &key, 0o600)?;
            write(&own, &certificate, 0o644)?;
            let [new] = certificates(&own, certificate.as_bytes())?.try_into().map_err(|_| half(&own))?;
            changed.push(own);
            new
        }
    };
    let (text, roots) = bundle(dir)?;
    if !roots.contains(&new) {
        let path = dir.join(authority::CERTIFICATE);
        let added = section_of(&dir.join(FOLDER).join(NEW), &new)?;
        write(&path, &format!("{}\n{}\n", text.trim_end(), added.trim()), 0o644)?;
        changed.push(path);
    }
    Ok(changed)
}

fn issue(dir: &Path, names: &[&str], rotation: &Rotation) -> Result<Vec<PathBuf>> {
    if !bundle(dir)?.1.contains(&rotation.new) {
        return Err(too_early(dir, "the new authority is not in ca.pem"));
    }
    let old = rotation.without_one_to_last(dir, names)?;
    let templates = old.iter().map(|name| Template::of(dir, name)).collect::<Result<Vec<_>>>()?;
    let mut changed = Vec::new();
    if !rotation.issues(dir)? {
        let path = dir.join(authority::KEY);
        write(&path, &rotation.key, 0o600)?;
        changed.push(path);
    }
    let authority = authority::read(dir, names)?;
    for template in templates {
        template.issue(dir, &authority)?;
        changed.push(IdentityFiles::in_dir(dir, template.id.short_name()).cert);
    }
    Ok(changed)
}

fn retire(dir: &Path, names: &[&str], rotation: &Rotation) -> Result<Vec<PathBuf>> {
    let of_the_old = rotation.without_one_to_last(dir, names)?;
    if !rotation.issues(dir)? || !of_the_old.is_empty() {
        let whose = if of_the_old.is_empty() { "anybody".to_owned() } else { of_the_old.join(", ") };
        return Err(too_early(dir, &format!("the new authority has not issued for {whose} yet")));
    }
    let mut changed = Vec::new();
    let (text, roots) = bundle(dir)?;
    if roots.contains(&rotation.old) {
        let path = dir.join(authority::CERTIFICATE);
        write(&path, &without(&text, &rotation.old), 0o644)?;
        changed.push(path);
    }
    sweep(dir)?;
    Ok(changed)
}

/// Removes what is left of a rotation; what says that there is one goes first.
fn sweep(dir: &Path) -> Result<()> {
    for file in [NEW, NEW_KEY, OLD] {
        let path = dir.join(FOLDER).join(file);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(Error::file(&path)(error)),
            _ => {}
        }
    }
    // Others may have put something there.
    let _ = fs::remove_dir(dir.join(FOLDER));
    Ok(())
}

impl Rotation {
    fn read(dir: &Path) -> Result<Option<Self>> {
        let folder = dir.join(FOLDER);
        if !folder.join(NEW).exists() {
            // Nobody has been told of a new authority yet.
            return Ok(None);
        }
        let read = |file: &str| {
            let path = folder.join(file);
            fs::read_to_string(&path).map_err(|_| half(&path)).map(|text| (text, path))
        };
        let one = |file: &str| {
            let (text, path) = read(file)?;
            CertificateDer::from_pem_slice(text.as_bytes()).map_err(|_| half(&path))
        };
        let (old, new, (key, path)) = (one(OLD)?, one(NEW)?, read(NEW_KEY)?);
        if !KeyPair::from_pem(&key).is_ok_and(|key| authority::is_key_of(&key, &new)) {
            return Err(half(&path));
        }
        Ok(Some(Self { old, new, key }))
    }

    /// Those of `names` that none of the authorities which are to stay has issued a certificate for.
    fn without_one_to_last<'a>(&self, dir: &Path, names: &[&'a str]) -> Result<Vec<&'a str>> {
        let mut staying = bundle(dir)?.1;
        staying.retain(|root| *root != self.old);
        Ok(names.iter().copied().filter(|name| !is_of(dir, name, &staying)).collect())
    }

    /// Whether it is the new authority that issues in `dir`.
    fn issues(&self, dir: &Path) -> Result<bool> {
        let path = dir.join(authority::KEY);
        let key = fs::read_to_string(&path).map_err(Error::file(&path))?;
        Ok(KeyPair::from_pem(&key).is_ok_and(|key| authority::is_key_of(&key, &self.new)))
    }
}

/// The text of the bundle, and what is in it.
fn bundle(dir: &Path) -> Result<(String, Vec<CertificateDer<'static>>)> {
    let path = dir.join(authority::CERTIFICATE);
    let text = fs::read_to_string(&path).map_err(Error::file(&path))?;
    let roots = certificates(&path, text.as_bytes())?;
    Ok((text, roots))
}

/// Each certificate of a bundle with the text before it; what follows the last is left out.
fn sections(bundle: &str) -> impl Iterator<Item = &str> {
    bundle.split_inclusive(END).filter(|section| section.ends_with(END))
}

fn is(section: &str, certificate: &CertificateDer<'_>) -> bool {
    certificates(Path::new(""), section.as_bytes()).is_ok_and(|all| all.contains(certificate))
}

fn section_of(path: &Path, certificate: &CertificateDer<'_>) -> Result<String> {
    let text = fs::read_to_string(path).map_err(Error::file(path))?;
    let section = sections(&text).find(|section| is(section, certificate)).ok_or_else(|| half(path))?;
    Ok(format!("{}\n", section.trim()))
}

fn without(bundle: &str, certificate: &CertificateDer<'_>) -> String {
    let kept: Vec<_> = sections(bundle).filter(|section| !is(section, certificate)).map(str::trim).collect();
    kept.join("\n") + "\n"
}

fn half(path: &Path) -> Error {
    let text = "is missing or half a file, and belongs to a rotation that has begun: put it back from a copy. Where there is \
                none and ca.key is still the old authority's, take the new one out of ca.pem, remove the folder `rotation`, and \
                begin again";
    Error::credential(path, Refusal::new(Reason::NoAuthority, text))
}

fn too_early(dir: &Path, why: &str) -> Error {
    let text =
        format!("it is too early for this stage, {why}: go through the stage before, and wait until everybody has it");
    Error::credential(dir, Refusal::new(Reason::NoAuthority, text))
}
