//! Who may do what: every method of the contracts, by everybody, about everybody's things, in every way there is to ask.
//!
//! `docs/authorization.md` is made from the same rule; `UPDATE_GOLDEN=1` writes it anew.

mod request;
mod rule;
mod ways;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use contracts::tables::Method;
use contracts::tradewind::identity::v1::{
    CreateStaffAccountRequest, ListAccountsRequest, ListSessionsRequest, RevokeRoleRequest, Role, VerificationRequested,
};
use contracts::tradewind::ordering::v1::PlaceOrderRequest;
use futures::StreamExt;
use futures::future::join_all;
use futures::stream;
use prost::Message;
use prost_reflect::{DescriptorPool, MethodDescriptor};
use serde_json::{Value, json};
use supervisor::services;
use tonic::Code;
use tradewind_mesh::User;
use tradewind_testing::{Database, eventually};

use self::request::{Means, Things};
use self::rule::{Asking, Object, Outcome, outcome};
use self::ways::{Answer, SignedIn, Way, Ways};
use crate::programs::project;
use crate::shop::{Shop, in_a_shop};
use system_tests::PATIENCE;

const PASSWORD: &str = "correct horse battery staple";
const VERIFICATION: &str = "tradewind.identity.v1.VerificationRequested";
/// Calls at a time.
const AT_ONCE: usize = 8;
/// What no valid request can be made of here: a code is known to whoever reads the mail.
const NEVER_DONE: [&str; 5] = ["VerifyEmail", "ResetPassword", "ChangeEmail", "EndSession", "RevokePartnerKey"];
/// What leaves less to ask about, in the order in which it may be done.
const LAST: [&str; 6] =
    ["RetireProduct", "DispatchShipment", "DeliverShipment", "LockAccount", "UnlockAccount", "EraseAccount"];

/// One call.
#[derive(Clone)]
struct Trial {
    method: &'static Method,
    descriptor: MethodDescriptor,
    who: Asking,
    object: Object,
    way: Way,
    expected: Outcome,
}

impl Trial {
    fn name(&self) -> String {
        format!("{} by {:?} of {:?} over {:?}", self.method.path, self.who, self.object, self.way)
    }
}

fn pool() -> DescriptorPool {
    DescriptorPool::decode(contracts::DESCRIPTOR).unwrap()
}

/// Every method that is declared, by path.
fn declared() -> BTreeMap<String, MethodDescriptor> {
    let path = |method: &MethodDescriptor| format!("/{}/{}", method.parent_service().full_name(), method.name());
    pool()
        .services()
        .flat_map(|service| service.methods().collect::<Vec<_>>())
        .map(|each| (path(&each), each))
        .collect()
}

/// Every cell of the table.
fn trials() -> Vec<Trial> {
    let declared = declared();
    let methods: BTreeSet<&str> = contracts::CONTRACT.methods.iter().map(|method| method.path).collect();
    assert_eq!(methods, declared.keys().map(String::as_str).collect(), "no row is missing");
    let mut trials = Vec::new();
    for method in contracts::CONTRACT.methods {
        let descriptor = &declared[method.path];
        for who in Asking::ALL {
            for object in objects(method, descriptor) {
                let expected = outcome(method.audience, method.owner, who, object);
                trials.extend(Way::ALL.map(|way| Trial {
                    method,
                    descriptor: descriptor.clone(),
                    who,
                    object,
                    way,
                    expected,
                }));
            }
        }
    }
    trials
}

fn objects(method: &Method, descriptor: &MethodDescriptor) -> Vec<Object> {
    let mut all = Vec::new();
    if request::names(descriptor) {
        all.extend([Object::Customers, Object::Anothers, Object::Missing]);
    }
    if all.is_empty() || method.owner.is_some_and(|owner| !owner.is_object) {
        all.push(Object::Unsaid);
    }
    all
}

/// The shop, with people in it and what is theirs.
struct World {
    ways: Ways,
    means: Means,
    people: BTreeMap<Asking, SignedIn>,
    things: BTreeMap<Object, Things>,
}

