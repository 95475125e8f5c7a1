//! What an SQLite write-ahead log holds, by SQLite's file format. Nothing is written here, and nothing decided.

use std::fs::File;
use std::io::{ErrorKind, Result};
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::said::{HEADER, hex};

/// Bytes at the beginning of the log: among them the size of a page and the salt of its frames.
const START: usize = 32;
/// Bytes before each page: among them its number and the salt.
const FRAME: usize = 24;

/// Tells whether a log holds a first page with this header: then the file may have got it by a checkpoint. Frames of a log
/// that was overwritten have another salt and are none.
pub(super) fn holds(log: &Path, header: &str) -> Result<bool> {
    let log = match File::open(log) {
        Ok(log) => log,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    let Some(start) = at::<START>(&log, 0)? else { return Ok(false) };
    let (page, salt) = (u64::from(number(&start, 8)), start.get(16..24));
    let mut offset = 32;
    while let Some(frame) = at::<FRAME>(&log, offset)? {
        if frame.get(8..16) != salt {
            return Ok(false);
        }
        let first = if number(&frame, 0) == 1 { at::<HEADER>(&log, offset + 24)? } else { None };
        if first.is_some_and(|first| hex(&first) == header) {
            return Ok(true);
        }
        offset += 24 + page;
    }
    Ok(false)
}

/// How many pages a log holds that were not moved into the file yet, by the log's index: the number of its frames that are committed,
/// and of those that were moved, in the machine's order of bytes.
pub(super) fn pending(index: &File) -> Result<u32> {
    let [frames, moved] = [at(index, 16)?, at(index, 96)?].map(|number| number.map_or(0, u32::from_ne_bytes));
    Ok(frames.saturating_sub(moved))
}

/// The bytes at `offset`; `None` where the log ends before them.
fn at<const N: usize>(log: &File, offset: u64) -> Result<Option<[u8; N]>> {
    let mut bytes = [0; N];
    match log.read_exact_at(&mut bytes, offset) {
        Ok(()) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

fn number(bytes: &[u8], at: usize) -> u32 {
    let found = bytes.get(at..).and_then(|rest| rest.first_chunk());
    found.map_or(0, |found| u32::from_be_bytes(*found))
}
