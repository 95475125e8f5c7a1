//! An item, as far as its events tell.

use contracts::tradewind::sample::v1::ItemCreated;
use tradewind_domain::{Aggregate, DomainError, ErrorKind};

use super::NewItem;

tradewind_domain::events! {
    /// What can happen to an item.
    pub enum ItemEvent {
        Created(ItemCreated),
    }
}

/// What can be asked of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Adds it.
    Create(NewItem),
}

/// Why an item can refuse.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ItemError {
    /// The id is taken.
    #[error("there is an item with this id already")]
    Exists,
    /// There is no such item.
    #[error("there is no item with this id")]
    NotFound,
}

impl ItemError {
    /// The reason of [`Exists`](Self::Exists), for whoever says which field of a request it is about.
    pub const EXISTS: &'static str = "ITEM_EXISTS";
}

impl DomainError for ItemError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Exists => ErrorKind::AlreadyExists,
            Self::NotFound => ErrorKind::NotFound,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Exists => Self::EXISTS,
            Self::NotFound => "ITEM_NOT_FOUND",
        }
    }
}

/// An item; `Default` is one that was never added.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Item {
    exists: bool,
}

impl Aggregate for Item {
    const NAME: &'static str = "item";
    type Command = Command;
    type Event = ItemEvent;
    type Error = ItemError;

    fn decide(&self, command: Command) -> Result<Vec<ItemEvent>, ItemError> {
        match command {
            Command::Create(_) if self.exists => Err(ItemError::Exists),
            Command::Create(NewItem { item_id, name }) => Ok(vec![ItemCreated { item_id, name }.into()]),
        }
    }

    fn evolve(&mut self, event: &ItemEvent) {
        match event {
            ItemEvent::Created(_) => self.exists = true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_testing::scenario::given;

    fn create() -> Command {
        Command::Create(NewItem { item_id: "one".to_owned(), name: "The first".to_owned() })
    }

    fn created() -> ItemEvent {
        ItemCreated { item_id: "one".to_owned(), name: "The first".to_owned() }.into()
    }

    #[test]
    fn is_added_once() {
        given::<Item>([]).when(create()).then([created()]).when(create()).then_refused("ITEM_EXISTS");
    }
}
