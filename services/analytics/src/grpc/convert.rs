//! Fields of requests to what is asked, or everything that is wrong with them.

use contracts::tradewind::analytics::v1::{FlowState, ListStuckFlowsRequest};
use tradewind_domain::Error;
use tradewind_domain::request::{Violations, order_id, page_size, page_token};

use crate::app::Asked;
use crate::domain::turns_of;
use crate::store::Wanted;

const SERVICE_RULE: &str = "must be 1 to 16 of a-z and 0-9, beginning with a letter";
const STEP_RULE: &str = "must be the full name of an event";

/// Which flows are asked for.
pub(crate) fn asked(request: &ListStuckFlowsRequest) -> Result<Asked, Error> {
    let mut violations = Violations::default();
    let of_order = (!request.order_id.is_empty()).then(|| order_id(&request.order_id)).transpose();
    let of_order = violations.catch(of_order).flatten();
    let state = FlowState::try_from(request.state);
    violations.check(state.is_ok(), "state", "UNKNOWN_STATE", "is not a state of a flow");
    let is_one_order = state != Ok(FlowState::Any) || !request.order_id.is_empty();
    violations.check(is_one_order, "order_id", "ORDER_ID_MISSING", "must be given where state is ANY");
    let service = &request.service;
    violations.check(service.is_empty() || is_service(service), "service", "INVALID_SERVICE", SERVICE_RULE);
    violations.check(is_name(&request.step), "step", "INVALID_STEP", STEP_RULE);
    let min_age = request.min_age.map(std::time::Duration::try_from).transpose();
    violations.check(min_age.is_ok(), "min_age", "INVALID_AGE", "must not be less than 0");
    let size = violations.catch(page_size(request.page_size));
    let after = violations.catch(page_token(&request.page_token)).flatten();
    let (size, state) = violations.finish_with(size.zip(state.ok()))?;
    let turns = || turns_of(service).map(|(step, when)| (step.event, when)).collect();
    let wanted = Wanted {
        order_id: of_order.map(|order| order.to_string()),
        turns: (!service.is_empty()).then(turns),
        step: (!request.step.is_empty()).then(|| request.step.clone()),
        min_age: min_age.unwrap_or_default(),
        waiting: state != FlowState::Any,
        late: matches!(state, FlowState::Unspecified | FlowState::Stuck),
    };
    Ok(Asked { wanted, after, size })
}

fn is_service(name: &str) -> bool {
    let is_word = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    is_word && name.len() <= 16 && name.starts_with(|first: char| first.is_ascii_lowercase())
}

/// Whether a name is made of what names of the contracts are made of.
fn is_name(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stuck_is_asked_for_unless_something_else_is_said() {
        let Asked { wanted, after, size } = asked(&ListStuckFlowsRequest::default()).unwrap();
        assert_eq!(wanted, Wanted { waiting: true, late: true, ..Wanted::default() });
        assert_eq!((after, size), (None, 100));
        let all = ListStuckFlowsRequest { state: FlowState::Waiting.into(), ..Default::default() };
        assert_eq!(asked(&all).unwrap().wanted, Wanted { waiting: true, ..Wanted::default() });
    }

    #[test]
    fn a_service_stands_for_the_steps_in_which_it_is_its_turn() {
        let of = |service: &str| -> Result<Vec<_>, _> {
            let request = ListStuckFlowsRequest { service: service.to_owned(), ..Default::default() };
            let turns = asked(&request).map_err(|error| error.reason)?.wanted.turns.unwrap();
            Ok(turns.into_iter().map(|(event, _)| event).collect::<Vec<_>>())
        };
        assert!(of("shipping").unwrap().contains(&"tradewind.ordering.v1.OrderPaid"));
        assert!(!of("payment").unwrap().contains(&"tradewind.ordering.v1.OrderPaid"));
        assert_eq!(of("nobody"), Ok(vec![]));
        for odd in ["Shipping", "7", "a-b", "abcdefghijklmnopq"] {
            assert_eq!(of(odd), Err("INVALID_SERVICE"), "{odd}");
        }
    }

    #[test]
    fn everything_that_is_wrong_is_named() {
        let request = ListStuckFlowsRequest {
            state: 9,
            order_id: "7".to_owned(),
            service: "?".to_owned(),
            min_age: Some(prost_types::Duration { seconds: -1, nanos: 0 }),
            page_size: -1,
            page_token: "x".to_owned(),
            step: "a b".to_owned(),
        };
        let fields: Vec<_> = asked(&request).unwrap_err().violations.into_iter().map(|wrong| wrong.field).collect();
        assert_eq!(fields, ["order_id", "state", "service", "step", "min_age", "page_size", "page_token"]);
        let any = ListStuckFlowsRequest { state: FlowState::Any.into(), ..Default::default() };
        assert_eq!(asked(&any).unwrap_err().reason, "ORDER_ID_MISSING");
    }
}
