//! What is read here of others, as functions of bytes: `make fuzz` looks for an input that panics, takes long or does not come back as it
//! was read.

use crate::{Matcher, Refusal, Template};

type Target = (&'static str, fn(&[u8]));

/// Each by its name.
pub const TARGETS: &[Target] = &[("templates", templates)];

/// A template on the first line, and a path that may be one of its.
fn templates(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let (template, path) = text.split_once('\n').unwrap_or((text, ""));
    let Ok(template) = Template::parse(template) else { return };
    assert_eq!(Template::parse(template.text()), Ok(template.clone()));
    let variables = template.variables().len();
    assert!(template.variables().iter().all(|variable| variable.end <= template.segments().len()));
    let mut matcher = Matcher::default();
    assert!(matcher.insert("GET", template.clone(), ()).is_ok() && matcher.insert("GET", template, ()).is_err());
    if let Ok(found) = matcher.find("GET", path) {
        assert_eq!(found.captures.len(), variables);
        assert!(matches!(matcher.find("PUT", path), Err(Refusal::MethodNotAllowed { .. })), "it is the same path");
    }
}

#[cfg(test)]
#[path = "../../../fuzz/replay.rs"]
mod replay;
