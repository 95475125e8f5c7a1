//! What a file is made of: unpacked, and its text decoded. What its columns mean is not known here.

use std::borrow::Cow;
use std::fs::File;
use std::io::{Cursor, Read};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use calamine::{Sheets, open_workbook_auto_from_rs};
use encoding_rs::{Encoding, UTF_16BE, UTF_16LE, WINDOWS_1252};
use zip::ZipArchive;

/// The most that is read of a file, and that it may unpack to.
pub(super) const MOST_BYTES: u64 = 1 << 30;
/// Packed in a pack, and that in a pack.
const MOST_PACKS: u8 = 3;

pub(super) type Workbook = Sheets<Cursor<Arc<[u8]>>>;

/// A file as it can be read further.
pub(super) enum Content {
    Text(String),
    Workbook(Box<Workbook>),
}

/// All of a file.
///
/// # Errors
/// When it cannot be read, or is too large.
pub(super) fn read(path: &Path) -> Result<Vec<u8>> {
    let file = File::open(path)?;
    ensure!(!file.metadata()?.is_dir(), "it is a folder");
    bounded(file)
}

/// What a file holds, however it is packed.
///
/// # Errors
/// When it is damaged, unpacks to too much, or is neither text nor a workbook.
pub(super) fn unpack(bytes: Vec<u8>) -> Result<Content> {
    unpacked(bytes, MOST_PACKS)
}

fn unpacked(bytes: Vec<u8>, packs: u8) -> Result<Content> {
    let packed = bytes.starts_with(b"\x1f\x8b") || bytes.starts_with(b"PK\x03\x04");
    ensure!(!packed || packs > 0, "it is packed over and over");
    match bytes.get(..2) {
        Some(b"\x1f\x8b") => {
            let inner = bounded(flate2::read::MultiGzDecoder::new(bytes.as_slice())).context("its gzip is damaged")?;
            unpacked(inner, packs - 1)
        }
        Some(b"PK") if packed => archive(bytes, packs - 1),
        // The container of Excel's binary workbooks.
        Some(b"\xd0\xcf") => workbook(bytes),
        _ => text(bytes),
    }
}

/// A workbook is an archive, too; any other has to hold just one file.
fn archive(bytes: Vec<u8>, packs: u8) -> Result<Content> {
    let mut archive = ZipArchive::new(Cursor::new(bytes.as_slice())).context("its zip is damaged")?;
    let names = archive.file_names().map(|name| name.map(Cow::into_owned)).collect::<Result<Vec<_>, _>>()?;
    let mut size = 0_u64;
    for index in 0..archive.len() {
        size = size.saturating_add(archive.by_index_raw(index).context("its zip is damaged")?.size());
    }
    ensure!(size <= MOST_BYTES, "it unpacks to more than {} MiB", MOST_BYTES >> 20);
    if names.iter().any(|name| name == "[Content_Types].xml" || name == "mimetype") {
        drop(archive);
        return workbook(bytes);
    }
    let is_file = |name: &String| !name.ends_with('/') && !name.starts_with("__MACOSX/") && !name.contains("/.");
    let files: Vec<_> = names.iter().enumerate().filter(|(_, name)| is_file(name)).collect();
    let [(index, _)] = files[..] else {
        let some: Vec<_> = files.iter().take(5).map(|(_, name)| name.as_str()).collect();
        bail!(
            "it is a zip of {} files ({}), not of one: unpack it and name the one that is meant",
            files.len(),
            some.join(", ")
        );
    };
    let inner = bounded(archive.by_index(index)?).context("its zip is damaged")?;
    unpacked(inner, packs)
}

fn workbook(bytes: Vec<u8>) -> Result<Content> {
    let sheets =
        open_workbook_auto_from_rs(Cursor::new(Arc::from(bytes))).context("it is no workbook that can be read")?;
    Ok(Content::Workbook(Box::new(sheets)))
}

/// A byte order mark says what it is; without one it is UTF-8, or UTF-16 that shows, or what Windows wrote in western Europe.
fn text(bytes: Vec<u8>) -> Result<Content> {
    let encoding = match (Encoding::for_bom(&bytes), bytes.get(..4)) {
        (Some((encoding, _)), _) => Some(encoding),
        (None, Some([_, 0, _, 0])) => Some(UTF_16LE),
        (None, Some([0, _, 0, _])) => Some(UTF_16BE),
        _ => None,
    };
    let text = match encoding {
        Some(encoding) => encoding.decode(&bytes).0.into_owned(),
        None => String::from_utf8(bytes).unwrap_or_else(|error| WINDOWS_1252.decode(error.as_bytes()).0.into_owned()),
    };
    ensure!(!text.contains('\0'), "it is neither text nor a workbook");
    Ok(Content::Text(text))
}

fn bounded(from: impl Read) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    let fits = u64::try_from(bytes.len()).is_ok_and(|length| length <= MOST_BYTES);
    ensure!(fits, "it is larger than {} MiB", MOST_BYTES >> 20);
    Ok(bytes)
}
