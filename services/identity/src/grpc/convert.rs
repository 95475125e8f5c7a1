//! Fields of requests to what the application takes, or everything that is wrong with them.

use std::net::IpAddr;

use contracts::tables::EDGES;
use contracts::tradewind::identity::v1::{
    CreatePartnerKeyRequest, CreateStaffAccountRequest, EndSessionRequest, ListAccountsRequest, ListPartnerKeysRequest,
    LogInRequest, Role as WireRole, SignUpRequest, UpdateProfileRequest,
};
use time::OffsetDateTime;
use tonic::{Request, Status};
use tradewind_domain::request::{Violations, page_size, page_token};
use tradewind_domain::{EMAIL_RULE, Error, Sensitive, is_text};
use tradewind_mesh::{peer, status};
use uuid::Uuid;

use crate::app::{LogIn, NewKey, Origin, SignUp};
use crate::domain::partner_key;
use crate::domain::{Email, Role};

/// What of a request each refusal is about.
const FIELDS: [(&str, &str); 6] = [
    ("EMAIL_TAKEN", "email"),
    ("PASSWORD_WRONG", "password"),
    ("PASSWORD_TOO_SHORT", "password"),
    ("PASSWORD_TOO_LONG", "password"),
    ("PASSWORD_TOO_COMMON", "password"),
    ("PASSWORD_IS_EMAIL", "password"),
];
/// The same where a request has a password that is, and one that is to be.
const FIELDS_OF_NEW: [(&str, &str); 6] = [
    ("NEW_PASSWORD_REQUIRED", "new_password"),
    ("PASSWORD_WRONG", "current_password"),
    ("PASSWORD_TOO_SHORT", "new_password"),
    ("PASSWORD_TOO_LONG", "new_password"),
    ("PASSWORD_TOO_COMMON", "new_password"),
    ("PASSWORD_IS_EMAIL", "new_password"),
];
/// Where those at the edge say from where somebody asks. Nobody else is believed.
const CLIENT_ADDRESS: &str = "tradewind-client-address";

/// A refusal as the caller hears it.
pub(super) fn refusal(error: Error) -> Status {
    status(error.about(&FIELDS))
}

/// The same of a request with a new password.
pub(super) fn refusal_of_new(error: Error) -> Status {
    refusal(error.about(&FIELDS_OF_NEW))
}

/// Where a request comes from: as the edge says, or whoever calls.
pub(super) fn from<T>(request: &Request<T>) -> Result<Origin, Status> {
    let peer = peer(request)?;
    let said = request.metadata().get(CLIENT_ADDRESS).filter(|_| EDGES.iter().any(|edge| peer.id.name() == edge.name));
    let said = said.and_then(|said| said.to_str().ok()?.parse::<IpAddr>().ok());
    Ok(Origin { address: said.unwrap_or_else(|| peer.address.ip()).to_canonical() })
}

pub(super) fn sign_up(request: SignUpRequest, from: Origin) -> Result<SignUp, Error> {
    let SignUpRequest { email: address, password, name } = request;
    let mut violations = Violations::default();
    let address = violations.catch(email(&address));
    check_name(&mut violations, "name", &name);
    let address = violations.finish_with(address)?;
    Ok(SignUp { email: address, password: password.into(), name, from })
}

pub(super) fn log_in(request: LogInRequest, from: Origin) -> Result<LogIn, Error> {
    let LogInRequest { email: address, password, device, new_password } = request;
    let mut violations = Violations::default();
    let address = violations.catch(email(&address));
    check_name(&mut violations, "device", &device);
    let address = violations.finish_with(address)?;
    let new_password = (!new_password.is_empty()).then(|| new_password.into());
    Ok(LogIn { email: address, password: password.into(), device, new_password, from })
}

pub(super) fn update_profile(request: UpdateProfileRequest) -> Result<(String, String), Error> {
    let mut violations = Violations::default();
    let account_id = violations.catch(account_id(&request.account_id));
    check_name(&mut violations, "name", &request.name);
    Ok((violations.finish_with(account_id)?, request.name))
}

