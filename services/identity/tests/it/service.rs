//! The whole service over mTLS gRPC, a real broker and a database.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use contracts::tradewind::identity::v1::identity_service_client::IdentityServiceClient;
use contracts::tradewind::identity::v1::{
    ChangePasswordRequest, CreatePartnerKeyRequest, CreateStaffAccountRequest, EndSessionRequest, EraseAccountRequest,
    FindPartnerKeyRequest, GetAccountRequest, GetKeysRequest, GetProfileRequest, GrantRoleRequest, ListAccountsRequest,
    ListPartnerKeysRequest, ListSessionsRequest, LockAccountRequest, LogInRequest, LogOutRequest, RefreshRequest,
    RevokePartnerKeyRequest, RevokeRoleRequest, Role, SignUpRequest, UnlockAccountRequest, VerifyEmailRequest,
};
use tonic::{Code, Request, Status};
use tradewind_mesh::{Channel, IdentityFiles, User, missing, pki, reason, violations};
use tradewind_runtime::{Running, Settings};
use tradewind_testing::{Database, Nats, both_stores, channel, scratch};

const DEADLINE: Duration = Duration::from_secs(20);
const PASSWORD: &str = "correct horse battery";

/// Starts the service and waits until it is ready.
async fn start(folder: &Path, database: &Database, nats: &Nats) -> Running {
    start_with(folder, database, nats, |settings| settings.with("hash_memory", "64")).await
}

async fn start_with(
    folder: &Path,
    database: &Database,
    nats: &Nats,
    set: impl FnOnce(Settings) -> Settings,
) -> Running {
    pki::init(folder, &["identity", "operator", "gateway", "shipping"], "tradewind.local").unwrap();
    let files = IdentityFiles::in_dir(folder, "identity");
    let settings = set(Settings::in_process(files, database.url(), nats.url()));
    let mut running = identity::service().start(settings).await.unwrap();
    running.ready(DEADLINE).await.unwrap();
    running
}

fn client(folder: &Path, who: &str, running: &Running) -> IdentityServiceClient<Channel> {
    IdentityServiceClient::new(channel(folder, who, "identity", running.grpc_addr()))
}

fn log_in(email: &str, password: &str) -> LogInRequest {
    LogInRequest { email: email.to_owned(), password: password.to_owned(), ..LogInRequest::default() }
}

/// The gateway as it calls for somebody.
fn by(folder: &Path, running: &Running, account_id: &str, roles: &[&str]) -> IdentityServiceClient<Channel> {
    let roles = roles.iter().map(|role| (*role).to_owned()).collect();
    let user = User { id: account_id.to_owned(), roles, ..User::default() };
    let channel = channel(folder, "gateway", "identity", running.grpc_addr());
    IdentityServiceClient::new(channel.speaking_for(Arc::new(user)))
}

/// The same as the gateway sends it on for somebody at this address.
fn from(address: &'static str, request: LogInRequest) -> Request<LogInRequest> {
    let mut request = Request::new(request);
    request.metadata_mut().insert("tradewind-client-address", address.parse().unwrap());
    request
}

fn what(refused: &Status) -> (Code, String, String) {
    let field = violations(refused).into_iter().next().map(|violation| violation.field);
    let missing = missing(refused).into_iter().next().map(|missing| missing.name);
    (refused.code(), reason(refused).unwrap_or_default(), field.or(missing).unwrap_or_default())
}

fn is(code: Code, reason: &str, field: &str) -> (Code, String, String) {
    (code, reason.to_owned(), field.to_owned())
}

