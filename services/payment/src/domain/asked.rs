//! What an order's events ask of its payment.

use contracts::tradewind::ordering::v1::{OrderCancelled, OrderStockConfirmed};
use tradewind_domain::{Error, ErrorKind, Money};

use super::{Command, Token};

impl TryFrom<&OrderStockConfirmed> for Command {
    type Error = Error;

    fn try_from(event: &OrderStockConfirmed) -> Result<Self, Error> {
        let OrderStockConfirmed { order_id, total, payment_token, .. } = event;
        let total = total.clone().unwrap_or_default();
        let amount = Money::new(&total.currency, total.minor)
            .map_err(|unknown| Error::new(ErrorKind::Invalid, "UNKNOWN_CURRENCY", unknown.to_string()))?;
        Ok(Self::Charge { order_id: order_id.clone(), amount, token: Token::from(payment_token.clone()) })
    }
}

impl From<&OrderCancelled> for Command {
    fn from(event: &OrderCancelled) -> Self {
        Self::GiveBack { order_id: event.order_id.clone() }
    }
}
