use std::{collections::HashMap, ops::RangeInclusive, time::Duration};

use contracts::tradewind::{
    catalog::v1::Product,
    ordering::v1::{PlaceOrderResponse, Recipient},
};
use tokio::time::Instant;
use tradewind_domain::{Error, ErrorKind, Money, OrderId, Sensitive, request::RequestKey};
use tradewind_sql::timestamp;
use tradewind_store::{Loaded, Store, Tx};

use super::{CONSUMER, PATIENCE, decide, expire_on_deadline, offers::Offers, view::resource};
use crate::domain::{Assortment, AssortmentError, Command, Place, Wanted};

/// How long an order may be given to be confirmed.
pub(crate) const SETTLE_WITHIN: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(24 * 3600);

/// What whoever orders a product that is not known can do about it.
const HINT: &str =
    "to order what was listed a moment ago, name in after the position that its listing was answered with";

/// A well-formed request to place an order.
pub(crate) struct PlaceOrder {
    /// Makes the request repeatable, where the caller named it.
    pub(crate) request: Option<RequestKey>,
    pub(crate) customer_id: String,
    pub(crate) recipient: Recipient,
    /// One a product.
    pub(crate) wanted: Vec<Wanted>,
    /// Where the request first names each product.
    pub(crate) named: HashMap<String, String>,
    pub(crate) payment_token: Sensitive<String>,
    pub(crate) expected_total: Option<Money>,
    /// Tokens of writes that the order must see.
    pub(crate) after: Vec<String>,
    /// How long it may take until it is confirmed; within [`SETTLE_WITHIN`].
    pub(crate) settle_within: Duration,
}

impl PlaceOrder {
    /// The refusal with the places in the request that it is about.
    fn refused(&self, refusal: &AssortmentError) -> Error {
        let places = refusal.products().iter().filter_map(|product| Some((product, self.named.get(product)?)));
        let (mut refused, problem) = (Error::from(refusal.clone()), refusal.problem());
        if refused.kind != ErrorKind::NotFound {
            return places.fold(refused, |refused, (_, place)| refused.with_violation(place, problem));
        }
        refused.message = format!("{}; {HINT}", refused.message);
        places.fold(refused, |refused, (product, place)| {
            refused.with_missing::<Product>(product, format!("{place}: {problem}"))
        })
    }
}

/// Places an order at today's prices. A repeated request gets the first one's answer. Products that nobody has heard of are waited
/// for, until a moment before the call `ends`.
///
/// # Errors
/// `NotFound` and `Rejected` name products that are unknown or off sale; `Unavailable` when the writes it must see have
/// not arrived; otherwise the order's own refusal.
pub(crate) async fn place_order(
    store: &Store,
    offers: &Offers,
    order: PlaceOrder,
    ends: Option<Instant>,
) -> Result<PlaceOrderResponse, Error> {
    // An order sees every earlier write of this context anyhow, and no reader of its own log keeps the price list.
    store.wait_for(CONSUMER, &order.after, PATIENCE).await?;
    let assortment = offers.find(&order.wanted, ends).await?;

    // Prices may have changed since the request was first accepted, so they refuse only what is new.
    let (response, position) =
        store.once(order.request.as_ref(), async |tx: &mut Tx| place(tx, &order, &assortment).await).await?;
    Ok(PlaceOrderResponse { position, ..response })
}

async fn place(tx: &mut Tx, order: &PlaceOrder, assortment: &Assortment) -> Result<PlaceOrderResponse, Error> {
    let id = OrderId::generate().to_string();
    let (now, deadline) = (tx.now(), tx.now() + order.settle_within);
    let place = Place {
        order_id: id.clone(),
        customer_id: order.customer_id.clone(),
        recipient: order.recipient.clone(),
        lines: assortment.price(&order.wanted).map_err(|refusal| order.refused(&refusal))?,
        expected_total: order.expected_total,
        payment_token: order.payment_token.clone(),
        deadline: timestamp(deadline),
    };
    let placed = decide::create(tx, &id, Command::Place(Box::new(place))).await?;
    expire_on_deadline::schedule(tx, &id, deadline);
    let placed = Loaded { state: placed.state, version: placed.version, created: now, updated: now };
    Ok(PlaceOrderResponse { order: Some(resource(placed)), position: String::new() })
}
