//! The shop, with people who ask, and what is theirs.

use std::collections::BTreeMap;
use std::sync::Arc;

use contracts::tradewind::identity::v1::{
    CreatePartnerKeyRequest, CreateStaffAccountRequest, ListAccountsRequest, ListSessionsRequest, RevokeRoleRequest,
    Role, VerificationRequested,
};
use contracts::tradewind::notification::v1::CreateWebhookEndpointRequest;
use contracts::tradewind::ordering::v1::PlaceOrderRequest;
use futures::future::join_all;
use prost::Message;
use serde_json::{Value, json};
use supervisor::services;
use system_tests::PATIENCE;
use system_tests::offer::Offer;
use tradewind_mesh::User;
use tradewind_testing::eventually;

use super::request::{self, Means, Things};
use super::rule::{Asking, Object, SCOPES};
use super::trial::Trial;
use super::ways::{Answer, SignedIn, Ways};
use crate::shop::Shop;

const PASSWORD: &str = "correct horse battery staple";
const VERIFICATION: &str = "tradewind.identity.v1.VerificationRequested";

/// The shop, with people in it and what is theirs.
pub(super) struct World {
    ways: Ways,
    means: Means,
    people: BTreeMap<Asking, SignedIn>,
    pub(super) things: BTreeMap<Object, Things>,
}

impl World {
    /// Returns when everything is as it is to be.
    pub(super) async fn open(shop: &mut Shop) -> Self {
        let gateway = shop.open_the_door().await;
        let accounts = shop.operator.identity().list_accounts(ListAccountsRequest::default()).await.unwrap();
        assert_eq!(accounts.into_inner().accounts, [], "there is nobody whom nobody has made");
        let ways = Ways::to(gateway, shop.channels("gateway")).await;
        let tea = shop.offer("tea", 450, 1_000).await;
        shop.offer("cup", 300, 10).await;
        let mut people = BTreeMap::new();
        let mut things = BTreeMap::from([(Object::Missing, Things::missing())]);
        for (who, object) in [(Asking::Customer, Object::Customers), (Asking::Another, Object::Anothers)] {
            let account = signed_up(shop, &ways, &email(who)).await;
            things.insert(object, ordered(shop, &tea, account).await);
            people.insert(who, signed_in(&ways, &email(who)).await.0);
        }
        for who in [Asking::Former, Asking::Staff] {
            let account = hired(shop, &email(who)).await;
            if who == Asking::Former {
                let role = RevokeRoleRequest { account_id: account, role: Role::Staff.into() };
                shop.operator.identity().revoke_role(role).await.unwrap();
            }
            people.insert(who, signed_in(&ways, &email(who)).await.0);
        }
        let (partner, account) = partner(shop).await;
        people.insert(Asking::Partner, partner);
        things.insert(Object::Partners, ordered(shop, &tea, account).await);
        let email = "someone@example.com".to_owned();
        hired(shop, &email).await;
        let refresh_token = signed_in(&ways, &email).await.1;
        let (endpoint, url) = hooked(shop).await;
        let (product, changing, password) = ("tea".into(), "cup".into(), PASSWORD.into());
        let means = Means { product, changing, email, password, refresh_token, endpoint, url };
        Self { ways, means, people, things }
    }

    /// Signs a customer in whose sessions were ended.
    pub(super) async fn sign_in_again(&mut self, who: Asking) {
        if [Asking::Customer, Asking::Another].contains(&who) {
            let (signed_in, _) = signed_in(&self.ways, &email(who)).await;
            self.people.insert(who, signed_in);
        }
    }

    /// Asks; nothing, where that cannot be said this way.
    pub(super) async fn ask(&self, trial: &Trial) -> Option<Answer> {
        let request = request::request(&trial.descriptor, &self.means, self.things.get(&trial.object));
        self.ways.ask(trial.way, &trial.descriptor, &request, self.people.get(&trial.who)).await
    }

    /// All that a call could have changed.
    pub(super) async fn state(&self, shop: &Shop) -> Vec<String> {
        // Who follows others, and is followed by nobody, may not have heard of all of it yet.
        let readers = services::readers();
        let logs = services::names().into_iter().filter(|name| !readers.contains(name) || services::is_followed(name));
        let logs = join_all(logs.map(async |name| format!("{name}: {:?}", shop.operator.log_heads(name).await)));
        let mut state = logs.await;
        let mut identity = shop.operator.identity();
        let accounts = identity.list_accounts(ListAccountsRequest::default()).await.unwrap().into_inner().accounts;
        for account in accounts {
            let request = ListSessionsRequest { account_id: account.account_id.clone() };
            let sessions = identity.list_sessions(request).await.unwrap().into_inner().sessions;
            state.push(format!(
                "{:?} {:?}",
                account.encode_to_vec(),
                sessions.iter().map(Message::encode_to_vec).collect::<Vec<_>>()
            ));
        }
        state.extend(shop.operator.orders().await.iter().map(|order| format!("{order:?}")));
        state.extend(shop.operator.stock().await.iter().map(|level| format!("{level:?}")));
        state
    }
}

