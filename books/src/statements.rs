//! The outside's own statements, over HTTP.

use anyhow::{Context, Result};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::{Booking, CardEntry};

/// An outside whose address is known.
#[derive(Clone, Debug)]
pub struct Statements {
    outside: String,
    http: reqwest::Client,
}

#[derive(Deserialize)]
struct Card {
    entries: Vec<CardEntry>,
}

#[derive(Deserialize)]
struct Carrier {
    bookings: Vec<Booking>,
}

impl Statements {
    /// Those of the outside at `url`. Nothing is connected yet.
    ///
    /// # Errors
    /// When this machine can make no HTTP client.
    pub fn at(url: impl Into<String>) -> Result<Self> {
        Ok(Self { outside: url.into(), http: tradewind_runtime::direct().build()? })
    }

    /// All that the card provider did, in order.
    ///
    /// # Errors
    /// When the outside cannot be asked.
    pub async fn card(&self) -> Result<Vec<CardEntry>> {
        Ok(self.get::<Card>("/card/statement").await?.entries)
    }

    /// What the card provider did for one order, in order.
    ///
    /// # Errors
    /// When the outside cannot be asked.
    pub async fn card_of(&self, order_id: &str) -> Result<Vec<CardEntry>> {
        Ok(self.get::<Card>(&format!("/card/statement?order_id={order_id}")).await?.entries)
    }

    /// Every booking the carrier knows, as it stands.
    ///
    /// # Errors
    /// When the outside cannot be asked.
    pub async fn carrier(&self) -> Result<Vec<Booking>> {
        Ok(self.get::<Carrier>("/carrier/statement").await?.bookings)
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        let url = format!("{}{path}", self.outside);
        let answer = self.http.get(&url).send().await.with_context(|| format!("cannot fetch {url}"))?;
        Ok(answer.error_for_status()?.json().await?)
    }
}
