use std::fmt;

/// A value that may be used and never shown: what pays, names a person, or opens a door.
///
/// `Debug` prints `[redacted]`, and there is no `Display`: whoever needs the value says so with [`expose`](Self::expose).
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Sensitive<T>(T);

impl<T> Sensitive<T> {
    /// The value itself, for where it is needed and nowhere else.
    pub const fn expose(&self) -> &T {
        &self.0
    }

    /// As [`expose`](Self::expose), and no longer protected.
    pub fn into_exposed(self) -> T {
        self.0
    }
}

impl<T> From<T> for Sensitive<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T> fmt::Debug for Sensitive<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::Sensitive;

    #[test]
    fn a_sensitive_value_is_never_shown() {
        let token = Sensitive::from("tok_ok".to_owned());
        assert_eq!((format!("{token:?}"), token.expose().as_str()), ("[redacted]".to_owned(), "tok_ok"));
    }
}
