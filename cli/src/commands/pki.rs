//! `tradewind pki`: the certificates of the local system, or of one on Kubernetes.

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use tradewind_mesh::pki::{Report, Workload, init_workloads};

use crate::Global;
use crate::kubernetes::{Cluster, Entries, Secrets};
use crate::local::{TRUST_DOMAIN, init_pki, renew};
use crate::output::{json_line, say};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Make every certificate that is missing or no longer good; what is good is kept. The authority is made only where there
    /// is neither a certificate nor a key yet.
    Init(Init),
    /// Issue one workload's certificate again; a running service takes it up within seconds.
    Renew {
        /// The workload, e.g. ordering.
        name: String,
    },
}

#[derive(clap::Args)]
pub(crate) struct Init {
    /// Keep them in Secrets of this pod's Kubernetes namespace, PREFIX-ca and PREFIX-WORKLOAD-tls, instead of the folder.
    #[arg(long, value_name = "PREFIX", requires = "workloads")]
    kubernetes: Option<String>,
    /// A workload, and the host names by which clients that check them know it; may be repeated.
    #[arg(long = "workload", value_name = "NAME[=HOST,…]", value_parser = parse_workload, requires = "kubernetes")]
    workloads: Vec<Workload>,
    /// The trust domain of the certificates.
    #[arg(long, default_value = TRUST_DOMAIN, value_name = "NAME", requires = "kubernetes")]
    trust_domain: String,
    /// Lay copies of everything but the authority's key into this folder, for those who are to have no more.
    #[arg(long, value_name = "FOLDER", conflicts_with = "kubernetes")]
    publish: Option<PathBuf>,
    #[command(flatten)]
    cluster: Cluster,
}

/// The authority's name among the files.
const CA: &str = "ca";

pub(crate) async fn run(global: Global, command: Command) -> Result<ExitCode> {
    let dir = global.dir.join("pki");
    match command {
        Command::Init(Init { kubernetes: Some(prefix), workloads, trust_domain, cluster, .. }) => {
            let Report { made, kept } = init_secrets(&prefix, &workloads, &trust_domain, &cluster).await?;
            say!("Secrets {prefix}-…: made {}, kept {}", made.len(), kept.len())?;
        }
        Command::Init(Init { publish: folder, .. }) => {
            let report = init_pki(&dir)?;
            if let Some(folder) = &folder {
                publish(&dir, folder)?;
            }
            if global.json {
                json_line(&serde_json::json!({ "dir": dir, "made": report.made, "kept": report.kept }))?;
            } else {
                say!("{}: made {}, kept {}", dir.display(), report.made.len(), report.kept.len())?;
            }
        }
        Command::Renew { name } => {
            renew(&dir, &name)?;
            say!("{}: {name}.pem and {name}.key are new", dir.display())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Copies certificates and keys, each as a whole or not at all, and never the authority's key.
fn publish(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to).with_context(|| to.display().to_string())?;
    for entry in std::fs::read_dir(from)? {
        let name = entry?.file_name();
        let path = Path::new(&name);
        if path == Path::new("ca.key") || !path.extension().is_some_and(|end| end == "pem" || end == "key") {
            continue;
        }
        // A copy has the rights of what it is of.
        let (copy, whole) = (to.join(path.with_extension("tmp")), to.join(path));
        std::fs::copy(from.join(path), &copy)
            .and_then(|_| std::fs::rename(&copy, &whole))
            .with_context(|| whole.display().to_string())?;
    }
    Ok(())
}

/// Lays what the Secrets hold into a folder, makes what is missing there, and stores that.
async fn init_secrets(prefix: &str, workloads: &[Workload], trust_domain: &str, cluster: &Cluster) -> Result<Report> {
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

fn parse_workload(text: &str) -> Result<Workload> {
    let (name, hosts) = text.split_once('=').unwrap_or((text, ""));
    ensure!(!name.is_empty() && name != CA, "{name:?} is no workload's name");
    let hosts = hosts.split(',').filter(|host| !host.is_empty()).map(str::to_owned).collect();
    Ok(Workload { name: name.to_owned(), hosts })
}
