//! Fields of requests about webhooks to what is asked, or everything that is wrong with them.

use std::collections::BTreeSet;

use contracts::tradewind::notification::v1::{
    CreateWebhookEndpointRequest, DeliveryState, ListWebhookDeliveriesRequest, ListWebhookEndpointsRequest,
    ReplayWebhookDeliveriesRequest, UpdateWebhookEndpointRequest,
};
use prost_types::Timestamp;
use time::OffsetDateTime;
use tradewind_domain::request::{Violations, invalid_page_token, page_size, page_token};
use tradewind_domain::{Error, is_text};
use tradewind_runtime::outside::Url;
use uuid::Uuid;

use crate::webhooks::{Again, Change, OFFERED, Place, Wanted};

/// The longest URL.
const LONGEST_URL: usize = 2048;
/// The longest description, in characters.
const LONGEST_DESCRIPTION: usize = 200;

pub(super) fn wanted(request: CreateWebhookEndpointRequest) -> Result<Wanted, Error> {
    let CreateWebhookEndpointRequest { url: address, event_types, description, .. } = request;
    let mut violations = Violations::default();
    let url = violations.catch(url(&address));
    let event_types = violations.catch(types(event_types));
    check_description(&mut violations, &description);
    let (url, event_types) = violations.finish_with(url.zip(event_types))?;
    Ok(Wanted { url, event_types, description })
}

pub(super) fn change(request: UpdateWebhookEndpointRequest) -> Result<(String, Change), Error> {
    let UpdateWebhookEndpointRequest { endpoint_id: id, url: address, event_types, description, enabled, .. } = request;
    let mut violations = Violations::default();
    let id = violations.catch(endpoint_id(&id));
    let url = violations.catch((!address.is_empty()).then(|| url(&address)).transpose()).flatten();
    let event_types = (!event_types.is_empty()).then(|| types(event_types)).transpose();
    let event_types = violations.catch(event_types).flatten();
    check_description(&mut violations, description.as_deref().unwrap_or_default());
    let id = violations.finish_with(id)?;
    Ok((id, Change { url, event_types, description, enabled }))
}

pub(super) fn endpoint_id(text: &str) -> Result<String, Error> {
    uuid("endpoint_id", "INVALID_ENDPOINT_ID", text)
}

pub(super) fn endpoints(request: &ListWebhookEndpointsRequest) -> Result<(String, usize), Error> {
    let mut violations = Violations::default();
    let size = violations.catch(page_size(request.page_size));
    let after = violations.catch(page_token::<Uuid>(&request.page_token)).flatten();
    let size = violations.finish_with(size)?;
    Ok((after.map(|after| after.to_string()).unwrap_or_default(), size))
}

/// Which events are asked for that an endpoint was told of.
pub(super) struct Page {
    pub(super) endpoint_id: String,
    pub(super) state: Option<i64>,
    pub(super) before: Option<Place>,
    pub(super) size: usize,
}

pub(super) fn deliveries(request: &ListWebhookDeliveriesRequest) -> Result<Page, Error> {
    let mut violations = Violations::default();
    let id = violations.catch(endpoint_id(&request.endpoint_id));
    let size = violations.catch(page_size(request.page_size));
    let before = violations.catch(place(&request.page_token)).flatten();
    let state = DeliveryState::try_from(request.state);
    violations.check(state.is_ok(), "state", "UNKNOWN_STATE", "is not a state of a delivery");
    let state = state.ok().filter(|state| *state != DeliveryState::Unspecified).map(|state| i64::from(state as i32));
    let (endpoint_id, size) = violations.finish_with(id.zip(size))?;
    Ok(Page { endpoint_id, state, before, size })
}

pub(super) fn again(request: &ReplayWebhookDeliveriesRequest) -> Result<(String, Again), Error> {
    let mut violations = Violations::default();
    let id = violations.catch(endpoint_id(&request.endpoint_id));
    let again = match (request.event_id.as_str(), &request.failed_since_time) {
        ("", Some(since)) => violations.catch(time(since)).map(Again::FailedSince),
        (event_id, None) if !event_id.is_empty() => {
            violations.catch(uuid("event_id", "INVALID_EVENT_ID", event_id)).map(Again::Event)
        }
        _ => {
            violations.add("event_id", "NOTHING_TO_REPLAY", "either this or failed_since_time must be given");
            None
        }
    };
    violations.finish_with(id.zip(again))
}

/// It is not repeated in what is said of it: whoever knows it may be who is told there.
fn url(text: &str) -> Result<Url, Error> {
    const RULE: &str = "must be an https URL of at most 2048 characters, without a user or a fragment";
    let url = Url::parse(text).ok().filter(|_| text.len() <= LONGEST_URL);
    let is_sound = |url: &Url| {
        let is_web = matches!(url.scheme(), "https" | "http") && url.has_host();
        is_web && url.username().is_empty() && url.password().is_none() && url.fragment().is_none()
    };
    url.filter(is_sound).ok_or_else(|| Error::invalid("url", "INVALID_URL", RULE))
}