impl World {
    async fn open(shop: &mut Shop) -> Self {
        let gateway = shop.open_the_door().await;
        let accounts = shop.operator.identity().list_accounts(ListAccountsRequest::default()).await.unwrap();
        assert_eq!(accounts.into_inner().accounts, [], "there is nobody whom nobody has made");
        let ways = Ways::to(gateway, shop.channels("gateway")).await;
        let tea = shop.offer("tea", 450, 1_000).await;
        shop.offer("cup", 300, 10).await;
        let mut people = BTreeMap::new();
        let mut things = BTreeMap::from([(Object::Missing, Things::missing())]);
        for (who, object) in [(Asking::Customer, Object::Customers), (Asking::Another, Object::Anothers)] {
            let account = signed_up(shop, &ways, &format!("{who:?}@example.com")).await;
            let mut orders = Vec::new();
            for _ in 0..2 {
                let order = PlaceOrderRequest { customer_id: account.clone(), ..tea.order(1) };
                orders.push(shop.operator.place(order).await.order_id);
            }
            for order in &orders {
                shop.operator.settled(order).await;
                shop.operator.cleared(order).await;
            }
            let [order, spare] = orders.try_into().unwrap();
            things.insert(object, Things { account, order, spare });
            people.insert(who, signed_in(&ways, &format!("{who:?}@example.com")).await.0);
        }
        for who in [Asking::Former, Asking::Staff] {
            let email = format!("{who:?}@example.com");
            let account = hired(shop, &email).await;
            if who == Asking::Former {
                let role = RevokeRoleRequest { account_id: account, role: Role::Staff.into() };
                shop.operator.identity().revoke_role(role).await.unwrap();
            }
            people.insert(who, signed_in(&ways, &email).await.0);
        }
        let email = "someone@example.com".to_owned();
        hired(shop, &email).await;
        let refresh_token = signed_in(&ways, &email).await.1;
        let means =
            Means { product: "tea".into(), changing: "cup".into(), email, password: PASSWORD.into(), refresh_token };
        Self { ways, means, people, things }
    }

    async fn ask(&self, trial: &Trial) -> Option<Answer> {
        let request = request::request(&trial.descriptor, &self.means, self.things.get(&trial.object));
        self.ways.ask(trial.way, &trial.descriptor, &request, self.people.get(&trial.who)).await
    }

