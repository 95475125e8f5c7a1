//! The mark beside an SQLite file: which file its write-ahead log belongs to, and whether it was left in order.
//!
//! SQLite applies a write-ahead log to whatever file has the name, so a copy that was put in place while the log of the one
//! before was still there becomes a mixture, or nothing comes of it. The database file changes only at a checkpoint, and
//! checkpoints are made here alone: each changes the file's header, which the mark repeats. So a file whose header is another
//! one was put there by somebody else.

use std::fs::{File, TryLockError};
use std::io::ErrorKind as Io;
use std::mem::ManuallyDrop;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use sea_orm::{ConnectionTrait, DbBackend};
use tradewind_domain::{Error, ErrorKind};

use crate::error::{DATABASE_CORRUPT, db};
use crate::sql::statement;

/// The reason when the file is not the one that was opened, or that its write-ahead log belongs to.
pub const DATABASE_REPLACED: &str = "DATABASE_REPLACED";

/// As much of the file as says which it is, by SQLite's file format: change counter, size, schema and user version.
const HEADER: usize = 100;
/// A checkpoint is made when the write-ahead log has so many bytes: 4,000 pages.
const CHECKPOINT: u64 = 4_000 * 4_096;

/// What the mark says.
#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    /// In use; the file has this header.
    Open(String),
    /// Left in order, with nothing in the write-ahead log; the file has this header.
    Closed(String),
    /// A checkpoint is under way, or another program has written: nothing can be said.
    Unknown,
}

/// An SQLite file with its mark.
pub(super) struct Marked {
    file: PathBuf,
    /// Never closed: closing it would take away the locks that SQLite has on the file in this process.
    handle: OnceLock<ManuallyDrop<File>>,
    /// What was written last, and the file's identity in its file system.
    last: Mutex<(State, Option<(u64, u64)>)>,
    /// Tells others that the file is in use.
    _used: File,
}

impl Marked {
    /// Looks at a file before it is opened; whether it has to be checked for damage then.
    ///
    /// # Errors
    /// `Rejected` with reason [`DATABASE_REPLACED`] when a write-ahead log is there that belongs to another file;
    /// `Unavailable` while it is being restored.
    pub(super) fn inspect(file: PathBuf) -> Result<(Self, bool), Error> {
        let used = lock_file(&file)?;
        used.try_lock_shared().map_err(|error| in_use(&file, &error, "is being restored"))?;
        let last = Mutex::new((read(&file), None));
        let marked = Self { handle: OnceLock::new(), last, _used: used, file };
        let (header, pending) = (marked.header()?, length(&beside(&marked.file, "-wal"))? > 0);
        let (file, said) = (&marked.file, marked.lock().0.clone());
        let replaced = |what: &str| {
            let file = file.display();
            let text = format!(
                "{file} {what} while {file}-wal is still there, which belongs to the one before: put back what was there, or \
                 use `tradewind database restore`"
            );
            Err(Error::new(ErrorKind::Rejected, DATABASE_REPLACED, text))
        };
        match (&header, &said) {
            (None, _) if pending => return replaced("was removed"),
            (Some(header), State::Open(known) | State::Closed(known)) if pending && header != known => {
                return replaced("was replaced");
            }
            _ => {}
        }
        let in_order = match (header, &said) {
            (None, _) => true,
            (Some(header), State::Closed(known)) => !pending && header == *known,
            _ => false,
        };
        Ok((marked, !in_order))
    }

    /// Notes that the file is open, before anything is written to it.
    pub(super) fn opened(&self) -> Result<(), Error> {
        self.lock().1 = identity(&self.file);
        self.write(State::Open(self.header()?.unwrap_or_default()))
    }

    /// Fails where another file has the name by now: what is written would be lost with the one that is open.
    pub(super) fn in_place(&self) -> Result<(), Error> {
        let opened = self.lock().1;
        if opened.is_none() || identity(&self.file) == opened {
            return Ok(());
        }
        let text =
            format!("{} was replaced or removed while it was in use: start the service again", self.file.display());
        Err(Error::unavailable(DATABASE_REPLACED, text))
    }

    /// Another program has written, and may have made a checkpoint.
    pub(super) fn interrupted(&self) -> Result<(), Error> {
        if self.lock().0 == State::Unknown { Ok(()) } else { self.write(State::Unknown) }
    }