fn types(mut event_types: Vec<String>) -> Result<Vec<String>, Error> {
    let unknown = event_types.iter().position(|wanted| !OFFERED.contains(wanted.as_str()));
    if let Some(unknown) = unknown {
        const RULE: &str = "is no type of events that webhooks tell of, as tradewind.ordering.v1.OrderPlaced is";
        return Err(Error::invalid(format!("event_types[{unknown}]"), "UNKNOWN_EVENT_TYPE", RULE));
    }
    let mut seen = BTreeSet::new();
    event_types.retain(|wanted| seen.insert(wanted.clone()));
    if event_types.is_empty() {
        return Err(Error::invalid("event_types", "EVENT_TYPES_MISSING", "at least one must be given"));
    }
    Ok(event_types)
}

fn check_description(violations: &mut Violations, text: &str) {
    const RULE: &str = "must be at most 200 characters of one line";
    let is_sound = text.is_empty() || (text.chars().count() <= LONGEST_DESCRIPTION && is_text(text));
    violations.check(is_sound, "description", "INVALID_DESCRIPTION", RULE);
}

fn uuid(field: &'static str, reason: &'static str, text: &str) -> Result<String, Error> {
    let read = text.parse::<Uuid>().map(|id| id.to_string());
    read.map_err(|_| Error::invalid(field, reason, "must be a UUID"))
}

/// `<place>.<event>`.
fn place(token: &str) -> Result<Option<Place>, Error> {
    if token.is_empty() {
        return Ok(None);
    }
    let read = || {
        let (place, event_id) = token.split_once('.')?;
        Some((place.parse().ok()?, event_id.parse::<Uuid>().ok()?.to_string()))
    };
    read().map(Some).ok_or_else(invalid_page_token)
}

fn time(time: &Timestamp) -> Result<OffsetDateTime, Error> {
    let read = OffsetDateTime::from_unix_timestamp(time.seconds).ok();
    let read = read.and_then(|read| read.checked_add(time::Duration::nanoseconds(time.nanos.into())));
    read.ok_or_else(|| Error::invalid("failed_since_time", "INVALID_TIME", "must be a time"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACED: &str = "tradewind.ordering.v1.OrderPlaced";
    const ID: &str = "0190163d-8694-739b-aea5-966c26f8ad91";

    fn reason(url: &str, event_types: &[&str]) -> Result<Vec<String>, &'static str> {
        let event_types = event_types.iter().map(|wanted| (*wanted).to_owned()).collect();
        let request = CreateWebhookEndpointRequest { url: url.to_owned(), event_types, ..Default::default() };
        wanted(request).map(|wanted| wanted.event_types).map_err(|error| error.reason)
    }

    #[test]
    fn an_endpoint_has_a_url_and_types_that_there_are() {
        assert_eq!(reason("https://a.example/hook", &[PLACED, PLACED]), Ok(vec![PLACED.to_owned()]));
        for odd in
            ["", "a.example", "ftp://a.example/", "https://user@a.example/", "https://:p@a.example", "https://a/#b"]
        {
            assert_eq!(reason(odd, &[PLACED]), Err("INVALID_URL"), "{odd}");
        }
        assert_eq!(reason(&format!("https://a/{}", "x".repeat(2048)), &[PLACED]), Err("INVALID_URL"));
        assert_eq!(reason("https://a/", &[]), Err("EVENT_TYPES_MISSING"));
        for unknown in ["OrderPlaced", "tradewind.identity.v1.PasswordChanged", ""] {
            assert_eq!(reason("https://a/", &[unknown]), Err("UNKNOWN_EVENT_TYPE"), "{unknown}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_url_is_said_without_it() {
        let request = CreateWebhookEndpointRequest {
            url: "https://a/s3cret#x".to_owned(),
            event_types: vec![PLACED.to_owned()],
            ..Default::default()
        };
        let told = wanted(request).map(|_| ()).map_err(|error| error.message);
        assert!(told.is_err_and(|told| !told.contains("s3cret")));
    }

    #[test]
    fn a_replay_is_of_one_event_or_of_those_that_failed() {
        let reason = |event_id: &str, failed_since_time| {
            let (endpoint_id, event_id) = (ID.to_owned(), event_id.to_owned());
            let asked =
                ReplayWebhookDeliveriesRequest { endpoint_id, event_id, failed_since_time, ..Default::default() };
            again(&asked).map(|_| ()).map_err(|error| error.reason)
        };
        let since = Some(Timestamp { seconds: 1, nanos: 0 });
        assert_eq!((reason(ID, None), reason("", since)), (Ok(()), Ok(())));
        assert_eq!((reason("", None), reason(ID, since)), (Err("NOTHING_TO_REPLAY"), Err("NOTHING_TO_REPLAY")));
        assert_eq!(reason("7", None), Err("INVALID_EVENT_ID"));
        assert_eq!(reason("", Some(Timestamp { seconds: i64::MAX, nanos: 0 })), Err("INVALID_TIME"));
    }

    #[test]
    fn a_page_goes_on_at_a_place() {
        let token = format!("17.{ID}");
        assert_eq!(place(&token).ok().flatten(), Some((17, ID.to_owned())));
        for odd in ["17", "x.y", &format!("x.{ID}"), "17.7"] {
            assert_eq!(place(odd).map_err(|error| error.reason), Err("INVALID_PAGE_TOKEN"), "{odd}");
        }
    }
}
