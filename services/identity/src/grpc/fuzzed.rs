//! What is read here of others, as functions of bytes: `make fuzz` looks for an input that panics, takes long or does not come back as it
//! was read.

use contracts::tradewind::identity::v1::{
    CreatePartnerKeyRequest, CreateStaffAccountRequest, EndSessionRequest, ListAccountsRequest, ListPartnerKeysRequest,
    LogInRequest, SignUpRequest, UpdateProfileRequest,
};
use prost::Message;

use super::convert;
use crate::app::Origin;
use crate::domain::{Email, Network, Roles};
use crate::seals::Seals;

type Target = (&'static str, fn(&[u8]));

/// Each by its name.
pub const TARGETS: &[Target] = &[("account-requests", account_requests), ("account-texts", account_texts)];

/// Which request, and its bytes.
fn account_requests(bytes: &[u8]) {
    let Some((which, bytes)) = bytes.split_first() else { return };
    let from = Origin { address: [192, 0, 2, 7].into() };
    match which % 8 {
        0 => _ = SignUpRequest::decode(bytes).map(|request| convert::sign_up(request, from)),
        1 => _ = LogInRequest::decode(bytes).map(|request| convert::log_in(request, from)),
        2 => _ = UpdateProfileRequest::decode(bytes).map(convert::update_profile),
        3 => _ = EndSessionRequest::decode(bytes).map(|request| convert::end_session(&request)),
        4 => _ = ListAccountsRequest::decode(bytes).map(convert::list_accounts),
        5 => _ = ListPartnerKeysRequest::decode(bytes).map(convert::list_partner_keys),
        6 => _ = CreateStaffAccountRequest::decode(bytes).map(convert::create_staff_account),
        _ => _ = CreatePartnerKeyRequest::decode(bytes).map(convert::create_partner_key),
    }
}

fn account_texts(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    if let Some(email) = Email::read(text) {
        assert_eq!(Email::read(email.as_str()), Some(email.clone()));
        assert!(email.mailbox().contains('@'));
    }
    let roles = Roles::read(text);
    assert_eq!(Roles::read(&roles.text()), roles);
    let _ = text.parse().map(Network::of);
    let _ = Seals::read(text);
}

#[cfg(test)]
#[path = "../../../../fuzz/replay.rs"]
mod replay;
