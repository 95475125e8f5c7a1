use contracts::Repeatable;
use contracts::tables::Method;
use tonic::{Request, Status};
use tradewind_domain::{Error, request::RequestKey};

use super::{peer, user};
use crate::status;

/// Who makes `request`: the person that it is made for, else the workload.
///
/// # Errors
/// When no [`Server`](crate::Server) has handed the request on.
pub fn principal<T>(request: &Request<T>) -> Result<String, Status> {
    // No workload's name has a slash.
    match user(request) {
        Some(user) => Ok(format!("user/{}", user.id)),
        None => Ok(peer(request)?.id.name().to_owned()),
    }
}

/// A request that may be repeated, and the key by which a repetition is known: its caller's, its method's and its id's. Whoever calls
/// for a person is that person: two of them never share a key. What has to
/// have an id comes to no handler without; what is wrong with one is for the handler to tell, with whatever else is wrong.
///
/// # Errors
/// When no [`Server`](crate::Server) has handed the request on.
pub fn keyed<R: Repeatable>(request: Request<R>) -> Result<(R, Result<Option<RequestKey>, Error>), Status> {
    let principal = principal(&request)?;
    let Some(method) = request.extensions().get::<&'static Method>() else {
        return Err(status(Error::internal("a call of no method")));
    };
    let asked = request.get_ref();
    let key = RequestKey::new(&principal, method.path, asked.request_id(), asked, &asked.asked());
    Ok((request.into_inner(), key))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;

    use contracts::CONTRACT;
    use contracts::tradewind::catalog::v1::RetireProductRequest;

    use super::*;
    use crate::{Peer, SpiffeId, User};

    const RETIRE: &str = "/tradewind.catalog.v1.CatalogService/RetireProduct";

    fn handed_on(request_id: &str) -> Request<RetireProductRequest> {
        let mut request =
            Request::new(RetireProductRequest { request_id: request_id.to_owned(), ..Default::default() });
        let peer = Peer { id: SpiffeId::new("shop", "operator").unwrap(), address: ([127, 0, 0, 1], 1).into() };
        let method = CONTRACT.methods.iter().find(|method| method.path == RETIRE).unwrap();
        request.extensions_mut().insert(Arc::new(peer));
        request.extensions_mut().insert(method);
        request
    }

    #[test]
    fn a_repetition_is_known_by_its_caller_its_method_and_its_id() {
        let key = keyed(handed_on("r-1")).unwrap().1.unwrap().unwrap();
        assert_eq!((key.principal.as_str(), key.method.as_str(), key.request_id.as_str()), ("operator", RETIRE, "r-1"));
        assert_eq!(keyed(handed_on("")).unwrap().1, Ok(None));
        assert!(keyed(handed_on("r 1")).unwrap().1.is_err());
    }

    #[test]
    fn two_people_who_come_through_the_same_gateway_share_no_key() {
        let key = |id: &str| {
            let mut request = handed_on("r-1");
            request.extensions_mut().insert(Arc::new(User { id: id.to_owned(), ..User::default() }));
            keyed(request).unwrap().1.unwrap().unwrap().principal
        };
        assert_eq!((key("u-1"), key("u-2")), ("user/u-1".to_owned(), "user/u-2".to_owned()));
    }

    #[test]
    fn what_no_server_has_handed_on_has_no_key() {
        assert!(keyed(Request::new(RetireProductRequest::default())).is_err());
    }
}
