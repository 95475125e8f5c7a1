//! Events as a closed set of protobuf messages.

/// Why stored bytes are not an event of a set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The set has no event of this type.
    #[error("{0} is not an event of this aggregate")]
    UnknownType(String),
    /// The bytes are not a message of the type they are said to be.
    #[error("undecodable {type_name}: {cause}")]
    Malformed {
        /// Full protobuf name.
        type_name: String,
        /// What the decoder says.
        cause: String,
    },
}

/// The most bytes that an event may take on its way, with everything that goes with it: a message of the broker's has 1 MiB, which
/// is less than what a call takes.
pub const LARGEST_EVENT: usize = 1024 * 1024;

/// The events of one aggregate; made by [`events!`](crate::events).
pub trait EventSet: Sized + Clone + std::fmt::Debug + Send + Sync + 'static {
    /// The full protobuf names of the events that the aggregate decides by: all but the [informative](Self::is_informative) ones.
    fn type_names() -> Vec<String>;
    /// The event's full protobuf name, e.g. `tradewind.ordering.v1.OrderPlaced`.
    fn type_name(&self) -> String;
    /// Nothing that the aggregate decides depends on it, so a build that does not know the event may pass over it, as a decoder
    /// of PNG passes over an ancillary chunk. What is not informative needs two releases: one that knows it everywhere, then one
    /// that writes it.
    fn is_informative(&self) -> bool {
        false
    }
    /// The event as a protobuf message.
    fn encode(&self) -> Vec<u8>;
    /// Reads an event of this set.
    ///
    /// # Errors
    /// When `type_name` is none of this set, or `bytes` are not such a message.
    fn decode(type_name: &str, bytes: &[u8]) -> Result<Self, DecodeError>;
}

/// Declares an enum over protobuf messages as the [`EventSet`] of an aggregate. An event followed by `: informative`
/// [is so](EventSet::is_informative). One followed by `: upcast f` is given to `f`, which takes the message and gives it, whenever it
/// is read: it brings what an earlier release wrote to the present form, and leaves that as it is.
///
/// ```ignore
/// events! {
///     /// What can happen to an order.
///     pub enum OrderEvent { Placed(OrderPlaced), Viewed(OrderViewed): informative, Shipped(OrderShipped): upcast in_grams }
/// }
/// ```
#[macro_export]
macro_rules! events {
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $($(#[$vmeta:meta])* $variant:ident($message:ty) $(: $mark:ident $($upcast:path)?)?),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        #[allow(missing_docs, clippy::large_enum_variant)]
        $vis enum $name { $($(#[$vmeta])* $variant($message)),+ }

        $(impl From<$message> for $name {
            fn from(message: $message) -> Self {
                Self::$variant(message)
            }
        })+

        impl $crate::EventSet for $name {
            fn type_names() -> Vec<String> {
                let all = [$((<$message as $crate::private::prost::Name>::full_name(), $crate::events!(@is_informative $($mark)?))),+];
                all.into_iter().filter_map(|(name, is_informative)| (!is_informative).then_some(name)).collect()
            }

            fn type_name(&self) -> String {
                match self {
                    $(Self::$variant(_) => <$message as $crate::private::prost::Name>::full_name()),+
                }
            }

            fn is_informative(&self) -> bool {
                match self {
                    $(Self::$variant(_) => $crate::events!(@is_informative $($mark)?)),+
                }
            }

            fn encode(&self) -> Vec<u8> {
                match self {
                    $(Self::$variant(message) => $crate::private::prost::Message::encode_to_vec(message)),+
                }
            }

            fn decode(type_name: &str, bytes: &[u8]) -> Result<Self, $crate::DecodeError> {
                $(if $crate::private::is_named::<$message>(type_name) {
                    return <$message as $crate::private::prost::Message>::decode(bytes)
                        .map(|message| Self::$variant($crate::events!(@present message $($($upcast)?)?)))
                        .map_err(|cause| $crate::DecodeError::Malformed {
                            type_name: type_name.to_owned(),
                            cause: cause.to_string(),
                        });
                })+
                Err($crate::DecodeError::UnknownType(type_name.to_owned()))
            }
        }
    };
    (@is_informative) => { false };
    (@is_informative informative) => { true };
    (@is_informative upcast) => { false };
    (@present $message:ident) => { $message };
    (@present $message:ident $upcast:path) => { $upcast($message) };
}
