//! A folder and the server that runs in it, which both go when their owner goes.
//!
//! A destructor does not run when a test process is killed, and a static is never dropped. So each
//! server is the child of a small shell that obeys orders on its standard input and cleans up at
//! the end of that input, which the system brings about however the owner ends.

use std::ffi::OsStr;
use std::fs::Permissions;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

/// The argument is the folder. Every order is answered by its exit status, or by the id of the process that it started, so that
/// its effect is known to have happened.
const SCRIPT: &str = r#"
trap '' PIPE
folder=$1
pid=
halt() {
    [ -n "$pid" ] || return 0
    kill -s "$1" "$pid"
    wait "$pid"
    pid=
}
while read -r order rest; do
    status=0
    case $order in
        run) (eval "$rest") </dev/null >"$folder/log" 2>&1 || status=$? ;;
        start) (eval "exec $rest") </dev/null >"$folder/log" 2>&1 & pid=$!; status=$pid ;;
        halt) halt "$rest" ;;
    esac
    echo "$status"
done
halt "${2:-KILL}"
rm -rf "$folder"
"#;

const START_WITHIN: Duration = Duration::from_secs(30);

/// The account a server runs as.
#[derive(Clone, Copy)]
pub(crate) struct Account {
    pub(crate) user: u32,
    pub(crate) group: u32,
}

pub(crate) struct Janitor {
    folder: PathBuf,
    shell: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    /// The server, while it runs.
    process: Option<u32>,
}

impl Janitor {
    /// Makes a new folder named after `kind`, in which everything runs as `account` where one is
    /// given. At the end the server gets the signal `last`.
    pub(crate) fn new(kind: &str, account: Option<Account>, last: &str) -> Self {
        let folder = tempfile::Builder::new()
            .prefix(&format!("tradewind-{kind}-"))
            .permissions(Permissions::from_mode(0o700))
            .tempdir()
            .expect("a temporary folder")
            .keep();
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", SCRIPT, "janitor"])
            .arg(&folder)
            .arg(last)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // An interrupt from the terminal is for the tests; the janitor still has to clean up.
            .process_group(0);
        if let Some(Account { user, group }) = account {
            chown(&folder, Some(user), Some(group)).expect("root may give a folder away");
            command.uid(user).gid(group);
        }
        let mut shell = command.spawn().expect("/bin/sh starts");
        let orders = shell.stdin.take();
        let answers = BufReader::new(shell.stdout.take().expect("its output is piped"));
        Self { folder, shell, orders, answers, process: None }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The process of the server that runs.
    #[track_caller]
    pub(crate) fn process(&self) -> u32 {
        self.process.expect("a server that runs")
    }

    /// Runs a program to its end.
    #[track_caller]
    pub(crate) fn run(&mut self, program: &Path, arguments: &[&OsStr]) {
        let status = self.order(&format!("run {}", line(program, arguments)));
        assert!(status == "0", "{} failed:\n{}", program.display(), self.log());
    }

    /// Starts the server and returns when it is `ready`. While another process holds its port, it is started again, and so is one
    /// that crashes at once, as old brokers do when somebody asks them something too early.
    #[track_caller]
    pub(crate) fn start(&mut self, program: &Path, arguments: &[&OsStr], ready: impl Fn() -> bool) {
        let start = format!("start {}", line(program, arguments));
        let deadline = Instant::now() + START_WITHIN;
        self.process = self.order(&start).parse().ok();
        while !ready() {
            assert!(
                Instant::now() < deadline,
                "{} is not ready within {START_WITHIN:?}:\n{}",
                program.display(),
                self.log()
            );
            pause();
            let log = self.log();
            if log.contains("ddress already in use") || log.contains("goroutine ") {
                self.halt("KILL");
                self.process = self.order(&start).parse().ok();
            }
        }
    }

    /// Sends the server `signal`, if it runs, and returns when it is gone.
    pub(crate) fn halt(&mut self, signal: &str) {
        self.order(&format!("halt {signal}"));
        self.process = None;
    }

    /// Returns the end of what the last program has written.
    fn log(&self) -> String {
        let log = std::fs::read(self.folder.join("log")).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    fn order(&mut self, order: &str) -> String {
        let orders = self.orders.as_mut().expect("open until dropped");
        let mut status = String::new();
        writeln!(orders, "{order}").and_then(|()| self.answers.read_line(&mut status)).expect("the janitor obeys");
        assert!(!status.is_empty(), "the janitor of {} is gone", self.folder.display());
        status.trim().to_owned()
    }
}

impl Drop for Janitor {
    fn drop(&mut self) {
        drop(self.orders.take());
        let _ = self.shell.wait();
    }
}

/// The words of a command, quoted for the shell.
fn line(program: &Path, arguments: &[&OsStr]) -> String {
    std::iter::once(program.as_os_str())
        .chain(arguments.iter().copied())
        .map(|word| format!("'{}'", word.to_string_lossy().replace('\'', r"'\''")))
        .collect::<Vec<_>>()
        .join(" ")
}

#[expect(clippy::disallowed_methods, reason = "a blocking poll for a condition with a deadline")]
fn pause() {
    std::thread::sleep(Duration::from_millis(10));
}
