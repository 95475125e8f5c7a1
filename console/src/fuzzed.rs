//! What a browser sends, as functions of bytes: `make fuzz` looks for an input that panics, or leads out of the console.

#![allow(clippy::expect_used, reason = "what is made of any text has to be what it is said to be")]

use axum::extract::Query;
use axum::http::{HeaderValue, Uri};
use serde::de::DeserializeOwned;

use crate::act::Marked;
use crate::act::{Act, inside};
use crate::bulk::Kind;
use crate::pages::quarantine::Named;
use crate::pages::{Filter, money, orders, quarantine, sales};
use crate::reason::Reason;
use crate::site::Shown;
use crate::words::query;
use crate::{bulk, perform, plan, sign_in};

type Target = (&'static str, fn(&[u8]));

/// Each by its name.
pub const TARGETS: &[Target] = &[("console-paths", paths), ("console-forms", forms)];

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

/// Every form and every query. What a form asks for is the same when it is asked for again.
fn forms(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Some(act) = read::<Act>(&text) {
        let fields = serde_json::to_value(&act).expect("an act is a few texts");
        let fields = fields.as_object().into_iter().flatten();
        let pairs: Vec<_> = fields.filter_map(|(name, value)| Some((name.as_str(), value.as_str()?))).collect();
        // A form leaves out nothing; a path leaves out what is empty.
        if pairs.iter().all(|(_, value)| !value.is_empty()) {
            assert_eq!(read::<Act>(query(&pairs).trim_start_matches('?')).as_ref(), Some(&act));
        }
        let _ = act.words();
    }
    if let Ok(reason) = Reason::read(&text) {
        let told = String::from(reason);
        assert!(!told.is_empty() && told.trim() == told && told.chars().count() <= 500, "{told:?}");
    }
    let _ = (read::<perform::Asked>(&text), read::<bulk::Asked>(&text), read::<plan::Confirmed>(&text));
    let _ = read::<Kind>(&text);
    let _ = (read::<sales::Asked>(&text), read::<orders::Asked>(&text), read::<money::Asked>(&text));
    let _ = (read::<quarantine::Asked>(&text), read::<Named>(&text));
    let _ = (read::<Marked>(&text), read::<Shown>(&text), read::<sign_in::Asked>(&text));
}

fn read<T: DeserializeOwned>(text: &str) -> Option<T> {
    let uri: Uri = format!("/?{text}").parse().ok()?;
    Query::try_from_uri(&uri).ok().map(|Query(read)| read)
}

#[cfg(test)]
#[path = "../../fuzz/replay.rs"]
mod replay;