    /// All that a call could have changed.
    async fn state(&self, shop: &Shop) -> Vec<String> {
        // Notification only follows what others say, and may not have heard of all of it yet.
        let logs = services::names().into_iter().filter(|name| *name != "notification");
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

async fn hired(shop: &Shop, email: &str) -> String {
    let account = CreateStaffAccountRequest { email: email.into(), password: PASSWORD.into(), ..Default::default() };
    let made = shop.operator.identity().create_staff_account(account).await.unwrap().into_inner();
    made.account.unwrap().account_id
}

/// Whoever has signed in, and their refresh token.
async fn signed_in(ways: &Ways, email: &str) -> (SignedIn, String) {
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

/// Whether `answer` is what the table says; why not, where it isn't.
fn judged(trial: &Trial, answer: &Answer) -> Result<(), String> {
    let inside = trial.way == Way::Inside;
    let for_gateway = trial.method.callers.contains(&"gateway");
    let (code, reason, http) = match trial.expected {
        // The gateway calls it for itself.
        Outcome::Absent if inside && for_gateway && trial.who == Asking::Nobody => return answered(trial, answer),
        Outcome::Absent if inside && for_gateway => (Code::PermissionDenied, "NOT_FOR_PEOPLE", 403),
        Outcome::Absent if inside => (Code::PermissionDenied, "CALLER_NOT_ALLOWED", 403),
        Outcome::Absent if trial.way == Way::Rest => (Code::NotFound, "NO_ROUTE", 404),
        Outcome::Absent => (Code::Unimplemented, "METHOD_UNKNOWN", 501),
        Outcome::NotSignedIn => (Code::Unauthenticated, "NOT_SIGNED_IN", 401),
        Outcome::RoleMissing => (Code::PermissionDenied, "ROLE_MISSING", 403),
        Outcome::NotYours => (Code::PermissionDenied, "OTHER_CUSTOMER", 403),
        Outcome::AsMissing => (Code::NotFound, "ORDER_NOT_FOUND", 404),
        Outcome::Answered => return answered(trial, answer),
    };
    let told = answer.code == code && answer.reason == reason && answer.http.is_none_or(|told| told == http);
    if told { Ok(()) } else { Err(format!("{}: {:?} is expected: {answer:?}", trial.name(), trial.expected)) }
}

/// The service itself has spoken; of what belongs to whoever asks, it does not say that it is not there.
fn answered(trial: &Trial, answer: &Answer) -> Result<(), String> {
    let own = matches!(
        (trial.who, trial.object),
        (Asking::Customer, Object::Customers) | (Asking::Another, Object::Anothers)
    );
    let hidden = own
        && answer.code == Code::NotFound
        && !LAST.contains(&trial.descriptor.name())
        && trial.descriptor.name() != "EndSession";
    let broken = [Code::Internal, Code::Unknown, Code::Unimplemented, Code::Unavailable].contains(&answer.code);
    let by_service = answer.code == Code::Ok || answer.domain == "tradewind";
    if by_service && !hidden && !broken {
        return Ok(());
    }
    Err(format!("{}: the service is expected to answer: {answer:?}", trial.name()))
}

#[test]
fn everybody_may_do_what_the_contracts_say_and_nothing_else() {
    in_a_shop(Database::sqlite, async |shop: &mut Shop| {
        let world = World::open(shop).await;
        let (allowed, refused): (Vec<_>, Vec<_>) =
            trials().into_iter().partition(|trial| trial.expected == Outcome::Answered);
        let (mut wrong, mut unsayable) = (Vec::new(), BTreeSet::new());

        let before = world.state(shop).await;
        let asked = stream::iter(refused).map(async |trial| (world.ask(&trial).await, trial));
        let answers: Vec<_> = asked.buffer_unordered(AT_ONCE).collect().await;
        assert_eq!(world.state(shop).await, before, "what was refused has changed nothing");
        let mut alike: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (answer, trial) in answers {
            let Some(answer) = answer else {
                unsayable.insert(trial.method.path);
                continue;
            };
            wrong.extend(judged(&trial, &answer).err());
            let plain = world.things.get(&trial.object).map_or(answer.whole.clone(), |it| it.plain(&answer.whole));
            alike.entry((trial.method.path, trial.who, trial.way)).or_default().push(plain);
        }
        for (what, told) in alike {
            let apart = told.iter().find(|each| **each != told[0]);
            wrong.extend(
                apart.map(|other| format!("{what:?}: what is there can be told from what is not: {told:?} {other}")),
            );
        }

        let mut done = BTreeSet::new();
        let mut allowed = allowed;
        let place =
            |trial: &Trial| LAST.iter().position(|name| *name == trial.descriptor.name()).map_or(0, |at| at + 1);
        allowed.sort_by_key(|trial| (place(trial), trial.method.path, trial.who));
        for same in allowed.chunk_by(|one, next| one.method.path == next.method.path && one.who == next.who) {
            let asked = stream::iter(same).map(async |trial| (world.ask(trial).await, trial));
            for (answer, trial) in asked.buffered(AT_ONCE).collect::<Vec<_>>().await {
                let Some(answer) = answer else {
                    unsayable.insert(trial.method.path);
                    continue;
                };
                wrong.extend(judged(trial, &answer).err());
                if answer.code == Code::Ok {
                    done.insert(trial.descriptor.name().to_owned());
                }
            }
        }
        assert!(wrong.is_empty(), "{} are wrong: {wrong:#?}", wrong.len());
        let outside = contracts::CONTRACT.methods.iter().filter(|method| {
            outcome(method.audience, method.owner, Asking::Staff, Object::Unsaid) == Outcome::Answered
        });
        let never: Vec<_> = outside
            .map(|method| method.path.rsplit('/').next().unwrap())
            .filter(|name| !done.contains(*name) && !NEVER_DONE.contains(name))
            .collect();
        assert!(never.is_empty(), "nobody has done {never:?}: the requests are not as they should be");
        // Only what stands in a path cannot be left out of it.
        let paths = BTreeSet::from([
            "ChangeEmail",
            "ChangePassword",
            "EndSession",
            "EraseAccount",
            "ListSessions",
            "RequestEmailChange",
        ]);
        assert_eq!(unsayable.iter().map(|path| path.rsplit('/').next().unwrap()).collect::<BTreeSet<_>>(), paths);
    });
}

#[test]
fn the_document_says_who_may_do_what() {
    let declared = declared();
    let route = |method: &Method| {
        let routes =
            request::routes(&declared[method.path]).into_iter().map(|(verb, path, _)| format!("`{verb} {path}`"));
        routes.collect::<Vec<_>>().join(", ")
    };
    let text = rule::document(contracts::CONTRACT.methods.iter().map(|method| (method, route(method))));
    let path = project("docs").join("authorization.md");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, text).unwrap();
    } else {
        assert_eq!(std::fs::read_to_string(path).unwrap(), text);
    }
}