pub(super) fn end_session(request: &EndSessionRequest) -> Result<(String, String), Error> {
    let mut violations = Violations::default();
    let account_id = violations.catch(account_id(&request.account_id));
    let session_id = violations.catch(uuid("session_id", "INVALID_SESSION_ID", &request.session_id));
    violations.finish_with(account_id.zip(session_id))
}

/// Which accounts are asked for.
pub(super) struct Page {
    pub(super) after: String,
    pub(super) email: Option<Email>,
    pub(super) size: usize,
}

pub(super) fn list_accounts(request: ListAccountsRequest) -> Result<Page, Error> {
    let mut violations = Violations::default();
    let size = violations.catch(page_size(request.page_size));
    let after = violations.catch(page_token::<Uuid>(&request.page_token)).flatten();
    let wanted = (!request.email.is_empty()).then(|| email(&request.email)).transpose();
    let email = violations.catch(wanted).flatten();
    let size = violations.finish_with(size)?;
    Ok(Page { after: after.map(|after| after.to_string()).unwrap_or_default(), email, size })
}

pub(super) fn account_and_role(id: &str, role: i32) -> Result<(String, Role), Error> {
    let mut violations = Violations::default();
    let account_id = violations.catch(account_id(id));
    let role = WireRole::try_from(role).ok().and_then(Role::of);
    violations.check(role.is_some(), "role", "UNKNOWN_ROLE", "is not a role of an account");
    violations.finish_with(account_id.zip(role))
}

/// The most scopes of a key.
const SCOPES: usize = 32;

pub(super) fn create_partner_key(request: CreatePartnerKeyRequest) -> Result<NewKey, Error> {
    let CreatePartnerKeyRequest { partner_id, name, mut scopes, expire_time } = request;
    let mut violations = Violations::default();
    check_partner_id(&mut violations, &partner_id);
    violations.check(!name.is_empty(), "name", "INVALID_NAME", "must say what the key is for");
    check_name(&mut violations, "name", &name);
    let known = partner_key::scopes();
    let are_known = (1..=SCOPES).contains(&scopes.len()) && scopes.iter().all(|scope| known.contains(scope.as_str()));
    let rule = format!("must be some of {}", known.into_iter().collect::<Vec<_>>().join(", "));
    violations.check(are_known, "scopes", "UNKNOWN_SCOPE", &rule);
    scopes.sort_unstable();
    scopes.dedup();
    let expires = expire_time.map(|time| {
        let nanos = i128::from(time.seconds) * 1_000_000_000 + i128::from(time.nanos);
        let read = OffsetDateTime::from_unix_timestamp_nanos(nanos);
        read.map_err(|_| Error::invalid("expire_time", "INVALID_EXPIRE_TIME", "must be a time"))
    });
    let expires = violations.catch(expires.transpose());
    let expires = violations.finish_with(expires)?;
    Ok(NewKey { partner_id, name, scopes, expires })
}

pub(super) fn list_partner_keys(request: ListPartnerKeysRequest) -> Result<(String, Option<String>, usize), Error> {
    let ListPartnerKeysRequest { page_size: size, page_token: token, partner_id } = request;
    let mut violations = Violations::default();
    let size = violations.catch(page_size(size));
    let after = violations.catch(page_token::<Uuid>(&token)).flatten();
    let partner_id = Some(partner_id).filter(|id| !id.is_empty());
    if let Some(partner_id) = &partner_id {
        check_partner_id(&mut violations, partner_id);
    }
    let size = violations.finish_with(size)?;
    Ok((after.map(|after| after.to_string()).unwrap_or_default(), partner_id, size))
}

/// A key as it is asked for.
pub(super) fn key_id(text: &str) -> Result<String, Error> {
    uuid("key_id", "INVALID_KEY_ID", text)
}

/// The hash of a key that somebody has shown.
pub(super) fn digest(text: String) -> Result<String, Error> {
    if text.is_empty() { Err(Error::invalid("digest", "REQUIRED", "is needed")) } else { Ok(text) }
}

fn check_partner_id(violations: &mut Violations, text: &str) {
    let rule = "must be 1 to 32 lower-case letters, digits and hyphens";
    violations.check(partner_key::is_partner_id(text), "partner_id", "INVALID_PARTNER_ID", rule);
}

