//! Whose the objects are that requests name: a look-up by the name of the field, for a server to compare with.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use futures::future::BoxFuture;
use tonic::Status;
use tradewind_domain::Error;

use crate::status;

/// Finds the owners of objects. None of any by default.
#[derive(Clone, Default)]
pub struct Owners(BTreeMap<&'static str, Lookup>);

type Found = BoxFuture<'static, Result<Option<String>, Status>>;

#[derive(Clone)]
struct Lookup {
    whose: Arc<dyn Fn(String) -> Found + Send + Sync>,
    missing: Arc<dyn Fn(&str) -> Status + Send + Sync>,
}

impl Owners {
    /// Also finds those of objects that are named in `field`: `whose` looks up the owner of one, `missing` is what is said of one that
    /// is not there.
    #[must_use]
    pub fn of<F>(
        mut self,
        field: &'static str,
        whose: impl Fn(String) -> F + Send + Sync + 'static,
        missing: impl Fn(&str) -> Status + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<Option<String>, Status>> + Send + 'static,
    {
        let whose = Arc::new(move |id| Box::pin(whose(id)) as Found);
        self.0.insert(field, Lookup { whose, missing: Arc::new(missing) });
        self
    }

    /// The fields by which owners are found.
    #[must_use]
    pub fn fields(&self) -> BTreeSet<&'static str> {
        self.0.keys().copied().collect()
    }

    /// Refuses an object that is not `user`'s as one that does not exist.
    ///
    /// # Errors
    /// What is said of one that does not exist, or what the look-up says.
    pub(super) async fn check(&self, field: &str, object: &str, user: &str) -> Result<(), Status> {
        let Some(lookup) = self.0.get(field) else {
            return Err(status(Error::internal(format!("nobody knows whose an object is that is named in {field}"))));
        };
        match (lookup.whose)(object.to_owned()).await? {
            Some(owner) if owner == user => Ok(()),
            _ => Err((lookup.missing)(object)),
        }
    }
}

impl fmt::Debug for Owners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
