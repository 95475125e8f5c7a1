//! The whole service beside stand-ins for those whose events its documents are made of.

use std::time::Duration;

use contracts::tradewind::consumer::v1::consumer_service_client::ConsumerServiceClient;
use contracts::tradewind::consumer::v1::{ListProjectionsRequest, RebuildProjectionRequest};
use contracts::tradewind::documents::v1::document_service_client::DocumentServiceClient;
use contracts::tradewind::documents::v1::{Document, DocumentKind, GetDocumentRequest, ListDocumentsRequest};
use contracts::tradewind::money::v1::Money;
use contracts::tradewind::ordering::v1::{OrderConfirmed, OrderPlaced, PricedLine, Recipient};
use contracts::tradewind::payment::v1::PaymentRefunded;
use tempfile::TempDir;
use tonic::{Code, Status};
use tradewind_mesh::{Channel, IdentityFiles, User, pki, reason};
use tradewind_runtime::{Running, Settings};
use tradewind_testing::{Database, Nats, Neighbour, both_stores, channel, eventually, scratch};
use uuid::Uuid;

const DEADLINE: Duration = Duration::from_secs(40);

tradewind_domain::events! { enum OrderEvent { Placed(OrderPlaced), Confirmed(OrderConfirmed) } }
tradewind_domain::events! { enum PaymentEvent { Refunded(PaymentRefunded) } }

struct Surroundings {
    ordering: Neighbour<OrderEvent>,
    payment: Neighbour<PaymentEvent>,
    nats: Nats,
    database: Database,
    folder: TempDir,
}

#[expect(clippy::unnecessary_wraps, reason = "an amount of a message is one that may be absent")]
fn gbp(minor: i64) -> Option<Money> {
    Some(Money { currency: "GBP".to_owned(), minor })
}

