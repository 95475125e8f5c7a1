//! Nothing that a test process started outlives it, however it ends.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tradewind_testing::{Database, Nats, block_on, eventually, scratch};

const LONG: Duration = Duration::from_secs(60);
const READY: &str = "everything runs";

/// Not a test of its own: run in a child process by the tests below, it starts everything and then
/// waits to be ended.
#[test]
#[ignore = "started by the other tests of this module, each in its own way"]
fn a_process_with_everything_running() {
    let nats = Nats::start();
    let databases = [Database::sqlite(), Database::postgres()];
    println!("{READY}");
    let mut order = String::new();
    std::io::stdin().read_line(&mut order).unwrap();
    assert!(order.trim() != "panic", "as told");
    drop((nats, databases));
}

fn start(temporary: &TempDir) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "leavings::a_process_with_everything_running"])
        .args(["--ignored", "--nocapture"])
        .env("TMPDIR", temporary.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let started = output.lines().map_while(Result::ok).any(|line| line.contains(READY));
    assert!(started, "the process did not start everything");
    child
}

/// The command lines of all processes that mention `folder`.
fn processes(folder: &Path) -> String {
    let all = match std::fs::read_dir("/proc") {
        Ok(entries) => entries
            .filter_map(|entry| std::fs::read(entry.ok()?.path().join("cmdline")).ok())
            .map(|line| String::from_utf8_lossy(&line).replace('\0', " ") + "\n")
            .collect(),
        Err(_) => String::from_utf8(Command::new("ps").args(["-eo", "args"]).output().unwrap().stdout).unwrap(),
    };
    let folder = folder.display().to_string();
    all.lines().filter(|line| line.contains(&folder)).map(|line| format!("{line}\n")).collect()
}

fn nothing_is_left_after(end: impl FnOnce(&mut Child)) {
    let temporary = scratch_for_all();
    let mut child = start(&temporary);
    let running = processes(temporary.path());
    assert!(running.contains("nats.conf") && running.contains("postgres"), "{running}");
    end(&mut child);
    child.wait().unwrap();
    block_on(eventually(LONG, "processes and files to be gone", async || {
        let (processes, files) = (processes(temporary.path()), files(temporary.path()));
        if processes.is_empty() && files.is_empty() { Ok(()) } else { Err((processes, files)) }
    }));
}

/// PostgreSQL's unprivileged user must be able to enter it.
fn scratch_for_all() -> TempDir {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o1777)).unwrap();
    folder
}

fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().path().display().to_string()).collect()
}

fn tell(child: &mut Child, order: &str) {
    use std::io::Write;
    writeln!(child.stdin.take().unwrap(), "{order}").unwrap();
}

#[test]
fn nothing_is_left_after_a_return() {
    nothing_is_left_after(|child| tell(child, "return"));
}

#[test]
fn nothing_is_left_after_a_panic() {
    nothing_is_left_after(|child| tell(child, "panic"));
}

#[test]
fn nothing_is_left_after_a_kill() {
    nothing_is_left_after(|child| child.kill().unwrap());
}

#[test]
fn a_scratch_folder_goes_when_dropped() {
    let folder = scratch();
    let path = folder.path().to_owned();
    std::fs::write(path.join("file"), "text").unwrap();
    drop(folder);
    assert!(!path.exists());
}
