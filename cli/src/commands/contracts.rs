//! `tradewind contracts` and `tradewind can-i-deploy`: what the contracts say, as documents, and whom a change of them breaks. All
//! of it is out of descriptors alone: nothing has to run.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use prost_reflect::DescriptorPool;
use serde_json::{Value, json};

use crate::compat::{self, Finding, Reads};
use crate::output::{document, json_line, say};
use crate::{Global, catalogue};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Write the descriptors of the contracts that this program was built with, without comments.
    Write {
        /// The file: a google.protobuf.FileDescriptorSet.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Tell of the events as whoever is outside reads them: AsyncAPI 3.1, in JSON.
    ///
    /// Every subject is a channel, with who sends on it and what a reader receives. Sensitive fields are left out.
    Asyncapi {
        /// Descriptors of other contracts, with their comments; those of this program where it is left out.
        #[arg(long, value_name = "FILE")]
        of: Option<PathBuf>,
        /// The file; without it the document is printed.
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Tell of what is offered at the front door: OpenAPI 3.1, in JSON, as /openapi.json of the gateway has it.
    Openapi {
        /// The file; without it the document is printed.
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Write one page for people: services, methods with their policy, events with their readers, messages, and what follows
    /// what.
    ///
    /// It needs no other file and asks nobody for anything; any browser shows it.
    Page {
        /// Descriptors of other contracts, with their comments; those of this program where it is left out.
        #[arg(long, value_name = "FILE")]
        of: Option<PathBuf>,
        /// The file: HTML.
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
        Command::Write { file } => write(global, &file, &compat::without_comments(contracts::DESCRIPTOR)?),
        Command::Asyncapi { of, file } => hand_out(global, file.as_deref(), &catalogue::asyncapi(&given(of)?)),
        Command::Openapi { file } => hand_out(global, file.as_deref(), &gateway::openapi()?),
        Command::Page { of, file } => write(global, &file, catalogue::page(&given(of)?).as_bytes()),
        Command::Compare { from, to } => {
            let new = given(to)?;
            let findings = compat::compare(&read(&from)?, &new, &Reads::known());
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

/// Writes a document for programs to a file, or prints it.
fn hand_out(global: &Global, file: Option<&Path>, document: &Value) -> Result<ExitCode> {
    match file {
        Some(file) => write(global, file, document.to_string().as_bytes()),
        None => json_line(document).map(|()| ExitCode::SUCCESS),
    }
}

fn write(global: &Global, file: &Path, bytes: &[u8]) -> Result<ExitCode> {
    std::fs::write(file, bytes).with_context(|| format!("cannot write {}", file.display()))?;
    if global.json {
        document(&json!({ "file": file.display().to_string(), "bytes": bytes.len() }))?;
    } else {
        say!("{}: {} bytes", file.display(), bytes.len())?;
    }
    Ok(ExitCode::SUCCESS)
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
    let findings = compat::can_deploy(service, &deployed, &build, &Reads::known());
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

/// The contracts that somebody names, or those of this program.
fn given(file: Option<PathBuf>) -> Result<DescriptorPool> {
    file.map_or_else(of_this_build, |file| read(&file))
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

fn answer(findings: &[Finding], tell: impl FnOnce(Vec<Value>) -> Result<()>) -> Result<ExitCode> {
    tell(findings.iter().map(Finding::json).collect())?;
    Ok(code(findings))
}

fn code(findings: &[Finding]) -> ExitCode {
    if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
