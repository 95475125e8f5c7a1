//! `tradewind pki`: the certificates of the local system, or of one on Kubernetes.

mod kubernetes;
mod rotate;
mod show;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tradewind_mesh::SpiffeId;
use tradewind_mesh::pki::{self, LEAF_VALIDITY, Report, Workload};

use self::kubernetes::init_secrets;
use super::broker;
use crate::Global;
use crate::kubernetes::Cluster;
use crate::local::{
    Layout, TRUST_DOMAIN, broker_users, configure_users, init_pki, readers, reads_again, renew, running,
};
use crate::output::{json_line, say};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Make every certificate that is missing or no longer good; what is good is kept. The authority is made only where there
    /// is neither a certificate nor a key yet.
    Init(Init),
    /// Issue a certificate for a further workload: a program of your own that is to call, or be called, or reads events.
    Issue(Issue),
    /// Issue one workload's certificate again, with a new key and the names it has; a running service takes it up within
    /// seconds.
    Renew {
        /// The workload, e.g. ordering.
        name: String,
    },
    /// Replace the authority, and every certificate with it, while everything runs.
    ///
    /// It takes three stages, so that no call fails: `trust` makes a new authority and adds it to ca.pem, `issue` has it issue every
    /// certificate anew, `retire` takes the one before out. Between two of them everybody has to have what the first has changed:
    /// services on this machine read it within two seconds; copies elsewhere are yours to bring. Without options, the stage that is
    /// next. Each may be repeated, and goes on where it was cut off.
    Rotate(rotate::Args),
    /// Show every certificate: whose it is, who issued it, how long it lasts, and whether it is good. Ends with 1 where one is
    /// not.
    Show(show::Args),
}

#[derive(clap::Args)]
pub(crate) struct Issue {
    /// Its name, as in the contracts' `callers`: lower-case letters, digits and `-`.
    name: String,
    /// It is outside and reads the events of these contexts, by the broker and of their owners, and calls nothing else. The certificate
    /// says so; without sensitive fields, docs/events.md tells.
    #[arg(long, value_name = "CONTEXT,…", value_delimiter = ',', conflicts_with = "hosts")]
    reads: Vec<String>,
    /// A host name or address by which clients that check them know it, beside its own name and the loopback's; may be repeated.
    #[arg(long = "host", value_name = "HOST")]
    hosts: Vec<String>,
    /// How long it lasts, e.g. 90d or 12h; a year unless said.
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration, default_value = "365d", hide_default_value = true)]
    validity: Duration,
    /// Its trust domain.
    #[arg(long, default_value = TRUST_DOMAIN, value_name = "NAME")]
    trust_domain: String,
}

#[derive(clap::Args)]
pub(crate) struct Init {
    /// Keep them in Secrets of this pod's Kubernetes namespace, PREFIX-ca and PREFIX-WORKLOAD-tls, instead of the folder.
    #[arg(long, value_name = "PREFIX", requires = "workloads")]
    kubernetes: Option<String>,
    /// A workload, and the host names by which clients that check them know it; may be repeated.
    #[arg(long = "workload", value_name = "NAME[=HOST,…]", value_parser = parse_workload, requires = "kubernetes")]
    workloads: Vec<Workload>,
    /// Whoever is outside and reads events, and the contexts that it is granted; may be repeated.
    #[arg(long = "reader", value_name = "NAME=CONTEXT,…", value_parser = parse_reader, requires = "kubernetes")]
    readers: Vec<Workload>,
    /// The trust domain of the certificates.
    #[arg(long, default_value = TRUST_DOMAIN, value_name = "NAME", requires = "kubernetes")]
    trust_domain: String,
    /// Lay copies of everything but the authority's key into this folder, for those who are to have no more, and beside them the
    /// broker's users, broker-users.json.
    #[arg(long, value_name = "FOLDER", conflicts_with = "kubernetes")]
    publish: Option<PathBuf>,
    #[command(flatten)]
    cluster: Cluster,
}

/// The authority's name among the files.
const CA: &str = "ca";

