//! What surrounds the notification service: a broker, ordering's log, an operator.

use std::time::Duration;

use contracts::tradewind::{
    identity::v1::{
        ConfirmationForgotten, CustomerErased, EmailChangeRequested, EmailChanged, PasswordChanged,
        PasswordResetRequested, Person, SignUpRepeated, VerificationRequested,
    },
    money::v1::Money,
    notification::v1::{
        ListNotificationsRequest, ListNotificationsResponse, Notification,
        notification_service_client::NotificationServiceClient, webhook_service_client::WebhookServiceClient,
    },
    ordering::v1::{
        CancellationReason, OrderCancelled, OrderClosed, OrderConfirmed, OrderErased, OrderPlaced, OrderShipped,
        Recipient,
    },
    payment::v1::PaymentCaptured,
    shipping::v1::ShipmentBooked,
};
use notification::table::notification::{Column, Entity};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use tempfile::TempDir;
use tonic::Status;
use tradewind_mesh::{Channel, IdentityFiles, pki};
use tradewind_runtime::{Running, Settings};
use tradewind_testing::{Database, Nats, Neighbour, channel, eventually, scratch};
use uuid::Uuid;

pub(crate) const DEADLINE: Duration = Duration::from_secs(40);
pub(crate) const NAME: &str = "A. Customer";
pub(crate) const CUSTOMER: &str = "customer@example.com";

tradewind_domain::events! {
    /// What ordering says here.
    pub(crate) enum OrderEvent {
        Placed(OrderPlaced),
        Confirmed(OrderConfirmed),
        Cancelled(OrderCancelled),
        Closed(OrderClosed),
        Shipped(OrderShipped),
        Erased(OrderErased),
    }
}

tradewind_domain::events! {
    /// What payment says here.
    pub(crate) enum PaymentEvent { Captured(PaymentCaptured) }
}

tradewind_domain::events! {
    /// What shipping says here.
    pub(crate) enum ShipmentEvent { Booked(ShipmentBooked) }
}

tradewind_domain::events! {
    /// What identity says here.
    pub(crate) enum AccountEvent {
        Verification(VerificationRequested),
        Repeated(SignUpRepeated),
        Reset(PasswordResetRequested),
        Changed(PasswordChanged),
        EmailChange(EmailChangeRequested),
        EmailChanged(EmailChanged),
        Forgotten(ConfirmationForgotten),
        Erased(CustomerErased),
    }
}

/// Everything around the notification service, gone when dropped.
pub(crate) struct Surroundings {
    pub(crate) ordering: Neighbour<OrderEvent>,
    pub(crate) payment: Neighbour<PaymentEvent>,
    pub(crate) shipping: Neighbour<ShipmentEvent>,
    pub(crate) identity: Neighbour<AccountEvent>,
    pub(crate) database: Database,
    nats: Nats,
    folder: TempDir,
}

impl Surroundings {
    /// Those of a notification service that keeps `database` and does not run yet.
    pub(crate) async fn open(database: Database) -> Self {
        let (folder, nats) = (scratch(), Nats::start_for_services());
        pki::init(
            folder.path(),
            &["notification", "ordering", "payment", "shipping", "identity", "operator"],
            "tradewind.local",
        )
        .unwrap();
        let ordering = Neighbour::start("ordering", "order", folder.path(), &nats).await;
        let identity = Neighbour::start("identity", "confirmation", folder.path(), &nats).await;
        let payment = Neighbour::start("payment", "payment", folder.path(), &nats).await;
        let shipping = Neighbour::start("shipping", "shipment", folder.path(), &nats).await;
        Self { ordering, payment, shipping, identity, database, nats, folder }
    }

    /// The settings of a service that cannot reach anybody who takes mail.
    pub(crate) fn settings(&self) -> Settings {
        let files = IdentityFiles::in_dir(self.folder.path(), "notification");
        Settings::in_process(files, self.database.url(), self.nats.url())
            .with_peer("ordering", self.ordering.address())
            .with_peer("payment", self.payment.address())
            .with_peer("shipping", self.shipping.address())
            .with_peer("identity", self.identity.address())
            .with("outside_url", "http://127.0.0.1:1")
            .with("outside_timeout", "1s")
    }

    /// Starts the notification service and waits until it is ready.
    pub(crate) async fn start(&self, settings: Settings) -> Operator {
        let mut running = notification::service().start(settings).await.unwrap();
        running.ready(DEADLINE).await.unwrap();
        let channel = channel(self.folder.path(), "operator", "notification", running.grpc_addr());
        Operator {
            client: NotificationServiceClient::new(channel.clone()),
            webhooks: WebhookServiceClient::new(channel),
            running,
        }
    }

