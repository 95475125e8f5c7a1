//! What a refresh token that is shown means for its session.

use std::time::Duration;

use time::OffsetDateTime;

/// For how long a token that was exchanged gives the same successor again.
pub const GRACE: Duration = Duration::from_secs(10);

/// What a session knows of its tokens: their SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotation<'a> {
    /// The token to be shown next.
    pub current: &'a str,
    /// The token that it followed, and since when.
    pub previous: Option<(&'a str, OffsetDateTime)>,
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presented {
    /// The one to be shown next: it is exchanged.
    Current,
    /// The one before, a moment ago: its successor is given again.
    Again,
    /// One of this session that was exchanged before: somebody else has it, too.
    Stolen,
}

/// Says what a token of this session is.
#[must_use]
pub fn judge(session: Rotation<'_>, presented: &str, now: OffsetDateTime) -> Presented {
    match session.previous {
        _ if session.current == presented => Presented::Current,
        Some((previous, since)) if previous == presented && now - since <= GRACE => Presented::Again,
        _ => Presented::Stolen,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_one_successor_and_ten_seconds() {
        let since = OffsetDateTime::UNIX_EPOCH;
        let session = Rotation { current: "b", previous: Some(("a", since)) };
        assert_eq!(judge(session, "b", since), Presented::Current);
        assert_eq!(judge(session, "a", since + Duration::from_secs(10)), Presented::Again);
        assert_eq!(judge(session, "a", since + Duration::from_millis(10_001)), Presented::Stolen);
        assert_eq!(judge(session, "x", since), Presented::Stolen);
    }

    #[test]
    fn a_token_is_stolen_once_its_successor_was_exchanged() {
        let since = OffsetDateTime::UNIX_EPOCH;
        assert_eq!(judge(Rotation { current: "c", previous: Some(("b", since)) }, "a", since), Presented::Stolen);
        assert_eq!(judge(Rotation { current: "a", previous: None }, "b", since), Presented::Stolen);
    }
}
