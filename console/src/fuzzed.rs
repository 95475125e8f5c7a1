//! What a browser sends, as functions of bytes: `make fuzz` looks for an input that panics, or leads out of the console.

#![allow(clippy::expect_used, reason = "what is made of any text has to be what it is said to be")]

use axum::http::{HeaderValue, Uri};

use crate::act::inside;
use crate::pages::Filter;
use crate::words::query;

type Target = (&'static str, fn(&[u8]));

/// Each by its name.
pub const TARGETS: &[Target] = &[("console-paths", paths)];

/// Where a form goes back to, and a filter as a path.
fn paths(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let back = inside(&text);
    assert!(back.starts_with("/console") && !back.starts_with("/console/\\"), "{back:?}");
    HeaderValue::from_str(&back).expect("a path can be said in a header");
    let asked = query(&[("service", &text), ("step", &text)]);
    let uri: Uri = format!("/console{asked}").parse().expect("a query can be asked");
    assert_eq!(uri.path(), "/console");
    let filter = Filter::of_age(&text);
    let _ = filter.request();
    assert!(filter.path().starts_with("/console"));
}

#[cfg(test)]
#[path = "../../fuzz/replay.rs"]
mod replay;
