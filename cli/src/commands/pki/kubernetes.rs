//! Certificates that are kept in a namespace's Secrets.

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use tradewind_mesh::pki::{Report, Workload, init_workloads};

use super::CA;
use crate::kubernetes::{Cluster, Entries, Secrets};

/// Lays what the Secrets hold into a folder, makes what is missing there, and stores that.
pub(super) async fn init_secrets(
    prefix: &str,
    workloads: &[Workload],
    trust_domain: &str,
    cluster: &Cluster,
) -> Result<Report> {
    let secrets = Secrets::of(cluster)?;
    let folder = tempfile::tempdir()?;
    let secret_of = |name: &str| if name == CA { format!("{prefix}-ca") } else { format!("{prefix}-{name}-tls") };
    let mut stored = BTreeSet::new();
    for name in std::iter::once(CA).chain(workloads.iter().map(|workload| workload.name.as_str())) {
        if let Some(entries) = secrets.get(&secret_of(name)).await? {
            write(folder.path(), &format!("{name}.pem"), entries.get("tls.crt"))?;
            write(folder.path(), &format!("{name}.key"), entries.get("tls.key"))?;
            stored.insert(name);
        }
    }
    let lost = secret_of(CA);
    ensure!(
        stored.is_empty() || stored.contains(CA),
        "Secret {lost} is missing, but there are certificates of its authority: put it back. Another one is made only where \
         there is nothing left of the first: to begin with one, delete the Secrets {prefix}-…-tls, too"
    );
    let report = init_workloads(folder.path(), workloads, trust_domain).with_context(|| format!("Secret {lost}"))?;
    let authority = std::fs::read_to_string(folder.path().join("ca.pem"))?;
    for certificate in &report.made {
        let name = certificate.file_stem().and_then(|stem| stem.to_str()).context("a certificate without a name")?;
        let mut entries = Entries::new();
        entries.insert("tls.crt".to_owned(), std::fs::read_to_string(certificate)?);
        entries.insert("tls.key".to_owned(), std::fs::read_to_string(certificate.with_extension("key"))?);
        entries.insert("ca.crt".to_owned(), authority.clone());
        let secret = secret_of(name);
        if stored.contains(name) {
            secrets.replace(&secret, "kubernetes.io/tls", &entries).await?;
        } else {
            let created = secrets.create(&secret, "kubernetes.io/tls", &entries).await?;
            ensure!(created, "somebody else made Secret {secret} at the same time; run this again");
        }
    }
    Ok(report)
}

fn write(folder: &Path, file: &str, content: Option<&String>) -> Result<()> {
    if let Some(content) = content {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(folder.join(file))?;
        file.write_all(content.as_bytes())?;
    }
    Ok(())
}
