//! The broker's program and its configuration.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use tradewind_events::Broker;
use tradewind_mesh::Policy;

use super::layout::Layout;

/// The broker's users and what each may do, as the contracts say.
///
/// # Errors
/// When the trust domain is none.
pub(crate) fn users(trust_domain: &str) -> Result<String> {
    let policy = Policy::from_descriptor(contracts::DESCRIPTOR)?;
    Ok(tradewind_runtime::broker_users(&policy, trust_domain)?)
}

/// Writes the configuration of a local system's broker; its users are in a file beside it.
///
/// # Errors
/// When the file system refuses.
pub(super) fn configure(layout: &Layout, trust_domain: &str) -> Result<()> {
    let users = layout.state().join("nats.users.json");
    let write = |path: &Path, text: String| {
        std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
    };
    write(&users, self::users(trust_domain)?)?;
    let credential = |file: &str| quoted(&layout.pki().join(file));
    let text = format!(
        "# Written at each start; changes are lost.\n\
         server_name: tradewind\n\
         host: 127.0.0.1\n\
         port: {port}\n\
         http: \"127.0.0.1:{monitor}\"\n\
         jetstream {{ store_dir: {store}, max_file_store: 8GB, max_memory_store: 256MB }}\n\
         tls {{ cert_file: {cert}, key_file: {key}, ca_file: {ca}, verify_and_map: true, timeout: 5 }}\n\
         include \"nats.users.json\"\n",
        port = layout.port("nats"),
        monitor = layout.nats_monitor(),
        store = quoted(&layout.data().join("nats")),
        cert = credential("nats.pem"),
        key = credential("nats.key"),
        ca = credential("ca.pem"),
    );
    write(&layout.nats_config(), text)
}

/// A path in the server's configuration: between quotes, in which it knows these escapes and no other.
fn quoted(path: &Path) -> String {
    let mut text = String::from('"');
    for one in path.display().to_string().chars() {
        match one {
            '"' | '\\' => text.extend(['\\', one]),
            one if one.is_ascii_control() => text.push_str(&format!("\\x{:02x}", u32::from(one))),
            one => text.push(one),
        }
    }
    text.push('"');
    text
}

/// The broker's program: `NATS_SERVER`, else whatever the PATH has.
///
/// # Errors
/// When it doesn't run, or is older than what the services need.
#[expect(clippy::disallowed_methods, reason = "the command line reads its environment here")]
pub(super) fn program() -> Result<String> {
    let program = std::env::var("NATS_SERVER").unwrap_or_else(|_| "nats-server".to_owned());
    let answer = Command::new(&program).arg("--version").output();
    let answer =
        answer.with_context(|| format!("cannot run the broker's program {program}; name one in NATS_SERVER"))?;
    let text = String::from_utf8_lossy(&answer.stdout);
    let version = text.split_whitespace().last().unwrap_or_default().trim_start_matches('v');
    ensure!(
        answer.status.success() && !version.is_empty(),
        "{program} does not tell its version: is it a nats-server?"
    );
    Broker::supports(version).with_context(|| format!("{program} cannot be the broker"))?;
    Ok(program)
}
