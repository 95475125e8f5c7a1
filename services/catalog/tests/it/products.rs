//! Products and their events, over both stores.

use catalog::app;
use catalog::domain::{Listing, Product};
use contracts::tradewind::catalog::v1::{CreateProductRequest, Product as ProductMessage};
use contracts::tradewind::money::v1::Money as MoneyMessage;
use futures::future::join_all;
use tokio_util::sync::{CancellationToken, DropGuard};
use tradewind_domain::{Money, request::RequestKey};
use tradewind_store::{Clock, Store, StoreOptions, StreamName};
use tradewind_testing::{Database, both_stores};

/// A catalogue without servers; on PostgreSQL its sequencer runs, for the tokens.
struct Catalogue {
    store: Store,
    _sequencing: DropGuard,
}

impl Catalogue {
    async fn open(database: &Database) -> Self {
        let store = Store::open(StoreOptions {
            url: database.url(),
            context: "catalog",
            migrations: catalog::store::migrations(),
            clock: Clock::system(),
            partitions: None,
        });
        let (store, stop) = (store.await.expect("the database opens"), CancellationToken::new());
        let (sequenced, stopped) = (store.clone(), stop.clone());
        tokio::spawn(async move { sequenced.sequence(stopped).await });
        Self { store, _sequencing: stop.drop_guard() }
    }

    async fn list(&self, product_id: &str) -> ProductMessage {
        app::create_product(&self.store, None, &listing(product_id)).await.unwrap().product.unwrap()
    }

    async fn get(&self, product_id: &str) -> ProductMessage {
        app::get_product(&self.store, product_id).await.unwrap().product.unwrap()
    }

    async fn events(&self, product_id: &str) -> Vec<String> {
        let history = self.store.history(&StreamName::of::<Product>(product_id)).await.unwrap();
        history.into_iter().map(|event| event.type_name.rsplit('.').next().unwrap_or_default().to_owned()).collect()
    }
}

fn listing(product_id: &str) -> Listing {
    Listing {
        product_id: product_id.to_owned(),
        sku: format!("SKU-{product_id}"),
        name: "Assam".to_owned(),
        description: "Malty.".to_owned(),
        price: gbp(450),
    }
}

fn gbp(minor: i64) -> Money {
    Money::new("GBP", minor).unwrap()
}

/// The key of a creating request with this id and product.
fn key(request_id: &str, product_id: &str) -> RequestKey {
    let product = Some(ProductMessage { product_id: product_id.to_owned(), ..ProductMessage::default() });
    let request = CreateProductRequest { request_id: request_id.to_owned(), product };
    RequestKey::new("operator", "CreateProduct", request_id, &request, &request).unwrap().unwrap()
}

both_stores! {
    async fn a_product_is_kept_as_it_was_listed(database: Database) {
        let catalogue = Catalogue::open(&database).await;
        let created = app::create_product(&catalogue.store, None, &listing("assam")).await.unwrap();
        let product = created.product.unwrap();

        assert!(created.position.starts_with("catalog:"), "{}", created.position);
        assert_eq!(catalogue.get("assam").await, product);
        assert_eq!((product.sku.as_str(), product.description.as_str()), ("SKU-assam", "Malty."));
        assert_eq!(product.price, Some(MoneyMessage { currency: "GBP".to_owned(), minor: 450 }));
        assert!(!product.retired && product.create_time.is_some() && product.create_time == product.update_time);
        assert_eq!(catalogue.events("assam").await, ["ProductListed"]);
        assert_eq!(app::get_product(&catalogue.store, "darjeeling").await.unwrap_err().reason, "PRODUCT_NOT_FOUND");
    }

    async fn an_id_is_taken_once_however_many_ask(database: Database) {
        let catalogue = Catalogue::open(&database).await;
        let asking = (0..8).map(|_| {
            let store = catalogue.store.clone();
            tokio::spawn(async move { app::create_product(&store, None, &listing("assam")).await })
        });
        let answers = join_all(asking.collect::<Vec<_>>()).await;
        let refused: Vec<_> = answers.into_iter().filter_map(|answer| answer.unwrap().err()).collect();
        assert_eq!(refused.len(), 7);
        assert!(refused.iter().all(|error| error.reason == "PRODUCT_EXISTS"), "{refused:?}");
        assert_eq!(catalogue.events("assam").await, ["ProductListed"]);
    }

    async fn a_repeated_request_lists_once(database: Database) {
        let catalogue = Catalogue::open(&database).await;
        let store = &catalogue.store;
        let first = app::create_product(store, Some(&key("r-1", "assam")), &listing("assam")).await.unwrap();
        let again = app::create_product(store, Some(&key("r-1", "assam")), &listing("assam")).await.unwrap();

        assert_eq!(again.product, first.product);
        assert_eq!(catalogue.events("assam").await, ["ProductListed"]);
        let other = app::create_product(store, Some(&key("r-1", "ceylon")), &listing("ceylon")).await;
        assert_eq!(other.unwrap_err().reason, "REQUEST_ID_REUSED");
        let refused = app::create_product(store, Some(&key("r-2", "assam")), &listing("assam")).await;
        assert_eq!(refused.unwrap_err().reason, "PRODUCT_EXISTS");
    }

    async fn prices_change_in_their_currency_until_the_product_is_retired(database: Database) {
        let catalogue = Catalogue::open(&database).await;
        let store = &catalogue.store;
        let listed = catalogue.list("assam").await;
        let repriced = app::reprice_product(store, None, "assam", gbp(500)).await.unwrap().product.unwrap();
        assert_eq!(repriced.price.as_ref().map(|price| price.minor), Some(500));
        assert_eq!((&repriced.description, &repriced.create_time), (&listed.description, &listed.create_time));
        assert_eq!(app::reprice_product(store, None, "assam", gbp(500)).await.unwrap().product, Some(repriced.clone()));
        let euro = Money::new("EUR", 500).unwrap();
        assert_eq!(app::reprice_product(store, None, "assam", euro).await.unwrap_err().reason, "CURRENCY_CHANGED");
        assert_eq!(app::reprice_product(store, None, "ceylon", euro).await.unwrap_err().reason, "PRODUCT_NOT_FOUND");
        assert_eq!(catalogue.get("assam").await, repriced);

        let retired = app::retire_product(store, None, "assam").await.unwrap().product.unwrap();
        assert!(retired.retired);
        assert_eq!(app::retire_product(store, None, "assam").await.unwrap().product, Some(retired));
        assert_eq!(app::reprice_product(store, None, "assam", gbp(1)).await.unwrap_err().reason, "PRODUCT_RETIRED");
        assert_eq!(app::retire_product(store, None, "ceylon").await.unwrap_err().reason, "PRODUCT_NOT_FOUND");
        assert_eq!(catalogue.events("assam").await, ["ProductListed", "ProductRepriced", "ProductRetired"]);
    }

    async fn products_come_in_pages_by_id(database: Database) {
        let catalogue = Catalogue::open(&database).await;
        for id in ["b", "a-1", "a", "1", "c"] {
            catalogue.list(id).await;
        }
        let (mut seen, mut after) = (Vec::new(), String::new());
        for expected in [2, 2, 1] {
            let page = app::list_products(&catalogue.store, &after, 2).await.unwrap();
            assert_eq!(page.products.len(), expected);
            seen.extend(page.products.into_iter().map(|product| product.product_id));
            after = page.next_page_token;
        }
        assert_eq!((seen.join(" "), after), ("1 a a-1 b c".to_owned(), String::new()));
    }
}
