//! The passwords that guessing begins with.

use std::collections::HashSet;
use std::sync::LazyLock;

/// More than 3,000 of eight characters and more, in lower case: those that most people have, by a public list of ten million that were
/// leaked, and what stands around here.
static LIST: LazyLock<HashSet<&str>> = LazyLock::new(|| include_str!("common.txt").lines().collect());

/// Tells whether a password, in lower case, is one that guessing begins with: one of the list, or a run of one step.
pub(super) fn is_common(password: &str) -> bool {
    LIST.contains(password) || is_run(password)
}

/// The same character again and again, or each the one after or before.
fn is_run(password: &str) -> bool {
    let code = |char: char| i64::from(u32::from(char));
    let mut steps = password.chars().zip(password.chars().skip(1)).map(|(a, b)| code(b) - code(a));
    let Some(first) = steps.next() else { return false };
    (-1..=1).contains(&first) && steps.all(|step| step == first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_has_only_what_the_length_does_not_refuse() {
        assert!(LIST.len() > 3_000, "{}", LIST.len());
        for word in LIST.iter() {
            assert!(word.chars().count() >= super::super::SHORTEST && word.to_lowercase() == *word, "{word}");
        }
    }

    #[test]
    fn runs_are_guessed_without_a_list() {
        assert!(is_run("aaaaaaaa") && is_run("abcdefgh") && is_run("87654321"));
        assert!(!is_run("acegikmo") && !is_run("abcdefgg"));
    }
}
