//! Reads the answers of parties outside, and keeps no more of them than an answer can need, however much is sent.

use reqwest::Response;
use serde::de::DeserializeOwned;

use super::{NoAnswer, unanswered};

/// The most of an answer that is kept, in bytes.
const MOST_KEPT: usize = 64 * 1024;
/// The longest string of an answer that is kept, in bytes: no reason, reference or currency comes near it.
const LONGEST_STRING: usize = 1024;
/// The most of an answer that is read, in bytes; beyond it the connection ends.
const MOST_READ: usize = 16 * 1024 * 1024;

/// Reads the JSON of an answer. A string that is too long to be of use is read as an empty one, so that the rest of the
/// answer still counts.
///
/// # Errors
/// `Unreadable` without a word of the answer, which may repeat what was sent.
pub(super) async fn read<A: DeserializeOwned>(mut response: Response) -> Result<A, NoAnswer> {
    let mut kept = Kept::default();
    while let Some(chunk) = response.chunk().await.map_err(|error| unanswered(&error))? {
        kept.take(&chunk);
        if kept.is_too_much() {
            return Err(NoAnswer::Unreadable("an answer that is too long"));
        }
    }
    serde_json::from_slice(&kept.bytes).map_err(|_| NoAnswer::Unreadable("an answer that cannot be read"))
}

/// JSON without the content of its longest strings.
#[derive(Default)]
struct Kept {
    bytes: Vec<u8>,
    read: usize,
    /// Where the string that is being read begins.
    string: Option<usize>,
    /// It is too long, so the rest of it is passed over.
    passing: bool,
    /// The byte before was a backslash that escapes the next.
    escaping: bool,
}

impl Kept {
    fn take(&mut self, chunk: &[u8]) {
        self.read += chunk.len();
        for byte in chunk {
            match self.string {
                None => {
                    self.bytes.push(*byte);
                    self.string = (*byte == b'"').then_some(self.bytes.len());
                }
                Some(start) => self.take_of_string(start, *byte),
            }
        }
    }

    fn take_of_string(&mut self, start: usize, byte: u8) {
        let ends = byte == b'"' && !self.escaping;
        self.escaping = byte == b'\\' && !self.escaping;
        if ends || !self.passing {
            self.bytes.push(byte);
        }
        if ends {
            (self.string, self.passing) = (None, false);
        } else if self.bytes.len() - start > LONGEST_STRING {
            self.bytes.truncate(start);
            self.passing = true;
        }
    }

    const fn is_too_much(&self) -> bool {
        self.read > MOST_READ || self.bytes.len() > MOST_KEPT
    }
}

/// Reads an answer that comes whole and in pieces: what is kept of it is the same, and no more than may be.
#[cfg(any(test, feature = "fuzzed"))]
pub(crate) fn answers_of_others(bytes: &[u8]) {
    let [whole, pieces] = [bytes.len().max(1), 3].map(|size| {
        let mut kept = Kept::default();
        bytes.chunks(size).for_each(|chunk| kept.take(chunk));
        kept.bytes
    });
    assert_eq!(whole, pieces);
    assert!(whole.len() <= bytes.len(), "more is kept than came");
    let is_one = |bytes: &[u8]| serde_json::from_slice::<serde_json::Value>(bytes).is_ok();
    assert!(!is_one(bytes) || is_one(&whole), "what is kept of an answer is one");
    let refused = serde_json::from_slice::<super::RefusalView>(&whole);
    let _ = refused.map(|view| super::Reason::read(&view.error.reason));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(text: &str, chunk: usize) -> String {
        let mut kept = Kept::default();
        text.as_bytes().chunks(chunk).for_each(|chunk| kept.take(chunk));
        String::from_utf8_lossy(&kept.bytes).into_owned()
    }

    #[test]
    fn only_strings_that_are_too_long_are_emptied() {
        let fits = "x".repeat(LONGEST_STRING);
        for (sent, expected) in [
            (r#"{"a":"b \" c","d":[1,"\\"]}"#.to_owned(), r#"{"a":"b \" c","d":[1,"\\"]}"#.to_owned()),
            (format!(r#"{{"a":"{fits}"}}"#), format!(r#"{{"a":"{fits}"}}"#)),
            (format!(r#"{{"a":"{fits}x","b":1}}"#), r#"{"a":"","b":1}"#.to_owned()),
            (format!(r#"{{"{fits}\"é\\","b":"c"}}"#), r#"{"","b":"c"}"#.to_owned()),
        ] {
            for chunk in [1, 7, sent.len()] {
                assert_eq!(kept(&sent, chunk), expected);
            }
        }
    }

    #[test]
    fn what_is_no_string_has_its_bound_as_well() {
        let mut kept = Kept::default();
        kept.take(&vec![b' '; MOST_KEPT]);
        assert!(!kept.is_too_much());
        kept.take(b" ");
        assert!(kept.is_too_much());
    }
}