impl Surroundings {
    async fn open(database: Database) -> Self {
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

    async fn start(&self) -> Running {
        let files = IdentityFiles::in_dir(self.folder.path(), "documents");
        let settings = Settings::in_process(files, self.database.url(), self.nats.url())
            .with_peer("ordering", self.ordering.address())
            .with_peer("payment", self.payment.address());
        let mut running = documents::service().start(settings).await.unwrap();
        running.ready(DEADLINE).await.unwrap();
        running
    }

    fn documents(&self, who: &str, running: &Running) -> DocumentServiceClient<Channel> {
        DocumentServiceClient::new(channel(self.folder.path(), who, "documents", running.grpc_addr()))
    }

    /// As the edge calls for a customer.
    fn of_customer(&self, customer: &str, running: &Running) -> DocumentServiceClient<Channel> {
        let user = User { id: customer.to_owned(), ..User::default() };
        let edge = channel(self.folder.path(), "gateway", "documents", running.grpc_addr());
        DocumentServiceClient::new(edge.speaking_for(user.into()))
    }

    fn consumers(&self, running: &Running) -> ConsumerServiceClient<Channel> {
        ConsumerServiceClient::new(channel(self.folder.path(), "operator", "documents", running.grpc_addr()))
    }

    /// An order for two of a product of that name at GBP 4.50 each.
    async fn placed(&self, name: &str) -> String {
        let order_id = Uuid::now_v7().to_string();
        let (product_id, sku, name) = ("tea".to_owned(), "TEA-1".to_owned(), name.to_owned());
        let line = PricedLine { product_id, sku, name, quantity: 2, unit_price: gbp(450) };
        let placed = OrderPlaced {
            order_id: order_id.clone(),
            customer_id: "ada".to_owned(),
            recipient: Some(Recipient { name: "Ada Λ. 王".to_owned(), ..Default::default() }),
            lines: vec![line],
            total: gbp(900),
            ..Default::default()
        };
        self.ordering.say(&order_id, placed).await;
        order_id
    }

    async fn confirmed(&self, order_id: &str) {
        let event = OrderConfirmed { order_id: order_id.to_owned(), total: gbp(900), ..Default::default() };
        self.ordering.say(order_id, event).await;
    }

    async fn refunded(&self, order_id: &str) {
        let event = PaymentRefunded { order_id: order_id.to_owned(), amount: gbp(900), ..Default::default() };
        self.payment.say(order_id, event).await;
    }
}

async fn list(client: &DocumentServiceClient<Channel>, order_id: &str) -> Result<Vec<Document>, Status> {
    let request = ListDocumentsRequest { order_id: order_id.to_owned() };
    Ok(client.clone().list_documents(request).await?.into_inner().documents)
}

/// The document, whole.
async fn get(client: &DocumentServiceClient<Channel>, number: &str) -> Result<Vec<u8>, Status> {
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
async fn has(client: &DocumentServiceClient<Channel>, order_id: &str, kinds: &[DocumentKind]) -> Vec<Document> {
    eventually(DEADLINE, &format!("the order has {kinds:?}"), async || {
        let found = list(client, order_id).await.map_err(|status| status.to_string())?;
        let seen: Vec<_> = found.iter().map(Document::kind).collect();
        if seen == kinds { Ok(found) } else { Err(format!("{seen:?}")) }
    })
    .await
}

both_stores! {
    async fn an_order_has_an_invoice_and_a_credit_note_which_are_made_anew_to_the_byte(database: Database) {
        let around = Surroundings::open(database).await;
        let running = around.start().await;
        let client = around.documents("operator", &running);
        let order = around.placed("Τσάι 烏龍茶").await;
        has(&client, &order, &[]).await;
        let invoice = format!("INV-{order}");
        let none = get(&client, &invoice).await.unwrap_err();
        assert_eq!((none.code(), reason(&none).as_deref()), (Code::NotFound, Some("DOCUMENT_NOT_FOUND")));

        around.confirmed(&order).await;
        let found = has(&client, &order, &[DocumentKind::Invoice]).await;
        assert_eq!((found[0].number.as_str(), found[0].total.clone()), (invoice.as_str(), gbp(900)));
        let before = get(&client, &invoice).await.unwrap();
        around.refunded(&order).await;
        let found = has(&client, &order, &[DocumentKind::Invoice, DocumentKind::CreditNote]).await;
        let note = get(&client, &found[1].number).await.unwrap();
        assert_eq!(get(&client, &invoice).await.unwrap(), before);

        let (projection, reason) = ("documents.documents".to_owned(), "to see that it is the same".to_owned());
        around.consumers(&running).rebuild_projection(RebuildProjectionRequest { projection, reason }).await.unwrap();
        eventually(DEADLINE, "what was built is read", async || {
            let all = around.consumers(&running).list_projections(ListProjectionsRequest {}).await.unwrap().into_inner();
            let [documents] = &all.projections[..] else { return Err(all) };
            if documents.start_time.is_some() && documents.build.is_none() && documents.ask_time.is_none() { Ok(()) } else { Err(all) }
        })
        .await;
        assert_eq!(get(&client, &invoice).await.unwrap(), before);
        assert_eq!(get(&client, &format!("CRN-{order}")).await.unwrap(), note);
    }

    async fn events_come_in_any_order_and_what_was_said_while_it_was_away_is_read(database: Database) {
        let around = Surroundings::open(database).await;
        let mut running = around.start().await;
        // As an order of before lines had names.
        let order = around.placed("").await;
        around.refunded(&order).await;
        has(&around.documents("operator", &running), &order, &[DocumentKind::CreditNote]).await;
        running.stop();
        running.wait().await.unwrap();
        around.confirmed(&order).await;
        let running = around.start().await;
        let client = around.documents("operator", &running);
        let found = has(&client, &order, &[DocumentKind::Invoice, DocumentKind::CreditNote]).await;
        assert!(get(&client, &found[0].number).await.unwrap().starts_with(b"%PDF-"));
    }

    async fn customers_have_their_own_documents_and_strangers_none(database: Database) {
        let around = Surroundings::open(database).await;
        let running = around.start().await;
        let order = around.placed("Tea").await;
        around.confirmed(&order).await;
        let operator = around.documents("operator", &running);
        let invoice = has(&operator, &order, &[DocumentKind::Invoice]).await[0].number.clone();
        let own = around.of_customer("ada", &running);
        assert_eq!(list(&own, &order).await.unwrap().len(), 1);
        get(&own, &invoice).await.unwrap();

        // What is another's is as what is not there.
        let other = around.of_customer("eve", &running);
        let (unknown, none) = (Uuid::now_v7().to_string(), format!("INV-{}", Uuid::now_v7()));
        for (refused, why) in [
            (list(&other, &order).await.unwrap_err(), "ORDER_NOT_FOUND"),
            (list(&own, &unknown).await.unwrap_err(), "ORDER_NOT_FOUND"),
            (list(&operator, &unknown).await.unwrap_err(), "ORDER_NOT_FOUND"),
            (get(&other, &invoice).await.unwrap_err(), "DOCUMENT_NOT_FOUND"),
            (get(&own, &none).await.unwrap_err(), "DOCUMENT_NOT_FOUND"),
            (get(&operator, &none).await.unwrap_err(), "DOCUMENT_NOT_FOUND"),
        ] {
            assert_eq!((refused.code(), reason(&refused).as_deref()), (Code::NotFound, Some(why)));
        }
        let refused = get(&operator, "INV-7").await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_deref()), (Code::InvalidArgument, Some("INVALID_NUMBER")));
        let refused = list(&operator, "7").await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_deref()), (Code::InvalidArgument, Some("INVALID_ORDER_ID")));
        let refused = list(&around.documents("shipping", &running), &order).await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied);
    }
}
