//! What an answer is expected to take before there is one.

use std::sync::atomic::{AtomicUsize, Ordering};

/// How many bytes answers of a method take: the most of late.
#[derive(Default)]
pub(crate) struct Usual(AtomicUsize);

impl Usual {
    /// One took so many.
    pub(crate) fn saw(&self, bytes: usize) {
        let usual = self.bytes();
        // What is larger counts at once, and is forgotten slowly.
        self.0.store(bytes.max(usual - usual / 16), Ordering::Relaxed);
    }

    /// So many bytes is one expected to take.
    pub(crate) fn bytes(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_larger_counts_at_once_and_is_forgotten_slowly() {
        let usual = Usual::default();
        usual.saw(1_600);
        usual.saw(10);
        assert_eq!(usual.bytes(), 1_500);
        (0..200).for_each(|_| usual.saw(10));
        assert!(usual.bytes() < 100);
        usual.saw(2_000);
        assert_eq!(usual.bytes(), 2_000);
    }
}
