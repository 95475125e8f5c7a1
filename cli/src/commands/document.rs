//! `tradewind document`: the invoice and the credit note of an order.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use contracts::tradewind::documents::v1::{DocumentKind, GetDocumentRequest, ListDocumentsRequest};
use serde_json::json;

use crate::Global;
use crate::clients;
use crate::output::{document, file, moment, money, print_json, say, word};
use shop::Clients;

/// The most bytes that are taken for a document.
const LARGEST: usize = 256 * 1024 * 1024;

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Show which documents an order has: number, when it was issued and what it says was charged or paid back.
    ///
    /// An order has an invoice once it is confirmed, and a credit note once money is paid back. They are known a moment after
    /// that.
    List {
        /// The order.
        order: String,
    },
    /// Fetch a document as PDF. It is made when it is asked for, and is the same each time.
    Get {
        /// Its number, as `list` shows it: INV-… or CRN-…
        number: String,
        /// The file to write; - is standard output. It is the number and .pdf, in this folder, where it is left out.
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
        /// Write over a file that is there.
        #[arg(long)]
        force: bool,
    },
}

pub(crate) async fn run(global: Global, command: Command) -> Result<ExitCode> {
    let shop = clients::asked(&global)?;
    match command {
        Command::List { order } => {
            let listed = shop.documents()?.list_documents(ListDocumentsRequest { order_id: order }).await?.into_inner();
            if global.json {
                print_json(&listed)?;
            } else {
                for found in &listed.documents {
                    let kind = word(found.kind, DocumentKind::as_str_name, "DOCUMENT_KIND_");
                    let (time, total) = (moment(found.issue_time.as_ref()), money(found.total.as_ref()));
                    say!("{}  {kind}  {time}  {total}", found.number)?;
                }
            }
        }
        Command::Get { number, output, force } => {
            let output = output.unwrap_or_else(|| PathBuf::from(format!("{number}.pdf")));
            let to_stdout = output == Path::new("-");
            // Nobody is asked for what could not be written.
            if !to_stdout && !force && output.exists() {
                bail!("{} is there already; --force writes over it", output.display());
            }
            let bytes = fetched(&shop, number).await?;
            if to_stdout {
                file(&bytes)?;
            } else {
                write(&output, &bytes, force).with_context(|| format!("cannot write {}", output.display()))?;
                if global.json {
                    document(&json!({ "file": output, "bytes": bytes.len() }))?;
                } else {
                    say!("{}: {} bytes", output.display(), bytes.len())?;
                }
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The document of that number, whole: what ends too early is not taken for one.
async fn fetched(shop: &Clients, number: String) -> Result<Vec<u8>> {
    let mut parts = shop.documents()?.get_document(GetDocumentRequest { number }).await?.into_inner();
    let mut bytes = Vec::new();
    while let Some(part) = parts.message().await? {
        if bytes.len() + part.data.len() > LARGEST {
            bail!("the document is larger than {LARGEST} bytes");
        }
        bytes.extend(part.data);
    }
    Ok(bytes)
}

/// Writes a file that is there whole or not at all; over one that is there only where that is wanted.
fn write(output: &Path, bytes: &[u8], force: bool) -> io::Result<()> {
    let mut beside = output.as_os_str().to_owned();
    beside.push(".part");
    let beside = Path::new(&beside);
    let mut part = File::create(beside)?;
    let written = part.write_all(bytes).and_then(|()| {
        if !force {
            // Whoever else has made it meanwhile keeps it.
            OpenOptions::new().write(true).create_new(true).open(output)?;
        }
        std::fs::rename(beside, output)
    });
    if written.is_err() {
        // It is not there, or cannot be taken away: what is wrong is told below.
        let _ = std::fs::remove_file(beside);
    }
    written
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "in a test a panic is the verdict")]

    use super::*;

    #[test]
    fn a_file_is_written_whole_and_over_another_only_where_that_is_wanted() {
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join("invoice.pdf");
        write(&output, b"one", false).unwrap();
        assert_eq!(write(&output, b"two", false).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read(&output).unwrap(), b"one");
        write(&output, b"two", true).unwrap();
        assert_eq!(std::fs::read(&output).unwrap(), b"two");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }
}
