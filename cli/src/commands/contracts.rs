//! `tradewind contracts` and `tradewind can-i-deploy`: whom a change of the contracts breaks, out of descriptors alone:
//! nothing has to run.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use prost_reflect::DescriptorPool;
use serde_json::json;

use crate::Global;
use crate::compat::{self, Finding, Reads};
use crate::output::{document, say};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Write the descriptors of the contracts that this program was built with, without comments.
    Write {
        /// The file: a google.protobuf.FileDescriptorSet.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Tell whom a change of the contracts breaks. Exits with 0 where that is nobody, with 1 otherwise.
    ///
    /// It holds what messages, methods and routes look like beside what they did, and what the options promise: callers,
    /// audience, timeouts, repetitions, reactions, owners of events, what has to follow them, what fields have to hold.
    Compare {
        /// Descriptors of what others were built against.
        #[arg(long, value_name = "FILE")]
        from: PathBuf,
        /// Descriptors of what is to come; the contracts of this program where it is left out.
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
    },
}

#[derive(clap::Args)]
pub(crate) struct DeployArgs {
    /// The workload that is to be deployed: a service, the gateway, or `operator` for this program.
    service: String,
    /// Descriptors of what is deployed: `tradewind contracts write FILE` of the program that came with it makes them.
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
}

pub(crate) fn run(global: &Global, command: Command) -> Result<ExitCode> {
    match command {
        Command::Write { file } => {
            let descriptors = compat::without_comments(contracts::DESCRIPTOR)?;
            std::fs::write(&file, &descriptors).with_context(|| format!("cannot write {}", file.display()))?;
            if global.json {
                document(&json!({ "file": file.display().to_string(), "bytes": descriptors.len() }))?;
            } else {
                say!("{}: {} bytes", file.display(), descriptors.len())?;
            }
            Ok(ExitCode::SUCCESS)
        }
        Command::Compare { from, to } => {
            let new = to.map_or_else(of_this_build, |to| read(&to))?;
            let findings = compat::compare(&read(&from)?, &new, &Reads::of_this_build());
            if global.json {
                return answer(&findings, |told| document(&json!({ "breaks": told })));
            }
            list(&findings)?;
            answer(&findings, |told| match told.len() {
                0 => say!("nobody is broken who was built against {}", from.display()),
                1 => say!("one change breaks somebody"),
                several => say!("{several} changes break somebody"),
            })
        }
    }
}

/// `tradewind can-i-deploy`.
pub(crate) fn can_i_deploy(global: &Global, args: &DeployArgs) -> Result<ExitCode> {
    let DeployArgs { service, to } = args;
    let (deployed, build) = (read(to)?, of_this_build()?);
    let workloads = compat::workloads(&build);
    if !workloads.contains(service) {
        let known: Vec<&str> = workloads.iter().map(String::as_str).collect();
        bail!("the contracts know no workload {service:?}; they know {}", known.join(", "));
    }
    let findings = compat::can_deploy(service, &deployed, &build, &Reads::of_this_build());
    if global.json {
        let can = findings.is_empty();
        return answer(&findings, |told| document(&json!({ "service": service, "can_deploy": can, "why_not": told })));
    }
    answer(&findings, |told| match told.len() {
        0 => say!("yes: {service} of this build goes with what {} tells of", to.display()),
        _ => say!("no: {service} of this build does not go with what {} tells of", to.display()),
    })?;
    list(&findings)
}

fn of_this_build() -> Result<DescriptorPool> {
    compat::contracts(contracts::DESCRIPTOR)
}

fn read(file: &Path) -> Result<DescriptorPool> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    compat::contracts(&bytes).with_context(|| format!("{} is no FileDescriptorSet to compare with", file.display()))
}

/// A line for each, and the exit code.
fn list(findings: &[Finding]) -> Result<ExitCode> {
    for finding in findings {
        say!("{finding}")?;
    }
    Ok(code(findings))
}

fn answer(findings: &[Finding], tell: impl FnOnce(Vec<serde_json::Value>) -> Result<()>) -> Result<ExitCode> {
    tell(findings.iter().map(Finding::json).collect())?;
    Ok(code(findings))
}

fn code(findings: &[Finding]) -> ExitCode {
    if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
