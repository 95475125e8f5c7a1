//! The rows of a workbook's sheets, as text. What the text means is not known here.

use anyhow::{Result, ensure};
use calamine::{Data, Reader as _, Sheets, XlsxError};
use csv::StringRecord;

use super::file::{MOST_BYTES, Workbook};

/// Columns further to the right are passed over. One cell in the last corner makes a sheet of 17 billion: only those that hold anything
/// are kept.
const MOST_COLUMNS: u32 = 1_024;

/// The rows of a sheet that hold anything, in order and each with its number; none of a sheet that holds a chart.
///
/// # Errors
/// When the sheet is damaged, or holds more than a file may.
pub(super) fn rows(book: &mut Workbook, sheet: &str) -> Result<Vec<(u64, StringRecord)>> {
    let mut cells = Cells::default();
    match book {
        Sheets::Xlsx(book) => match book.worksheet_cells_reader(sheet) {
            Err(XlsxError::NotAWorksheet(_)) => {}
            reader => {
                let mut reader = reader?;
                while let Some(cell) = reader.next_cell()? {
                    cells.take(cell.get_position(), &cell.get_value().clone().into())?;
                }
            }
        },
        Sheets::Xlsb(book) => {
            let mut reader = book.worksheet_cells_reader(sheet)?;
            while let Some(cell) = reader.next_cell()? {
                cells.take(cell.get_position(), &cell.get_value().clone().into())?;
            }
        }
        Sheets::Xls(_) | Sheets::Ods(_) => {
            let range = book.worksheet_range(sheet)?;
            let (top, left) = range.start().unwrap_or_default();
            for (row, column, cell) in range.used_cells() {
                cells.take((top + u32::try_from(row)?, left + u32::try_from(column)?), cell)?;
            }
        }
    }
    cells.rows()
}

/// What a sheet holds, in whatever order it comes.
#[derive(Default)]
struct Cells {
    all: Vec<((u32, u32), String)>,
    bytes: u64,
}

impl Cells {
    /// Keeps a cell at its row and column. Many may show the same long text, so that they are more than the file.
    fn take(&mut self, at: (u32, u32), cell: &Data) -> Result<()> {
        let (_, column) = at;
        let text = text(cell);
        if text.is_empty() || column >= MOST_COLUMNS {
            return Ok(());
        }
        self.bytes += u64::try_from(text.len())?;
        ensure!(self.bytes <= MOST_BYTES, "it holds more than {} MiB", MOST_BYTES >> 20);
        self.all.push((at, text));
        Ok(())
    }

    fn rows(mut self) -> Result<Vec<(u64, StringRecord)>> {
        self.all.sort_by_key(|(at, _)| *at);
        let mut rows: Vec<(u64, StringRecord)> = Vec::new();
        for ((row, column), text) in self.all {
            let (line, column) = (u64::from(row) + 1, usize::try_from(column)?);
            let begun = rows.pop_if(|(last, _)| *last == line);
            let (_, mut fields) = begun.unwrap_or_default();
            fields.extend(std::iter::repeat_n("", column.saturating_sub(fields.len())));
            // A cell that is there twice is what it is first.
            if fields.len() == column {
                fields.push_field(&text);
            }
            rows.push((line, fields));
        }
        Ok(rows)
    }
}

/// A cell as text: a number without a fraction that is none, a date in ISO's form.
fn text(cell: &Data) -> String {
    match cell {
        Data::Empty => String::new(),
        Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text) => text.clone(),
        Data::Int(number) => number.to_string(),
        Data::Float(number) => number.to_string(),
        Data::Bool(truth) => truth.to_string(),
        Data::DateTime(time) if time.is_datetime() => {
            let (year, month, day, hour, minute, second, _) = time.to_ymd_hms_milli();
            format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
        }
        Data::DateTime(other) => other.as_f64().to_string(),
        Data::Error(error) => error.to_string(),
    }
}
