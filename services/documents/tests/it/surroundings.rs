//! What surrounds the service: a broker, those whose events its documents are made of, and whoever asks for them.

use std::time::Duration;

use contracts::tradewind::consumer::v1::consumer_service_client::ConsumerServiceClient;
use contracts::tradewind::consumer::v1::{ListProjectionsRequest, RebuildProjectionRequest};
use contracts::tradewind::documents::v1::document_service_client::DocumentServiceClient;
use contracts::tradewind::documents::v1::{Document, DocumentKind, GetDocumentRequest, ListDocumentsRequest};
use contracts::tradewind::money::v1::Money;
use contracts::tradewind::ordering::v1::{Address, OrderConfirmed, OrderErased, OrderPlaced, PricedLine, Recipient};
use contracts::tradewind::payment::v1::PaymentRefunded;
use tempfile::TempDir;
use tonic::Status;
use tradewind_mesh::{Channel, IdentityFiles, User, pki};
use tradewind_runtime::{Running, Settings};
use tradewind_testing::{Database, Nats, Neighbour, channel, eventually, scratch};
use uuid::Uuid;

pub(crate) const DEADLINE: Duration = Duration::from_secs(40);

/// Who receives every order, and where.
pub(crate) const NAME: &str = "Ada Λ. 王";
pub(crate) const EMAIL: &str = "ada@example.com";
pub(crate) const STREET: &str = "Οδός Ερμού 12";

tradewind_domain::events! { pub(crate) enum OrderEvent { Placed(OrderPlaced), Confirmed(OrderConfirmed), Erased(OrderErased) } }
tradewind_domain::events! { pub(crate) enum PaymentEvent { Refunded(PaymentRefunded) } }

/// Everything around the service, gone when dropped.
pub(crate) struct Surroundings {
    ordering: Neighbour<OrderEvent>,
    payment: Neighbour<PaymentEvent>,
    nats: Nats,
    pub(crate) database: Database,
    folder: TempDir,
}

#[expect(clippy::unnecessary_wraps, reason = "an amount of a message is one that may be absent")]
pub(crate) fn gbp(minor: i64) -> Option<Money> {
    Some(Money { currency: "GBP".to_owned(), minor })
}

impl Surroundings {
    pub(crate) async fn open(database: Database) -> Self {
        let (folder, nats) = (scratch(), Nats::start_for_services());
        let names = ["documents", "ordering", "payment", "shipping", "operator", "gateway"];
        pki::init(folder.path(), &names, "tradewind.local").unwrap();
        Self {
            ordering: Neighbour::start("ordering", "order", folder.path(), &nats).await,
            payment: Neighbour::start("payment", "payment", folder.path(), &nats).await,
            nats,
            database,
            folder,
        }
    }

    pub(crate) fn settings(&self) -> Settings {
        let files = IdentityFiles::in_dir(self.folder.path(), "documents");
        Settings::in_process(files, self.database.url(), self.nats.url())
            .with_peer("ordering", self.ordering.address())
            .with_peer("payment", self.payment.address())
    }

    pub(crate) async fn start(&self) -> Running {
        self.start_with(self.settings()).await
    }

    pub(crate) async fn start_with(&self, settings: Settings) -> Running {
        let mut running = documents::service().start(settings).await.unwrap();
        running.ready(DEADLINE).await.unwrap();
        running
    }

    pub(crate) fn documents(&self, who: &str, running: &Running) -> DocumentServiceClient<Channel> {
        DocumentServiceClient::new(channel(self.folder.path(), who, "documents", running.grpc_addr()))
    }

    /// As the edge calls for a customer.
    pub(crate) fn of_customer(&self, customer: &str, running: &Running) -> DocumentServiceClient<Channel> {
        let user = User { id: customer.to_owned(), ..User::default() };
        let edge = channel(self.folder.path(), "gateway", "documents", running.grpc_addr());
        DocumentServiceClient::new(edge.speaking_for(user.into()))
    }

    fn consumers(&self, running: &Running) -> ConsumerServiceClient<Channel> {
        ConsumerServiceClient::new(channel(self.folder.path(), "operator", "documents", running.grpc_addr()))
    }

