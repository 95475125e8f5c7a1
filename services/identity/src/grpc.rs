//! The service's calls: decode, ask the application, encode.

mod convert;
#[cfg(any(test, feature = "fuzzed"))]
pub mod fuzzed;

use std::sync::Arc;

use contracts::tradewind::identity::v1::identity_service_server::IdentityService;
use contracts::tradewind::identity::v1::{
    Account, ChangeEmailRequest, ChangeEmailResponse, ChangePasswordRequest, ChangePasswordResponse,
    CreatePartnerKeyRequest, CreatePartnerKeyResponse, CreateStaffAccountRequest, CreateStaffAccountResponse,
    EndSessionRequest, EndSessionResponse, EraseAccountRequest, EraseAccountResponse, FindPartnerKeyRequest,
    FindPartnerKeyResponse, GetAccountRequest, GetAccountResponse, GetKeysRequest, GetKeysResponse, GetProfileRequest,
    GetProfileResponse, GrantRoleRequest, GrantRoleResponse, ListAccountsRequest, ListAccountsResponse,
    ListEndedSessionsRequest, ListEndedSessionsResponse, ListPartnerKeysRequest, ListPartnerKeysResponse,
    ListSessionsRequest, ListSessionsResponse, LockAccountRequest, LockAccountResponse, LogInRequest, LogInResponse,
    LogOutRequest, LogOutResponse, PartnerKey, RefreshRequest, RefreshResponse, ReplaceKeysRequest,
    ReplaceKeysResponse, RequestEmailChangeRequest, RequestEmailChangeResponse, RequestPasswordResetRequest,
    RequestPasswordResetResponse, ResetPasswordRequest, ResetPasswordResponse, RevokePartnerKeyRequest,
    RevokePartnerKeyResponse, RevokeRoleRequest, RevokeRoleResponse, SignUpRequest, SignUpResponse,
    UnlockAccountRequest, UnlockAccountResponse, UpdateProfileRequest, UpdateProfileResponse, VerifyEmailRequest,
    VerifyEmailResponse,
};
use tonic::{Request, Response, Status};
use tradewind_domain::Error;
use tradewind_mesh::user;

use self::convert::{account_id, from, refusal};
use crate::app::{self, Asked, Means};

/// Answers the calls of `IdentityService`.
pub(crate) struct Api {
    means: Arc<Means>,
}

