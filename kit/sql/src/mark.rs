//! The mark beside an SQLite file: which file its write-ahead log belongs to, and whether it was left in order.
//!
//! SQLite applies a write-ahead log to whatever file has the name, so a copy that was put in place while the log of the one
//! before was still there becomes a mixture, or nothing comes of it. The database file changes only at a checkpoint. One that
//! is made here gives the file a number that no copy from before has, and the mark repeats the file's header. Others may make
//! checkpoints too: SQLite itself when the last connection closes, `sqlite3`, a tool that replicates. The header that those
//! leave stands in the write-ahead log as well. Once that is overwritten, the number still tells the file from all others but
//! copies made since, and a thorough check of a copy tells it from those.

#[cfg(any(test, feature = "fuzzed"))]
pub(crate) mod fuzzed;
mod lock;
mod pages;
mod said;
mod wal;

use std::fs::File;
use std::io::{ErrorKind as Io, Seek};
use std::mem::ManuallyDrop;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::SystemTime;

use sea_orm::ConnectionTrait;
use tradewind_domain::{Error, ErrorKind};

use crate::backoff::random;
use crate::damage::{self, Look};
use crate::error::{DATABASE_CORRUPT, db};

pub use lock::reserve;
use lock::{in_use, lock_file};
use pages::Pages;
use said::{HEADER, State};

/// The reason when the file is not the one that was opened, or that its write-ahead log belongs to.
pub const DATABASE_REPLACED: &str = "DATABASE_REPLACED";

/// What is known of the file.
struct Last {
    /// What the mark says.
    state: State,
    /// The file in its file system.
    identity: Option<(u64, u64)>,
    /// When somebody last wrote to it, as far as that is known to be in order.
    written: Option<SystemTime>,
    /// How much there is for a checkpoint.
    pages: Pages,
}

/// A file that is never closed: closing it would take away the locks that SQLite has on it in this process.
type Kept = ManuallyDrop<File>;

/// An SQLite file with its mark.
pub struct Marked {
    file: PathBuf,
    handle: OnceLock<Kept>,
    last: Mutex<Last>,
    /// Tells others that the file is in use.
    _used: File,
}

impl Marked {
    /// Looks at a file before it is opened; whether it has to be checked for damage then.
    ///
    /// # Errors
    /// `Rejected` with reason [`DATABASE_REPLACED`] when a write-ahead log is there that belongs to another file;
    /// `Unavailable` while it is being restored.
    pub async fn inspect(file: PathBuf) -> Result<(Self, bool), Error> {
        let used = lock_file(&file)?;
        used.try_lock_shared().map_err(|error| in_use(&file, &error, "is being restored"))?;
        let last = Mutex::new(Last { state: read(&file), identity: None, written: None, pages: Pages::default() });
        let marked = Self { handle: OnceLock::new(), last, _used: used, file };
        let (pending, header) = (length(&marked.log())? > 0, marked.header()?);
        let said = marked.lock().state.clone();
        let replaced = match (&header, said.header()) {
            (None, _) if pending => Some("was removed"),
            (Some(header), Some(known)) if pending && !marked.follows(header, known).await? => Some("was replaced"),
            _ => None,
        };
        if let Some(what) = replaced {
            let file = marked.file.display();
            let text = format!(
                "{file} {what} while {file}-wal is still there, which belongs to the one before: put back what was there, or \
                 use `tradewind database restore`"
            );
            return Err(Error::new(ErrorKind::Rejected, DATABASE_REPLACED, text));
        }
        let in_order = match (header, &said) {
            (None, _) => true,
            (Some(header), State::Closed(known)) => !pending && header == *known,
            _ => false,
        };
        Ok((marked, !in_order))
    }

    /// Tells whether the file with this header may be the one whose mark says `known`, after checkpoints that others made.
    async fn follows(&self, header: &str, known: &str) -> Result<bool, Error> {
        // The log is gone meanwhile where another process has just closed the file.
        if self.is_explained(header, known)? || length(&self.log())? == 0 {
            return Ok(true);
        }
        if !said::akin(header, known) {
            return Ok(false);
        }
        tracing::warn!(file = %self.file.display(), "another program has written to the database; a copy of it is checked");
        Box::pin(self.mixes_well()).await
    }

    /// Tells whether a header is the known one, or one that the write-ahead log holds.
    fn is_explained(&self, header: &str, known: &str) -> Result<bool, Error> {
        let log = self.log();
        Ok(header == known || wal::holds(&log, header).map_err(|error| unreadable(&log, &error))?)
    }

