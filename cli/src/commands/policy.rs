//! `tradewind policy`: what the contracts say of a call, out of this program alone: nothing has to run.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use anyhow::Result;
use contracts::tables::{CONTRACT, Method};
use serde_json::{Value, json};
use shop::methods;
use tradewind_mesh::Policy;

use crate::Global;
use crate::output::{document, say};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Show who may call a method, how long that may take, and whether a call may be repeated.
    Show {
        /// A method or a service, e.g. `PlaceOrder`, `ordering.PlaceOrder` or `ordering`; all methods where it is left out.
        #[arg(value_name = "METHOD")]
        name: Option<String>,
    },
    /// Tell whether a workload may call a method. Exits with 0 where it may, with 1 where it may not.
    Check {
        /// The workload that calls: a service, or `operator`.
        from: String,
        /// The method, e.g. `PlaceOrder` or `ordering.PlaceOrder`.
        method: String,
    },
}

pub(crate) fn run(global: &Global, command: Command) -> Result<ExitCode> {
    let policy = Policy::new(&CONTRACT);
    match command {
        Command::Show { name } => show(&policy, &methods::methods(&name.unwrap_or_default())?, global.json),
        Command::Check { from, method } => check(&policy, &from, methods::method(&method)?, global.json),
    }
}

fn show(policy: &Policy, methods: &[&'static Method], json: bool) -> Result<ExitCode> {
    if json {
        let methods: Vec<_> = methods.iter().map(|method| facts(policy, method)).collect();
        document(&json!({ "methods": methods }))?;
        return Ok(ExitCode::SUCCESS);
    }
    for method in methods {
        say!("{}", methods::full(method))?;
        say!("  callers      {}", method.callers.join(", "))?;
        for (reader, servers) in readers(policy, method) {
            say!("  and          {reader} at {}", servers.join(", "))?;
        }
        say!("  audience     {}", word(method.audience.as_str_name(), "AUDIENCE_"))?;
        say!("  timeout      {}", humantime::format_duration(method.timeout))?;
        say!("  criticality  {}", word(method.criticality.as_str_name(), "CRITICALITY_"))?;
        say!("  retry        {}", word(method.retry.as_str_name(), "RETRY_CLASS_"))?;
        if let Some(after) = method.hedge_after {
            say!("  hedged       after {}", humantime::format_duration(after))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn check(policy: &Policy, from: &str, method: &'static Method, json: bool) -> Result<ExitCode> {
    let servers: Vec<_> = policy.servers(method.path, from).collect();
    let (allowed, everywhere) = (!servers.is_empty(), servers.len() == policy.contexts().len());
    let known = workloads().contains(from);
    if json {
        let method = methods::full(method);
        document(&json!({ "from": from, "known": known, "method": method, "allowed": allowed, "servers": servers }))?;
    } else {
        let (name, callers) = (methods::full(method), method.callers.join(", "));
        match allowed {
            true if everywhere => say!("allowed: {from} may call {name}")?,
            true => say!("allowed: {from} may call {name} at {}, whose events it reads", servers.join(", "))?,
            false if known => say!("denied: {from} may not call {name}; its callers are {callers}")?,
            false => say!("denied: the contracts know no workload {from}; the callers of {name} are {callers}")?,
        }
    }
    Ok(if allowed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What is said of a method, for programs.
fn facts(policy: &Policy, method: &'static Method) -> Value {
    json!({
        "method": methods::full(method),
        "callers": method.callers,
        "readers": readers(policy, method),
        "audience": method.audience.as_str_name(),
        "timeout": humantime::format_duration(method.timeout).to_string(),
        "criticality": method.criticality.as_str_name(),
        "retry": method.retry.as_str_name(),
        "hedge_after": method.hedge_after.map(|after| humantime::format_duration(after).to_string()),
    })
}

/// Who may call a method that does not name them, and on whose servers: those whose events they read.
fn readers<'a>(policy: &'a Policy, method: &'static Method) -> BTreeMap<&'static str, Vec<&'a str>> {
    let unnamed = workloads().into_iter().filter(|workload| !method.callers.contains(workload));
    let mut readers: BTreeMap<_, _> =
        unnamed.map(|workload| (workload, policy.servers(method.path, workload).collect::<Vec<_>>())).collect();
    readers.retain(|_, servers| !servers.is_empty());
    readers
}

/// Every workload that the contracts name.
fn workloads() -> BTreeSet<&'static str> {
    let callers = CONTRACT.methods.iter().flat_map(|method| method.callers);
    callers.chain(CONTRACT.contexts).copied().collect()
}

/// A value of an option for people: `RETRY_CLASS_WITH_REQUEST_ID` is `with request id`.
fn word(value: &str, prefix: &str) -> String {
    value.trim_start_matches(prefix).to_lowercase().replace('_', " ")
}
