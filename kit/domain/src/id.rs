//! Typed ids over UUIDs: an order's id is not a payment's.

/// Text that is no UUID.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a UUID")]
pub struct InvalidId;

/// Declares a typed id over a UUID, printed in the hyphenated form.
///
/// ```
/// tradewind_domain::id! {
///     /// Names an order.
///     pub struct OrderId;
/// }
/// let id: OrderId = "0190163d-8694-739b-aea5-966c26f8ad91".parse()?;
/// assert_eq!(id.to_string(), "0190163d-8694-739b-aea5-966c26f8ad91");
/// # Ok::<(), tradewind_domain::InvalidId>(())
/// ```
#[macro_export]
macro_rules! id {
    ($(#[$meta:meta])* $vis:vis struct $name:ident;) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
        $vis struct $name($crate::private::uuid::Uuid);

        impl $name {
            /// A new id, ordered by the time it was made (UUIDv7).
            #[must_use]
            $vis fn generate() -> Self {
                Self($crate::private::uuid::Uuid::now_v7())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::InvalidId;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $crate::private::uuid::Uuid::try_parse(text).map(Self).map_err(|_| $crate::InvalidId)
            }
        }
    };
}
