//! Ordering and the stand-ins, started together.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, OnceLock},
    time::Duration,
};

use contracts::tradewind::{
    catalog::v1::{ProductListed, ProductRepriced, ProductRetired},
    money::v1::Money,
    ordering::v1::{
        Address, CancelOrderRequest, GetOrderRequest, Order, OrderLine, PlaceOrderRequest, Recipient,
        WatchOrderRequest, ordering_service_client::OrderingServiceClient,
    },
};
use tempfile::TempDir;
use tonic::Status;
use tradewind_events::Reactions;
use tradewind_mesh::{Channel, Channels, Identity, IdentityFiles, Policy, User, pki};
use tradewind_runtime::{NoSettings, Parts, Running, Service, Settings};
use tradewind_store::{Store, Tx};
use tradewind_testing::{Database, Nats, free_port, scratch};

use crate::participants::{PARTICIPANTS, SCARCE, Said, Saying};

pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// A shop that sells tea (GBP 3.00), coffee (EUR 5.00), something scarce and something old.
pub(crate) struct StandInShop {
    pub(crate) orders: OrderingServiceClient<Channel>,
    pub(crate) stranger: OrderingServiceClient<Channel>,
    stores: BTreeMap<&'static str, Store>,
    /// Token of the last thing the catalogue said.
    pub(crate) seen: String,
    running: Vec<Running>,
    databases: BTreeMap<&'static str, Database>,
    _nats: Nats,
    addresses: BTreeMap<String, String>,
    folder: TempDir,
}

impl StandInShop {
    /// Opens the shop with ordering on `database`.
    pub(crate) async fn open(database: Database) -> Self {
        let (folder, nats) = (scratch(), Nats::start_for_services());
        let names: Vec<&'static str> =
            PARTICIPANTS.iter().map(|(name, _)| *name).chain(["ordering", "operator", "gateway"]).collect();
        pki::init(folder.path(), &names, "tradewind.local").unwrap();
        let addresses: BTreeMap<String, String> =
            names.iter().map(|name| ((*name).to_owned(), format!("127.0.0.1:{}", free_port()))).collect();
        let settings = |name: &str, database: &Database| {
            let files = IdentityFiles::in_dir(folder.path(), name);
            let mut settings = Settings::in_process(files, database.url(), nats.url());
            settings.grpc_addr = addresses[name].parse().unwrap();
            settings.peers.clone_from(&addresses);
            settings
        };

        let (mut running, mut databases, mut stores) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        for (name, reactions) in PARTICIPANTS {
            let participant = Database::sqlite();
            let (service, store) = stand_in(name, reactions);
            running.push(service.start(settings(name, &participant)).await.unwrap());
            databases.insert(name, participant);
            stores.insert(name, store);
        }
        running.push(ordering::service().start(settings("ordering", &database)).await.unwrap());
        databases.insert("ordering", database);
        for service in &mut running {
            service.ready(DEADLINE).await.unwrap();
        }
        let mut shop = Self {
            orders: client(folder.path(), "operator", &addresses),
            stranger: client(folder.path(), "inventory", &addresses),
            stores: stores.into_iter().map(|(name, store)| (name, store.get().unwrap().clone())).collect(),
            seen: String::new(),
            running,
            databases,
            _nats: nats,
            addresses,
            folder,
        };
        shop.list("tea", "SKU-TEA", money("GBP", 300)).await;
        shop.list("coffee", "SKU-COFFEE", money("EUR", 500)).await;
        shop.list("scarce", SCARCE, money("GBP", 100)).await;
        shop.list("old", "SKU-OLD", money("GBP", 100)).await;
        shop.retire("old").await;
        shop
    }

    /// The database of a context, for another process of it.
    pub(crate) fn database_url(&self, context: &str) -> String {
        self.databases[context].url()
    }

    /// The orders as the customer of that id sees them, through the gateway.
    pub(crate) fn seen_by(&self, customer: &str) -> OrderingServiceClient<Channel> {
        let user = User { id: customer.to_owned(), ..User::default() };
        OrderingServiceClient::new(channel(self.folder.path(), "gateway", &self.addresses).speaking_for(Arc::new(user)))
    }

    /// What ordering tells under this name and these labels; all services and tests of this process tell together.
    pub(crate) async fn told(&self, series: &str) -> Option<u64> {
        let url = format!("http://{}/metrics", self.running[PARTICIPANTS.len()].admin_addr());
        let text = tradewind_runtime::direct().build().unwrap().get(url).send().await.unwrap().text().await.unwrap();
        text.lines().find_map(|line| line.strip_prefix(series)).map(|number| number.trim().parse().unwrap())
    }

    /// The same of what is there from the beginning.
    pub(crate) async fn counted(&self, series: &str) -> u64 {
        self.told(series).await.unwrap_or_else(|| panic!("there is no {series}"))
    }

