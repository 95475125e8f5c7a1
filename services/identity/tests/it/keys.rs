//! The keys that sign, and what they have signed.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use contracts::tradewind::identity::v1::Key;
use identity::seals::Seals;
use identity::store::signing_key;
use identity::tokens::{Algorithm, Issue, Tokens};
use sea_orm::EntityTrait;
use serde_json::{Value, json};
use tradewind_testing::{Database, both_stores};
use tradewind_tokens::{Issuer, Jwks, Verifier};

use crate::world::{ADA, DAY, ISSUER, PASSWORD, Ways, World};

/// What a token says.
pub(crate) fn claims(token: &str) -> Value {
    part(token, 1)
}

fn part(token: &str, number: usize) -> Value {
    serde_json::from_slice(&bytes(token.split('.').nth(number).unwrap())).unwrap()
}

fn bytes(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

/// Whether a token is one that the shop's services believe, which know these keys.
fn is_good(world: &World, token: &str, keys: &[Key]) -> bool {
    let jwk = |key: &Key| {
        let mut jwk =
            json!({ "kid": key.kid, "kty": key.kty, "crv": key.crv, "x": key.x, "alg": key.alg, "use": key.r#use });
        if !key.y.is_empty() {
            jwk["y"] = json!(key.y);
        }
        jwk
    };
    let set = json!({ "keys": keys.iter().map(jwk).collect::<Vec<_>>() });
    let issuer = Issuer {
        name: ISSUER.to_owned(),
        audience: "tradewind".to_owned(),
        kinds: vec!["at+jwt".to_owned()],
        algorithms: vec![tradewind_tokens::Algorithm::Ed25519, tradewind_tokens::Algorithm::Es256],
    };
    let verifier = Verifier::new([issuer]);
    assert!(verifier.keys(ISSUER, Jwks::parse(set.to_string().as_bytes()).unwrap()));
    let now = world.means.store.now().unix_timestamp();
    verifier.verify(token, now.try_into().unwrap()).is_ok()
}

both_stores! {
    async fn a_token_says_whom_it_is_for_and_is_signed_by_a_key_that_is_published(database: Database) {
        let world = World::open(&database).await;
        let id = world.account(ADA).await;
        let given = world.log_in(ADA, PASSWORD).await.unwrap();
        let keys = world.means.tokens.keys().await.unwrap();
        assert!(keys.len() == 1 && is_good(&world, &given.access_token, &keys), "{keys:?}");
        let head = part(&given.access_token, 0);
        assert_eq!((&head["typ"], &head["alg"]), (&json!("at+jwt"), &json!("Ed25519")));
        let said = claims(&given.access_token);
        assert_eq!((&said["iss"], &said["aud"]), (&json!(ISSUER), &json!("tradewind")));
        assert_eq!((&said["sub"], &said["sid"]), (&json!(id), &json!(given.session_id)));
        let (issued, expires) = (said["iat"].as_i64().unwrap(), said["exp"].as_i64().unwrap());
        assert_eq!((expires - issued, given.expire_time.unwrap().seconds), (600, expires));
        let again = world.refresh(&given.refresh_token).await.unwrap();
        assert_ne!(claims(&again.access_token)["jti"], said["jti"]);
    }

    async fn keys_follow_each_other_and_no_token_is_ever_without_its_key(database: Database) {
        let world = World::open(&database).await;
        world.account(ADA).await;
        let other = world.replica(&database, Ways::default()).await;
        let published = async || world.means.tokens.keys().await.unwrap();
        let kid = |token: &str| part(token, 0)["kid"].as_str().unwrap().to_owned();

        let first = kid(&world.log_in(ADA, PASSWORD).await.unwrap().access_token);
        world.pass(29 * DAY);
        let keys = published().await;
        assert_eq!(keys.len(), 2);
        assert_eq!(kid(&world.log_in(ADA, PASSWORD).await.unwrap().access_token), first);
        assert_eq!(keys, other.means.tokens.keys().await.unwrap());

        world.pass(DAY);
        let second = world.log_in(ADA, PASSWORD).await.unwrap().access_token;
        assert!(kid(&second) != first && is_good(&world, &second, &keys));
        assert_eq!(kid(&other.log_in(ADA, PASSWORD).await.unwrap().access_token), kid(&second));
        assert_eq!(published().await.len(), 2);
        world.pass(DAY);
        assert_eq!(published().await.into_iter().map(|key| key.kid).collect::<Vec<_>>(), [kid(&second)]);
    }

    async fn keys_that_somebody_may_have_seen_are_replaced_at_once(database: Database) {
        let world = World::open(&database).await;
        world.account(ADA).await;
        let other = world.replica(&database, Ways::default()).await;
        let before = world.log_in(ADA, PASSWORD).await.unwrap();
        other.means.tokens.keys().await.unwrap();
        let keys = world.means.tokens.replace().await.unwrap();
        assert!(keys.len() == 1 && !is_good(&world, &before.access_token, &keys), "{keys:?}");
        let after = world.refresh(&before.refresh_token).await.unwrap();
        assert!(is_good(&world, &after.access_token, &keys));
        world.pass(std::time::Duration::from_secs(60));
        assert_eq!(other.means.tokens.keys().await.unwrap(), keys);
    }

    async fn keys_that_are_replaced_by_many_at_once_are_replaced_by_each(database: Database) {
        let world = World::open(&database).await;
        let other = world.replica(&database, Ways::default()).await;
        world.means.tokens.keys().await.unwrap();
        let (one, two) = futures::join!(world.means.tokens.replace(), other.means.tokens.replace());
        assert!(one.is_ok() && two.is_ok(), "{one:?} {two:?}");
        world.pass(std::time::Duration::from_secs(60));
        let keys = world.means.tokens.keys().await.unwrap();
        assert_eq!(keys, other.means.tokens.keys().await.unwrap());
        let kept = signing_key::Entity::find().all(world.means.store.reader().pool()).await.unwrap();
        assert_eq!(kept.into_iter().map(|key| key.generation).collect::<Vec<_>>(), [3]);
    }

    async fn replicas_that_begin_together_have_one_key(database: Database) {
        let world = World::open(&database).await;
        let other = world.replica(&database, Ways::default()).await;
        let (one, two) = futures::join!(world.means.tokens.keys(), other.means.tokens.keys());
        assert_eq!(one.as_ref().unwrap().len(), 1);
        assert_eq!(one, two);
    }

    async fn private_keys_lie_sealed_where_there_is_a_key_for_that(database: Database) {
        let world = World::open(&database).await;
        let published = world.means.tokens.keys().await.unwrap();
        let kept = async || {
            let rows = signing_key::Entity::find().all(world.means.store.reader().pool()).await.unwrap();
            rows.into_iter().map(|row| row.pair.0).collect::<Vec<_>>()
        };
        assert!(kept().await[0].contains("PRIVATE KEY"), "as it is, where there is none");
        let tokens = |seals: &[u8]| {
            let seals: Vec<_> = seals.iter().map(|byte| STANDARD.encode([*byte; 32])).collect();
            let issue = Issue {
                issuer: ISSUER.to_owned(),
                lifetime: std::time::Duration::from_secs(600),
                algorithm: Algorithm::Ed25519,
                key_lifetime: 30 * DAY,
            };
            Tokens::new(world.means.store.clone(), issue).sealed_by(Seals::read(&seals.join(" ")).unwrap())
        };
        let known = async |seals: &[u8]| tokens(seals).keys().await.map_err(|error| error.reason);

        assert_eq!(known(&[1]).await, Ok(published.clone()), "it is the same key");
        let sealed = kept().await;
        assert!(sealed.len() == 1 && sealed[0].starts_with("sealed."), "and lies sealed from then on");
        assert!(known(&[2]).await.is_err() && known(&[]).await.is_err(), "without its key it cannot be read");
        world.pass(std::time::Duration::from_secs(60));
        assert_eq!(world.means.tokens.keys().await, Ok(published.clone()), "whoever has read it before goes on");
        assert_eq!(known(&[1, 2]).await, Ok(published.clone()));
        assert_eq!(kept().await, sealed, "what the first key has sealed stays");
        assert_eq!(known(&[2, 1]).await, Ok(published.clone()));
        assert_eq!(known(&[2]).await, Ok(published.clone()), "what a former one had is sealed anew");

        let replaced = tokens(&[3]).replace().await.unwrap();
        world.pass(std::time::Duration::from_secs(60));
        assert!(world.means.tokens.keys().await.is_err(), "what was replaced goes on nowhere");
        assert!(replaced.len() == 1 && replaced != published, "where it is lost, there is another");
        assert!(kept().await.iter().all(|pair| pair.starts_with("sealed.")));
        world.pass(29 * DAY);
        assert_eq!(known(&[3]).await.map(|keys| keys.len()), Ok(2));
        assert!(kept().await.iter().all(|pair| pair.starts_with("sealed.")), "what is made later as well");
    }

    async fn keys_may_be_of_p_256(database: Database) {
        let world = World::with(&database, Ways { algorithm: Algorithm::Es256, ..Ways::default() }).await;
        world.account(ADA).await;
        let given = world.log_in(ADA, PASSWORD).await.unwrap();
        let keys = world.means.tokens.keys().await.unwrap();
        assert_eq!((keys[0].alg.as_str(), part(&given.access_token, 0)["alg"].as_str().unwrap()), ("ES256", "ES256"));
        assert!(is_good(&world, &given.access_token, &keys));
    }
}
