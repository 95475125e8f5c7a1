//! Addresses that mail can be sent to. The door and the way out go by the same rule, so that what is let in can be sent.

use email_address::EmailAddress;

use crate::is_text;

/// What [`sendable`] asks for, for people.
pub const EMAIL_RULE: &str = "must be an address that mail can be sent to, of at most 254 bytes";

/// The longest path of RFC 5321, in bytes.
const LONGEST: usize = 254;

/// The address as it is on the way: its domain in ASCII. None where mail cannot be sent to it: its local part is no dot-atom in
/// ASCII, for the ways out need not take others, or its domain is no host name, of any language.
#[must_use]
pub fn sendable(address: &str) -> Option<String> {
    let (local, domain) = address.rsplit_once('@')?;
    let sound = address.len() <= LONGEST
        && local.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"')
        && EmailAddress::is_valid_local_part(local)
        && is_text(domain)
        && !domain.contains(char::is_whitespace);
    let host = sound.then(|| idna::domain_to_ascii_strict(domain).ok())??;
    // An address of the network is none of a host that takes mail.
    let is_number = host.rsplit('.').next().is_none_or(|label| label.bytes().all(|byte| byte.is_ascii_digit()));
    let sent = format!("{local}@{host}");
    (!is_number && sent.len() <= LONGEST).then_some(sent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_people_have_are_sent_to_in_ascii() {
        for (address, sent) in [
            ("a@example.com", "a@example.com"),
            ("first.last+tag@sub.example.co.uk", "first.last+tag@sub.example.co.uk"),
            ("o'neil@example.com", "o'neil@example.com"),
            ("a@Example.COM", "a@example.com"),
            ("info@bücher.example", "info@xn--bcher-kva.example"),
            ("a@例え.jp", "a@xn--r8jz45g.jp"),
            ("a@xn--bcher-kva.example", "a@xn--bcher-kva.example"),
            ("123@123.example", "123@123.example"),
        ] {
            assert_eq!(sendable(address).as_deref(), Some(sent), "{address}");
        }
    }

    #[test]
    fn what_cannot_be_an_address_is_none() {
        for address in [
            "",
            "@",
            "@@@",
            "a",
            "a@",
            "@example.com",
            "a@@example.com",
            "a b@example.com",
            "a@exam ple.com",
            " a@example.com",
            "a@example.com ",
            "a@example.com\r\nBcc: b@example.com",
            "a@example.com\0",
            "a@example..com",
            "a@.example.com",
            "a@example.com.",
            "a@-example.com",
            "a@exa_mple.com",
            ".a@example.com",
            "a..b@example.com",
            "a.@example.com",
            "\"a@example.com",
            "\"john smith\"@example.com",
            "\"a@b\"@example.com",
            "a,b@example.com",
            "<a@example.com>",
            "A <a@example.com>",
            "a@example.com, b@example.com",
            "用户@example.com",
            "a\u{200b}@example.com",
            "a@exam\u{200b}ple.com",
            "a@\u{202e}example.com",
            "a@1.2.3.4",
            "a@[127.0.0.1]",
            "a@[IPv6:::1]",
        ] {
            assert_eq!(sendable(address), None, "{address:?}");
        }
        let domain = format!("{}.example", ["x".repeat(60), "y".repeat(60), "z".repeat(60)].join("."));
        assert!(sendable(&format!("{}@{domain}", "a".repeat(63))).is_some(), "254 bytes");
        assert!(sendable(&format!("{}@{domain}", "a".repeat(64))).is_none(), "255 bytes");
        assert!(sendable(&format!("{}@example.com", "a".repeat(65))).is_none());
    }
}