    /// Ends everything in order.
    pub(crate) async fn close(mut self) {
        for service in &self.running {
            service.stop();
        }
        for service in &mut self.running {
            service.wait().await.unwrap();
        }
    }

    pub(crate) async fn list(&mut self, product_id: &str, sku: &str, price: Money) {
        let (id, sku) = (product_id.to_owned(), sku.to_owned());
        let listed = ProductListed { product_id: id, sku, name: product_id.to_owned(), price: Some(price) };
        self.seen = self.say("catalog", product_id, listed).await;
    }

    pub(crate) async fn reprice(&mut self, product_id: &str, price: Money) {
        let repriced = ProductRepriced { product_id: product_id.to_owned(), price: Some(price) };
        self.seen = self.say("catalog", product_id, repriced).await;
    }

    async fn retire(&mut self, product_id: &str) {
        let retired = ProductRetired { product_id: product_id.to_owned() };
        self.seen = self.say("catalog", product_id, retired).await;
    }

    /// Lets another context say something, and returns its position token.
    pub(crate) async fn say(&self, context: &str, id: &str, saying: impl Into<Saying>) -> String {
        let (store, saying) = (&self.stores[context], saying.into());
        let (_, committed) =
            store.transact(async |tx: &mut Tx| tx.execute::<Said>(id, saying.clone()).await).await.unwrap();
        store.token(&committed).await.unwrap()
    }

    /// A well-formed order of two packets of tea that sees everything the catalogue has said.
    pub(crate) fn request(&self, request_id: &str) -> PlaceOrderRequest {
        PlaceOrderRequest {
            request_id: request_id.to_owned(),
            customer_id: "c-1".to_owned(),
            recipient: Some(recipient()),
            lines: vec![line("tea", 2)],
            payment_token: "tok_ok".to_owned(),
            expected_total: None,
            after: vec![self.seen.clone()],
            settle_within: None,
            ..PlaceOrderRequest::default()
        }
    }

    pub(crate) async fn place(&self, request: PlaceOrderRequest) -> Result<Order, Status> {
        let placed = self.orders.clone().place_order(request).await?;
        Ok(placed.into_inner().order.unwrap())
    }

    pub(crate) async fn get(&self, order_id: &str) -> Order {
        let request = GetOrderRequest { order_id: order_id.to_owned(), as_of: None };
        self.orders.clone().get_order(request).await.unwrap().into_inner().order.unwrap()
    }

    pub(crate) async fn cancel(&self, order_id: &str) -> Result<Order, Status> {
        let request = CancelOrderRequest { order_id: order_id.to_owned() };
        Ok(self.orders.clone().cancel_order(request).await?.into_inner().order.unwrap())
    }

    /// Watches an order until the service says it is settled; everything that was shown.
    pub(crate) async fn watch(&self, order_id: &str) -> Vec<Order> {
        let request = WatchOrderRequest { order_id: order_id.to_owned() };
        let mut shown = self.orders.clone().watch_order(request).await.unwrap().into_inner();
        let mut orders = Vec::new();
        let watching = async {
            while let Some(response) = shown.message().await.unwrap() {
                orders.push(response.order.unwrap());
            }
        };
        let over = tokio::time::timeout(DEADLINE, watching).await;
        assert!(over.is_ok(), "not settled: {orders:?}");
        orders
    }
}

fn stand_in(name: &'static str, reactions: fn() -> Reactions) -> (Service, Arc<OnceLock<Store>>) {
    let store = Arc::new(OnceLock::new());
    let kept = Arc::clone(&store);
    let service = Service::new(name, Vec::new, move |kit, _: NoSettings| {
        assert!(kept.set(kit.store).is_ok(), "a stand-in is started once");
        Ok(Parts::new().reactions(reactions()))
    });
    (service, store)
}

fn client(folder: &Path, who: &str, addresses: &BTreeMap<String, String>) -> OrderingServiceClient<Channel> {
    OrderingServiceClient::new(channel(folder, who, addresses))
}

fn channel(folder: &Path, who: &str, addresses: &BTreeMap<String, String>) -> Channel {
    let identity = Identity::load(IdentityFiles::in_dir(folder, who)).unwrap();
    let policy = Policy::new(&contracts::CONTRACT);
    Channels::new(identity, policy, addresses.clone()).to("ordering").unwrap()
}

pub(crate) fn money(currency: &str, minor: i64) -> Money {
    Money { currency: currency.to_owned(), minor }
}

pub(crate) fn line(product_id: &str, quantity: i32) -> OrderLine {
    OrderLine { product_id: product_id.to_owned(), quantity }
}

pub(crate) fn recipient() -> Recipient {
    Recipient {
        name: "Ada".to_owned(),
        email: "ada@example.org".to_owned(),
        address: Some(Address {
            line1: "1 Quay".to_owned(),
            city: "Leith".to_owned(),
            postal_code: "EH6".to_owned(),
            country: "GB".to_owned(),
        }),
    }
}
