//! The card provider: charges, voids, refunds and the statement. Decides from the request and its own ledger alone;
//! knows nothing of HTTP, files or clocks.

mod charge;
mod tokens;
mod transactions;
mod wire;

use std::collections::HashMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::decision::{Decision, Reply};
use crate::refusal::{Refusal, digest};
use charge::{Charge, Status};
use tokens::{Taking, amount};
use transactions::{Listed, Taken, TransactionKind, Transactions};
pub(crate) use transactions::{Page, Wanted};
pub(crate) use wire::{ChargeRequest, ChargeView, DeclineReason, RefundRequest, RefundView, Statement, VoidRequest};
use wire::{Entry, EntryKind};

/// How long `tok_slow` takes to answer.
const SLOW: Duration = Duration::from_secs(3);
/// How often `tok_unavailable` answers 503 before it captures.
const REFUSED_ATTEMPTS: u32 = 2;
/// ISO 4217's code for no currency: a void of a charge nobody has seen.
const NO_CURRENCY: &str = "XXX";

/// A charge as recorded: the digest stands for the whole request, so that no token is kept.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    key: String,
    order_id: String,
    amount_minor: i64,
    currency: String,
    digest: String,
}

/// What the card provider decided.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Fact {
    Unavailable {
        asked: Asked,
    },
    Captured {
        asked: Asked,
        charge_id: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        taken: Option<Taken>,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        short_refund: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        listed: Option<Listed>,
    },
    Declined {
        asked: Asked,
        reason: DeclineReason,
    },
    Voided {
        key: String,
        order_id: String,
    },
    Refunded {
        key: String,
        charge_key: String,
        order_id: String,
        amount_minor: i64,
        currency: String,
        refund_id: String,
        digest: String,
    },
}

struct Refund {
    digest: String,
    view: RefundView,
}

/// All charges and refunds by key, and the statement.
#[derive(Default)]
pub(crate) struct Ledger {
    charges: HashMap<String, Charge>,
    refunds: HashMap<String, Refund>,
    captured: u64,
    statement: Vec<Entry>,
    transactions: Transactions,
}

impl Ledger {
    /// Captures or declines by the token; a known key repeats what became of it.
    pub(crate) fn charge(&self, request: ChargeRequest) -> Result<Decision<Fact, ChargeView>, Refusal> {
        let digest = digest(&request)?;
        let attempts = match self.charges.get(&request.key) {
            None => 0,
            Some(known) => {
                if known.order_id != request.order_id || known.digest.as_ref().is_some_and(|seen| *seen != digest) {
                    return Err(Refusal::key_reused());
                }
                match (known.view(), &known.status) {
                    (Some(view), _) => return Ok(Decision::known(view)),
                    (None, Status::Undecided { attempts }) => *attempts,
                    (None, _) => 0,
                }
            }
        };
        let ChargeRequest { key, order_id, amount_minor, currency, token } = request;
        let asked = Asked { key, order_id, amount_minor, currency, digest };
        Ok(match token.as_str() {
            "tok_timeout" => Decision::silence(),
            "tok_unavailable" if attempts < REFUSED_ATTEMPTS => {
                let refusal = Refusal::unavailable("UNAVAILABLE", "the card provider cannot take this charge now");
                Decision::replying(Fact::Unavailable { asked }, Reply::Refused(refusal))
            }
            "tok_unavailable" => self.capture(asked, Taking::default(), Reply::Now),
            "tok_slow" => self.capture(asked, Taking::default(), |view| Reply::After(SLOW, view)),
            "tok_lost" => self.capture(asked, Taking::default(), |_| Reply::Lost),
            "tok_declined" => decline(asked, DeclineReason::CardDeclined),
            "tok_insufficient" => decline(asked, DeclineReason::InsufficientFunds),
            "tok_verbose" => decline(asked, DeclineReason::Verbose),
            token => match Taking::of(token, &asked) {
                Some(taking) => self.capture(asked, taking, Reply::Now),
                None => decline(asked, DeclineReason::UnknownToken),
            },
        })
    }

    fn capture(
        &self,
        asked: Asked,
        taking: Taking,
        reply: impl FnOnce(ChargeView) -> Reply<ChargeView>,
    ) -> Decision<Fact, ChargeView> {
        let Taking { charge_id, taken, short_refund, listed } = taking;
        let charge_id = charge_id.unwrap_or_else(|| format!("ch_{:06}", self.captured + 1));
        let (amount_minor, currency) = amount(&asked, taken.as_ref());
        let view = ChargeView::Captured { charge_id: charge_id.clone(), amount_minor, currency };
        Decision::replying(Fact::Captured { asked, charge_id, taken, short_refund, listed }, reply(view))
    }

    /// Answers what became of a charge.
    pub(crate) fn lookup(&self, key: &str) -> Result<ChargeView, Refusal> {
        self.charges.get(key).and_then(Charge::view).ok_or_else(charge_not_found)
    }

    /// Makes sure that no charge under `key` can succeed from now on, unless one already has.
    pub(crate) fn void(&self, key: String, request: VoidRequest) -> Result<Decision<Fact, ChargeView>, Refusal> {
        let VoidRequest { order_id } = request;
        match self.charges.get(&key) {
            Some(known) if known.order_id != order_id => Err(Refusal::key_reused()),
            known => Ok(match known.and_then(Charge::view) {
                Some(view) => Decision::known(view),
                None => Decision::new(Fact::Voided { key, order_id }, ChargeView::Voided),
            }),
        }
    }

