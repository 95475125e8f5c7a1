//! Whether a write says which request it is. One that does is done once, however often it comes; of one that does not, nobody who has
//! missed the answer could ask again.

use contracts::tables::Method;
use contracts::tradewind::options::v1::RetryClass;
use tonic::Status;
use tradewind_domain::Error;

use crate::message::Asked;
use crate::sizes::HEAD;
use crate::{form, status};

/// The field in which a request says which one it is.
pub const REQUEST_ID: &str = "request_id";

/// Refuses what has to have a `request_id`, by the contract, and has none.
///
/// # Errors
/// `INVALID_ARGUMENT` with reason `REQUEST_ID_REQUIRED`, which names the field.
pub fn named(method: &Method, asked: &Asked) -> Result<(), Status> {
    let Asked::Whole(message) = asked else { return Ok(()) };
    let fields = method.request.fields;
    let has_to = method.retry == RetryClass::WithRequestId && fields.iter().any(|field| field.name == REQUEST_ID);
    if !has_to || form::has_text(method.request, REQUEST_ID, &message[HEAD..]) {
        return Ok(());
    }
    let text = "is needed: one for each request, and the same for its repetitions, so that they are done once";
    Err(status(Error::invalid(REQUEST_ID, "REQUEST_ID_REQUIRED", text)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use contracts::CONTRACT;
    use contracts::tradewind::ordering::v1::PlaceOrderRequest;
    use prost::Message;
    use tonic::Code;

    use super::*;
    use crate::{reason, violations};

    fn asked(request: &impl Message) -> Asked {
        Asked::Whole([&[0; HEAD][..], &request.encode_to_vec()].concat().into())
    }

    #[test]
    fn whatever_the_contract_has_a_request_id_for_is_refused_without_one() {
        let (none, named_so) = (PlaceOrderRequest::default(), "r-1".to_owned());
        let some = PlaceOrderRequest { request_id: named_so, ..none.clone() };
        let mut found = 0;
        for method in CONTRACT.methods {
            // In each of them it is the first field.
            let refused = named(method, &asked(&none));
            assert!(named(method, &asked(&some)).is_ok(), "{}", method.path);
            if method.retry == RetryClass::WithRequestId {
                let refused = refused.unwrap_err();
                found += 1;
                assert_eq!(
                    (refused.code(), violations(&refused)[0].field.as_str()),
                    (Code::InvalidArgument, "request_id")
                );
                assert_eq!(reason(&refused).as_deref(), Some("REQUEST_ID_REQUIRED"), "{}", method.path);
            } else {
                assert!(refused.is_ok(), "{}", method.path);
            }
        }
        assert!(found >= 5, "{found}");
    }
}
