//! Whoever reads what the program prints may stop reading at any time.

use std::fs::OpenOptions;
use std::io::{PipeWriter, pipe};

use crate::program::{Folder, complained};

/// The end of a pipe that nobody reads.
fn unread() -> PipeWriter {
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    writer
}

#[test]
fn a_reader_that_has_gone_ends_a_command_quietly() {
    let folder = Folder::new();
    for arguments in [
        &["pki", "init"][..],
        &["--json", "pki", "init"],
        &["pki", "renew", "ordering"],
        &["broker", "config"],
        &["status"],
        &["--json", "status"],
        &["down"],
        &["quarantine", "list"],
        &["--json", "consumer", "list"],
        &["--help"],
        &["service", "--help"],
        &["demo", "--only", "nobody delivers"],
    ] {
        let output = folder.tradewind(arguments).stdout(unread()).output().unwrap();
        assert_eq!((output.status.code(), complained(&output)), (Some(0), String::new()), "{arguments:?}");
    }
    assert_eq!(folder.processes(), Vec::<String>::new());
}

#[test]
fn a_complaint_that_nobody_reads_is_none_the_less_a_failure() {
    let folder = Folder::new();
    for arguments in [&["order", "list"][..], &["demo", "--only", "no such thing"], &["replay", "no such file"]] {
        let status = folder.tradewind(arguments).stdout(unread()).stderr(unread()).status().unwrap();
        assert_eq!(status.code(), Some(1), "{arguments:?}");
    }
}

#[test]
fn what_could_not_be_written_is_a_failure() {
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = Folder::new().tradewind(&["broker", "config"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(complained(&output).contains("cannot write to standard output"), "{}", complained(&output));
}
