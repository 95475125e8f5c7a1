//! The durable record: one append-only file of JSON lines, replayed at start. Knows nothing of what a line means.
//!
//! A line counts once it is followed by a newline and the file was synced; nothing may be answered before that.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::sync::mpsc;

use anyhow::{Context, bail};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::watch;

/// The file's name in the data folder.
const FILE: &str = "journal.jsonl";
/// The most lines that share one write and one sync.
const BATCH: usize = 4096;

/// How many records are on disk, and whether writing has failed for good.
#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    durable: u64,
    failed: bool,
}

/// The writing end. Records become durable in the order in which they were appended.
pub(crate) struct Journal {
    /// None once closed.
    queue: Option<mpsc::Sender<Vec<u8>>>,
    appended: u64,
    progress: Watcher,
}

/// Tells when a position is durable; cheap to clone.
#[derive(Clone)]
pub(crate) struct Watcher(watch::Receiver<Progress>);

/// The journal cannot be written any more.
#[derive(Debug)]
pub(crate) struct Failed;

impl Journal {
    /// Locks and replays the journal in `folder`, cuts off a last line without its end, and starts the writer.
    ///
    /// Fails if another process holds it, or if a complete line cannot be read.
    pub(crate) fn open<R: DeserializeOwned>(folder: &Path, replay: impl FnMut(R)) -> anyhow::Result<Self> {
        fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
        let path = folder.join(FILE);
        let file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(&path)
            .with_context(|| format!("cannot open {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!("{} is in use by another process", path.display()),
            Err(TryLockError::Error(error)) => return Err(error).context(format!("cannot lock {}", path.display())),
        }
        let records = restore(&file, &path, replay)?;
        // The file's name must survive a power failure as well as its content.
        File::open(folder)?.sync_all()?;

        let (queue, queued) = mpsc::channel();
        let (report, progress) = watch::channel(Progress { durable: records, failed: false });
        std::thread::Builder::new()
            .name("journal".into())
            .spawn(move || write(file, &queued, &report))
            .context("cannot start the journal's writer")?;
        Ok(Self { queue: Some(queue), appended: records, progress: Watcher(progress) })
    }

    /// The number of records appended so far, which is also the position of the last one.
    pub(crate) fn position(&self) -> u64 {
        self.appended
    }

    /// Queues a record and returns its position; whoever answers for it waits until that is durable.
    pub(crate) fn append(&mut self, record: &impl Serialize) -> Result<u64, Failed> {
        let mut line = serde_json::to_vec(record).map_err(|_| Failed)?;
        line.push(b'\n');
        self.queue.as_ref().ok_or(Failed)?.send(line).map_err(|_| Failed)?;
        self.appended += 1;
        Ok(self.appended)
    }

    pub(crate) fn watcher(&self) -> Watcher {
        self.progress.clone()
    }

    /// Takes no more records; what is queued is still written.
    pub(crate) fn close(&mut self) {
        self.queue = None;
    }
}

impl Watcher {
    /// Waits until the record at `position` is on disk.
    pub(crate) async fn durable(&self, position: u64) -> Result<(), Failed> {
        let mut progress = self.0.clone();
        let seen = progress.wait_for(|seen| seen.failed || seen.durable >= position).await.map_err(|_| Failed)?;
        if seen.durable >= position { Ok(()) } else { Err(Failed) }
    }

    /// Waits until writing has failed for good.
    pub(crate) async fn failed(&self) {
        let mut progress = self.0.clone();
        // An error means that the writer has ended in good order: then there is nothing to wait for.
        if progress.wait_for(|seen| seen.failed).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Whether records can still be written.
    pub(crate) fn healthy(&self) -> bool {
        !self.0.borrow().failed
    }

    /// Waits until a closed journal has written everything and released its file.
    pub(crate) async fn closed(&self) {
        let mut progress = self.0.clone();
        while progress.changed().await.is_ok() {}
    }
}

/// Hands every complete line to `replay`, cuts off what follows the last newline, and returns the number of lines.
fn restore<R: DeserializeOwned>(file: &File, path: &Path, mut replay: impl FnMut(R)) -> anyhow::Result<u64> {
    let mut reader = BufReader::with_capacity(1 << 16, file);
    let (mut line, mut records, mut end) = (Vec::new(), 0_u64, 0_u64);
    loop {
        line.clear();
        let length = u64::try_from(reader.read_until(b'\n', &mut line)?)?;
        if length == 0 {
            return Ok(records);
        }
        if line.last() != Some(&b'\n') {
            tracing::warn!(file = %path.display(), bytes = length, "the last line was never completed, so nobody got an answer to it: cut off");
            file.set_len(end)?;
            file.sync_all()?;
            return Ok(records);
        }
        records += 1;
        let record = serde_json::from_slice(&line).with_context(|| {
            format!(
                "{} is corrupt at line {records} (byte {end}): refusing to start; restore the file, or move it away to begin with an empty record",
                path.display()
            )
        })?;
        replay(record);
        end += length;
    }
}

/// Writes all that is queued with one write and one sync, again and again, until the queue is closed.
fn write(mut file: File, queue: &mpsc::Receiver<Vec<u8>>, report: &watch::Sender<Progress>) {
    while let Ok(mut batch) = queue.recv() {
        let mut records = 1;
        for line in queue.try_iter().take(BATCH - 1) {
            batch.extend_from_slice(&line);
            records += 1;
        }
        if let Err(error) = file.write_all(&batch).and_then(|()| file.sync_data()) {
            tracing::error!(%error, "the journal cannot be written");
            report.send_modify(|progress| progress.failed = true);
            return;
        }
        report.send_modify(|progress| progress.durable += records);
    }
}