    /// Has everything made anew from the logs of others, and waits until that is read.
    pub(crate) async fn rebuilt(&self, running: &Running) {
        let (projection, reason) = ("documents.documents".to_owned(), "to see that it is the same".to_owned());
        self.consumers(running).rebuild_projection(RebuildProjectionRequest { projection, reason }).await.unwrap();
        eventually(DEADLINE, "what was built is read", async || {
            let all = self.consumers(running).list_projections(ListProjectionsRequest {}).await.unwrap().into_inner();
            let [documents] = &all.projections[..] else { return Err(all) };
            let is_read = documents.start_time.is_some() && documents.build.is_none() && documents.ask_time.is_none();
            if is_read { Ok(()) } else { Err(all) }
        })
        .await;
    }

    /// An order for two of a product of that name at GBP 4.50 each.
    pub(crate) async fn placed(&self, name: &str) -> String {
        let order_id = Uuid::now_v7().to_string();
        let (product_id, sku, name) = ("tea".to_owned(), "TEA-1".to_owned(), name.to_owned());
        let line = PricedLine { product_id, sku, name, quantity: 2, unit_price: gbp(450) };
        let placed = OrderPlaced {
            order_id: order_id.clone(),
            customer_id: "ada".to_owned(),
            recipient: Some(recipient()),
            lines: vec![line],
            total: gbp(900),
            country: "GR".to_owned(),
            ..Default::default()
        };
        self.ordering.say(&order_id, placed).await;
        order_id
    }

    pub(crate) async fn confirmed(&self, order_id: &str) {
        let event = OrderConfirmed { order_id: order_id.to_owned(), total: gbp(900), ..Default::default() };
        self.ordering.say(order_id, event).await;
    }

    /// Whose order it was is forgotten.
    pub(crate) async fn erased(&self, order_id: &str) {
        self.ordering.say(order_id, OrderErased { order_id: order_id.to_owned() }).await;
    }

    pub(crate) async fn refunded(&self, order_id: &str) {
        let event = PaymentRefunded { order_id: order_id.to_owned(), amount: gbp(900), ..Default::default() };
        self.payment.say(order_id, event).await;
    }
}

pub(crate) async fn list(client: &DocumentServiceClient<Channel>, order_id: &str) -> Result<Vec<Document>, Status> {
    let request = ListDocumentsRequest { order_id: order_id.to_owned() };
    Ok(client.clone().list_documents(request).await?.into_inner().documents)
}

fn recipient() -> Recipient {
    let address = Address {
        line1: STREET.to_owned(),
        city: "Αθήνα".to_owned(),
        postal_code: "105 63".to_owned(),
        country: "GR".to_owned(),
    };
    Recipient { name: NAME.to_owned(), email: EMAIL.to_owned(), address: Some(address) }
}

/// The document, whole.
pub(crate) async fn get(client: &DocumentServiceClient<Channel>, number: &str) -> Result<Vec<u8>, Status> {
    let request = GetDocumentRequest { number: number.to_owned() };
    let mut parts = client.clone().get_document(request).await?.into_inner();
    let (mut bytes, mut named) = (Vec::new(), Vec::new());
    while let Some(part) = parts.message().await? {
        assert!(part.data.len() <= 64 * 1024);
        named.push((part.content_type, part.file_name));
        bytes.extend(part.data);
    }
    assert_eq!(named[0], ("application/pdf".to_owned(), format!("{number}.pdf")));
    assert!(bytes.starts_with(b"%PDF-"));
    Ok(bytes)
}

/// Waits until the order has these documents.
pub(crate) async fn has(
    client: &DocumentServiceClient<Channel>,
    order_id: &str,
    kinds: &[DocumentKind],
) -> Vec<Document> {
    eventually(DEADLINE, &format!("the order has {kinds:?}"), async || {
        let found = list(client, order_id).await.map_err(|status| status.to_string())?;
        let seen: Vec<_> = found.iter().map(Document::kind).collect();
        if seen == kinds { Ok(found) } else { Err(format!("{seen:?}")) }
    })
    .await
}
