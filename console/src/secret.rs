//! What nobody can guess.

use uuid::Uuid;

/// 244 random bits as text, others each time.
pub(crate) fn secret() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn nobody_can_guess_one() {
        let all: BTreeSet<_> = (0..1_000).map(|_| secret()).collect();
        assert_eq!(all.len(), 1_000, "no two are the same");
        // Two UUIDs of version 4 have 122 random bits each, as digits that are not always the same.
        let varies = |at: usize| all.iter().map(|one| one.as_bytes()[at]).collect::<BTreeSet<_>>().len() > 1;
        assert_eq!((0..64).filter(|at| varies(*at)).count(), 62);
        assert!(all.iter().all(|one| one.len() == 64 && one.bytes().all(|byte| byte.is_ascii_hexdigit())));
    }
}
