//! The columns that are wanted out of a file's rows, as text. What the text means is not known here.

use anyhow::{Context, Result, bail, ensure};
use calamine::Reader as _;
use csv::{ReaderBuilder, StringRecord};

use super::file::{Content, Workbook};
use super::workbook;

/// The columns in the order of a record's fields, each with the names that it goes by, in lower case and letters only. Where a file has
/// several, the one that has the first name is meant.
pub(super) const COLUMNS: [(&str, &[&str]); 8] = [
    ("InvoiceNo", &["invoiceno", "invoice", "invoicenumber", "invoiceid"]),
    ("StockCode", &["stockcode"]),
    ("Description", &["description"]),
    ("Quantity", &["quantity"]),
    ("InvoiceDate", &["invoicedate"]),
    ("UnitPrice", &["unitprice", "price"]),
    ("CustomerID", &["customerid", "customer", "customerno"]),
    ("Country", &["country"]),
];

/// The header is looked for in so many rows.
const ROWS_BEFORE: usize = 10;
/// A record over more lines than these and its first begins with a quotation mark that nobody closed.
const MOST_LINES: usize = 4;

/// Everything a file holds below its headers.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) records: Vec<Record>,
    /// The sheets that were read; none for text.
    pub(super) sheets: Vec<String>,
    /// What stands between fields; nothing in a workbook.
    pub(super) delimiter: Option<u8>,
}

/// One row.
#[derive(Debug)]
pub(super) struct Record {
    /// The sheet it is on.
    pub(super) sheet: usize,
    /// Its line, or its row on the sheet.
    pub(super) line: u64,
    /// The wanted columns; or what there is, where it does not have them all.
    pub(super) fields: StringRecord,
    pub(super) complete: bool,
}

impl Table {
    /// Where a record is, in words.
    pub(super) fn place(&self, record: &Record) -> String {
        match self.sheets.get(record.sheet) {
            Some(sheet) => format!("row {} of sheet {sheet}", record.line),
            None => format!("line {}", record.line),
        }
    }
}

/// Reads the wanted columns of a file.
///
/// # Errors
/// When no row near its beginning is a header with all of them; never because of a single row.
pub(super) fn read(content: Content) -> Result<Table> {
    match content {
        Content::Text(text) => of_text(&text),
        Content::Workbook(book) => of_workbook(*book),
    }
}

fn of_text(text: &str) -> Result<Table> {
    let mut best = Header::default();
    for delimiter in [b',', b';', b'\t', b'|'] {
        let mut csv = reader(text, delimiter);
        for record in csv.records().take(ROWS_BEFORE) {
            let Ok(record) = record else { break };
            let header = Header::of(&record);
            if header.missing().is_none() {
                header.is_plain()?;
                let end = usize::try_from(csv.position().byte())?;
                let records = records(text, delimiter, end, &header)?;
                return Ok(Table { records, sheets: Vec::new(), delimiter: Some(delimiter) });
            }
            best = best.or(header);
        }
    }
    bail!(best.complaint())
}

fn reader(text: &str, delimiter: u8) -> csv::Reader<&[u8]> {
    ReaderBuilder::new().flexible(true).has_headers(false).delimiter(delimiter).from_reader(text.as_bytes())
}

/// The records from byte `start` on. Lines are counted here: where a line ends in CR and LF, the parser stops between them.
fn records(text: &str, delimiter: u8, mut start: usize, header: &Header) -> Result<Vec<Record>> {
    let line_ends = |text: &str| text.bytes().filter(|byte| *byte == b'\n').count();
    let mut line = 1 + u64::try_from(line_ends(text.get(..start).unwrap_or_default()))?;
    let mut records = Vec::new();
    // As far as a stray quotation mark has led the parser. Up to there it is given a few lines at a time: from each of them it might
    // be led as far again.
    let mut led_to = start;
    'from_here: loop {
        let from = start;
        let rest = text.get(from..).unwrap_or_default();
        let part = if from < led_to { few_lines(rest) } else { rest };
        let mut csv = reader(part, delimiter);
        let mut fields = StringRecord::new();
        while csv.read_record(&mut fields)? {
            let end = from + usize::try_from(csv.position().byte())?;
            let raw = text.get(start..end).unwrap_or_default();
            let body = raw.trim_start_matches(['\r', '\n']);
            let begin = end - body.len();
            line += u64::try_from(line_ends(&raw[..raw.len() - body.len()]))?;
            let more_lines = line_ends(body.trim_end_matches(['\r', '\n']));
            if more_lines > MOST_LINES || (more_lines > 0 && fields.len() != header.width) {
                // What follows the line with the stray quotation mark is read as if that were not there.
                let one = body.lines().next().unwrap_or_default();
                records.push(Record { sheet: 0, line, fields: StringRecord::from(vec![one]), complete: false });
                (start, led_to) = (begin + one.len(), led_to.max(end));
                continue 'from_here;
            }
            records.extend(header.record(0, line, &fields));
            line += u64::try_from(line_ends(body))?;
            start = end;
            if from < led_to {
                continue 'from_here;
            }
        }
        if part.len() == rest.len() {
            return Ok(records);
        }
        line += u64::try_from(line_ends(text.get(start..from + part.len()).unwrap_or_default()))?;
        start = from + part.len();
    }
}