    /// Gives back at most what was captured and not yet refunded.
    pub(crate) fn refund(&self, request: RefundRequest) -> Result<Decision<Fact, RefundView>, Refusal> {
        let digest = digest(&request)?;
        if let Some(known) = self.refunds.get(&request.key) {
            if known.digest != digest {
                return Err(Refusal::key_reused());
            }
            return Ok(Decision::known(known.view.clone()));
        }
        let charge = self.charges.get(&request.charge_key).ok_or_else(charge_not_found)?;
        let (captured, short) = match charge.status {
            Status::Undecided { .. } => return Err(charge_not_found()),
            Status::Captured { refunded_minor, short_refund, .. } => {
                (charge.amount_minor - refunded_minor, i64::from(short_refund))
            }
            Status::Declined { .. } | Status::Voided => (0, 0),
        };
        if charge.order_id != request.order_id {
            return Err(Refusal::conflict("ORDER_MISMATCH", "the charge belongs to another order"));
        }
        if captured > 0 && charge.currency != request.currency {
            return Err(Refusal::conflict("CURRENCY_MISMATCH", "the charge was captured in another currency"));
        }
        if request.amount_minor > captured {
            let message = format!("{captured} of this charge is captured and not yet refunded");
            return Err(Refusal::conflict("EXCEEDS_CAPTURED", message));
        }
        let refund_id = format!("re_{:06}", self.refunds.len() + 1);
        let RefundRequest { key, charge_key, order_id, amount_minor, currency } = request;
        let amount_minor = amount_minor - short;
        let view = RefundView::Refunded { refund_id: refund_id.clone(), amount_minor, currency: currency.clone() };
        let fact = Fact::Refunded { key, charge_key, order_id, amount_minor, currency, refund_id, digest };
        Ok(Decision::new(fact, view))
    }

    /// Everything that was decided, or only what belongs to one order.
    pub(crate) fn statement(&self, order_id: Option<&str>) -> Statement {
        let entries = self.statement.iter().filter(|entry| order_id.is_none_or(|id| entry.order_id == id));
        Statement { entries: entries.cloned().collect() }
    }

    /// What moved money, a page at a time.
    pub(crate) fn transactions(&self, wanted: &Wanted) -> Result<Page, Refusal> {
        self.transactions.page(wanted)
    }

    /// Takes a decided fact into the state; at replay too, so it must not refuse anything.
    pub(crate) fn apply(&mut self, fact: Fact, at: OffsetDateTime) {
        match fact {
            Fact::Unavailable { asked } => {
                let attempts = match self.charges.get(&asked.key) {
                    Some(Charge { status: Status::Undecided { attempts }, .. }) => attempts + 1,
                    _ => 1,
                };
                self.settle(asked, Status::Undecided { attempts });
            }
            Fact::Captured { mut asked, charge_id, taken, short_refund, listed } => {
                self.captured += 1;
                (asked.amount_minor, asked.currency) = amount(&asked, taken.as_ref());
                self.enter(EntryKind::Capture, &asked.key, &asked.order_id, (asked.amount_minor, &asked.currency), at);
                if let Some(moved) = transactions::shown(listed.as_ref(), (asked.amount_minor, &asked.currency)) {
                    self.transactions.add(TransactionKind::Charge, &asked.order_id, moved, at);
                }
                self.settle(asked, Status::Captured { charge_id, refunded_minor: 0, short_refund });
            }
            Fact::Declined { asked, reason } => {
                self.enter(EntryKind::Decline, &asked.key, &asked.order_id, (asked.amount_minor, &asked.currency), at);
                self.settle(asked, Status::Declined { reason });
            }
            Fact::Voided { key, order_id } => {
                let unseen = Charge {
                    order_id: order_id.clone(),
                    amount_minor: 0,
                    currency: NO_CURRENCY.into(),
                    digest: None,
                    status: Status::Voided,
                };
                let charge = self.charges.entry(key.clone()).or_insert(unseen);
                charge.status = Status::Voided;
                let (amount_minor, currency) = (charge.amount_minor, charge.currency.clone());
                self.enter(EntryKind::Void, &key, &order_id, (amount_minor, &currency), at);
            }
            Fact::Refunded { key, charge_key, order_id, amount_minor, currency, refund_id, digest } => {
                if let Some(Charge { status: Status::Captured { refunded_minor, .. }, .. }) =
                    self.charges.get_mut(&charge_key)
                {
                    *refunded_minor += amount_minor;
                }
                self.enter(EntryKind::Refund, &key, &order_id, (amount_minor, &currency), at);
                self.transactions.add(TransactionKind::Refund, &order_id, (amount_minor, &currency), at);
                let view = RefundView::Refunded { refund_id, amount_minor, currency };
                self.refunds.insert(key, Refund { digest, view });
            }
        }
    }

    fn settle(&mut self, asked: Asked, status: Status) {
        let Asked { key, order_id, amount_minor, currency, digest } = asked;
        self.charges.insert(key, Charge { order_id, amount_minor, currency, digest: Some(digest), status });
    }

    fn enter(
        &mut self,
        kind: EntryKind,
        key: &str,
        order_id: &str,
        (amount_minor, currency): (i64, &str),
        at: OffsetDateTime,
    ) {
        let (key, order_id, currency) = (key.to_owned(), order_id.to_owned(), currency.to_owned());
        self.statement.push(Entry { key, order_id, kind, amount_minor, currency, at });
    }
}

fn decline(asked: Asked, reason: DeclineReason) -> Decision<Fact, ChargeView> {
    Decision::new(Fact::Declined { asked, reason }, ChargeView::declined(reason))
}

fn charge_not_found() -> Refusal {
    Refusal::not_found("CHARGE_NOT_FOUND", "no charge was decided under this key")
}
