//! Folding what releases have written.

use tradewind_domain::{Aggregate, DecodeError, EventSet};

/// Reads each event of an aggregate among `golden`, which has a type's name and its bytes in hex on a line, and applies it; how many
/// there were.
#[track_caller]
pub fn fold_released<A: Aggregate>(golden: &str) -> usize {
    let byte = |hex: &[u8]| u8::from_str_radix(std::str::from_utf8(hex).expect("text"), 16).expect("hex");
    let lines = golden.lines().map(|line| line.split_once(' ').expect("a name and bytes"));
    let read = lines.filter(|(name, hex)| {
        let bytes: Vec<u8> = hex.as_bytes().chunks(2).map(byte).collect();
        match A::Event::decode(name, &bytes) {
            Ok(event) => A::default().evolve(&event),
            Err(DecodeError::UnknownType(_)) => return false,
            Err(error) => panic!("{error}"),
        }
        true
    });
    read.count()
}
