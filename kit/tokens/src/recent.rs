use std::collections::HashMap;

/// What was put in or asked for last; between one and two times `most` entries of it.
#[derive(Debug)]
pub struct Recent<V> {
    most: usize,
    new: HashMap<Box<str>, V>,
    /// What goes when `new` is full, unless it is asked for before.
    old: HashMap<Box<str>, V>,
}

impl<V: Clone> Recent<V> {
    /// Keeps so many.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { most, new: HashMap::new(), old: HashMap::new() }
    }

    /// What was put there, which stays now that it is asked for.
    pub fn get(&mut self, key: &str) -> Option<V> {
        if let Some(value) = self.new.get(key) {
            return Some(value.clone());
        }
        let (key, value) = self.old.remove_entry(key)?;
        self.insert(key, value.clone());
        Some(value)
    }

    /// Puts something there.
    pub fn put(&mut self, key: &str, value: V) {
        self.insert(key.into(), value);
    }

    /// Takes it away.
    pub fn forget(&mut self, key: &str) {
        self.new.remove(key);
        self.old.remove(key);
    }

    fn insert(&mut self, key: Box<str>, value: V) {
        if self.new.len() >= self.most {
            self.old = std::mem::take(&mut self.new);
        }
        self.new.insert(key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::Recent;

    #[test]
    fn what_is_asked_for_stays_and_the_rest_goes() {
        let mut recent = Recent::new(10);
        for number in 0..1_000 {
            recent.put(&number.to_string(), number);
            assert_eq!(recent.get("0"), Some(0), "after {number}");
        }
        assert!(recent.new.len() <= 10 && recent.old.len() <= 10);
        assert_eq!((recent.get("999"), recent.get("900")), (Some(999), None));
        for forgotten in ["999", "0"] {
            recent.forget(forgotten);
            assert_eq!(recent.get(forgotten), None);
        }
    }
}
