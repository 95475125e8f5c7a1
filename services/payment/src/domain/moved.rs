use contracts::tradewind::{money::v1::Money, payment::v1::Mismatch};
use tradewind_domain::Reference;

/// Money that the card provider says it has moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// How much, in whichever currency it says.
    pub amount: Money,
    /// What it calls that; none where it says nothing that can be kept.
    pub id: Option<Reference>,
    /// It calls what it did for another order the same.
    pub is_anothers: bool,
}

impl Moved {
    /// In what it differs from what was asked for.
    pub(super) fn differs_from(&self, asked: Option<&Money>) -> Mismatch {
        match asked {
            Some(asked) if asked.currency != self.amount.currency => Mismatch::Currency,
            Some(asked) if asked.minor != self.amount.minor => Mismatch::Amount,
            _ if self.id.is_none() => Mismatch::IdMissing,
            _ if self.is_anothers => Mismatch::IdReused,
            _ => Mismatch::Unspecified,
        }
    }

    /// The id as events carry it.
    pub(super) fn id(&self) -> &str {
        self.id.as_ref().map_or("", Reference::as_str)
    }
}
