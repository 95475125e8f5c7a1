//! What is read here of others, as functions of bytes: `make fuzz` looks for an input that panics, takes long or does not come back as it
//! was read.

use tracing::Span;

use crate::store::event_at;
use crate::{Cursor, token, trace};

type Target = (&'static str, fn(&[u8]));

/// Each by its name.
pub const TARGETS: &[Target] = &[("position-tokens", position_tokens)];

/// A token of a client, or what a cursor has reached.
fn position_tokens(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    if let Some(places) = token::parse(text) {
        assert_eq!(token::format(&places), text);
    }
    if let Some((position, event)) = text.split_once(' ').and_then(|(at, _)| {
        let position = at.parse().ok()?;
        Some((position, event_at(position, text)?))
    }) {
        let cursor = Cursor { position, event: Some(event), ..Cursor::default() };
        assert_eq!(cursor.reached().and_then(|text| event_at(position, &text)), Some(event));
    }
    trace::continue_from(&Span::none(), text);
    let _ = trace::trace_id(text);
}

#[cfg(test)]
#[path = "../../../fuzz/replay.rs"]
mod replay;
