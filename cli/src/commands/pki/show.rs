//! `tradewind pki show`: every certificate of a folder, and whether it is good.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use serde_json::json;
use time::format_description::well_known::Rfc3339;
use tradewind_mesh::pki::{Role, Shown, show};

use crate::Global;
use crate::output::{json_line, say};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Another folder than the local system's, e.g. where cert-manager's Secret is mounted: a bundle `ca.pem` or `ca.crt`, and
    /// certificates that end in `.pem` or `.crt`, each with its `.key`.
    folder: Option<PathBuf>,
}

pub(super) fn run(global: &Global, dir: &Path, args: Args) -> Result<ExitCode> {
    let dir = args.folder.unwrap_or_else(|| dir.to_owned());
    let all = show(&dir).context("there are no certificates to show; `tradewind pki init` makes a local system's")?;
    let good = all.iter().all(|one| one.refused.is_none());
    if global.json {
        let certificates: Vec<_> = all.iter().map(document).collect();
        json_line(&json!({ "dir": dir, "good": good, "certificates": certificates }))?;
    } else {
        table(&all)?;
    }
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn table(all: &[Shown]) -> Result<()> {
    let id = |one: &Shown| one.facts.as_ref().map_or_else(|| "-".to_owned(), |facts| facts.id.clone());
    let width = all.iter().map(|one| id(one).len()).max().unwrap_or(0);
    say!(
        "{:<14} {:<width$} {:<11} {:>9}  {:<16} {:<32} STATE",
        "NAME",
        "IS",
        "UNTIL",
        "DAYS LEFT",
        "FINGERPRINT",
        "ISSUED BY"
    )?;
    for one in all {
        let (until, days, fingerprint, issuer) = one.facts.as_ref().map_or_else(
            || ("-".to_owned(), "-".to_owned(), "-", "-"),
            |facts| {
                let until = facts.not_after.date().to_string();
                (until, facts.days_left.to_string(), &facts.fingerprint[..16], facts.issuer.as_str())
            },
        );
        let state = match (&one.refused, one.role) {
            (Some((reason, _)), _) => reason.label(),
            (None, Role::Issues) => "good, issues",
            (None, Role::Trusted) => "good, trusted",
            (None, Role::Workload) => "good",
        };
        say!("{:<14} {:<width$} {until:<11} {days:>9}  {fingerprint:<16} {issuer:<32} {state}", one.name, id(one))?;
    }
    for (_, why) in all.iter().filter_map(|one| one.refused.as_ref()) {
        say!("{why}")?;
    }
    Ok(())
}

fn document(one: &Shown) -> serde_json::Value {
    let facts = one.facts.as_ref();
    let date = |date: time::OffsetDateTime| date.format(&Rfc3339).ok();
    json!({
        "name": one.name,
        "file": one.file,
        "role": match one.role {
            Role::Issues => "issues",
            Role::Trusted => "trusted",
            Role::Workload => "workload",
        },
        "id": facts.map(|facts| &facts.id),
        "issuer": facts.map(|facts| &facts.issuer),
        "not_before": facts.and_then(|facts| date(facts.not_before)),
        "not_after": facts.and_then(|facts| date(facts.not_after)),
        "days_left": facts.map(|facts| facts.days_left),
        "fingerprint": facts.map(|facts| &facts.fingerprint),
        "good": one.refused.is_none(),
        "reason": one.refused.as_ref().map(|(reason, _)| reason.label()),
        "why": one.refused.as_ref().map(|(_, why)| why),
    })
}
