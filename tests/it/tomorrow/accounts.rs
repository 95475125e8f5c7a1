//! What people are told about their accounts.

use contracts::tradewind::identity::v1::{
    ChangeEmailRequest, EmailChangeRequested, EraseAccountRequest, PasswordResetRequested, RequestEmailChangeRequest,
    RequestPasswordResetRequest, ResetPasswordRequest, SignUpRequest, VerificationRequested, VerifyEmailRequest,
};
use prost::{Message, Name};
use system_tests::PATIENCE;
use system_tests::shop::Shop;
use tradewind_testing::eventually;

const EMAIL: &str = "ada@example.com";
const OTHER: &str = "lovelace@example.com";

pub(super) async fn are_told_of(shop: &Shop) {
    let mut identity = shop.operator.identity();
    let wanted = SignUpRequest { email: EMAIL.to_owned(), password: password(1), ..SignUpRequest::default() };
    let verification_id = identity.sign_up(wanted.clone()).await.unwrap().into_inner().verification_id;
    let code = said(shop, |event: VerificationRequested| event.code).await;
    // A code that is entered before it is sent is not sent any more.
    are_sent(shop, EMAIL, 1).await;
    let entered = VerifyEmailRequest { verification_id, code };
    let account_id = identity.verify_email(entered).await.unwrap().into_inner().account_id;
    identity.sign_up(wanted).await.unwrap();

    let forgotten = RequestPasswordResetRequest { email: EMAIL.to_owned() };
    let reset_id = identity.request_password_reset(forgotten).await.unwrap().into_inner().reset_id;
    let code = said(shop, |event: PasswordResetRequested| event.code).await;
    are_sent(shop, EMAIL, 3).await;
    identity.reset_password(ResetPasswordRequest { reset_id, code, new_password: password(2) }).await.unwrap();

    let moves = RequestEmailChangeRequest {
        account_id: account_id.clone(),
        new_email: OTHER.to_owned(),
        password: password(2),
    };
    let change_id = identity.request_email_change(moves).await.unwrap().into_inner().change_id;
    let code = said(shop, |event: EmailChangeRequested| event.code).await;
    are_sent(shop, OTHER, 1).await;
    identity.change_email(ChangeEmailRequest { account_id: account_id.clone(), change_id, code }).await.unwrap();

    are_sent(shop, EMAIL, 5).await;

    // Whose account ends is forgotten by everybody.
    let erased = EraseAccountRequest { account_id, password: String::new() };
    identity.erase_account(erased).await.unwrap();
}

async fn are_sent(shop: &Shop, address: &str, letters: usize) {
    eventually(PATIENCE, "every letter is sent", async || {
        let mail = shop.outside.mail_to(address).await;
        if mail.len() == letters { Ok(()) } else { Err(mail) }
    })
    .await;
}

fn password(number: u8) -> String {
    format!("correct horse battery staple {number}")
}

/// What identity has said in an event of that type.
async fn said<E: Message + Name + Default>(shop: &Shop, what: impl Fn(E) -> String) -> String {
    eventually(PATIENCE, "identity has said it", async || {
        let log = shop.operator.log_of("identity").await;
        let event = log.iter().find(|event| event.r#type == E::full_name());
        event.map(|event| what(E::decode(event.payload.as_slice()).unwrap())).ok_or("it has not")
    })
    .await
}
