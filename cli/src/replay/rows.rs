//! Reads sales as they are passed round, in the columns of the public "Online Retail" data sets: one sold or returned line of an
//! invoice a row.
//!
//! A row that is no sale, or cannot be one, is counted by its reason and passed over. What is read in a different way for a
//! whole column, a date or a fraction, is told from all of its rows, or refused.

mod dates;
mod file;
mod numbers;
mod table;
mod workbook;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use anyhow::{Context, Result};
use time::PrimitiveDateTime;
use tradewind_domain::is_printable;

use dates::Dates;
use numbers::Decimals;
use table::{Record, Table};

/// How to read what a file alone does not tell.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub(crate) struct Dialect {
    /// Which of a date's numbers comes first, where the file does not tell.
    #[arg(long, value_name = "ORDER")]
    dates: Option<Dates>,
    /// What a number's fraction begins with, where the file does not tell.
    #[arg(long, value_name = "MARK")]
    decimals: Option<Decimals>,
}

/// One line of an invoice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// The invoice, upper case; it begins with C where goods came back.
    pub(crate) invoice: String,
    /// The product's code, upper case.
    pub(crate) stock_code: String,
    /// What it is called; may be empty.
    pub(crate) description: String,
    /// Units; negative where they came back.
    pub(crate) quantity: i32,
    /// When, in the shop's local time.
    pub(crate) at: PrimitiveDateTime,
    /// Price of one unit in pence; more than 0.
    pub(crate) pence: i64,
    /// Who bought; may be empty.
    pub(crate) customer: String,
    /// The country's name.
    pub(crate) country: String,
}

/// All rows that are sales or returns, and how many were not, by reason.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub(crate) read: usize,
    pub(crate) rows: Vec<Row>,
    pub(crate) passed_over: BTreeMap<&'static str, usize>,
    /// Some of those, at most [`SAMPLES`] a reason.
    pub(crate) samples: Vec<Sample>,
}

/// A row that was passed over.
#[derive(Debug)]
pub(crate) struct Sample {
    pub(crate) reason: &'static str,
    /// Where it is, what is wrong with it, and its beginning.
    pub(crate) text: String,
}

/// Rows that are shown for each reason.
pub(super) const SAMPLES: usize = 3;
/// The most units that one line of an order may have.
pub(super) const MOST_UNITS: i64 = 1_000_000;
/// A million pounds for one unit: more is no price of a shop.
const MOST_PENCE: i64 = 100_000_000;
/// One row in so many may be malformed, at most.
const MALFORMED_ONE_IN: usize = 20;

/// The reasons for which a row is at fault, rather than about something that is no sale.
const FAULTS: [&str; 4] = ["malformed", "impossible_quantity", "impossible_price", "impossible_text"];

/// Codes of the data set that stand for postage, fees, discounts and corrections.
const NO_PRODUCTS: [&str; 13] =
    ["POST", "DOT", "M", "D", "S", "B", "C2", "C3", "PADS", "CRUK", "AMAZONFEE", "BANK CHARGES", "TEST"];

impl Rows {
    /// Rows that are at fault.
    pub(crate) fn malformed(&self) -> usize {
        FAULTS.iter().filter_map(|reason| self.passed_over.get(reason)).sum()
    }

    /// What to say where so many rows are at fault that it may be another kind of file.
    pub(crate) fn complaint(&self) -> Option<String> {
        let malformed = self.malformed();
        let first = self.samples.iter().find(|sample| FAULTS.contains(&sample.reason));
        (malformed * MALFORMED_ONE_IN > self.read).then(|| {
            let first = first.map_or_else(String::new, |sample| format!("; the first is {}", sample.text));
            format!("{malformed} of {} rows are malformed, which is more than 5 %{first}", self.read)
        })
    }

    fn pass_over(&mut self, reason: &'static str, text: impl FnOnce() -> String) {
        let count = self.passed_over.entry(reason).or_default();
        *count += 1;
        if *count <= SAMPLES {
            self.samples.push(Sample { reason, text: text() });
        }
    }
}

/// Reads a file, however it is packed, encoded and separated; or a workbook.
///
/// # Errors
/// When it cannot be read, lacks a column, or does not tell how its dates or fractions are meant; never because of a single row.
pub(crate) fn read(path: &Path, dialect: Dialect) -> Result<Rows> {
    let read = || of_bytes(file::read(path)?, dialect);
    read().with_context(|| format!("cannot read {}", path.display()))
}

/// Reads what a file holds.
///
/// # Errors
/// As [`read`].
pub(crate) fn of_bytes(bytes: Vec<u8>, dialect: Dialect) -> Result<Rows> {
    understand(&table::read(file::unpack(bytes)?)?, dialect)
}

