use contracts::tradewind::ordering::v1::OrderStockConfirmed;
use tradewind_domain::{Error, Money};
use tradewind_events::{Reaction, Received, Tx};

use super::intents::execute;
use crate::domain::{Command, Token};

/// Asks for the money as soon as every unit of the order is set aside.
pub struct ChargeOnOrderStockConfirmed;

impl Reaction for ChargeOnOrderStockConfirmed {
    type Event = OrderStockConfirmed;
    const NAME: &'static str = "charge_on_order_stock_confirmed";

    async fn react(&self, tx: &mut Tx, event: &Received<OrderStockConfirmed>) -> Result<(), Error> {
        let OrderStockConfirmed { order_id, total, payment_token } = &event.data;
        let total = total.clone().unwrap_or_default();
        let amount = Money::new(&total.currency, total.minor)
            .map_err(|unknown| Error::invalid("total.currency", "UNKNOWN_CURRENCY", unknown.to_string()))?;
        let token = Token::from(payment_token.clone());
        execute(tx, order_id, Command::Charge { order_id: order_id.clone(), amount, token }).await
    }
}
