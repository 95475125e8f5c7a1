//! Where the programs that tests start are, and the only reader of the environment here.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::janitor::Account;

/// The nats-server named by `NATS_SERVER`, else the one `scripts/tools` finds or installs, else
/// the one on the PATH.
pub fn nats_server() -> &'static Path {
    static FOUND: OnceLock<PathBuf> = OnceLock::new();
    FOUND.get_or_init(|| named("NATS_SERVER").or_else(|| asked("nats")).unwrap_or_else(|| PathBuf::from("nats-server")))
}

/// The directory of initdb, postgres and psql: `PG_BIN`, else as `scripts/tools` finds or installs
/// it.
pub(crate) fn postgres() -> &'static Path {
    static FOUND: OnceLock<PathBuf> = OnceLock::new();
    FOUND.get_or_init(|| {
        named("PG_BIN")
            .or_else(|| asked("postgres"))
            .expect("PG_BIN names the directory of initdb, postgres and psql where scripts/tools is not at hand")
    })
}

/// The clickhouse-server named by `CLICKHOUSE_SERVER`, else the one `scripts/tools` finds or installs.
pub(crate) fn clickhouse() -> &'static Path {
    static FOUND: OnceLock<PathBuf> = OnceLock::new();
    FOUND.get_or_init(|| {
        named("CLICKHOUSE_SERVER")
            .or_else(|| asked("clickhouse"))
            .expect("CLICKHOUSE_SERVER names a server where scripts/tools is not at hand")
    })
}

/// The directory of pdftotext and pdftoppm, as `scripts/tools` finds or installs it.
///
/// # Panics
/// Where there is none, and none can be installed.
pub fn poppler() -> &'static Path {
    static FOUND: OnceLock<PathBuf> = OnceLock::new();
    FOUND.get_or_init(|| asked("poppler").expect("scripts/tools is at hand"))
}

/// The account to run PostgreSQL as, which refuses root; none when this process is not root.
pub(crate) fn unprivileged() -> Option<Account> {
    let id = |arguments: &[&str]| -> Option<u32> {
        let output = Command::new("id").args(arguments).output().ok()?;
        String::from_utf8(output.stdout).ok()?.trim().parse().ok()
    };
    if id(&["-u"]) != Some(0) {
        return None;
    }
    let account = ["postgres", "nobody"]
        .into_iter()
        .find_map(|name| Some(Account { user: id(&["-u", name])?, group: id(&["-g", name])? }));
    Some(account.expect("root needs an account 'postgres' or 'nobody' to run PostgreSQL as"))
}

#[expect(clippy::disallowed_methods, reason = "this module is the one reader of the environment")]
fn named(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// Asks the project's `scripts/tools`, if the working directory is within a project that has it.
fn asked(tool: &str) -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    let script = here.ancestors().map(|folder| folder.join("scripts/tools")).find(|script| script.is_file())?;
    let output = Command::new(&script).arg(tool).stderr(Stdio::inherit()).output().ok()?;
    let path = String::from_utf8(output.stdout).ok()?;
    assert!(output.status.success(), "{} {tool} failed; it says why above", script.display());
    Some(PathBuf::from(path.trim()))
}
