//! A service as a process: its exit code, its standard error, its signals.
//!
//! The process is this test binary itself, told by a variable to be a service.

use std::{
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, Command, ExitCode, Stdio},
};

use serde_json::Value;

use crate::{credentials, database, harbour};

/// What the process is to be: `serve`, or `main`, which looks at the arguments too.
const ROLE: &str = "HARBOUR_ROLE";

/// Not a test: the service, where a test below has started this binary as one.
#[test]
#[expect(clippy::disallowed_methods, reason = "here the test binary is a program, not a test")]
fn harbour_process() {
    let code = match std::env::var(ROLE).as_deref() {
        Ok("serve") => tradewind_runtime::serve(harbour()),
        Ok("main") => tradewind_runtime::main(harbour()),
        _ => return,
    };
    // An exit code cannot be read, but it can be compared.
    let number = (0..=u8::MAX).find(|number| format!("{:?}", ExitCode::from(*number)) == format!("{code:?}"));
    std::process::exit(number.unwrap().into());
}

pub(crate) fn start(role: &str, folder: &Path, variables: &[(&str, &str)]) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "program::harbour_process", "--nocapture"])
        .env(ROLE, role)
        .env("TRADEWIND_GRPC_ADDR", "127.0.0.1:0")
        .env("TRADEWIND_ADMIN_ADDR", "127.0.0.1:0")
        .env("TRADEWIND_CA", folder.join("ca.pem"))
        .env("TRADEWIND_CERT", folder.join("harbour.pem"))
        .env("TRADEWIND_KEY", folder.join("harbour.key"))
        .env("TRADEWIND_DATABASE_URL", database(folder))
        .env("TRADEWIND_NATS_URL", "nats://127.0.0.1:1")
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// Waits for the end; returns the exit code and standard error.
fn end(mut child: Child) -> (Option<i32>, String) {
    let mut told = String::new();
    child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    (child.wait().unwrap().code(), told)
}

#[test]
fn a_mistake_in_the_settings_is_one_line_and_exit_code_64() {
    let folder = tempfile::tempdir().unwrap();
    credentials(folder.path());
    let (code, told) = end(start("serve", folder.path(), &[("TRADEWIND_GRPC_ADDR", "abc")]));
    assert_eq!(told, "harbour: TRADEWIND_GRPC_ADDR: \"abc\" is not an address:port\n");
    assert_eq!(code, Some(64));
    assert!(!folder.path().join("harbour.db").exists(), "nothing was opened");
}

#[test]
fn credentials_of_another_service_are_a_mistake_in_the_settings() {
    let folder = tempfile::tempdir().unwrap();
    credentials(folder.path());
    let operator = folder.path().join("operator.pem");
    let (code, told) = end(start("serve", folder.path(), &[("TRADEWIND_CERT", operator.to_str().unwrap())]));
    assert_eq!(told.lines().count(), 1, "{told}");
    assert!(told.starts_with("harbour: TRADEWIND_KEY: "), "a key that is not the certificate's: {told}");
    assert_eq!(code, Some(64));
}

#[test]
fn an_unknown_argument_is_exit_code_64() {
    let folder = tempfile::tempdir().unwrap();
    let (code, told) = end(start("main", folder.path(), &[]));
    assert_eq!(told, "harbour: \"--exact\" is not an argument of this program; harbour --help shows its settings\n");
    assert_eq!(code, Some(64));
}

#[test]
fn sigterm_ends_a_service_in_order_even_while_the_broker_is_away() {
    let folder = tempfile::tempdir().unwrap();
    credentials(folder.path());
    let mut child = start("main", folder.path(), &[(ROLE, "serve"), ("TRADEWIND_LOG_FORMAT", "json")]);
    let mut lines =
        BufReader::new(child.stderr.take().unwrap()).lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap());
    let started: Value = lines.find(|line: &Value| line["message"] == "started").expect("a line that says so");
    assert_eq!(
        (&started["service"], &started["fields"]["version"]),
        (&"harbour".into(), &tradewind_runtime::VERSION.into())
    );
    for key in ["grpc", "admin", "started_ms"] {
        assert!(!started["fields"][key].is_null(), "{key} in {started}");
    }
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    let told: Vec<String> = lines.map(|line| line["message"].as_str().unwrap().to_owned()).collect();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{told:?}");
    assert_eq!(told.last().map(String::as_str), Some("stopped"));
}