fn email(who: Asking) -> String {
    format!("{who:?}@example.com")
}

/// What a customer has: an account, and two orders that are settled.
async fn ordered(shop: &Shop, tea: &Offer, account: String) -> Things {
    let mut orders = Vec::new();
    for _ in 0..2 {
        let order = PlaceOrderRequest { customer_id: account.clone(), ..tea.order(1) };
        orders.push(shop.operator.place(order).await.order_id);
    }
    for order in &orders {
        shop.operator.settled(order).await;
        shop.operator.cleared(order).await;
        shop.operator.invoiced(order).await;
    }
    let [order, spare] = orders.try_into().unwrap();
    Things { account, order, spare }
}

async fn signed_up(shop: &Shop, ways: &Ways, email: &str) -> String {
    let account = json!({ "email": email, "password": PASSWORD });
    let begun = ways.told("POST", "/v1/accounts", &account).await;
    let code = eventually(PATIENCE, "the code is sent", async || {
        let log = shop.operator.log_of("identity").await;
        let sent = log.iter().filter(|event| event.r#type == VERIFICATION);
        let mut sent = sent.map(|event| VerificationRequested::decode(event.payload.as_slice()).unwrap());
        let to = |sent: &VerificationRequested| sent.person.as_ref().is_some_and(|person| person.email == email);
        sent.find(to).map(|sent| sent.code).ok_or("there is none yet")
    })
    .await;
    let entered = json!({ "verificationId": begun["verificationId"], "code": code });
    text(&ways.told("POST", "/v1/accounts:verify", &entered).await["accountId"])
}

/// Makes an account for somebody of the staff.
pub(super) async fn hired(shop: &Shop, email: &str) -> String {
    let account = CreateStaffAccountRequest { email: email.into(), password: PASSWORD.into(), ..Default::default() };
    let made = shop.operator.identity().create_staff_account(account).await.unwrap().into_inner();
    made.account.unwrap().account_id
}

/// Where somebody is told of events by webhooks, and its URL.
async fn hooked(shop: &Shop) -> (String, String) {
    let url = "https://127.0.0.1:9/".to_owned();
    let wanted = CreateWebhookEndpointRequest {
        request_id: "hooked".to_owned(),
        url: url.clone(),
        event_types: vec!["tradewind.shipping.v1.ShipmentDelivered".to_owned()],
        ..CreateWebhookEndpointRequest::default()
    };
    let made = shop.operator.webhooks().create_webhook_endpoint(wanted).await.unwrap().into_inner();
    (made.endpoint.unwrap().endpoint_id, url)
}

/// A partner's program, and the customer that it is.
async fn partner(shop: &Shop) -> (SignedIn, String) {
    let scopes: Vec<String> = SCOPES.map(str::to_owned).into();
    let wanted = CreatePartnerKeyRequest {
        partner_id: "acme".to_owned(),
        name: "trial".to_owned(),
        scopes: scopes.clone(),
        ..CreatePartnerKeyRequest::default()
    };
    let token = shop.operator.identity().create_partner_key(wanted).await.unwrap().into_inner().key;
    let id = "partner:acme".to_owned();
    let user = Arc::new(User { id: id.clone(), scopes: Some(scopes), ..User::default() });
    (SignedIn { token, user }, id)
}

/// Whoever has signed in, and their refresh token.
pub(super) async fn signed_in(ways: &Ways, email: &str) -> (SignedIn, String) {
    let told = ways.told("POST", "/v1/sessions", &json!({ "email": email, "password": PASSWORD })).await;
    let tokens = &told["tokens"];
    let roles = if email.starts_with("Staff") { vec!["staff".to_owned()] } else { Vec::new() };
    let session = Some(text(&tokens["sessionId"]));
    let user = User { id: text(&tokens["accountId"]), roles, session, ..User::default() };
    let signed_in = SignedIn { token: text(&tokens["accessToken"]), user: Arc::new(user) };
    (signed_in, text(&tokens["refreshToken"]))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}
