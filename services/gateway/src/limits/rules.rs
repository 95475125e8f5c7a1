//! How much is allowed, and how it is said in a setting.

use crate::limits::places::What;
use crate::limits::principal::{Class, Kind};
use crate::limits::quota::Quota;

/// What holds unless something else is said: more than a person does, or a program that waits for its answers. Many people may share
/// an address.
const USUAL: &str = "credentials address 20/s burst 500; \
    read user 200/s burst 1000; read key 500/s burst 2000; read address 1000/s burst 5000; \
    write user 100/s burst 1000; write key 200/s burst 2000; write address 500/s burst 5000; \
    stream user 5/s burst 100; stream key 5/s burst 100; stream address 50/s burst 500; \
    requests user 64; requests key 128; requests address 512; \
    streams user 20; streams key 20; streams address 200";

/// How much everybody may do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    quotas: [[Option<Quota>; Kind::ALL.len()]; Class::ALL.len()],
    places: [[Option<u32>; Kind::ALL.len()]; What::ALL.len()],
}

impl Rules {
    /// Reads what differs from what is usual, separated by semicolons: `CLASS KIND RATE [burst N]`, as in `read user 50/s burst 100`,
    /// and `requests` or `streams`, `KIND`, and how many at once; `none` stands for no limit, and alone for none at all.
    ///
    /// # Errors
    /// Text that is no such rule.
    pub fn read(text: &str) -> Result<Self, String> {
        if text.trim() == "none" {
            return Ok(Self::default());
        }
        let mut rules = Self::default();
        rules.add(USUAL)?;
        rules.add(text)?;
        Ok(rules)
    }

    fn add(&mut self, text: &str) -> Result<(), String> {
        for rule in text.split(';').map(str::trim).filter(|rule| !rule.is_empty()) {
            self.rule(rule).ok_or_else(|| {
                format!("{rule:?} is not a rule such as `read user 50/s burst 100`, `streams address 40` or `write key none`")
            })?;
        }
        Ok(())
    }

    fn rule(&mut self, rule: &str) -> Option<()> {
        let words: Vec<_> = rule.split_whitespace().collect();
        let (name, kind, said) = match words.as_slice() {
            [name, kind, said @ ..] => (*name, Kind::ALL.into_iter().find(|each| each.name() == *kind)?, said),
            _ => return None,
        };
        if let Some(what) = What::ALL.into_iter().find(|what| what.name() == name) {
            self.places[what as usize][kind as usize] = match said {
                ["none"] => None,
                [most] => Some(most.parse().ok().filter(|most| *most > 0)?),
                _ => return None,
            };
            return Some(());
        }
        let class = Class::ALL.into_iter().find(|class| class.name() == name)?;
        self.quotas[class as usize][kind as usize] = match said {
            ["none"] => None,
            [rate] => Some(Quota::read(rate, None)?),
            [rate, "burst", burst] => Some(Quota::read(rate, Some(burst))?),
            _ => return None,
        };
        Some(())
    }

    /// How often a kind may ask for a class; nothing for as often as they like.
    pub(crate) const fn quota(&self, class: Class, kind: Kind) -> Option<Quota> {
        self.quotas[class as usize][kind as usize]
    }

    /// How much of it a kind may do at once; nothing for as much as they like.
    pub(crate) const fn most(&self, what: What, kind: Kind) -> Option<u32> {
        self.places[what as usize][kind as usize]
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_said_takes_the_place_of_what_is_usual() {
        let usual = Rules::read("").unwrap();
        assert_eq!(usual.quota(Class::Read, Kind::User), Quota::read("200/s", Some("1000")));
        assert_eq!(usual.most(What::Streams, Kind::User), Some(20));
        let rules = Rules::read("read user 5/min; write address none; streams user 3;").unwrap();
        assert_eq!(rules.quota(Class::Read, Kind::User), Quota::read("5/min", Some("5")));
        assert_eq!(rules.quota(Class::Write, Kind::Address), None);
        assert_eq!(rules.most(What::Streams, Kind::User), Some(3));
        assert_eq!(rules.quota(Class::Write, Kind::User), usual.quota(Class::Write, Kind::User));
        assert_eq!(Rules::read("none").unwrap(), Rules::default());
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        for odd in [
            "read",
            "read user",
            "read nobody 5/s",
            "run user 5/s",
            "read user 5",
            "read user 5/s burst",
            "read user 5/s 7",
            "streams user 0",
            "streams user 5/s",
            "none none",
        ] {
            assert!(Rules::read(odd).unwrap_err().contains("is not a rule"), "{odd}");
        }
    }
}
