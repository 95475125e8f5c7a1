//! What is read here of others, as functions of bytes: `make fuzz` looks for an input that panics, takes long or does not come back as it
//! was read.

use contracts::tradewind::identity::v1::{
    ChangeEmailRequest, ChangePasswordRequest, CreatePartnerKeyRequest, CreateStaffAccountRequest, EndSessionRequest,
    EraseAccountRequest, FindPartnerKeyRequest, GetAccountRequest, GetProfileRequest, GrantRoleRequest,
    ListAccountsRequest, ListEndedSessionsRequest, ListPartnerKeysRequest, ListSessionsRequest, LockAccountRequest,
    LogInRequest, LogOutRequest, RefreshRequest, RequestEmailChangeRequest, RequestPasswordResetRequest,
    ResetPasswordRequest, RevokePartnerKeyRequest, RevokeRoleRequest, SignUpRequest, UnlockAccountRequest,
    UpdateProfileRequest, VerifyEmailRequest,
};
use prost::Message;

use super::convert::{self, account_id};
use crate::app::{Origin, RefreshToken};
use crate::domain::partner_key::PartnerKey;
use crate::domain::{Account, Email, Network, Roles};
use crate::seals::Seals;
use crate::tokens::Algorithm;

type Target = (&'static str, fn(&[u8]));

/// Each by its name.
pub const TARGETS: &[Target] =
    &[("account-requests", account_requests), ("account-texts", account_texts), ("stored-accounts", stored_accounts)];

/// Which request, and its bytes.
fn account_requests(bytes: &[u8]) {
    let Some((which, bytes)) = bytes.split_first() else { return };
    let from = Origin { address: [192, 0, 2, 7].into() };
    match which % 27 {
        0 => _ = SignUpRequest::decode(bytes).map(|request| convert::sign_up(request, from)),
        1 => _ = LogInRequest::decode(bytes).map(|request| convert::log_in(request, from)),
        2 => _ = UpdateProfileRequest::decode(bytes).map(convert::update_profile),
        3 => _ = EndSessionRequest::decode(bytes).map(|request| convert::end_session(&request)),
        4 => _ = ListAccountsRequest::decode(bytes).map(convert::list_accounts),
        5 => _ = ListPartnerKeysRequest::decode(bytes).map(convert::list_partner_keys),
        6 => _ = CreateStaffAccountRequest::decode(bytes).map(convert::create_staff_account),
        7 => _ = CreatePartnerKeyRequest::decode(bytes).map(convert::create_partner_key),
        8 => _ = VerifyEmailRequest::decode(bytes),
        9 => _ = RefreshRequest::decode(bytes).map(|request| RefreshToken::read(&request.refresh_token)),
        10 => _ = LogOutRequest::decode(bytes).map(|request| RefreshToken::read(&request.refresh_token)),
        11 => _ = RequestPasswordResetRequest::decode(bytes).map(|request| convert::email(&request.email)),
        12 => _ = ResetPasswordRequest::decode(bytes),
        13 => _ = GetProfileRequest::decode(bytes).map(|request| account_id(&request.account_id)),
        14 => _ = ChangePasswordRequest::decode(bytes).map(|request| account_id(&request.account_id)),
        15 => {
            let Ok(request) = RequestEmailChangeRequest::decode(bytes) else { return };
            let _ = (account_id(&request.account_id), convert::new_email(&request.new_email));
        }
        16 => _ = ChangeEmailRequest::decode(bytes).map(|request| account_id(&request.account_id)),
        17 => _ = ListSessionsRequest::decode(bytes).map(|request| account_id(&request.account_id)),
        18 => _ = EraseAccountRequest::decode(bytes).map(|request| account_id(&request.account_id)),
        19 => _ = GetAccountRequest::decode(bytes).map(|request| account_id(&request.account_id)),
        20 => {
            let request = GrantRoleRequest::decode(bytes);
            let _ = request.map(|request| convert::account_and_role(&request.account_id, request.role));
        }
        21 => {
            let request = RevokeRoleRequest::decode(bytes);
            let _ = request.map(|request| convert::account_and_role(&request.account_id, request.role));
        }
        22 => _ = LockAccountRequest::decode(bytes).map(|request| account_id(&request.account_id)),
        23 => _ = UnlockAccountRequest::decode(bytes).map(|request| account_id(&request.account_id)),
        24 => _ = RevokePartnerKeyRequest::decode(bytes).map(|request| convert::key_id(&request.key_id)),
        25 => _ = FindPartnerKeyRequest::decode(bytes).map(|request| convert::digest(request.digest)),
        _ => {
            let since = ListEndedSessionsRequest::decode(bytes).ok().and_then(|request| request.since);
            let _ = since.map(|since| convert::since((since.seconds, since.nanos)));
        }
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
    let _ = (Seals::read(text), text.parse::<Algorithm>());
    assert!(
        Seals::default().open(text, "a key").is_ok_and(|kept| kept.expose() == text) || text.starts_with("sealed.")
    );
    if let Some(token) = RefreshToken::read(text) {
        assert_eq!(token.text(), text);
    }
}

/// The events of an account, and those of a key.
fn stored_accounts(bytes: &[u8]) {
    history::evolved::<Account>(bytes);
    history::evolved::<PartnerKey>(bytes);
}

#[path = "../../../../fuzz/history.rs"]
mod history;

#[cfg(test)]
#[path = "../../../../fuzz/replay.rs"]
mod replay;
