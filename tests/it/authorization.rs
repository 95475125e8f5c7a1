//! Who may do what: every method of the contracts, by everybody, about everybody's things, in every way there is to ask.
//!
//! `docs/authorization.md` is made from the same rule; `UPDATE_GOLDEN=1` writes it anew.

mod request;
mod rule;
mod trial;
mod ways;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use contracts::tables::Method;
use contracts::tradewind::identity::v1::LockAccountRequest;
use futures::StreamExt;
use futures::stream;
use prost_reflect::DynamicMessage;
use serde_json::json;
use system_tests::PATIENCE;
use tonic::Code;
use tradewind_testing::{Database, eventually};

use self::rule::{Asking, Object, Outcome, outcome};
use self::trial::{LAST, Trial, declared, judged, trials};
use self::ways::{SignedIn, Way, Ways};
use self::world::{World, hired, signed_in};
use crate::programs::project;
use crate::shop::{Shop, in_a_shop};

/// Calls at a time.
const AT_ONCE: usize = 8;
/// What no valid request can be made of here: a code is known to whoever reads the mail.
const NEVER_DONE: [&str; 8] = [
    "VerifyEmail",
    "ResetPassword",
    "ChangeEmail",
    "EndSession",
    "RevokePartnerKey",
    // There is no provider, and no difference.
    "Reconcile",
    "ResolveDifference",
    "ResolveStockDifference",
];

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
        let by_staff = |trial: &Trial| trial.who == Asking::Staff;
        let erases = |trial: &Trial| trial.descriptor.name() == "EraseAccount";
        allowed.sort_by_key(|trial| (erases(trial), by_staff(trial), place(trial), trial.method.path, trial.who));
        let mut world = world;
        for same in allowed.chunk_by(|one, next| one.method.path == next.method.path && one.who == next.who) {
            if erases(&same[0]) && !by_staff(&same[0]) {
                // Staff has ended their sessions.
                world.sign_in_again(same[0].who).await;
            }
            let world = &world;
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
        let outside = contracts::CONTRACT
            .methods
            .iter()
            .filter(|method| outcome(method, Asking::Staff, Object::Unsaid) == Outcome::Answered);
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
fn a_token_is_good_for_nothing_once_its_session_is_over() {
    in_a_shop(Database::sqlite, async |shop: &mut Shop| {
        let ways = Ways::to(shop.open_the_door().await, shop.channels("gateway")).await;
        let account_id = hired(shop, "ada@example.com").await;
        let (left, refresh_token) = signed_in(&ways, "ada@example.com").await;
        let (stays, _) = signed_in(&ways, "ada@example.com").await;
        let profile = &declared()["/tradewind.identity.v1.IdentityService/GetProfile"];
        let asked = async |who: &SignedIn, way| {
            let answer = ways.ask(way, profile, &DynamicMessage::new(profile.input()), Some(who)).await.unwrap();
            (answer.code, answer.reason)
        };
        let through = [Way::Rest, Way::GrpcWeb, Way::Grpc];
        let ended = async |who: &SignedIn| {
            for way in through {
                eventually(PATIENCE, "the gateway has heard of it", async || {
                    let told = asked(who, way).await;
                    if told == (Code::Unauthenticated, "TOKEN_ENDED".to_owned()) { Ok(()) } else { Err(told) }
                })
                .await;
            }
        };
        for way in through {
            assert_eq!(asked(&left, way).await.0, Code::Ok);
        }
        ways.told("POST", "/v1/sessions:logOut", &json!({ "refreshToken": refresh_token })).await;
        ended(&left).await;
        assert_eq!(asked(&stays, Way::Rest).await.0, Code::Ok, "they are still signed in elsewhere");
        shop.operator.identity().lock_account(LockAccountRequest { account_id }).await.unwrap();
        ended(&stays).await;
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
