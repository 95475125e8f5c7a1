//! The tokens whose charges are captured, as they were asked for or not.

use super::{
    Asked,
    transactions::{Listed, Taken},
};

/// How a charge is captured; the default is as it was asked for.
#[derive(Default)]
pub(super) struct Taking {
    /// The id that is given in place of one of its own.
    pub(super) charge_id: Option<String>,
    /// What is taken in place of what was asked for.
    pub(super) taken: Option<Taken>,
    /// Its refund pays back one minor unit less than it is asked to.
    pub(super) short_refund: bool,
    /// How it is listed in place of what was taken.
    pub(super) listed: Option<Listed>,
}

/// What was taken: what was asked for, unless it was something else.
pub(super) fn amount(asked: &Asked, taken: Option<&Taken>) -> (i64, String) {
    let otherwise = (asked.amount_minor, &asked.currency);
    let (minor, currency) = taken.map_or(otherwise, |taken| (taken.amount_minor, &taken.currency));
    (minor, currency.clone())
}

impl Taking {
    /// How a charge of this token is captured; none for a token that captures nothing.
    pub(super) fn of(token: &str, asked: &Asked) -> Option<Self> {
        let some = |amount_minor, currency: &str| Taken { amount_minor, currency: currency.to_owned() };
        let taken = |amount_minor, currency| Self { taken: Some(some(amount_minor, currency)), ..Self::default() };
        let listed = |listed| Self { listed: Some(listed), ..Self::default() };
        let charge_id = |id: &str| Self { charge_id: Some(id.to_owned()), ..Self::default() };
        let (amount, currency) = (asked.amount_minor, asked.currency.as_str());
        let another = if currency == "EUR" { "USD" } else { "EUR" };
        match token {
            "tok_ok" => Some(Self::default()),
            "tok_short" => Some(taken(1, currency)),
            "tok_over" => Some(taken(amount.saturating_add(1), currency)),
            "tok_zero" => Some(taken(0, currency)),
            "tok_negative" => Some(taken(-amount, currency)),
            "tok_currency" => Some(taken(amount, another)),
            "tok_no_id" => Some(charge_id("")),
            "tok_same_id" => Some(charge_id("ch_same")),
            "tok_refund_short" => Some(Self { short_refund: true, ..Self::default() }),
            "tok_unlisted" => Some(listed(Listed::Nowhere)),
            "tok_listed_over" => Some(listed(Listed::As(some(amount.saturating_add(1), currency)))),
            "tok_listed_currency" => Some(listed(Listed::As(some(amount, another)))),
            _ => None,
        }
    }
}