fn understand(table: &Table, dialect: Dialect) -> Result<Rows> {
    let complete = || table.records.iter().filter(|record| record.complete);
    // A comma between fields is seldom one within a number.
    let usual = matches!(table.delimiter, None | Some(b',')).then_some(Decimals::Point);
    let numbers =
        complete().flat_map(|record| [&record.fields[QUANTITY], &record.fields[PRICE]].map(|text| (text, record)));
    let decimals = match dialect.decimals {
        Some(decimals) => decimals,
        None => numbers::decide(numbers.map(|(text, record)| (text, || table.place(record))), usual)?,
    };
    let column = complete().filter_map(|record| {
        let text = &record.fields[DATE];
        dates::parse(text).map(|written| (written, text, move || table.place(record)))
    });
    let dates = match dialect.dates {
        Some(dates) => dates,
        None => dates::decide(column)?,
    };
    let mut rows = Rows { read: table.records.len(), ..Rows::default() };
    let mut sheets: HashMap<String, usize> = HashMap::new();
    for record in &table.records {
        let read = row(record, dates, decimals).and_then(|row| {
            // Sheets of consecutive years overlap.
            let first = *sheets.entry(row.invoice.clone()).or_insert(record.sheet);
            if first == record.sheet {
                Ok(row)
            } else {
                Err(("repeated", "the invoice is on a sheet before".to_owned()))
            }
        });
        match read {
            Ok(row) => rows.rows.push(row),
            Err((reason, why)) => rows.pass_over(reason, || {
                let beginning: String = record.fields.iter().collect::<Vec<_>>().join(",").chars().take(120).collect();
                format!("{}: {why}: {beginning}", table.place(record))
            }),
        }
    }
    Ok(rows)
}

const QUANTITY: usize = 3;
const DATE: usize = 4;
const PRICE: usize = 5;

/// A row as a sale or a return, or why it is none.
fn row(record: &Record, dates: Dates, decimals: Decimals) -> Result<Row, (&'static str, String)> {
    let fields: Vec<&str> = record.fields.iter().collect();
    let (true, [invoice, code, description, quantity, date, price, customer, country]) = (record.complete, &fields[..])
    else {
        return Err(("malformed", "it has other columns than the header".to_owned()));
    };
    let no = |what: &str, text: &str| ("malformed", format!("{text:?} is no {what}"));
    let units =
        numbers::parse(quantity, decimals).and_then(numbers::Decimal::units).ok_or_else(|| no("quantity", quantity))?;
    let at = dates::parse(date).and_then(|date| date.read(dates)).ok_or_else(|| no("date", date))?;
    let pence =
        numbers::parse(price, decimals).and_then(numbers::Decimal::hundredths).ok_or_else(|| no("price", price))?;
    let [invoice, code, customer] = [invoice, code, customer].map(|text| identifier(text));
    let (invoice, code) = (invoice.to_ascii_uppercase(), code.to_ascii_uppercase());
    if invoice.is_empty() || code.is_empty() {
        return Err(("malformed", "it names no invoice or no product".to_owned()));
    }
    let impossible = |what: &str| ("impossible_text", format!("its {what} cannot be one"));
    if !(invoice.len() <= 48 && invoice.bytes().all(|byte| byte.is_ascii_graphic())) {
        return Err(impossible("invoice"));
    }
    if [*description, customer, *country].iter().any(|text| !is_printable(text)) {
        return Err(impossible("description, customer or country"));
    }
    if NO_PRODUCTS.contains(&code.as_str()) || !code.bytes().all(|byte| byte.is_ascii_alphanumeric()) || code.len() > 63
    {
        return Err(("no_product", format!("{code:?} stands for none")));
    }
    match pence {
        ..0 => return Err(("negative_price", price.to_string())),
        0 => return Err(("no_price", price.to_string())),
        1..=MOST_PENCE => {}
        _ => return Err(("impossible_price", price.to_string())),
    }
    let possible = i32::try_from(units).ok().filter(|_| units.abs() <= MOST_UNITS);
    let quantity = possible.ok_or_else(|| ("impossible_quantity", quantity.to_string()))?;
    if invoice.starts_with('C') != (quantity < 0) || quantity == 0 {
        return Err(("no_sale", format!("{quantity} units on invoice {invoice}")));
    }
    let [description, customer, country] = [*description, customer, *country].map(str::to_owned);
    Ok(Row { invoice, stock_code: code, description, quantity, at, pence, customer, country })
}

/// A number that names something, without the fraction that some programs write.
fn identifier(text: &str) -> &str {
    match text.strip_suffix(".0") {
        Some(number) if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) => number,
        _ => text,
    }
}

#[cfg(test)]
mod tests;
