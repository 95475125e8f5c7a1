//! Addresses as accounts are known by them.

use std::fmt;

use tradewind_domain::sendable;

/// An address that mail can be sent to, in the one form by which an account is found: without blanks around it, its domain in
/// ASCII and lower case. What stands before the `@` is its host's business and is kept as it is written.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Email(String);

impl Email {
    /// Reads an address; none where mail cannot be sent to it.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        sendable(text.trim()).map(Self)
    }

    /// Where mail to it goes as most hosts have it, for counting: nobody is written to more often under other spellings.
    #[must_use]
    pub fn mailbox(&self) -> String {
        let (local, host) = self.0.rsplit_once('@').unwrap_or((&self.0, ""));
        let plain = local.split_once('+').map_or(local, |(plain, _)| plain);
        format!("{}@{host}", plain.to_lowercase())
    }

    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

// It names a person.
impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        Email::read(text).map(|email| email.as_str().to_owned())
    }

    #[test]
    fn spellings_of_a_mailbox_count_together() {
        for text in ["ada@example.com", "Ada@Example.com", "ada+shop@example.com", "ADA+a+b@example.com"] {
            assert_eq!(Email::read(text).map(|email| email.mailbox()).as_deref(), Some("ada@example.com"), "{text}");
        }
    }

    #[test]
    fn an_address_has_one_form() {
        for text in ["ada@example.com", " ada@example.com\n", "ada@EXAMPLE.Com"] {
            assert_eq!(read(text).as_deref(), Some("ada@example.com"), "{text:?}");
        }
        assert_eq!(read("a@bücher.example"), read("a@xn--bcher-kva.EXAMPLE"));
        assert_ne!(read("Ada@example.com"), read("ada@example.com"));
        assert_eq!((read("ada"), read("a b@example.com")), (None, None));
    }
}