both_stores! {
    async fn an_account_lives_its_life(database: Database) {
        let (folder, nats) = (scratch(), Nats::start_for_services());
        let running = start(folder.path(), &database, &nats).await;
        let mut operator = client(folder.path(), "operator", &running);
        let mut gateway = client(folder.path(), "gateway", &running);

        let email = "staff@example.com".to_owned();
        let wanted =
            CreateStaffAccountRequest { email: email.clone(), password: PASSWORD.to_owned(), ..Default::default() };
        let made = operator.create_staff_account(wanted.clone()).await.unwrap().into_inner();
        let account_id = made.account.unwrap().account_id;
        let refused = operator.create_staff_account(wanted).await.unwrap_err();
        assert_eq!(what(&refused), is(Code::AlreadyExists, "EMAIL_TAKEN", "email"));

        let refused = gateway.log_in(log_in(&email, "wrong horse battery")).await.unwrap_err();
        assert_eq!(what(&refused), is(Code::Unauthenticated, "CREDENTIALS_INVALID", ""));
        let signed_in = gateway.log_in(from("192.0.2.7", log_in(&email, PASSWORD))).await.unwrap().into_inner();
        let tokens = signed_in.tokens.unwrap();
        assert_eq!(tokens.account_id, account_id);
        assert_eq!(gateway.get_keys(GetKeysRequest {}).await.unwrap().into_inner().keys.len(), 1);

        let refreshed = RefreshRequest { refresh_token: tokens.refresh_token };
        let tokens = gateway.refresh(refreshed).await.unwrap().into_inner().tokens.unwrap();
        let sessions = operator.list_sessions(ListSessionsRequest { account_id: account_id.clone() }).await.unwrap();
        let sessions = sessions.into_inner().sessions;
        assert_eq!(sessions.iter().map(|session| session.address.as_str()).collect::<Vec<_>>(), ["192.0.2.7"]);
        gateway.log_out(LogOutRequest { refresh_token: tokens.refresh_token.clone() }).await.unwrap();
        let refused = gateway.refresh(RefreshRequest { refresh_token: tokens.refresh_token }).await.unwrap_err();
        assert_eq!(what(&refused), is(Code::Unauthenticated, "REFRESH_TOKEN_INVALID", ""));

        let erase = EraseAccountRequest { account_id: account_id.clone(), password: String::new() };
        operator.erase_account(erase).await.unwrap();
        let erased = GetAccountRequest { account_id: account_id.clone() };
        let refused = operator.get_account(erased).await.unwrap_err();
        assert_eq!(what(&refused), is(Code::NotFound, "ACCOUNT_NOT_FOUND", &account_id));
    }

    async fn malformed_requests_name_their_field_and_strangers_are_turned_away(database: Database) {
        let (folder, nats) = (scratch(), Nats::start_for_services());
        let running = start(folder.path(), &database, &nats).await;
        let mut operator = client(folder.path(), "operator", &running);

        let sign_up = |email: &str, password: &str| SignUpRequest {
            email: email.to_owned(),
            password: password.to_owned(),
            ..SignUpRequest::default()
        };
        let refused = operator.sign_up(sign_up("ada", PASSWORD)).await.unwrap_err();
        assert_eq!(what(&refused), is(Code::InvalidArgument, "INVALID_EMAIL", "email"));
        let refused = operator.sign_up(sign_up("ada@example.com", "password")).await.unwrap_err();
        assert_eq!(what(&refused), is(Code::InvalidArgument, "PASSWORD_TOO_COMMON", "password"));
        let refused = operator.sign_up(sign_up("ada@example.com", &"ab".repeat(65))).await.unwrap_err();
        assert_eq!(what(&refused), is(Code::InvalidArgument, "TEXT_TOO_LONG", "password"));
        let verify = VerifyEmailRequest { verification_id: "x".to_owned(), code: "1".to_owned() };
        let refused = operator.verify_email(verify).await.unwrap_err();
        assert_eq!(what(&refused), is(Code::InvalidArgument, "CODE_INVALID", "code"));
        let refused = operator.get_profile(GetProfileRequest { account_id: "7".to_owned() }).await.unwrap_err();
        assert_eq!(what(&refused), is(Code::InvalidArgument, "INVALID_ACCOUNT_ID", "account_id"));
        let id = "0190163d-8694-739b-aea5-966c26f8ad91".to_owned();
        let ending = EndSessionRequest { account_id: id.clone(), session_id: id.clone() };
        let refused = operator.end_session(ending).await.unwrap_err();
        assert_eq!(what(&refused), is(Code::NotFound, "SESSION_NOT_FOUND", &id));

        let mut stranger = client(folder.path(), "shipping", &running);
        assert_eq!(stranger.get_keys(GetKeysRequest {}).await.unwrap_err().code(), Code::PermissionDenied);
        let mut gateway = client(folder.path(), "gateway", &running);
        let wanted = CreateStaffAccountRequest::default();
        assert_eq!(gateway.create_staff_account(wanted).await.unwrap_err().code(), Code::PermissionDenied);
    }

    async fn customers_do_what_is_theirs_and_staff_what_is_anybodys(database: Database) {
        let (folder, nats) = (scratch(), Nats::start_for_services());
        let running = start(folder.path(), &database, &nats).await;
        let mut operator = client(folder.path(), "operator", &running);
        let mut gateway = client(folder.path(), "gateway", &running);
        let mut make = async |email: &str| {
            let (email, password) = (email.to_owned(), PASSWORD.to_owned());
            let wanted = CreateStaffAccountRequest { email, password, ..Default::default() };
            operator.create_staff_account(wanted).await.unwrap().into_inner().account.unwrap().account_id
        };
        let (ada, grace) = (make("ada@example.com").await, make("grace@example.com").await);
        let profile = |id: &str| GetProfileRequest { account_id: id.to_owned() };

        let as_ada = |roles: &[&str]| by(folder.path(), &running, &ada, roles);

        let own = as_ada(&[]).get_profile(profile("")).await.unwrap().into_inner().profile.unwrap();
        assert_eq!((own.account_id.as_str(), own.email.as_str()), (ada.as_str(), "ada@example.com"));
        let refused = as_ada(&[]).get_profile(profile(&grace)).await.unwrap_err();
        assert_eq!(what(&refused).1, "OTHER_CUSTOMER");
        assert_eq!(gateway.get_profile(profile(&ada)).await.unwrap_err().code(), Code::Unauthenticated);
        let account = |id: &str| GetAccountRequest { account_id: id.to_owned() };
        let refused = as_ada(&[]).get_account(account(&ada)).await.unwrap_err();
        assert_eq!(what(&refused).1, "ROLE_MISSING");
        as_ada(&["staff"]).get_account(account(&grace)).await.unwrap();

        let erase = |id: &str, password: &str| EraseAccountRequest { account_id: id.to_owned(), password: password.to_owned() };
        for roles in [&[][..], &["staff"]] {
            let refused = as_ada(roles).erase_account(erase(&ada, "")).await.unwrap_err();
            assert_eq!(what(&refused), is(Code::PermissionDenied, "PASSWORD_WRONG", "password"));
        }
        as_ada(&[]).erase_account(erase("", PASSWORD)).await.unwrap();
        // A token outlives what it says: whoever is erased, locked or no longer staff does nothing to others.
        let refused = as_ada(&["staff"]).erase_account(erase(&grace, "")).await.unwrap_err();
        assert_eq!(what(&refused).1, "ROLE_MISSING");
        client(folder.path(), "operator", &running).erase_account(erase(&grace, "")).await.unwrap();
    }

    async fn who_is_no_longer_staff_does_not_undo_it(database: Database) {
        let (folder, nats) = (scratch(), Nats::start_for_services());
        let running = start(folder.path(), &database, &nats).await;
        let mut operator = client(folder.path(), "operator", &running);
        let mut make = async |email: &str| {
            let wanted = CreateStaffAccountRequest { email: email.to_owned(), password: PASSWORD.to_owned(), ..Default::default() };
            operator.create_staff_account(wanted).await.unwrap().into_inner().account.unwrap().account_id
        };
        let (ada, grace) = (make("ada@example.com").await, make("grace@example.com").await);
        let as_ada = || by(folder.path(), &running, &ada, &["staff"]);
        let mut as_grace = by(folder.path(), &running, &grace, &["staff"]);
        let role = Role::Staff.into();

        // Staff who name no account are who they are.
        let own = as_ada().get_profile(GetProfileRequest::default()).await.unwrap().into_inner().profile.unwrap();
        assert_eq!(own.account_id, ada);
        as_ada().list_sessions(ListSessionsRequest::default()).await.unwrap();

        for lock in [true, false] {
            if lock {
                as_grace.lock_account(LockAccountRequest { account_id: ada.clone() }).await.unwrap();
            } else {
                as_grace.unlock_account(UnlockAccountRequest { account_id: ada.clone() }).await.unwrap();
                as_grace.revoke_role(RevokeRoleRequest { account_id: ada.clone(), role }).await.unwrap();
            }
            for id in [&ada, &grace] {
                let account_id = || id.clone();
                let refused = [
                    as_ada().unlock_account(UnlockAccountRequest { account_id: account_id() }).await.map(drop),
                    as_ada().lock_account(LockAccountRequest { account_id: account_id() }).await.map(drop),
                    as_ada().grant_role(GrantRoleRequest { account_id: account_id(), role }).await.map(drop),
                    as_ada().revoke_role(RevokeRoleRequest { account_id: account_id(), role }).await.map(drop),
                ];
                for refused in refused {
                    assert_eq!(what(&refused.unwrap_err()).1, "ROLE_MISSING");
                }
            }
        }
        // Whom others know has no account here.
        let mut known = by(folder.path(), &running, "partner:7", &["staff"]);
        known.grant_role(GrantRoleRequest { account_id: ada.clone(), role }).await.unwrap();
        as_ada().lock_account(LockAccountRequest { account_id: grace }).await.unwrap();
    }

    async fn staff_gives_partners_keys_and_the_gateway_alone_finds_them(database: Database) {
        let (folder, nats) = (scratch(), Nats::start_for_services());
        let running = start(folder.path(), &database, &nats).await;
        let mut operator = client(folder.path(), "operator", &running);
        let email = "staff@example.com".to_owned();
        let wanted = CreateStaffAccountRequest { email, password: PASSWORD.to_owned(), ..Default::default() };
        let staff = operator.create_staff_account(wanted).await.unwrap().into_inner().account.unwrap().account_id;
        let mut staff = by(folder.path(), &running, &staff, &["staff"]);
        let wanted = |scopes: &[&str]| CreatePartnerKeyRequest {
            partner_id: "acme".to_owned(),
            name: "warehouse".to_owned(),
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            expire_time: None,
        };
        let made = staff.create_partner_key(wanted(&["ordering.write", "ordering.read", "ordering.read"])).await;
        let made = made.unwrap().into_inner().partner_key.unwrap();
        assert_eq!(made.scopes, ["ordering.read", "ordering.write"]);
        operator.create_partner_key(wanted(&["ordering.read"])).await.unwrap();
        for scopes in [&[][..], &["ordering"], &["ordering.read", "identity.read"], &["catalog.write"], &["*"]] {
            let refused = staff.create_partner_key(wanted(scopes)).await.unwrap_err();
            assert_eq!(what(&refused), is(Code::InvalidArgument, "UNKNOWN_SCOPE", "scopes"), "{scopes:?}");
        }
        let odd = CreatePartnerKeyRequest { partner_id: "Acme".to_owned(), ..wanted(&["ordering.read"]) };
        let refused = staff.create_partner_key(odd).await.unwrap_err();
        assert_eq!(what(&refused), is(Code::InvalidArgument, "INVALID_PARTNER_ID", "partner_id"));

        let page = ListPartnerKeysRequest { page_size: 1, ..Default::default() };
        let first = operator.list_partner_keys(page).await.unwrap().into_inner();
        assert_eq!(first.partner_keys, std::slice::from_ref(&made));
        let page = ListPartnerKeysRequest { page_token: first.next_page_token, ..Default::default() };
        assert_eq!(operator.list_partner_keys(page).await.unwrap().into_inner().partner_keys.len(), 1);

        let mut customer = by(folder.path(), &running, "partner:acme", &[]);
        let refused = customer.create_partner_key(wanted(&["ordering.read"])).await.unwrap_err();
        assert_eq!(what(&refused).1, "ROLE_MISSING");
        let none = FindPartnerKeyRequest { digest: "none".to_owned() };
        assert_eq!(operator.find_partner_key(none.clone()).await.unwrap_err().code(), Code::PermissionDenied);
        let refused = client(folder.path(), "gateway", &running).find_partner_key(none).await.unwrap_err();
        assert_eq!(what(&refused), is(Code::NotFound, "KEY_UNKNOWN", "none"));
        let revoke = RevokePartnerKeyRequest { key_id: made.key_id.clone() };
        staff.revoke_partner_key(revoke.clone()).await.unwrap();
        let refused = staff.revoke_partner_key(revoke).await.unwrap_err();
        assert_eq!(what(&refused), is(Code::NotFound, "KEY_NOT_FOUND", &made.key_id));
    }

    async fn who_changes_a_password_stays_signed_in(database: Database) {
        let (folder, nats) = (scratch(), Nats::start_for_services());
        let running = start(folder.path(), &database, &nats).await;
        let mut operator = client(folder.path(), "operator", &running);
        let mut gateway = client(folder.path(), "gateway", &running);
        let email = "ada@example.com".to_owned();
        let wanted = CreateStaffAccountRequest { email: email.clone(), password: PASSWORD.to_owned(), ..Default::default() };
        operator.create_staff_account(wanted).await.unwrap();
        let mut sign_in = async || gateway.log_in(log_in(&email, PASSWORD)).await.unwrap().into_inner().tokens.unwrap();
        let (here, there) = (sign_in().await, sign_in().await);
        let change = ChangePasswordRequest {
            account_id: String::new(),
            current_password: PASSWORD.to_owned(),
            new_password: "another password".to_owned(),
        };
        let user = User { id: here.account_id, session: Some(here.session_id.clone()), ..User::default() };
        let own = channel(folder.path(), "gateway", "identity", running.grpc_addr()).speaking_for(Arc::new(user));
        let mut own = IdentityServiceClient::new(own);
        let listed = own.list_sessions(ListSessionsRequest::default()).await.unwrap().into_inner().sessions;
        let current: Vec<_> = listed.into_iter().filter(|session| session.current).collect();
        assert_eq!(current.into_iter().map(|session| session.session_id).collect::<Vec<_>>(), [here.session_id]);
        own.change_password(change).await.unwrap();
        gateway.refresh(RefreshRequest { refresh_token: here.refresh_token }).await.unwrap();
        let refused = gateway.refresh(RefreshRequest { refresh_token: there.refresh_token }).await.unwrap_err();
        assert_eq!(what(&refused).1, "REFRESH_TOKEN_INVALID");
    }

    async fn a_flood_of_sign_ins_is_turned_away_and_keeps_nobody_else_waiting(database: Database) {
        let (folder, nats) = (scratch(), Nats::start_for_services());
        let dear = |settings: Settings| settings.with("hash_memory", "8192").with("hash_threads", "1").with("hash_waiting", "8");
        let running = start_with(folder.path(), &database, &nats, dear).await;
        let gateway = client(folder.path(), "gateway", &running);
        let flood = (0..100).map(|number: u32| {
            let mut gateway = gateway.clone();
            tokio::spawn(async move {
                let guess = log_in(&format!("somebody-{number}@example.com"), "wrong horse battery");
                let mut request = Request::new(guess);
                let address = format!("10.0.{number}.1").parse().unwrap();
                request.metadata_mut().insert("tradewind-client-address", address);
                gateway.log_in(request).await.unwrap_err()
            })
        });
        let flood: Vec<_> = flood.collect();
        let mut operator = client(folder.path(), "operator", &running);
        let mut served = 0;
        while flood.iter().any(|one| !one.is_finished()) {
            operator.list_accounts(ListAccountsRequest::default()).await.unwrap();
            served += 1;
        }
        assert!(served > 0);
        let answers = futures::future::join_all(flood).await;
        let of = |code| answers.iter().filter(|answer| answer.as_ref().unwrap().code() == code).count();
        let (looked_at, turned_away) = (of(Code::Unauthenticated), of(Code::ResourceExhausted));
        assert!(looked_at > 0 && turned_away > 0 && looked_at + turned_away == 100, "{looked_at} {turned_away}");
    }

    async fn the_gateway_alone_is_believed_whom_it_calls_for(database: Database) {
        let (folder, nats) = (scratch(), Nats::start_for_services());
        let running = start(folder.path(), &database, &nats).await;
        let mut gateway = client(folder.path(), "gateway", &running);
        let mut operator = client(folder.path(), "operator", &running);
        let guess = || log_in("ada@example.com", "wrong horse battery");
        for _ in 0..10 {
            let refused = operator.log_in(from("198.51.100.1", guess())).await.unwrap_err();
            assert_eq!(refused.code(), Code::Unauthenticated);
        }
        // Whatever an operator says, all of these came from where it is.
        let refused = operator.log_in(from("203.0.113.1", guess())).await.unwrap_err();
        assert_eq!(what(&refused), is(Code::ResourceExhausted, "TOO_MANY_ATTEMPTS", ""));
        for address in ["198.51.100.1", "203.0.113.1", "2001:db8::1"] {
            let refused = gateway.log_in(from(address, guess())).await.unwrap_err();
            assert_eq!(refused.code(), Code::Unauthenticated, "{address}");
        }
    }
}
