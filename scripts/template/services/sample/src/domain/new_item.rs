//! What may be added.

use tradewind_domain::is_text;

/// An item as it may be added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewItem {
    /// 1 to 63 of a-z, 0-9 and -, beginning with a letter or digit.
    pub item_id: String,
    /// 1 to 200 characters of one line that shows something.
    pub name: String,
}

/// Tells whether `text` can be an item's id.
#[must_use]
pub fn is_item_id(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&text.len()) && text.bytes().all(allowed) && !text.starts_with('-')
}

/// Tells whether `text` can be what an item is called.
#[must_use]
pub fn is_name(text: &str) -> bool {
    (1..=200).contains(&text.chars().count()) && is_text(text)
}