    /// Waits until so many messages are given up.
    pub(crate) async fn sees_given_up(&self, count: u64) {
        let database = tradewind_sql::connect(&self.database.url()).await.unwrap();
        eventually(DEADLINE, &format!("{count} messages are given up"), async || {
            let given_up = Entity::find().filter(Column::Failed.eq(true)).filter(Column::Sent.eq(false));
            let failed = given_up.count(&database).await.unwrap();
            if failed == count { Ok(()) } else { Err(failed) }
        })
        .await;
    }

    /// How many messages are kept with a text, sealed or not.
    pub(crate) async fn texts(&self) -> u64 {
        let database = tradewind_sql::connect(&self.database.url()).await.unwrap();
        Entity::find().filter(Column::Body.ne("")).count(&database).await.unwrap()
    }

    /// An order that is confirmed; the customer is told at this address.
    pub(crate) async fn confirmed(&self, email: &str) -> String {
        self.confirmed_with(email, "TW000000001").await
    }

    /// The same, with that tracking number.
    pub(crate) async fn confirmed_with(&self, email: &str, tracking: &str) -> String {
        let order_id = Uuid::now_v7().to_string();
        let confirmed = OrderConfirmed {
            order_id: order_id.clone(),
            recipient: Some(recipient(email)),
            total: Some(Money { currency: "GBP".to_owned(), minor: 1234 }),
            tracking: tracking.to_owned(),
            ..OrderConfirmed::default()
        };
        self.ordering.say(&order_id, confirmed).await;
        order_id
    }

    /// Something about an account, whose owner is at this address; what names the message.
    pub(crate) async fn account(
        &self,
        email: &str,
        event: impl FnOnce(String, Option<Person>) -> AccountEvent,
    ) -> String {
        let message_id = Uuid::now_v7().to_string();
        let person = Some(Person { name: NAME.to_owned(), email: email.to_owned() });
        self.identity.say(&message_id, event(message_id.clone(), person)).await;
        message_id
    }

    /// Whose order it was is forgotten.
    pub(crate) async fn erased(&self, order_id: &str) {
        self.ordering.say(order_id, OrderErased { order_id: order_id.to_owned() }).await;
    }

    pub(crate) async fn shipped(&self, order_id: &str, email: &str) {
        let tracking = "TW000000001".to_owned();
        let shipped = OrderShipped {
            order_id: order_id.to_owned(),
            recipient: Some(recipient(email)),
            tracking,
            ..OrderShipped::default()
        };
        self.ordering.say(order_id, shipped).await;
    }

    /// An order that is cancelled for good.
    pub(crate) async fn closed(&self, email: &str, refunded: Option<i64>) -> String {
        let order_id = Uuid::now_v7().to_string();
        let closed = OrderClosed {
            order_id: order_id.clone(),
            recipient: Some(recipient(email)),
            reason: CancellationReason::Customer.into(),
            refunded: refunded.map(|minor| Money { currency: "GBP".to_owned(), minor }),
            ..OrderClosed::default()
        };
        self.ordering.say(&order_id, closed).await;
        order_id
    }
}

fn recipient(email: &str) -> Recipient {
    Recipient { name: NAME.to_owned(), email: email.to_owned(), address: None }
}

/// Somebody who calls the running service; it stops when dropped.
pub(crate) struct Operator {
    client: NotificationServiceClient<Channel>,
    webhooks: WebhookServiceClient<Channel>,
    running: Running,
}

impl Operator {
    pub(crate) async fn list(&self, request: ListNotificationsRequest) -> Result<ListNotificationsResponse, Status> {
        Ok(self.client.clone().list_notifications(request).await?.into_inner())
    }

    pub(crate) async fn about(&self, order_id: &str) -> Vec<Notification> {
        let request = ListNotificationsRequest { order_id: order_id.to_owned(), ..Default::default() };
        self.list(request).await.unwrap().notifications
    }

    /// Waits until so many messages about the order were sent, and returns them.
    pub(crate) async fn sees_sent(&self, order_id: &str, count: usize) -> Vec<Notification> {
        eventually(DEADLINE, &format!("{count} messages are sent"), async || {
            let seen = self.about(order_id).await;
            let sent = seen.iter().filter(|notification| notification.sent).count();
            if sent == count { Ok(seen) } else { Err(seen) }
        })
        .await
    }

    /// What asks about webhooks.
    pub(crate) fn webhooks(&self) -> WebhookServiceClient<Channel> {
        self.webhooks.clone()
    }

    /// The value of the metric that counts messages, over all services of this process, where its attributes contain
    /// `part`.
    pub(crate) async fn counted(&self, part: &str) -> u64 {
        let url = format!("http://{}/metrics", self.running.admin_addr());
        let client = tradewind_runtime::direct().build().unwrap();
        let text = client.get(url).send().await.unwrap().text().await.unwrap();
        let name = "tradewind_notification_messages_total{";
        let lines = text.lines().filter(|line| line.starts_with(name) && line.contains(part));
        lines.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
    }

    /// Stops the service and waits for its end.
    pub(crate) async fn stop(mut self) {
        self.running.stop();
        self.running.wait().await.unwrap();
    }
}
