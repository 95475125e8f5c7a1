//! What nobody can guess.

use uuid::Uuid;

/// 244 random bits as text, others each time.
pub(crate) fn secret() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}
