//! What tests do there besides.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the verdict")]

use super::*;

#[derive(serde::Deserialize)]
struct Said {
    text: String,
}

impl ClickHouse {
    /// Merges what is there, so that no row is left twice.
    pub(crate) async fn merge(&self) {
        for (table, ..) in tables::ALL {
            self.0.server.change(&format!("OPTIMIZE TABLE {} FINAL", Slot::First.table(table))).await.unwrap();
        }
    }

    /// Removes the tables of a slot.
    pub(crate) async fn remove(&self, slot: Slot) {
        for (table, ..) in tables::ALL {
            self.0.server.change(&format!("DROP TABLE {}", slot.table(table))).await.unwrap();
        }
    }

    /// What a text is once it was said there.
    pub(crate) async fn said(&self, text: &str) -> String {
        let asked = format!("SELECT {} AS text", literal::literal(text));
        self.0.server.ask::<Said>(&asked).await.unwrap().remove(0).text
    }
}
