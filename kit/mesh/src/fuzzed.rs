//! What is read here of others, as functions of bytes: `make fuzz` looks for an input that panics, takes long or does not come back as it
//! was read.

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::body::LOAD;
use crate::report;

type Target = (&'static str, fn(&[u8]));

/// Each by its name.
pub const TARGETS: &[Target] = &[("load-reports", load_reports)];

fn load_reports(bytes: &[u8]) {
    let said = |value| report::utilization(&HeaderMap::from_iter([(HeaderName::from_static(LOAD), value)]));
    let Some(load) = HeaderValue::from_bytes(bytes).ok().and_then(said) else { return };
    assert_eq!(report::of(load).and_then(said).map(f64::to_bits), Some(load.to_bits()));
}

#[cfg(test)]
#[path = "../../../fuzz/replay.rs"]
mod replay;
