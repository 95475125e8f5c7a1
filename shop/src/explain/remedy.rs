//! What would help an order on.

use std::fmt;

/// Something that whoever operates the shop can do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Remedy {
    /// Try a stream in quarantine again.
    Replay {
        /// The service that has it there.
        service: String,
        /// The context whose events those are.
        source: String,
        /// The stream.
        stream: String,
        /// The consumer that could not handle it.
        consumer: String,
    },
    /// Let a consumer read on.
    Resume {
        /// Whose it is.
        service: String,
        /// Which one.
        consumer: String,
    },
    /// Look at what the readers of a service are stuck at.
    Readers {
        /// Which one's.
        service: String,
    },
    /// Look at what runs.
    Status,
}

/// The command that does it.
impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Replay { service, stream, consumer, .. } => {
                write!(f, "tradewind quarantine replay {service} {stream} --consumer {consumer}")
            }
            Self::Resume { service, consumer } => write!(f, "tradewind consumer resume {service} {consumer}"),
            Self::Readers { service } => write!(f, "tradewind consumer list {service}"),
            Self::Status => f.write_str("tradewind status"),
        }
    }
}
