//! Keys of partners: made, shown once, found, and revoked.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use contracts::tradewind::identity::v1::{CreatePartnerKeyResponse, FindPartnerKeyResponse, PartnerKey};
use identity::app::{self, NewKey};
use identity::domain::Role;
use identity::store::partner_key;
use sea_orm::EntityTrait;
use sha2::{Digest, Sha256};
use tradewind_domain::Error;
use tradewind_testing::{Database, both_stores};

use crate::world::{ADA, World};

const HOUR: Duration = Duration::from_secs(3_600);

fn wanted(partner_id: &str) -> NewKey {
    let scopes = vec!["ordering.read".to_owned(), "ordering.write".to_owned()];
    NewKey { partner_id: partner_id.to_owned(), name: "warehouse".to_owned(), scopes, expires: None }
}

async fn create(world: &World, wanted: NewKey) -> CreatePartnerKeyResponse {
    app::create_partner_key(&world.means, wanted, None).await.unwrap()
}

async fn find(world: &World, key: &str) -> Result<FindPartnerKeyResponse, Error> {
    app::find_partner_key(&world.means, &URL_SAFE_NO_PAD.encode(Sha256::digest(key))).await
}

async fn listed(world: &World, partner_id: Option<&str>) -> Vec<PartnerKey> {
    app::list_partner_keys(&world.means, "", partner_id, 100).await.unwrap().partner_keys
}

fn reason<T: std::fmt::Debug>(refused: Result<T, Error>) -> &'static str {
    refused.unwrap_err().reason
}

both_stores! {
    async fn a_key_is_shown_once_and_good_until_it_is_revoked(database: Database) {
        let world = World::open(&database).await;
        let CreatePartnerKeyResponse { partner_key: made, key } = create(&world, wanted("acme")).await;
        let made = made.unwrap();
        let secret = key.strip_prefix(&format!("twk_{}_", made.key_id.replace('-', ""))).unwrap();
        assert_eq!(secret.len(), 43, "{key}");
        let other = create(&world, wanted("globex")).await;

        let found = find(&world, &key).await.unwrap();
        assert_eq!((found.key_id.as_str(), found.customer_id.as_str()), (made.key_id.as_str(), "partner:acme"));
        assert_eq!(found.scopes, ["ordering.read", "ordering.write"]);
        let refused = [secret.to_owned(), format!("{key}a"), String::new()];
        for none in refused {
            assert_eq!(reason(find(&world, &none).await), "KEY_UNKNOWN", "{none}");
        }
        let rows = partner_key::Entity::find().all(world.means.store.command_reader()).await.unwrap();
        assert!(rows.iter().all(|row| !row.digest.0.contains(secret) && !format!("{row:?}").contains(&row.digest.0)));
        let names = |keys: Vec<PartnerKey>| keys.into_iter().map(|key| key.partner_id).collect::<Vec<_>>();
        assert_eq!(names(listed(&world, None).await), ["acme", "globex"]);
        assert_eq!(names(listed(&world, Some("globex")).await), ["globex"]);

        app::revoke_partner_key(&world.means, &made.key_id, None).await.unwrap();
        assert_eq!(reason(find(&world, &key).await), "KEY_UNKNOWN");
        assert_eq!(reason(app::revoke_partner_key(&world.means, &made.key_id, None).await), "KEY_NOT_FOUND");
        assert!(find(&world, &other.key).await.is_ok());
        let stream = format!("partner_key-{}", made.key_id).into();
        let history = world.means.store.history(&stream).await.unwrap();
        let history: Vec<_> = history.iter().map(|event| event.type_name.rsplit('.').next().unwrap()).collect();
        assert_eq!(history, ["PartnerKeyCreated", "PartnerKeyRevoked"]);
    }

    async fn a_key_is_good_until_its_end(database: Database) {
        let world = World::open(&database).await;
        let expires = Some(world.means.store.now() + HOUR);
        let made = create(&world, NewKey { expires, ..wanted("acme") }).await;
        assert_eq!(find(&world, &made.key).await.unwrap().expire_time, made.partner_key.unwrap().expire_time);
        world.pass(HOUR);
        assert_eq!(reason(find(&world, &made.key).await), "KEY_UNKNOWN");
        assert_eq!(listed(&world, None).await.len(), 1, "staff still sees it");
        let refused = app::create_partner_key(&world.means, NewKey { expires, ..wanted("acme") }, None).await;
        assert_eq!(reason(refused), "INVALID_EXPIRE_TIME");
    }

    async fn when_a_key_was_used_is_known_to_the_hour(database: Database) {
        let world = World::open(&database).await;
        let key = create(&world, wanted("acme")).await.key;
        let used = async || listed(&world, None).await[0].use_time.map(|time| time.seconds);
        assert_eq!(used().await, None);
        let start = world.means.store.now().unix_timestamp();
        for (passed, seen) in [(0, 0), (3_599, 0), (1, 3_600)] {
            world.pass(Duration::from_secs(passed));
            find(&world, &key).await.unwrap();
            assert_eq!(used().await, Some(start + seen));
        }
    }

    async fn a_partner_has_so_many_keys_and_no_more(database: Database) {
        let world = World::open(&database).await;
        for _ in 0..16 {
            create(&world, wanted("acme")).await;
        }
        assert_eq!(reason(app::create_partner_key(&world.means, wanted("acme"), None).await), "TOO_MANY_KEYS");
        create(&world, wanted("globex")).await;
        let first = listed(&world, Some("acme")).await.remove(0).key_id;
        app::revoke_partner_key(&world.means, &first, None).await.unwrap();
        create(&world, wanted("acme")).await;
    }

    async fn who_is_not_staff_any_more_makes_and_revokes_no_key(database: Database) {
        let world = World::open(&database).await;
        let id = world.account(ADA).await;
        let by = Some(id.as_str());
        app::grant_role(&world.means, &id, Role::Staff, None).await.unwrap();
        let made = app::create_partner_key(&world.means, wanted("acme"), by).await.unwrap().partner_key.unwrap();
        app::revoke_role(&world.means, &id, Role::Staff, None).await.unwrap();
        assert_eq!(reason(app::create_partner_key(&world.means, wanted("acme"), by).await), "ROLE_MISSING");
        assert_eq!(reason(app::revoke_partner_key(&world.means, &made.key_id, by).await), "ROLE_MISSING");
        assert_eq!(listed(&world, None).await.len(), 1);
    }
}
