//! When a checkpoint is due: as soon as many pages are in an SQLite file's write-ahead log only.

use std::fs::File;
use std::io::{ErrorKind, Result};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use tradewind_domain::Error;

use super::{Kept, beside, unreadable, wal};

/// So many.
const MANY: u32 = 4_000;

/// What is known of the log's pages.
#[derive(Default)]
pub(super) struct Pages {
    /// The log's index.
    index: Option<Kept>,
    /// Those that the last checkpoint could not move, because somebody still reads what they replace.
    left: u32,
}

impl Pages {
    /// Tells whether there are many more than the last checkpoint left.
    pub(super) fn are_due(&mut self, file: &Path) -> std::result::Result<bool, Error> {
        let pending = self.pending(file)?;
        // A log that is overwritten has fewer.
        self.left = self.left.min(pending);
        Ok(pending - self.left >= MANY)
    }

    /// A checkpoint has been made.
    pub(super) fn moved(&mut self, file: &Path) -> std::result::Result<(), Error> {
        self.left = self.pending(file)?;
        Ok(())
    }

    /// How many are in the log only.
    fn pending(&mut self, file: &Path) -> std::result::Result<u32, Error> {
        let path = beside(file, "-shm");
        match self.read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(0),
            pages => pages.map_err(|error| unreadable(&path, &error)),
        }
    }

    fn read(&mut self, path: &Path) -> Result<u32> {
        // SQLite makes another one where nobody had the file open for a while.
        let known = self.index.take().filter(|index| index.metadata().is_ok_and(|found| found.nlink() > 0));
        let index = match known {
            Some(index) => index,
            None => Kept::new(File::open(path)?),
        };
        wal::pending(self.index.insert(index))
    }
}