    /// Moves what is in the write-ahead log into the file, when there is much of it or the file is to be left alone, by the one
    /// connection that writes, which must be in no transaction.
    pub(super) async fn checkpoint(&self, connection: &impl ConnectionTrait, last: bool) -> Result<(), Error> {
        let log = beside(&self.file, "-wal");
        let state = self.lock().0.clone();
        if let (State::Closed(header), false) = (&state, last) {
            self.write(State::Open(header.clone()))?;
        }
        if !last && length(&log)? < CHECKPOINT {
            return Ok(());
        }
        let now = self.header()?;
        if let (State::Open(known) | State::Closed(known), Some(now)) = (&state, &now)
            && known != now
        {
            let text = format!("{} was overwritten while it was in use", self.file.display());
            return Err(Error::new(ErrorKind::Internal, DATABASE_CORRUPT, text));
        }
        self.write(State::Unknown)?;
        let run = async |text: &str| connection.query_all_raw(statement(DbBackend::Sqlite, text, [])).await.map_err(db);
        let version = run("PRAGMA user_version").await?;
        let version: i32 = version.first().map_or(Ok(0), |row| row.try_get_by_index(0)).map_err(db)?;
        // It is in the header, which so is another one after each checkpoint.
        run(&format!("PRAGMA user_version = {}", version.wrapping_add(1))).await?;
        run(if last { "PRAGMA wal_checkpoint(TRUNCATE)" } else { "PRAGMA wal_checkpoint(PASSIVE)" }).await?;
        let header = self.header()?.unwrap_or_default();
        let closed = last && length(&log)? == 0;
        self.write(if closed { State::Closed(header) } else { State::Open(header) })
    }

    /// What is at the beginning of the file; `None` where there is no file, or an empty one.
    fn header(&self) -> Result<Option<String>, Error> {
        let handle = match self.handle.get() {
            Some(handle) => handle,
            None => match File::open(&self.file) {
                Ok(file) => self.handle.get_or_init(|| ManuallyDrop::new(file)),
                Err(error) if error.kind() == Io::NotFound => return Ok(None),
                Err(error) => return Err(unreadable(&self.file, &error)),
            },
        };
        let mut bytes = [0; HEADER];
        match handle.read_at(&mut bytes, 0) {
            Ok(HEADER) => Ok(Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect())),
            Ok(_) => Ok(None),
            Err(error) => Err(unreadable(&self.file, &error)),
        }
    }

    fn write(&self, state: State) -> Result<(), Error> {
        let text = match &state {
            State::Open(header) => format!("open {header}\n"),
            State::Closed(header) => format!("closed {header}\n"),
            State::Unknown => "unknown\n".to_owned(),
        };
        let (mark, draft) = (beside(&self.file, "-mark"), beside(&self.file, "-mark.new"));
        let put = || {
            std::fs::write(&draft, text)?;
            File::open(&draft)?.sync_all()?;
            std::fs::rename(&draft, &mark)
        };
        put().map_err(|error| unreadable(&mark, &error))?;
        self.lock().0 = state;
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, (State, Option<(u64, u64)>)> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks for damage; the whole file is read.
///
/// # Errors
/// `Internal` with reason [`DATABASE_CORRUPT`].
pub(super) async fn check(connection: &impl ConnectionTrait) -> Result<(), Error> {
    let check = statement(DbBackend::Sqlite, "PRAGMA quick_check(3)", []);
    let rows = connection.query_all_raw(check).await.map_err(db)?;
    let found: Vec<String> = rows.iter().map(|row| row.try_get_by_index(0).map_err(db)).collect::<Result<_, _>>()?;
    if found == ["ok"] {
        return Ok(());
    }
    let text = format!("the database is damaged: {}", found.join("; "));
    Err(Error::new(ErrorKind::Internal, DATABASE_CORRUPT, text))
}

/// A file that goes with the database file.
pub(super) fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Says that nobody may use the file for as long as the returned value lives.
///
/// # Errors
/// `Unavailable` with reason `DATABASE_IN_USE` while somebody does.
pub(super) fn reserve(file: &Path) -> Result<File, Error> {
    let lock = lock_file(file)?;
    lock.try_lock().map_err(|error| in_use(file, &error, "is in use: stop the service first"))?;
    Ok(lock)
}

fn lock_file(file: &Path) -> Result<File, Error> {
    let lock = beside(file, "-lock");
    File::options().create(true).append(true).open(&lock).map_err(|error| unreadable(&lock, &error))
}

fn in_use(file: &Path, error: &TryLockError, what: &str) -> Error {
    match error {
        TryLockError::WouldBlock => Error::unavailable("DATABASE_IN_USE", format!("{} {what}", file.display())),
        TryLockError::Error(error) => unreadable(file, error),
    }
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

fn read(file: &Path) -> State {
    // Where there is none, a build before was the last to use the file.
    let text = std::fs::read_to_string(beside(file, "-mark")).unwrap_or_default();
    match text.trim().split_once(' ') {
        Some(("open", header)) => State::Open(header.to_owned()),
        Some(("closed", header)) => State::Closed(header.to_owned()),
        _ => State::Unknown,
    }
}

fn unreadable(file: &Path, error: &std::io::Error) -> Error {
    Error::unavailable("DATABASE_UNAVAILABLE", format!("{}: {error}", file.display()))
}
