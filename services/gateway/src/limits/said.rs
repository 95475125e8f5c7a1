//! What is said of limits: in the fields of draft-ietf-httpapi-ratelimit-headers-11, and in the status of what is refused.

use std::collections::HashMap;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::limits::Pass;
use crate::limits::places::What;
use crate::limits::principal::{Class, Kind};
use crate::limits::quota::{Quota, Standing, seconds};
use crate::refused::DOMAIN;

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const STANDING: HeaderName = HeaderName::from_static("ratelimit");
/// When somebody may come again who does too much at once: it is over when it is over.
const SOON: Duration = Duration::from_secs(1);

/// How somebody stands with what they have asked for.
pub(crate) struct Said {
    pub(crate) class: Class,
    pub(crate) kind: Kind,
    pub(crate) quota: Quota,
    pub(crate) standing: Standing,
}

impl Pass {
    /// Says how whoever asked stands.
    pub(crate) fn tell(&self, headers: &mut HeaderMap) {
        let Some(Said { class, kind, quota, standing }) = &self.said else { return };
        let name = format!("\"{}-{}\"", class.name(), kind.name());
        let policy = format!("{name};q={};w={}", quota.burst(), seconds(quota.whole()).max(1));
        let standing = format!("{name};r={};t={}", standing.left, seconds(standing.wait));
        for (field, text) in [(POLICY, policy), (STANDING, standing)] {
            if let Ok(text) = HeaderValue::try_from(text) {
                headers.insert(field, text);
            }
        }
    }
}

/// The status of what comes too often.
pub(crate) fn too_often(class: Class, kind: Kind, quota: Quota, wait: u64) -> Status {
    let text = format!("too many requests: {} by {} is {quota}", class.name(), kind.name());
    refusal("RATE_LIMITED", class.name(), kind, quota.facts(), text, Duration::from_nanos(wait))
}

/// The status of what is too much at once.
pub(crate) fn too_many(what: What, kind: Kind, most: u32) -> Status {
    let text = format!("too many {} at once: there are {most} by {}", what.name(), kind.name());
    let facts = [("most".to_owned(), most.to_string())];
    refusal("TOO_MANY_AT_ONCE", what.name(), kind, facts, text, SOON)
}

fn refusal(
    reason: &str,
    what: &str,
    kind: Kind,
    numbers: impl IntoIterator<Item = (String, String)>,
    text: String,
    wait: Duration,
) -> Status {
    let facts = [("limit", what), ("by", kind.name())].map(|(key, value)| (key.to_owned(), value.to_owned()));
    let facts: HashMap<_, _> = facts.into_iter().chain(numbers).collect();
    let mut details = ErrorDetails::with_error_info(reason, DOMAIN, facts);
    details.set_retry_info(Some(wait));
    details.add_quota_failure_violation(format!("{}:{what}", kind.name()), &text);
    Status::with_error_details(Code::ResourceExhausted, text, details)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn fields_have_the_form_of_the_draft() {
        let quota = Quota::read("50/s", Some("125")).unwrap();
        let standing = Standing { left: 7, wait: 2_360_000_000 };
        let pass =
            Pass { said: Some(Said { class: Class::Read, kind: Kind::User, quota, standing }), ..Pass::default() };
        let mut headers = HeaderMap::new();
        pass.tell(&mut headers);
        assert_eq!(headers[POLICY], "\"read-user\";q=125;w=3");
        assert_eq!(headers[STANDING], "\"read-user\";r=7;t=3");
    }

    #[test]
    fn who_is_refused_hears_why_and_when_to_come_again() {
        let quota = Quota::read("5/min", None).unwrap();
        let status = too_often(Class::Credentials, Kind::Address, quota, 1_500_000_000);
        assert_eq!(status.code(), Code::ResourceExhausted);
        let details = status.get_error_details();
        assert_eq!(details.retry_info().unwrap().retry_delay, Some(Duration::from_millis(1_500)));
        assert_eq!(details.quota_failure().unwrap().violations[0].subject, "address:credentials");
        let info = details.error_info().unwrap();
        let facts = ["rate", "period_s", "burst"].map(|fact| info.metadata[fact].as_str());
        assert_eq!((info.reason.as_str(), facts), ("RATE_LIMITED", ["5", "60", "5"]));
        let status = too_many(What::Streams, Kind::User, 8);
        assert_eq!(status.get_details_error_info().unwrap().metadata["most"], "8");
    }
}
