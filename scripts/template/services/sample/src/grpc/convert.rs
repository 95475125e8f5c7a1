//! Fields of requests to what the application takes, or everything that is wrong with them.

use contracts::tradewind::sample::v1::CreateItemRequest;
use tonic::Status;
use tradewind_domain::{Error, request::Violations};
use tradewind_mesh::status;

use crate::domain::{ItemError, NewItem, is_item_id, is_name};

/// What of a request each refusal is about.
const FIELDS: [(&str, &str); 1] = [(ItemError::EXISTS, "item_id")];
const ITEM_ID_RULE: &str = "must be 1 to 63 of a-z, 0-9 and -, beginning with a letter or digit";
const NAME_RULE: &str =
    "must be 1 to 200 characters that show something, none of them control, invisible or direction-changing";

/// A refusal as the caller hears it.
pub(super) fn refusal(error: Error) -> Status {
    status(error.about(&FIELDS))
}

/// The item that is to be added.
pub(super) fn new_item(request: CreateItemRequest) -> Result<NewItem, Error> {
    let CreateItemRequest { item_id, name, .. } = request;
    let mut violations = Violations::default();
    violations.check(is_item_id(&item_id), "item_id", "INVALID_ITEM_ID", ITEM_ID_RULE);
    violations.check(is_name(&name), "name", "INVALID_NAME", NAME_RULE);
    violations.finish_with(Some(NewItem { item_id, name }))
}

/// An item's id as it is asked for.
pub(super) fn item_id(text: String) -> Result<String, Error> {
    if is_item_id(&text) { Ok(text) } else { Err(Error::invalid("item_id", "INVALID_ITEM_ID", ITEM_ID_RULE)) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn asked(item_id: &str, name: &str) -> Result<NewItem, Error> {
        let (item_id, name) = (item_id.to_owned(), name.to_owned());
        new_item(CreateItemRequest { item_id, name, ..CreateItemRequest::default() })
    }

    #[test]
    fn what_is_well_formed_is_added_as_given() {
        let item = NewItem { item_id: "one-1".to_owned(), name: "The first".to_owned() };
        assert_eq!(asked("one-1", "The first").unwrap(), item);
    }

    #[test]
    fn each_fault_names_its_field_and_reason() {
        for id in ["", "-one", "One", "a b", "t\u{e9}", &"a".repeat(64)] {
            assert_eq!(asked(id, "The first").unwrap_err().reason, "INVALID_ITEM_ID", "{id:?}");
        }
        for name in ["", " ", "a\0b", "\u{202e}tsrif", &"\u{e9}".repeat(201)] {
            assert_eq!(asked("one", name).unwrap_err().reason, "INVALID_NAME", "{name:?}");
        }
        let both = asked("", "").unwrap_err();
        let fields: Vec<_> = both.violations.iter().map(|violation| violation.field.as_str()).collect();
        assert_eq!((both.reason, fields), ("INVALID_REQUEST", vec!["item_id", "name"]));
    }
}
