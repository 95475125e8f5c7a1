//! What a service keeps in a transaction, by its type: rows that it has read for several decisions, and what is to be done once
//! about all of them.

use std::any::{Any, TypeId};
use std::collections::BTreeMap;

use futures::future::BoxFuture;
use tradewind_domain::Error;

use super::Tx;

/// What has the last word in a transaction.
pub trait Last: Any + Default + Send + Sync {
    /// Does what is to be done about everything that is kept, before the commit.
    ///
    /// # Errors
    /// Any error is the commit's, and undoes the transaction.
    fn close(self, tx: &mut Tx) -> impl Future<Output = Result<(), Error>> + Send;
}

trait Closes: Any + Send + Sync {
    fn close(self: Box<Self>, tx: &mut Tx) -> BoxFuture<'_, Result<(), Error>>;
}

impl<L: Last> Closes for L {
    fn close(self: Box<Self>, tx: &mut Tx) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(Last::close(*self, tx))
    }
}

/// By type.
#[derive(Default)]
pub(super) struct Kept(BTreeMap<TypeId, Box<dyn Closes>>);

impl Tx {
    /// What of this type is kept in this transaction, which has the last word in it.
    #[expect(clippy::expect_used, reason = "it is kept under its type")]
    pub fn kept<L: Last>(&mut self) -> &mut L {
        let kept = self.kept.0.entry(TypeId::of::<L>()).or_insert_with(|| Box::new(L::default()));
        (&mut **kept as &mut dyn Any).downcast_mut().expect("one of this type")
    }

    /// Lets what is kept have the last word.
    pub(super) async fn close(&mut self) -> Result<(), Error> {
        while let Some((_, kept)) = self.kept.0.pop_first() {
            kept.close(self).await?;
        }
        Ok(())
    }
}