type StaffAccount = (Email, String, Option<Sensitive<String>>);

pub(super) fn since((seconds, nanos): (i64, i32)) -> Result<OffsetDateTime, Error> {
    let nanos = i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
    let time = OffsetDateTime::from_unix_timestamp_nanos(nanos);
    time.map_err(|_| Error::invalid("since", "INVALID_TIME", "is no time"))
}

pub(super) fn create_staff_account(request: CreateStaffAccountRequest) -> Result<StaffAccount, Error> {
    let CreateStaffAccountRequest { email: address, name, password } = request;
    let mut violations = Violations::default();
    let address = violations.catch(email(&address));
    check_name(&mut violations, "name", &name);
    let password = (!password.is_empty()).then(|| password.into());
    Ok((violations.finish_with(address)?, name, password))
}

/// An address that an account can have.
pub(super) fn email(text: &str) -> Result<Email, Error> {
    Email::read(text).ok_or_else(|| Error::invalid("email", "INVALID_EMAIL", EMAIL_RULE))
}

/// An address that an account is to have instead of its own.
pub(super) fn new_email(text: &str) -> Result<Email, Error> {
    Email::read(text).ok_or_else(|| Error::invalid("new_email", "INVALID_EMAIL", EMAIL_RULE))
}

/// An account as it is asked for.
pub(super) fn account_id(text: &str) -> Result<String, Error> {
    uuid("account_id", "INVALID_ACCOUNT_ID", text)
}

fn uuid(field: &str, reason: &'static str, text: &str) -> Result<String, Error> {
    let id = Uuid::try_parse(text).map_err(|_| Error::invalid(field, reason, "must be a UUID"))?;
    Ok(id.hyphenated().to_string())
}

fn check_name(violations: &mut Violations, field: &str, name: &str) {
    let rule = "must show something or be empty, and hold no control, invisible or direction-changing characters";
    violations.check(name.is_empty() || is_text(name), field, "INVALID_NAME", rule);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn somewhere() -> Origin {
        Origin { address: [192, 0, 2, 7].into() }
    }

    fn refused(request: SignUpRequest) -> (&'static str, Vec<String>) {
        let error = sign_up(request, somewhere()).err().unwrap();
        (error.reason, error.violations.into_iter().map(|violation| violation.field).collect())
    }

    #[test]
    fn each_fault_names_its_field_and_reason() {
        let ada = || SignUpRequest { email: "ada@example.com".to_owned(), ..SignUpRequest::default() };
        assert!(sign_up(ada(), somewhere()).is_ok());
        let fault = |email: &str, name: &str| {
            refused(SignUpRequest { email: email.to_owned(), name: name.to_owned(), ..ada() })
        };
        assert_eq!(fault("ada", ""), ("INVALID_EMAIL", vec!["email".to_owned()]));
        assert_eq!(fault("ada@example.com", "A\nB"), ("INVALID_NAME", vec!["name".to_owned()]));
        assert_eq!(fault("", "\u{200b}"), ("INVALID_REQUEST", vec!["email".to_owned(), "name".to_owned()]));
    }

    #[test]
    fn ids_are_uuids_and_roles_are_known() {
        let id = "0190163d-8694-739b-aea5-966c26f8ad91";
        assert_eq!(account_id("0190163D8694739BAEA5966C26F8AD91"), Ok(id.to_owned()));
        assert_eq!(account_id("7").unwrap_err().reason, "INVALID_ACCOUNT_ID");
        assert_eq!(account_and_role(id, 1), Ok((id.to_owned(), Role::Staff)));
        for role in [0, 7] {
            assert_eq!(account_and_role(id, role).unwrap_err().reason, "UNKNOWN_ROLE");
        }
    }

    #[test]
    fn a_refusal_is_about_the_password_that_is_to_be() {
        let error = || Error::from(crate::domain::PasswordError::TooShort);
        let field = |status: Status| tradewind_mesh::violations(&status).remove(0).field;
        assert_eq!(field(refusal(error())), "password");
        assert_eq!(field(refusal_of_new(error())), "new_password");
    }
}