/// As many lines as one record may have, and one more, behind those that are blank.
fn few_lines(text: &str) -> &str {
    let blank = text.len() - text.trim_start_matches(['\r', '\n']).len();
    let mut ends = text[blank..].match_indices('\n').map(|(at, _)| blank + at + 1);
    &text[..ends.nth(MOST_LINES + 1).unwrap_or(text.len())]
}

fn of_workbook(mut book: Workbook) -> Result<Table> {
    let (mut table, mut best) = (Table::default(), Header::default());
    for name in book.sheet_names() {
        let mut header: Option<Header> = None;
        for (line, mut fields) in workbook::rows(&mut book, &name).with_context(|| format!("sheet {name}"))? {
            if let Some(header) = &header {
                // What stands beside the table is none of it, and what is missing in it is blank.
                fields.truncate(header.width);
                fields.extend(std::iter::repeat_n("", header.width - fields.len()));
                table.records.extend(header.record(table.sheets.len() - 1, line, &fields));
                continue;
            }
            let found = Header::of(&fields);
            if found.missing().is_none() {
                found.is_plain().with_context(|| format!("sheet {name}"))?;
                table.sheets.push(name.clone());
                header = Some(found);
            } else if line > u64::try_from(ROWS_BEFORE)? {
                break;
            } else {
                best = best.or(found);
            }
        }
    }
    ensure!(!table.sheets.is_empty(), best.complaint());
    Ok(table)
}

/// Where each wanted column is in a row.
#[derive(Clone, Debug, Default)]
struct Header {
    columns: [Option<usize>; COLUMNS.len()],
    /// A wanted column that more than one may be, and two of these.
    twice: Option<(&'static str, [String; 2])>,
    /// Fields of a row.
    width: usize,
    text: Vec<String>,
}

impl Header {
    fn of(fields: &StringRecord) -> Self {
        let text: Vec<String> =
            fields.iter().map(|name| name.trim_start_matches('\u{feff}').trim().to_owned()).collect();
        let plain = |name: &String| -> String {
            name.chars().filter(char::is_ascii_alphanumeric).map(|one| one.to_ascii_lowercase()).collect()
        };
        let names: Vec<String> = text.iter().map(plain).collect();
        let mut twice = None;
        let columns = COLUMNS.map(|(wanted, known)| {
            let places = |is: &dyn Fn(&str) -> bool| -> Vec<usize> {
                (0..names.len()).filter(|place| is(&names[*place])).collect()
            };
            let (exact, any) = (places(&|name| name == known[0]), places(&|name| known.contains(&name)));
            let found = if exact.is_empty() { any } else { exact };
            if let [one, other, ..] = found[..] {
                twice.get_or_insert((wanted, [text[one].clone(), text[other].clone()]));
            }
            found.first().copied()
        });
        Self { columns, twice, width: fields.len(), text }
    }

    /// Checks that no two columns may be one.
    fn is_plain(&self) -> Result<()> {
        if let Some((wanted, [one, other])) = &self.twice {
            bail!("the columns {one:?} and {other:?} may both be {wanted}: remove one, or give it another name");
        }
        Ok(())
    }

    fn missing(&self) -> Option<&'static str> {
        self.columns.iter().zip(COLUMNS).find(|(column, _)| column.is_none()).map(|(_, (name, _))| name)
    }

    /// Whichever has more of the columns.
    fn or(self, other: Self) -> Self {
        let known = |header: &Self| (header.columns.iter().flatten().count(), header.width.min(1));
        if known(&other) > known(&self) { other } else { self }
    }

    fn complaint(&self) -> String {
        let wanted = COLUMNS.map(|(name, _)| name).join(", ");
        let missing = self.missing().unwrap_or_default();
        let header: String = self.text.join(",").chars().take(200).collect();
        format!("there is no column {missing}; the header is {header:?}, and wanted are {wanted}")
    }

    /// A row's wanted columns; nothing where the row is blank.
    fn record(&self, sheet: usize, line: u64, fields: &StringRecord) -> Option<Record> {
        if fields.iter().all(|field| field.trim().is_empty()) {
            return None;
        }
        let beyond = fields.iter().skip(self.width).any(|field| !field.trim().is_empty());
        let wanted: Option<StringRecord> = if beyond {
            None
        } else {
            self.columns.iter().map(|column| column.and_then(|column| fields.get(column)).map(str::trim)).collect()
        };
        let complete = wanted.is_some();
        Some(Record { sheet, line, fields: wanted.unwrap_or_else(|| fields.clone()), complete })
    }
}
