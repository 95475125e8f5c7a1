//! The list of what moved money, as the provider accounts for it, a page at a time. It is asked for by those whose money it is, and
//! some tokens make it say something else than what was done.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::refusal::{Kind, Refusal};

/// An amount, where it is not what was asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Taken {
    pub(super) amount_minor: i64,
    pub(super) currency: String,
}

/// The most of a page.
const LARGEST_PAGE: usize = 100;

/// How a charge is listed, where it is not as it was taken.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Listed {
    Nowhere,
    As(Taken),
}

/// Money that moved.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Transaction {
    id: String,
    #[serde(rename = "type")]
    kind: TransactionKind,
    order_id: String,
    amount_minor: i64,
    currency: String,
    #[serde(with = "time::serde::rfc3339")]
    created: OffsetDateTime,
}

#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum TransactionKind {
    Charge,
    Refund,
}

/// Which transactions are asked for: those from `since` on and before `until` that follow `after`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    #[serde(with = "time::serde::rfc3339")]
    since: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    until: OffsetDateTime,
    after: Option<String>,
    limit: Option<usize>,
}

/// A page, and whether more follows.
#[derive(Debug, Serialize)]
pub(crate) struct Page {
    transactions: Vec<Transaction>,
    has_more: bool,
}

/// All of them, in the order in which they were decided.
#[derive(Default)]
pub(super) struct Transactions(Vec<Transaction>);

impl Transactions {
    pub(super) fn add(
        &mut self,
        kind: TransactionKind,
        order_id: &str,
        (amount_minor, currency): (i64, &str),
        created: OffsetDateTime,
    ) {
        let (id, order_id, currency) =
            (format!("txn_{:06}", self.0.len() + 1), order_id.to_owned(), currency.to_owned());
        self.0.push(Transaction { id, kind, order_id, amount_minor, currency, created });
    }

    /// The page that is asked for.
    ///
    /// # Errors
    /// A limit out of bounds, a period that ends before it begins, or an id that is none of these.
    pub(super) fn page(&self, wanted: &Wanted) -> Result<Page, Refusal> {
        let Wanted { since, until, after, limit } = wanted;
        let limit = limit.unwrap_or(LARGEST_PAGE);
        if !(1..=LARGEST_PAGE).contains(&limit) {
            let message = format!("must be 1 to {LARGEST_PAGE}");
            return Err(Refusal::field("limit", "LIMIT_OUT_OF_RANGE", message));
        }
        if since >= until {
            return Err(Refusal::field("until", "PERIOD_EMPTY", "must be later than since"));
        }
        let first = match after {
            None => 0,
            Some(id) => {
                let found = self.0.iter().position(|transaction| transaction.id == *id);
                let unknown = || Refusal::new(Kind::Invalid, "UNKNOWN_TRANSACTION", "after is no transaction");
                found.ok_or_else(unknown)? + 1
            }
        };
        let mut rest = self.0.iter().skip(first).filter(|line| (*since..*until).contains(&line.created));
        let transactions = rest.by_ref().take(limit).cloned().collect();
        Ok(Page { transactions, has_more: rest.next().is_some() })
    }
}

/// What a charge of this amount is listed as; nothing where it is not.
pub(super) fn shown<'a>(listed: Option<&'a Listed>, taken: (i64, &'a str)) -> Option<(i64, &'a str)> {
    match listed {
        None => Some(taken),
        Some(Listed::Nowhere) => None,
        Some(Listed::As(other)) => Some((other.amount_minor, &other.currency)),
    }
}
