//! Hope: what is so as good as always costs a statement to ask. A transaction that hopes takes it as so, and its commit, which
//! sees, fails where it is not.

use super::Tx;

impl Tx {
    /// Hopes from now on. Whoever does tries again without it when the commit is a `Conflict`.
    pub fn hope(&mut self) {
        self.hopes = true;
    }

    /// Whether it does.
    #[must_use]
    pub fn hopes(&self) -> bool {
        self.hopes
    }
}
