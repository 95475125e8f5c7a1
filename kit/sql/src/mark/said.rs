//! What the mark beside an SQLite file says, and what the header of such a file tells. Nothing is read or written here.

use std::ops::Range;

/// As much of the file as says which it is, by SQLite's file format: change counter, size, schema and user version.
pub(crate) const HEADER: usize = 100;
/// Where the header has the schema cookie, in hexadecimal digits. A copy made by SQLite has another.
const COOKIE: Range<usize> = 80..88;
/// Where it has the user version.
const NUMBER: Range<usize> = 120..128;

/// What the mark says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// In use; the file has this header.
    Open(String),
    /// Left in order, with nothing in the write-ahead log; the file has this header.
    Closed(String),
    /// Nothing can be said.
    Unknown,
}

impl State {
    pub(super) fn header(&self) -> Option<&str> {
        match self {
            Self::Open(header) | Self::Closed(header) => Some(header),
            Self::Unknown => None,
        }
    }

    pub(super) fn parse(text: &str) -> Self {
        match text.trim().split_once(' ') {
            Some(("open", header)) => Self::Open(header.to_owned()),
            Some(("closed", header)) => Self::Closed(header.to_owned()),
            _ => Self::Unknown,
        }
    }

    pub(super) fn text(&self) -> Option<String> {
        match self {
            Self::Open(header) => Some(format!("open {header}\n")),
            Self::Closed(header) => Some(format!("closed {header}\n")),
            Self::Unknown => None,
        }
    }
}

/// A header as the mark has it.
pub(crate) fn hex(bytes: &[u8; HEADER]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The number that each checkpoint made here changes; no other copy of the file from before has it, nor another file.
pub(super) fn number(header: &str) -> Option<&str> {
    header.get(NUMBER).filter(|number| number.bytes().any(|digit| digit != b'0'))
}

/// Tells whether two headers may be of one file before and after checkpoints of others.
pub(super) fn akin(one: &str, other: &str) -> bool {
    number(one).is_some() && number(one) == number(other) && one.get(COOKIE) == other.get(COOKIE)
}
