//! The services as a client sees them: one connection each, over mTLS.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use contracts::tradewind::analytics::v1::flow_service_client::FlowServiceClient;
use contracts::tradewind::analytics::v1::sales_service_client::SalesServiceClient;
use contracts::tradewind::catalog::v1::catalog_service_client::CatalogServiceClient;
use contracts::tradewind::consumer::v1::consumer_service_client::ConsumerServiceClient;
use contracts::tradewind::documents::v1::document_service_client::DocumentServiceClient;
use contracts::tradewind::eventlog::v1::event_log_service_client::EventLogServiceClient;
use contracts::tradewind::identity::v1::identity_service_client::IdentityServiceClient;
use contracts::tradewind::inventory::v1::inventory_service_client::InventoryServiceClient;
use contracts::tradewind::inventory::v1::movement_service_client::MovementServiceClient;
use contracts::tradewind::mesh::v1::mesh_service_client::MeshServiceClient;
use contracts::tradewind::notification::v1::notification_service_client::NotificationServiceClient;
use contracts::tradewind::ordering::v1::ordering_service_client::OrderingServiceClient;
use contracts::tradewind::payment::v1::ledger_service_client::LedgerServiceClient;
use contracts::tradewind::shipping::v1::shipping_service_client::ShippingServiceClient;
use tradewind_mesh::{Channel, Channels, Identity, IdentityFiles, Policy, User};

/// Clients of every service, calling as one workload.
#[derive(Clone)]
pub struct Clients {
    channels: Channels,
    /// The names of the services that can be called.
    services: Arc<[String]>,
    /// For whom they call, if not for themselves.
    user: Option<Arc<User>>,
}

impl Clients {
    /// Clients that call as `identity`, whose certificate is in the folder `pki`, where every service of `peers` answers at its address.
    /// Nothing is connected yet.
    ///
    /// # Errors
    /// When the folder has no certificate of that name.
    pub fn new(pki: &Path, identity: &str, peers: BTreeMap<String, String>) -> Result<Self> {
        let files = IdentityFiles {
            ca: pki.join("ca.pem"),
            cert: pki.join(format!("{identity}.pem")),
            key: pki.join(format!("{identity}.key")),
        };
        let identity = Identity::load(files).with_context(|| {
            format!("no certificate of {identity:?} in {}; `tradewind pki init` makes them", pki.display())
        })?;
        let policy = Policy::new(&contracts::CONTRACT);
        Ok(Self::of(Channels::new(identity, policy, peers)))
    }

    /// Clients of every service that these channels know.
    #[must_use]
    pub fn of(channels: Channels) -> Self {
        let services = channels.services().map(str::to_owned).collect();
        Self { channels, services, user: None }
    }

    /// The names of the services that can be called.
    pub fn services(&self) -> impl Iterator<Item = &str> {
        self.services.iter().map(String::as_str)
    }

    /// The same clients for calls that are made for the customer of that id; services believe it of those at the edge alone.
    #[must_use]
    pub fn speaking_for(self, customer: &str) -> Self {
        self.for_user(Arc::new(User { id: customer.to_owned(), ..User::default() }))
    }

    /// The same for whoever has signed in.
    #[must_use]
    pub fn for_user(self, user: Arc<User>) -> Self {
        Self { user: Some(user), ..self }
    }

    fn to(&self, service: &str) -> Result<Channel> {
        let channel = self.channels.to(service)?;
        Ok(self.user.clone().map_or_else(|| channel.clone(), |user| channel.speaking_for(user)))
    }

    /// Channels to every service, which say for whom they call by themselves.
    #[must_use]
    pub const fn channels(&self) -> &Channels {
        &self.channels
    }

    /// Client of the catalogue.
    ///
    /// # Errors
    /// Where no address of it is known.
    pub fn catalog(&self) -> Result<CatalogServiceClient<Channel>> {
        Ok(CatalogServiceClient::new(self.to("catalog")?))
    }

    /// Client of ordering.
    ///
    /// # Errors
    /// Where no address of it is known.
    pub fn ordering(&self) -> Result<OrderingServiceClient<Channel>> {
        Ok(OrderingServiceClient::new(self.to("ordering")?))
    }

    /// Client of inventory.
    ///
    /// # Errors
    /// Where no address of it is known.
    pub fn inventory(&self) -> Result<InventoryServiceClient<Channel>> {
        Ok(InventoryServiceClient::new(self.to("inventory")?))
    }

    /// Client of what stock has done.
    ///
    /// # Errors
    /// Where no address of it is known.
    pub fn movements(&self) -> Result<MovementServiceClient<Channel>> {
        Ok(MovementServiceClient::new(self.to("inventory")?))
    }

    /// Client of the ledger of payments.
    ///
    /// # Errors
    /// Where no address of it is known.
    pub fn ledger(&self) -> Result<LedgerServiceClient<Channel>> {
        Ok(LedgerServiceClient::new(self.to("payment")?))
    }

    /// Client of the messages to customers.
    ///
    /// # Errors
    /// Where no address of it is known.
    pub fn notification(&self) -> Result<NotificationServiceClient<Channel>> {
        Ok(NotificationServiceClient::new(self.to("notification")?))
    }

    /// Client of the documents of orders.
    ///
    /// # Errors
    /// Where no address of it is known.
    pub fn documents(&self) -> Result<DocumentServiceClient<Channel>> {
        Ok(DocumentServiceClient::new(self.to("documents")?))
    }

    /// Client of what orders wait for.
    ///
    /// # Errors
    /// Where no address of it is known.
    pub fn flows(&self) -> Result<FlowServiceClient<Channel>> {
        Ok(FlowServiceClient::new(self.to("analytics")?))
    }

    /// Client of what was sold.
    ///
    /// # Errors
    /// Where no address of it is known.
    pub fn sales(&self) -> Result<SalesServiceClient<Channel>> {
        Ok(SalesServiceClient::new(self.to("analytics")?))
    }

    /// Client of shipping.
    ///
    /// # Errors
    /// Where no address of it is known.
    pub fn shipping(&self) -> Result<ShippingServiceClient<Channel>> {
        Ok(ShippingServiceClient::new(self.to("shipping")?))
    }

    /// Client of identity.
    ///
    /// # Errors
    /// Where no address of it is known.
    pub fn identity(&self) -> Result<IdentityServiceClient<Channel>> {
        Ok(IdentityServiceClient::new(self.channels.to("identity")?))
    }

    /// Client of one service's event log.
    ///
    /// # Errors
    /// Where no address of it is known.
    pub fn log_of(&self, service: &str) -> Result<EventLogServiceClient<Channel>> {
        Ok(EventLogServiceClient::new(self.to(service)?))
    }

    /// Client of one service's consumers.
    ///
    /// # Errors
    /// Where no address of it is known.
    pub fn consumers_of(&self, service: &str) -> Result<ConsumerServiceClient<Channel>> {
        Ok(ConsumerServiceClient::new(self.to(service)?))
    }

    /// Client of what one service says of its calls.
    ///
    /// # Errors
    /// Where no address of it is known.
    pub fn mesh_of(&self, service: &str) -> Result<MeshServiceClient<Channel>> {
        Ok(MeshServiceClient::new(self.to(service)?))
    }
}
