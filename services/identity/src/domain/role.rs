//! What an account may do beside what everybody may.

use std::collections::BTreeSet;

use contracts::tradewind::identity::v1::Role as Wire;

/// A role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Belongs to the shop.
    Staff,
}

/// The roles of an account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roles(BTreeSet<Role>);

impl Role {
    /// As tokens, events and tables spell it; not to be changed.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Staff => "staff",
        }
    }

    /// The role of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        (name == Self::Staff.name()).then_some(Self::Staff)
    }

    /// The role that a request names.
    #[must_use]
    pub const fn of(wire: Wire) -> Option<Self> {
        match wire {
            Wire::Unspecified => None,
            Wire::Staff => Some(Self::Staff),
        }
    }

    /// As answers have it.
    #[must_use]
    pub const fn wire(self) -> Wire {
        match self {
            Self::Staff => Wire::Staff,
        }
    }
}

impl Roles {
    /// Adds a role.
    pub fn insert(&mut self, role: Role) {
        self.0.insert(role);
    }

    /// Takes a role away.
    pub fn remove(&mut self, role: Role) {
        self.0.remove(&role);
    }

    /// Tells whether it is among them.
    #[must_use]
    pub fn contains(&self, role: Role) -> bool {
        self.0.contains(&role)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = Role> + '_ {
        self.0.iter().copied()
    }

    /// As a table keeps them: their names with spaces between.
    #[must_use]
    pub fn text(&self) -> String {
        self.iter().map(Role::name).collect::<Vec<_>>().join(" ")
    }

    /// What a table has kept. A role that a later build has written is passed over.
    #[must_use]
    pub fn read(text: &str) -> Self {
        Self(text.split(' ').filter_map(Role::named).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_kept_by_name() {
        let mut roles = Roles::default();
        assert_eq!((roles.text(), Roles::read("")), (String::new(), roles.clone()));
        roles.insert(Role::Staff);
        assert_eq!((roles.text(), Roles::read("owner staff")), ("staff".to_owned(), roles));
    }
}