pub(crate) async fn run(global: Global, command: Command) -> Result<ExitCode> {
    let dir = global.dir.join("pki");
    // Services look at their files by themselves; the broker has to be told.
    let layout = Layout::standard(&global.dir);
    match command {
        Command::Init(Init { kubernetes: Some(prefix), workloads, readers, trust_domain, cluster, .. }) => {
            let all = [workloads, readers].concat();
            let Report { made, kept } = init_secrets(&prefix, &all, &trust_domain, &cluster).await?;
            say!("Secrets {prefix}-…: made {}, kept {}", made.len(), kept.len())?;
        }
        Command::Init(Init { publish: folder, .. }) => {
            let report = init_pki(&dir)?;
            if !report.made.is_empty() {
                reads_again(&layout)?;
            }
            if let Some(folder) = &folder {
                publish(&dir, folder)?;
            }
            if global.json {
                json_line(&serde_json::json!({ "dir": dir, "made": report.made, "kept": report.kept }))?;
            } else {
                say!("{}: made {}, kept {}", dir.display(), report.made.len(), report.kept.len())?;
            }
        }
        Command::Issue(asked) => {
            issue(&dir, &asked)?;
            if !asked.reads.is_empty() && running(&layout)?.is_some() {
                configure_users(&layout, TRUST_DOMAIN)?;
                reads_again(&layout)?;
            }
            told(&global, &dir, &asked.name)?;
        }
        Command::Renew { name } => {
            is_workload(&name)?;
            ensure!(
                pki::holds(&dir, &name),
                "there is no certificate of {name} in {}: `tradewind pki issue {name}` makes one",
                dir.display()
            );
            renew(&dir, &name)?;
            reads_again(&layout)?;
            told(&global, &dir, &name)?;
        }
        Command::Rotate(args) => rotate::run(&global, &dir, &args).await?,
        Command::Show(args) => return show::run(&global, &dir, args),
    }
    Ok(ExitCode::SUCCESS)
}

fn is_workload(name: &str) -> Result<()> {
    ensure!(name != CA, "{CA} is the authority and no workload; `tradewind pki rotate` replaces it");
    Ok(())
}

fn issue(dir: &Path, Issue { name, reads, hosts, validity, trust_domain }: &Issue) -> Result<()> {
    let id = match reads.as_slice() {
        [] => SpiffeId::new(trust_domain, name)?,
        contexts => broker::reader(trust_domain, name, contexts)?,
    };
    is_workload(name)?;
    ensure!(
        dir.is_dir(),
        "{} is not there: `tradewind pki init` makes it, and the authority that issues",
        dir.display()
    );
    ensure!(
        !pki::holds(dir, name),
        "{name} has a certificate or a key in {}: `tradewind pki renew {name}` issues it again. For other host names or contexts, remove both first",
        dir.display()
    );
    ensure!(
        !validity.is_zero() && *validity <= LEAF_VALIDITY * 10,
        "a certificate lasts between a second and ten years"
    );
    pki::issue_with(dir, &id, hosts, *validity).with_context(|| format!("cannot issue {name} in {}", dir.display()))
}

fn told(global: &Global, dir: &Path, name: &str) -> Result<()> {
    let made = [dir.join(name).with_extension("pem"), dir.join(name).with_extension("key")];
    if global.json {
        return json_line(&serde_json::json!({ "dir": dir, "made": made }));
    }
    say!("{}: {name}.pem and {name}.key are new", dir.display())
}

/// Copies certificates and keys, each as a whole or not at all, and never the authority's key; and writes who may use the broker.
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
    let (copy, whole) = (to.join("broker-users.tmp"), to.join("broker-users.json"));
    std::fs::write(&copy, broker_users(&readers(from, &[]), TRUST_DOMAIN)?)
        .and_then(|()| std::fs::rename(&copy, &whole))
        .with_context(|| whole.display().to_string())
}

pub(crate) fn parse_workload(text: &str) -> Result<Workload> {
    let (name, hosts) = text.split_once('=').unwrap_or((text, ""));
    ensure!(!name.is_empty() && name != CA, "{name:?} is no workload's name");
    let hosts = hosts.split(',').filter(|host| !host.is_empty()).map(str::to_owned).collect();
    Ok(Workload { name: name.to_owned(), hosts, reads: Vec::new() })
}

pub(crate) fn parse_reader(text: &str) -> Result<Workload> {
    let (name, contexts) = text.split_once('=').unwrap_or((text, ""));
    let reads: Vec<_> = contexts.split(',').map(str::to_owned).collect();
    broker::reader(TRUST_DOMAIN, name, &reads)?;
    ensure!(name != CA, "{name:?} is no reader's name");
    Ok(Workload { name: name.to_owned(), hosts: Vec::new(), reads })
}
