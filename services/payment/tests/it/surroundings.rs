//! What surrounds the payment service: a broker, ordering's log, the card provider, an operator.

use std::time::Duration;

use contracts::tradewind::{
    money::v1::Money,
    ordering::v1::{OrderCancelled, OrderStockConfirmed},
    payment::v1::{
        GetPaymentRequest, Payment, PaymentStatus, ledger_service_client::LedgerServiceClient,
        payment_service_client::PaymentServiceClient,
    },
};
use tempfile::TempDir;
use tradewind_mesh::{Channel, IdentityFiles, pki};
use tradewind_runtime::{Running, Settings};
use tradewind_testing::{Database, Mortal, Nats, Neighbour, channel, eventually, scratch};
use uuid::Uuid;

use crate::provider::Provider;

pub(crate) const DEADLINE: Duration = Duration::from_secs(40);

tradewind_domain::events! {
    /// What ordering says here.
    pub(crate) enum OrderEvent { StockConfirmed(OrderStockConfirmed), Cancelled(OrderCancelled) }
}

/// Everything around the payment service, gone when dropped.
pub(crate) struct Surroundings {
    pub(crate) provider: Provider,
    ordering: Neighbour<OrderEvent>,
    nats: Nats,
    database: Database,
    folder: TempDir,
}

impl Surroundings {
    /// Those of a payment service that keeps `database` and does not run yet.
    pub(crate) async fn open(database: Database) -> Self {
        let (folder, nats) = (scratch(), Nats::start_for_services());
        pki::init(folder.path(), &["payment", "ordering", "operator", "shipping"], "tradewind.local").unwrap();
        let ordering = Neighbour::start("ordering", "order", folder.path(), &nats).await;
        let provider = Provider::start().await;
        Self { provider, ordering, nats, database, folder }
    }

    pub(crate) fn settings(&self) -> Settings {
        let files = IdentityFiles::in_dir(self.folder.path(), "payment");
        Settings::in_process(files, self.database.url(), self.nats.url())
            .with_peer("ordering", self.ordering.address())
            .with("outside_url", self.provider.url())
            .with("outside_timeout", "1s")
    }

    /// Starts the payment service and waits until it is ready.
    pub(crate) async fn start(&self) -> Running {
        self.start_with(&[]).await
    }

    /// The same with these settings.
    pub(crate) async fn start_with(&self, settings: &[(&str, &str)]) -> Running {
        let settings = settings.iter().fold(self.settings(), |all, (key, value)| all.with(key, *value));
        let mut running = payment::service().start(settings).await.unwrap();
        running.ready(DEADLINE).await.unwrap();
        running
    }

    /// Starts the payment service so that it can be killed.
    pub(crate) async fn start_mortal(&self, timeout: &str) -> Mortal {
        let settings = self.settings().with("outside_timeout", timeout);
        Mortal::start(payment::service(), settings, DEADLINE).await
    }

    pub(crate) fn client(&self, who: &str, running: &Running) -> PaymentServiceClient<Channel> {
        PaymentServiceClient::new(channel(self.folder.path(), who, "payment", running.grpc_addr()))
    }

    pub(crate) fn ledger(&self, running: &Running) -> LedgerServiceClient<Channel> {
        LedgerServiceClient::new(channel(self.folder.path(), "operator", "payment", running.grpc_addr()))
    }

    /// An order whose card is `token`; its stock is confirmed.
    pub(crate) async fn order(&self, token: &str) -> String {
        let order_id = Uuid::now_v7().to_string();
        self.order_of(&order_id, token).await;
        order_id
    }

    /// The order of this id, in the same way.
    pub(crate) async fn order_of(&self, order_id: &str, token: &str) {
        let event = OrderStockConfirmed {
            order_id: order_id.to_owned(),
            total: Some(Money { currency: "GBP".to_owned(), minor: 2_000 }),
            payment_token: token.to_owned(),
            ..OrderStockConfirmed::default()
        };
        self.ordering.say(order_id, event).await;
    }

    pub(crate) async fn cancel(&self, order_id: &str) {
        let event = OrderCancelled { order_id: order_id.to_owned(), ..OrderCancelled::default() };
        self.ordering.say(order_id, event).await;
    }

    /// Waits until the provider's statement of the order shows these kinds, in this order.
    pub(crate) async fn provider_shows(&self, order_id: &str, kinds: &[&str]) {
        eventually(DEADLINE, &format!("the statement shows {kinds:?}"), async || {
            let seen = self.provider.statement(order_id).await;
            if seen.iter().map(|(kind, _)| kind).eq(kinds) { Ok(()) } else { Err(seen) }
        })
        .await;
    }
}

/// Waits until the order's payment stands like this, and returns it.
pub(crate) async fn becomes(client: &PaymentServiceClient<Channel>, order_id: &str, status: PaymentStatus) -> Payment {
    eventually(DEADLINE, &format!("the payment is {}", status.as_str_name()), async || {
        let asked = client.clone().get_payment(GetPaymentRequest { order_id: order_id.to_owned() }).await;
        let payment = asked.map_err(|error| error.to_string())?.into_inner().payment.unwrap_or_default();
        if payment.status() == status { Ok(payment) } else { Err(payment.status().as_str_name().to_owned()) }
    })
    .await
}
