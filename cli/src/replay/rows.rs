//! Reads the public "Online Retail" CSV format: one sold or returned line of an invoice a row.
//!
//! Columns, in any order: `InvoiceNo, StockCode, Description, Quantity, InvoiceDate, UnitPrice,
//! CustomerID, Country`. A row that is no sale is counted by its reason and passed over.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read};
use std::path::Path;

use anyhow::{Context, Result, bail};
use time::PrimitiveDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

/// One line of an invoice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// The invoice; it begins with C where goods came back.
    pub(crate) invoice: String,
    /// The product's code, upper case.
    pub(crate) code: String,
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
}

const COLUMNS: [&str; 8] =
    ["InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country"];

/// Codes of the data set that stand for postage, fees, discounts and corrections.
const NO_PRODUCTS: [&str; 13] =
    ["POST", "DOT", "M", "D", "S", "B", "C2", "C3", "PADS", "CRUK", "AMAZONFEE", "BANK CHARGES", "TEST"];

const DATE_FORMATS: [&[BorrowedFormatItem<'_>]; 2] = [
    format_description!("[year]-[month]-[day] [hour]:[minute]:[second]"),
    format_description!("[month padding:none]/[day padding:none]/[year] [hour padding:none]:[minute]"),
];

/// Reads a file, gzipped or not.
///
/// # Errors
/// When the file cannot be read or lacks a column; never because of a single row.
pub(crate) fn read(path: &Path) -> Result<Rows> {
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let mut reader = BufReader::new(file);
    let gzipped = reader.fill_buf()?.starts_with(&[0x1f, 0x8b]);
    let text: Box<dyn Read> =
        if gzipped { Box::new(flate2::read::MultiGzDecoder::new(reader)) } else { Box::new(reader) };
    parse(text).with_context(|| format!("cannot read {}", path.display()))
}

fn parse(text: impl Read) -> Result<Rows> {
    let mut csv = csv::ReaderBuilder::new().flexible(true).from_reader(text);
    let header = csv.byte_headers()?.clone();
    let names: Vec<String> = header
        .iter()
        .map(|name| String::from_utf8_lossy(name).trim_start_matches('\u{feff}').trim().to_owned())
        .collect();
    let mut columns = [0; COLUMNS.len()];
    for (column, wanted) in columns.iter_mut().zip(COLUMNS) {
        match names.iter().position(|name| name == wanted) {
            Some(index) => *column = index,
            None => bail!("there is no column {wanted}; the header is {}", names.join(",")),
        }
    }
    let mut rows = Rows::default();
    for record in csv.byte_records() {
        rows.read += 1;
        let record = match record {
            Ok(record) => record,
            Err(error) if error.is_io_error() => return Err(error.into()),
            Err(_) => {
                *rows.passed_over.entry("malformed").or_default() += 1;
                continue;
            }
        };
        let fields = columns.map(|column| record.get(column).map(|f| String::from_utf8_lossy(f).trim().to_owned()));
        match row(fields) {
            Ok(row) => rows.rows.push(row),
            Err(reason) => *rows.passed_over.entry(reason).or_default() += 1,
        }
    }
    Ok(rows)
}

fn row(fields: [Option<String>; COLUMNS.len()]) -> Result<Row, &'static str> {
    let [
        Some(invoice),
        Some(code),
        Some(description),
        Some(quantity),
        Some(date),
        Some(price),
        Some(customer),
        Some(country),
    ] = fields
    else {
        return Err("malformed");
    };
    let quantity: i32 = quantity.parse().map_err(|_| "malformed")?;
    let at = DATE_FORMATS.iter().find_map(|format| PrimitiveDateTime::parse(&date, format).ok()).ok_or("malformed")?;
    let pence = pence(&price).ok_or("malformed")?;
    let code = code.to_ascii_uppercase();
    if invoice.is_empty() || code.is_empty() {
        return Err("malformed");
    }
    if NO_PRODUCTS.contains(&code.as_str()) || !code.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err("no_product");
    }
    if pence < 0 {
        return Err("negative_price");
    }
    if pence == 0 {
        return Err("no_price");
    }
    let returned = invoice.starts_with('C');
    if (returned && quantity >= 0) || (!returned && quantity <= 0) {
        return Err("no_sale");
    }
    Ok(Row { invoice, code, description, quantity, at, pence, customer, country })
}

/// Reads a decimal number of pounds as pence, rounded half up; no floating point touches it.
fn pence(text: &str) -> Option<i64> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (pounds, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if pounds.is_empty() && fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let pounds: i64 = if pounds.is_empty() { 0 } else { pounds.parse::<u32>().ok()?.into() };
    let mut places = fraction.bytes().chain(std::iter::repeat(b'0')).map(|byte| i64::from(byte - b'0'));
    let (tens, ones, next) = (places.next()?, places.next()?, places.next()?);
    let pence = pounds * 100 + tens * 10 + ones + i64::from(next >= 5);
    Some(if negative { -pence } else { pence })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const HEADER: &str = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n";

    fn parsed(rows: &str) -> Rows {
        parse(format!("{HEADER}{rows}").as_bytes()).unwrap()
    }

    #[test]
    fn both_date_forms_are_read() {
        let rows = parsed(
            "1,71053,LANTERN,6,2010-12-01 08:26:00,3.39,17850,United Kingdom\n\
             2,71053,LANTERN,6,12/1/2010 8:26,3.39,17850,United Kingdom\n",
        );
        assert_eq!(rows.rows.len(), 2);
        assert_eq!(rows.rows[0].at, rows.rows[1].at);
        assert_eq!(rows.rows[0].pence, 339);
    }

    #[test]
    fn what_is_no_sale_is_counted_by_reason() {
        let rows = parsed(
            "1,POST,POSTAGE,1,2010-12-01 08:26:00,3.39,1,X\n\
             1,71053,A,1,2010-12-01 08:26:00,0,1,X\n\
             1,71053,A,1,2010-12-01 08:26:00,-1.5,1,X\n\
             1,71053,A,-1,2010-12-01 08:26:00,1,1,X\n\
             1,71053,A,one,2010-12-01 08:26:00,1,1,X\n\
             1,71053,A,1,yesterday,1,1,X\n\
             short,row\n",
        );
        let expected = [("malformed", 3), ("negative_price", 1), ("no_price", 1), ("no_product", 1), ("no_sale", 1)];
        assert_eq!(rows.passed_over.into_iter().collect::<Vec<_>>(), expected);
        assert_eq!((rows.read, rows.rows.len()), (7, 0));
    }

    #[test]
    fn a_missing_column_is_named() {
        let error = parse("InvoiceNo,Quantity\n".as_bytes()).unwrap_err();
        assert!(error.to_string().contains("StockCode"), "{error}");
    }

    #[test]
    fn prices_are_exact() {
        let of = |text| pence(text);
        assert_eq!(
            (of("3.39"), of("0.1"), of("13541.33"), of("0.001"), of("7")),
            (Some(339), Some(10), Some(1_354_133), Some(0), Some(700))
        );
        assert_eq!((of("1.995"), of("-2.5"), of(".5")), (Some(200), Some(-250), Some(50)));
        assert_eq!((of(""), of("abc"), of("1.2.3"), of("1e5")), (None, None, None, None));
    }
}