    /// Tells whether a copy of the file and its write-ahead log is a sound database.
    async fn mixes_well(&self) -> Result<bool, Error> {
        let copy = beside(&self.file, "-look");
        let copied = self.copy(&copy).map_err(|error| unreadable(&copy, &error));
        let looked = match copied {
            Ok(()) => damage::look_through(&copy).await,
            Err(error) => Err(error),
        };
        for suffix in ["", "-wal", "-shm"] {
            // What is left of it is of no use.
            let _ = std::fs::remove_file(beside(&copy, suffix));
        }
        match looked {
            Ok(()) => Ok(true),
            Err(error) if error.reason == DATABASE_CORRUPT => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn copy(&self, to: &Path) -> std::io::Result<()> {
        let Some(handle) = self.handle.get() else { return Err(Io::NotFound.into()) };
        let mut from: &File = handle;
        from.rewind()?;
        std::io::copy(&mut from, &mut File::create(to)?)?;
        std::fs::copy(self.log(), beside(to, "-wal")).map(drop)
    }

    /// Notes that the file is open, before anything is written to it. Whatever the next checkpoint finds in it, it was looked at.
    pub(super) fn opened(&self) -> Result<(), Error> {
        self.lock().identity = identity(&self.file);
        self.write(State::Open(self.header()?.unwrap_or_default()))
    }

    /// Fails where another file has the name by now: what is written would be lost with the one that is open.
    pub(super) fn in_place(&self) -> Result<(), Error> {
        let opened = self.lock().identity;
        if opened.is_none() || identity(&self.file) == opened {
            return Ok(());
        }
        let text =
            format!("{} was replaced or removed while it was in use: start the service again", self.file.display());
        Err(Error::unavailable(DATABASE_REPLACED, text))
    }

    /// Moves what is in the write-ahead log into the file, when there is much of it, another program has written to the file, or it
    /// is to be left alone, by the one connection that writes, which must be in no transaction. The file gets another number then.
    pub(super) async fn checkpoint(&self, connection: &impl ConnectionTrait, last: bool) -> Result<(), Error> {
        self.in_place()?;
        let state = self.lock().state.clone();
        if let (State::Closed(header), false) = (&state, last) {
            self.write(State::Open(header.clone()))?;
        }
        let touched = self.is_touched()?;
        if !last && !touched && !self.lock().pages.are_due(&self.file)? {
            return Ok(());
        }
        if touched {
            self.look_again(connection).await?;
        }
        let run = async |text: &str| connection.execute_unprepared(text).await.map_err(db);
        run(&format!("PRAGMA user_version = {}", 1 + random() % 0x7fff_ffff)).await?;
        run(if last { "PRAGMA wal_checkpoint(TRUNCATE)" } else { "PRAGMA wal_checkpoint(PASSIVE)" }).await?;
        let written = written(&self.file);
        let header = self.header()?.unwrap_or_default();
        let closed = last && length(&self.log())? == 0;
        self.write(if closed { State::Closed(header) } else { State::Open(header) })?;
        let mut last = self.lock();
        last.written = written;
        last.pages.moved(&self.file)
    }

    /// Tells whether anybody has written to the file since that was last found in order, unless it was by way of a mark as well.
    fn is_touched(&self) -> Result<bool, Error> {
        let (known, now) = (self.lock().written, written(&self.file));
        if known == now {
            return Ok(false);
        }
        let ours = known.is_some()
            && written(&beside(&self.file, "-mark")) >= now
            && read(&self.file).header() == self.header()?.as_deref();
        if ours {
            self.lock().written = now;
        }
        Ok(!ours)
    }

    /// Looks at a file that another program has written to, while it is in use.
    async fn look_again(&self, connection: &impl ConnectionTrait) -> Result<(), Error> {
        let (said, Some(now)) = (read(&self.file), self.header()?) else { return Ok(()) };
        let Some(known) = said.header() else { return Ok(()) };
        if self.is_explained(&now, known)? {
            return Ok(());
        }
        if said::number(known) != said::number(&now) {
            let text = format!("{} was overwritten while it was in use", self.file.display());
            return Err(Error::new(ErrorKind::Internal, DATABASE_CORRUPT, text));
        }
        // What the connection has in memory would hide what is in the file.
        connection.execute_unprepared("PRAGMA shrink_memory").await.map_err(db)?;
        damage::check(connection, Look::Thorough).await
    }

    fn log(&self) -> PathBuf {
        beside(&self.file, "-wal")
    }

    /// What is at the beginning of the file; `None` where there is no file, or an empty one.
    fn header(&self) -> Result<Option<String>, Error> {
        let handle = match self.handle.get() {
            Some(handle) => handle,
            None => match File::open(&self.file) {
                Ok(file) => {
                    let file = Kept::new(file);
                    self.handle.get_or_init(|| file)
                }
                Err(error) if error.kind() == Io::NotFound => return Ok(None),
                Err(error) => return Err(unreadable(&self.file, &error)),
            },
        };
        let mut bytes = [0; HEADER];
        match handle.read_at(&mut bytes, 0) {
            Ok(HEADER) => Ok(Some(said::hex(&bytes))),
            Ok(_) => Ok(None),
            Err(error) => Err(unreadable(&self.file, &error)),
        }
    }

    fn write(&self, state: State) -> Result<(), Error> {
        let Some(text) = state.text() else { return Ok(()) };
        // Another process may have the file open, too, and write its mark at the same moment.
        let (mark, draft) = (beside(&self.file, "-mark"), beside(&self.file, &format!("-mark.{}", random())));
        let put = || {
            std::fs::write(&draft, text)?;
            File::open(&draft)?.sync_all()?;
            std::fs::rename(&draft, &mark)
        };
        put().map_err(|error| {
            // What is left of it is of no use.
            let _ = std::fs::remove_file(&draft);
            unreadable(&mark, &error)
        })?;
        self.lock().state = state;
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A file that goes with the database file.
#[must_use]
pub fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn length(file: &Path) -> Result<u64, Error> {
    match std::fs::metadata(file) {
        Ok(found) => Ok(found.len()),
        Err(error) if error.kind() == Io::NotFound => Ok(0),
        Err(error) => Err(unreadable(file, &error)),
    }
}

fn identity(file: &Path) -> Option<(u64, u64)> {
    std::fs::metadata(file).ok().map(|found| (found.dev(), found.ino()))
}

fn written(file: &Path) -> Option<SystemTime> {
    std::fs::metadata(file).and_then(|found| found.modified()).ok()
}

fn read(file: &Path) -> State {
    // Where there is none, nothing can be said.
    State::parse(&std::fs::read_to_string(beside(file, "-mark")).unwrap_or_default())
}

fn unreadable(file: &Path, error: &std::io::Error) -> Error {
    Error::unavailable("DATABASE_UNAVAILABLE", format!("{}: {error}", file.display()))
}
