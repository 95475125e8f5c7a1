//! A service's read models as an operator sees them: which version is read, how far what is built beside it has come, and having
//! one built anew.

use std::sync::Arc;

use tradewind_domain::{Error, ErrorKind};
use tradewind_projections::{Slot, Standing, rebuild, standings};
use tradewind_store::Store;

use crate::quarantine::{Act, ActKind, audit, record};
use crate::{Consumer, Consumers};

/// Why a projection is not built: a service has none of that name.
pub const PROJECTION_UNKNOWN: &str = "PROJECTION_UNKNOWN";

/// A projection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Projected {
    /// How it stands.
    pub standing: Standing,
    /// The consumer that keeps what is read.
    pub consumer: String,
    /// How many events what is read has seen.
    pub events: u64,
    /// How many there are, where all owners could be asked.
    pub total: Option<u64>,
    /// How many what is built has seen.
    pub built: u64,
}

/// The projections of a service. Cheap to clone.
#[derive(Clone)]
pub struct Projections {
    store: Store,
    consumers: Consumers,
    names: Arc<[&'static str]>,
}

impl Projections {
    /// Those of these names, which `consumers` keep.
    #[must_use]
    pub fn new(store: Store, consumers: Consumers, names: Arc<[&'static str]>) -> Self {
        Self { store, consumers, names }
    }

    /// Every projection, by name.
    ///
    /// # Errors
    /// `Unavailable` when the database is.
    pub async fn list(&self) -> Result<Vec<Projected>, Error> {
        let (standings, consumers) = futures::try_join!(standings(&self.store), self.consumers.list())?;
        let known = standings.into_iter().filter(|standing| self.names.contains(&standing.name.as_str()));
        let reach = |name: &str| consumers.iter().find(|consumer| consumer.name == name).map(reach).unwrap_or_default();
        let projected = |standing: Standing| {
            let consumer = standing.slot.consumer(&standing.name);
            let (events, total) = reach(&consumer);
            let (built, _) = reach(&standing.slot.other().consumer(&standing.name));
            Projected { standing, consumer, events, total, built }
        };
        Ok(known.map(projected).collect())
    }

    /// These consumers without those that keep what nobody reads now.
    ///
    /// # Errors
    /// `Unavailable` when the database is.
    pub async fn at_work(&self, mut consumers: Vec<Consumer>) -> Result<Vec<Consumer>, Error> {
        let at_rest = self.at_rest().await?;
        consumers.retain(|consumer| !at_rest.contains(&consumer.name));
        Ok(consumers)
    }

    async fn at_rest(&self) -> Result<Vec<String>, Error> {
        let standings = standings(&self.store).await?;
        let rests = |name: &&'static str| {
            let read = standings.iter().find(|standing| standing.name == **name).map(|standing| standing.slot);
            read.unwrap_or(Slot::First).other().consumer(name)
        };
        Ok(self.names.iter().map(rests).collect())
    }

    /// Asks for a projection to be built anew.
    ///
    /// # Errors
    /// `NotFound` with reason [`PROJECTION_UNKNOWN`]; `Unavailable` when the database is.
    pub async fn rebuild(&self, projection: &str, principal: &str, reason: &str) -> Result<(), Error> {
        let act = Act::on(projection, ActKind::Rebuild, principal).because(reason);
        let asked = async {
            if !self.names.contains(&projection) {
                return Err(unknown(projection));
            }
            let mut tx = self.store.begin().await?;
            if !rebuild(&mut tx, projection).await? {
                return Err(unknown(projection));
            }
            record(&mut tx, &act).await?;
            tx.commit().await?;
            act.log();
            Ok(())
        };
        audit(&self.store, &act, asked.await).await
    }
}

/// How many events a consumer has seen, and how many there are.
fn reach(consumer: &Consumer) -> (u64, Option<u64>) {
    let partitions = || consumer.sources.iter().flat_map(|source| &source.partitions);
    (partitions().map(|partition| partition.position).sum(), partitions().map(|partition| partition.head).sum())
}

fn unknown(projection: &str) -> Error {
    Error::new(ErrorKind::NotFound, PROJECTION_UNKNOWN, format!("there is no projection {projection:?} here"))
}