impl Api {
    /// Answers with `means`.
    pub(crate) const fn new(means: Arc<Means>) -> Self {
        Self { means }
    }
}

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl IdentityService for Api {
    async fn sign_up(&self, request: Request<SignUpRequest>) -> Answer<SignUpResponse> {
        let from = from(&request)?;
        let wanted = convert::sign_up(request.into_inner(), from).map_err(refusal)?;
        answer(app::sign_up(&self.means, wanted).await)
    }

    async fn verify_email(&self, request: Request<VerifyEmailRequest>) -> Answer<VerifyEmailResponse> {
        let from = from(&request)?;
        let VerifyEmailRequest { verification_id, code } = request.into_inner();
        answer(app::verify_email(&self.means, &verification_id, &code, from).await)
    }

    async fn log_in(&self, request: Request<LogInRequest>) -> Answer<LogInResponse> {
        let from = from(&request)?;
        let wanted = convert::log_in(request.into_inner(), from).map_err(refusal)?;
        app::log_in(&self.means, wanted).await.map(Response::new).map_err(convert::refusal_of_new)
    }

    async fn refresh(&self, request: Request<RefreshRequest>) -> Answer<RefreshResponse> {
        answer(app::refresh(&self.means, &request.into_inner().refresh_token).await)
    }

    async fn log_out(&self, request: Request<LogOutRequest>) -> Answer<LogOutResponse> {
        answer(app::log_out(&self.means, &request.into_inner().refresh_token).await)
    }

    async fn request_password_reset(
        &self,
        request: Request<RequestPasswordResetRequest>,
    ) -> Answer<RequestPasswordResetResponse> {
        let from = from(&request)?;
        let email = convert::email(&request.into_inner().email).map_err(refusal)?;
        answer(app::request_password_reset(&self.means, &email, from).await)
    }

    async fn reset_password(&self, request: Request<ResetPasswordRequest>) -> Answer<ResetPasswordResponse> {
        let from = from(&request)?;
        let ResetPasswordRequest { reset_id, code, new_password } = request.into_inner();
        let reset = app::reset_password(&self.means, &reset_id, &code, &new_password.into(), from).await;
        reset.map(Response::new).map_err(convert::refusal_of_new)
    }

    async fn get_keys(&self, _: Request<GetKeysRequest>) -> Answer<GetKeysResponse> {
        answer(self.means.tokens.keys().await.map(|keys| GetKeysResponse { keys }))
    }

    async fn get_profile(&self, request: Request<GetProfileRequest>) -> Answer<GetProfileResponse> {
        let account_id = own(&request, &request.get_ref().account_id)?;
        answer_of(&account_id, app::get_profile(&self.means, &account_id).await)
    }

    async fn update_profile(&self, request: Request<UpdateProfileRequest>) -> Answer<UpdateProfileResponse> {
        let account_id = own(&request, &request.get_ref().account_id)?;
        let wanted = UpdateProfileRequest { account_id, ..request.into_inner() };
        let (account_id, name) = convert::update_profile(wanted).map_err(refusal)?;
        answer_of(&account_id, app::update_profile(&self.means, &account_id, &name).await)
    }

    async fn change_password(&self, request: Request<ChangePasswordRequest>) -> Answer<ChangePasswordResponse> {
        let (from, session) = (from(&request)?, user(&request).and_then(|user| user.session.clone()));
        let account_id = own(&request, &request.get_ref().account_id)?;
        let ChangePasswordRequest { current_password, new_password, .. } = request.into_inner();
        let passwords = (&current_password.into(), &new_password.into());
        let changed = app::change_password(&self.means, &account_id, session.as_deref(), passwords, from).await;
        changed.map(Response::new).map_err(about(&account_id)).map_err(convert::refusal_of_new)
    }

    async fn request_email_change(
        &self,
        request: Request<RequestEmailChangeRequest>,
    ) -> Answer<RequestEmailChangeResponse> {
        let from = from(&request)?;
        let account_id = own(&request, &request.get_ref().account_id)?;
        let RequestEmailChangeRequest { new_email, password, .. } = request.into_inner();
        let new = convert::new_email(&new_email).map_err(refusal)?;
        answer_of(&account_id, app::request_email_change(&self.means, &account_id, &new, &password.into(), from).await)
    }

    async fn change_email(&self, request: Request<ChangeEmailRequest>) -> Answer<ChangeEmailResponse> {
        let session = user(&request).and_then(|user| user.session.clone());
        let account_id = own(&request, &request.get_ref().account_id)?;
        let ChangeEmailRequest { change_id, code, .. } = request.into_inner();
        answer_of(
            &account_id,
            app::change_email(&self.means, &account_id, session.as_deref(), (&change_id, &code)).await,
        )
    }

    async fn list_sessions(&self, request: Request<ListSessionsRequest>) -> Answer<ListSessionsResponse> {
        let account_id = own(&request, &request.get_ref().account_id)?;
        let mut listed =
            app::list_sessions(&self.means, &account_id).await.map_err(about(&account_id)).map_err(refusal)?;
        if let Some(current) = user(&request).and_then(|user| user.session.as_ref()) {
            listed.sessions.iter_mut().for_each(|session| session.current = session.session_id == *current);
        }
        Ok(Response::new(listed))
    }

    async fn end_session(&self, request: Request<EndSessionRequest>) -> Answer<EndSessionResponse> {
        let account_id = own(&request, &request.get_ref().account_id)?;
        let wanted = EndSessionRequest { account_id, ..request.into_inner() };
        let (account_id, session_id) = convert::end_session(&wanted).map_err(refusal)?;
        answer_of(&account_id, app::end_session(&self.means, &account_id, &session_id).await)
    }

    async fn erase_account(&self, request: Request<EraseAccountRequest>) -> Answer<EraseAccountResponse> {
        let (from, user) = (from(&request)?, by(&request));
        let account_id = own(&request, &request.get_ref().account_id)?;
        let EraseAccountRequest { password, .. } = request.into_inner();
        let password = password.into();
        let asked = match user.as_deref() {
            Some(user) if user == account_id => Asked::ByOwner(&password, from),
            by => Asked::ByOthers(by),
        };
        answer_of(&account_id, app::erase_account(&self.means, &account_id, asked).await)
    }

    async fn get_account(&self, request: Request<GetAccountRequest>) -> Answer<GetAccountResponse> {
        let account_id = account_id(&request.into_inner().account_id).map_err(refusal)?;
        answer_of(&account_id, app::get_account(&self.means, &account_id).await)
    }

    async fn list_accounts(&self, request: Request<ListAccountsRequest>) -> Answer<ListAccountsResponse> {
        let page = convert::list_accounts(request.into_inner()).map_err(refusal)?;
        answer(app::list_accounts(&self.means, &page.after, page.email.as_ref(), page.size).await)
    }

    async fn grant_role(&self, request: Request<GrantRoleRequest>) -> Answer<GrantRoleResponse> {
        let by = by(&request);
        let GrantRoleRequest { account_id, role } = request.into_inner();
        let (account_id, role) = convert::account_and_role(&account_id, role).map_err(refusal)?;
        answer_of(&account_id, app::grant_role(&self.means, &account_id, role, by.as_deref()).await)
    }

    async fn revoke_role(&self, request: Request<RevokeRoleRequest>) -> Answer<RevokeRoleResponse> {
        let by = by(&request);
        let RevokeRoleRequest { account_id, role } = request.into_inner();
        let (account_id, role) = convert::account_and_role(&account_id, role).map_err(refusal)?;
        answer_of(&account_id, app::revoke_role(&self.means, &account_id, role, by.as_deref()).await)
    }

    async fn lock_account(&self, request: Request<LockAccountRequest>) -> Answer<LockAccountResponse> {
        let by = by(&request);
        let account_id = account_id(&request.into_inner().account_id).map_err(refusal)?;
        answer_of(&account_id, app::lock_account(&self.means, &account_id, by.as_deref()).await)
    }

    async fn unlock_account(&self, request: Request<UnlockAccountRequest>) -> Answer<UnlockAccountResponse> {
        let by = by(&request);
        let account_id = account_id(&request.into_inner().account_id).map_err(refusal)?;
        answer_of(&account_id, app::unlock_account(&self.means, &account_id, by.as_deref()).await)
    }

    async fn create_partner_key(&self, request: Request<CreatePartnerKeyRequest>) -> Answer<CreatePartnerKeyResponse> {
        let by = by(&request);
        let wanted = convert::create_partner_key(request.into_inner()).map_err(refusal)?;
        answer(app::create_partner_key(&self.means, wanted, by.as_deref()).await)
    }

    async fn list_partner_keys(&self, request: Request<ListPartnerKeysRequest>) -> Answer<ListPartnerKeysResponse> {
        let (after, partner_id, size) = convert::list_partner_keys(request.into_inner()).map_err(refusal)?;
        answer(app::list_partner_keys(&self.means, &after, partner_id.as_deref(), size).await)
    }

    async fn revoke_partner_key(&self, request: Request<RevokePartnerKeyRequest>) -> Answer<RevokePartnerKeyResponse> {
        let by = by(&request);
        let key_id = convert::key_id(&request.into_inner().key_id).map_err(refusal)?;
        let revoked = app::revoke_partner_key(&self.means, &key_id, by.as_deref()).await;
        answer(revoked.map_err(|error| error.of::<PartnerKey>(key_id)))
    }

    async fn find_partner_key(&self, request: Request<FindPartnerKeyRequest>) -> Answer<FindPartnerKeyResponse> {
        let digest = convert::digest(request.into_inner().digest).map_err(refusal)?;
        answer(app::find_partner_key(&self.means, &digest).await)
    }

    async fn list_ended_sessions(
        &self,
        request: Request<ListEndedSessionsRequest>,
    ) -> Answer<ListEndedSessionsResponse> {
        let since = request.into_inner().since.map(|since| (since.seconds, since.nanos));
        let since = since.map(convert::since).transpose().map_err(refusal)?;
        answer(app::ended_sessions(&self.means, since).await)
    }

    async fn create_staff_account(
        &self,
        request: Request<CreateStaffAccountRequest>,
    ) -> Answer<CreateStaffAccountResponse> {
        let (email, name, password) = convert::create_staff_account(request.into_inner()).map_err(refusal)?;
        answer(app::create_staff_account(&self.means, &email, &name, password).await)
    }

    async fn replace_keys(&self, _: Request<ReplaceKeysRequest>) -> Answer<ReplaceKeysResponse> {
        answer(self.means.tokens.replace().await.map(|keys| ReplaceKeysResponse { keys }))
    }
}

/// Whom a call is for, if it is for somebody.
fn by<T>(request: &Request<T>) -> Option<String> {
    user(request).map(|user| user.id.clone())
}

/// The account that a call is about: that of whoever is signed in, where it names none.
fn own<T>(request: &Request<T>, said: &str) -> Result<String, Status> {
    match user(request) {
        Some(user) if said.is_empty() => account_id(&user.id),
        _ => account_id(said),
    }
    .map_err(refusal)
}

/// Says of which account a refusal is.
fn about(account_id: &str) -> impl FnOnce(Error) -> Error {
    move |error| error.of::<Account>(account_id)
}

fn answer_of<T>(account_id: &str, outcome: Result<T, Error>) -> Answer<T> {
    answer(outcome.map_err(about(account_id)))
}

fn answer<T>(outcome: Result<T, Error>) -> Answer<T> {
    outcome.map(Response::new).map_err(refusal)
}
