//! Events as a later build of their owner may write them: what is read of each is made anew before its reactions get it.

use std::borrow::Cow;
use std::sync::OnceLock;

/// Makes of an event, by its type and payload, what a later build would have written.
pub type Rewrite = fn(&str, &[u8]) -> Vec<u8>;

static REWRITE: OnceLock<Rewrite> = OnceLock::new();

/// Makes every reaction of this process see events as `rewrite` makes them. The first call counts.
pub fn read_as_later(rewrite: Rewrite) {
    REWRITE.get_or_init(|| rewrite);
}

/// An event's payload as its reactions see it.
pub(crate) fn seen<'a>(type_name: &str, payload: &'a [u8]) -> Cow<'a, [u8]> {
    REWRITE.get().map_or(Cow::Borrowed(payload), |rewrite| rewrite(type_name, payload).into())
}
