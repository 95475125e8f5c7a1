use contracts::tradewind::shipping::v1::ShipmentStatus;
use tradewind_domain::{DomainError, ErrorKind};

/// Why a shipment refuses a command.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShipmentError {
    /// Nothing was ever to be shipped for this order.
    #[error("there is no shipment for this order")]
    NotFound,
    /// A parcel needs somebody who receives it.
    #[error("must be given")]
    RecipientMissing,
    /// A parcel needs at least one item, and of each item more than 0.
    #[error("must name at least one item, each with a quantity greater than 0")]
    NothingToShip,
    /// The order asks for other contents than it did before.
    #[error("other contents were already requested for this order")]
    OtherContents,
    /// The order is not confirmed yet, so the parcel may not leave.
    #[error("the order is not confirmed yet")]
    NotCleared,
    /// The order is being cancelled, so the parcel may not leave.
    #[error("the order is being cancelled")]
    BeingCancelled,
    /// The shipment is cancelled.
    #[error("the shipment is cancelled")]
    AlreadyCancelled,
    /// The carrier refused the shipment.
    #[error("the carrier has refused the shipment")]
    AlreadyRejected,
    /// What has not left cannot have arrived.
    #[error("the parcel has not left")]
    NotDispatched,
    /// The order or the carrier says what cannot follow from what they said before. Needs a person.
    #[error("{command} makes no sense for a shipment that is {}", .status.as_str_name())]
    Unexpected {
        /// What it amounts to.
        command: &'static str,
        /// How the shipment stands.
        status: ShipmentStatus,
    },
}

impl DomainError for ShipmentError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound => ErrorKind::NotFound,
            Self::RecipientMissing | Self::NothingToShip => ErrorKind::Invalid,
            Self::OtherContents => ErrorKind::AlreadyExists,
            Self::NotCleared
            | Self::BeingCancelled
            | Self::AlreadyCancelled
            | Self::AlreadyRejected
            | Self::NotDispatched
            | Self::Unexpected { .. } => ErrorKind::Rejected,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::NotFound => "SHIPMENT_NOT_FOUND",
            Self::RecipientMissing => "RECIPIENT_MISSING",
            Self::NothingToShip => "NOTHING_TO_SHIP",
            Self::OtherContents => "SHIPMENT_ALREADY_REQUESTED",
            Self::NotCleared => "NOT_CLEARED",
            Self::BeingCancelled => "BEING_CANCELLED",
            Self::AlreadyCancelled => "ALREADY_CANCELLED",
            Self::AlreadyRejected => "ALREADY_REJECTED",
            Self::NotDispatched => "NOT_DISPATCHED",
            Self::Unexpected { .. } => "UNEXPECTED_COMMAND",
        }
    }
}
