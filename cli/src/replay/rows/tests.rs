//! Files as they are passed round.

#![allow(clippy::unwrap_used)]
use time::macros::datetime;

use super::*;

const HEADER: &str = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n";

/// The rows of a file of these bytes.
fn read_of(bytes: &[u8]) -> Result<Rows, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sales");
    std::fs::write(&path, bytes).unwrap();
    read(&path, Dialect::default()).map_err(|error| format!("{error:#}"))
}

fn below(header: &str, rows: &str) -> Rows {
    read_of(format!("{header}{rows}").as_bytes()).unwrap()
}

#[test]
fn the_same_sales_are_read_out_of_every_dialect() {
    let text = "1,71053,\"CAFÉ, £5\",6,12/1/10 8:26,3.39,17850,United Kingdom\n\
                2,71053,MUG,1200,12/13/10 17:05,1234.50,,France\n";
    let expected = below(HEADER, text).rows;
    assert_eq!((expected[0].at, expected[0].description.as_str()), (datetime!(2010-12-01 8:26), "CAFÉ, £5"));
    assert_eq!((expected[1].pence, expected[1].quantity), (123_450, 1200));
    let german = "\u{feff}\"INVOICE\";\"stockcode\";Description;Quantity;Invoice Date;Price;Customer ID;Country\r\n\
                  1;71053;CAFÉ, £5;6;01.12.2010 08:26;3,39;17850;United Kingdom\r\n\
                  2;71053;MUG;1.200;13.12.2010 17:05;1.234,50;;France\r\n";
    let tabs = "Sales of the year\t\t\t\t\t\t\t\nNo\tInvoice\tStockCode\tDescription\tQuantity\tInvoiceDate\tPrice\tCustomer ID\tCountry\n\
                1\t1\t71053\tCAFÉ, £5\t6.0\t2010-12-01T08:26:00Z\t£3.39\t17850.0\tUnited Kingdom\n\
                2\t2\t71053\tMUG\t1,200\t2010-12-13T17:05:00Z\t1,234.50\t\tFrance\n";
    for dialect in [german, tabs, &format!("sep=;\n{}", german.trim_start_matches('\u{feff}'))] {
        assert_eq!(below("", dialect).rows, expected, "{dialect}");
    }
    let text = format!("{HEADER}{text}");
    let utf16 = |unit: fn(u16) -> [u8; 2], mark: &str| -> Vec<u8> {
        format!("{mark}{text}").encode_utf16().flat_map(unit).collect()
    };
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gzip, text.as_bytes()).unwrap();
    for bytes in [
        utf16(u16::to_le_bytes, "\u{feff}"),
        utf16(u16::to_be_bytes, "\u{feff}"),
        utf16(u16::to_le_bytes, ""),
        encoding_rs::WINDOWS_1252.encode(&text).0.into_owned(),
        gzip.finish().unwrap(),
        zipped(&[("data/sales.csv", &text), ("__MACOSX/data/._sales.csv", "")]),
    ] {
        assert_eq!(read_of(&bytes).unwrap().rows, expected);
    }
}

fn zipped(files: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in files {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        std::io::Write::write_all(&mut zip, text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A workbook of sheets, each a name and its rows; a number of this form is a date.
fn workbook(sheets: &[(&str, &str)]) -> Vec<u8> {
    workbook_of(sheets, "")
}

/// The same with something behind the last cell of each row.
fn workbook_of(sheets: &[(&str, &str)], behind: &str) -> Vec<u8> {
    let cell = |text: &str| match text.strip_prefix("date ") {
        Some(days) => format!("<c s=\"1\"><v>{days}</v></c>"),
        None if text.parse::<f64>().is_ok() => format!("<c><v>{text}</v></c>"),
        None => format!("<c t=\"inlineStr\"><is><t>{text}</t></is></c>"),
    };
    let row = |line: &str| format!("<row>{}{behind}</row>", line.split(',').map(cell).collect::<String>());
    let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let package = "http://schemas.openxmlformats.org/package/2006";
    let ids = || sheets.iter().zip(1..);
    let list: String =
        ids().map(|((name, _), id)| format!("<sheet name=\"{name}\" sheetId=\"{id}\" r:id=\"rId{id}\"/>")).collect();
    let relation = |id: usize, kind: &str, target: &str| {
        format!("<Relationship Id=\"rId{id}\" Type=\"{office}/{kind}\" Target=\"{target}\"/>")
    };
    let targets: String =
        ids().map(|(_, id)| relation(id, "worksheet", &format!("worksheets/sheet{id}.xml"))).collect();
    let styles = relation(99, "styles", "styles.xml");
    let mut files = vec![
        ("[Content_Types].xml".to_owned(), format!("<Types xmlns=\"{package}/content-types\"/>")),
        (
            "_rels/.rels".to_owned(),
            format!(
                "<Relationships xmlns=\"{package}/relationships\">{}</Relationships>",
                relation(1, "officeDocument", "xl/workbook.xml")
            ),
        ),
        (
            "xl/workbook.xml".to_owned(),
            format!("<workbook xmlns=\"{main}\" xmlns:r=\"{office}\"><sheets>{list}</sheets></workbook>"),
        ),
        (
            "xl/_rels/workbook.xml.rels".to_owned(),
            format!("<Relationships xmlns=\"{package}/relationships\">{targets}{styles}</Relationships>"),
        ),
        (
            "xl/styles.xml".to_owned(),
            format!(
                "<styleSheet xmlns=\"{main}\"><cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"22\"/></cellXfs></styleSheet>"
            ),
        ),
    ];
    files.extend(ids().map(|((_, text), id)| {
        let rows: String = text.lines().map(row).collect();
        let sheet = format!("<worksheet xmlns=\"{main}\"><sheetData>{rows}</sheetData></worksheet>");
        (format!("xl/worksheets/sheet{id}.xml"), sheet)
    }));
    zipped(&files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect::<Vec<_>>())
}

/// Each line begins with the end of what the line before has left open, and leaves its own open: read from any of them, there is one
/// record up to the end. Were each read as far, this would not end.
#[test]
fn stray_quotation_marks_on_every_line_cost_each_line_once() {
    let stray = "a\"b,\"c\n".repeat(20_000);
    let sale = "1,71053,MUG,6,12/13/10 8:26,3.39,17850,France\n";
    let read = below(HEADER, &format!("{sale}{stray}\"\n{sale}"));
    assert_eq!((read.rows.len(), read.rows[0] == read.rows[1]), (2, true));
    assert_eq!(read.malformed(), 20_001);
}

/// A few hundred bytes, which would be 17 billion cells if they were laid out.
#[test]
fn a_cell_in_the_last_corner_makes_a_sheet_no_larger() {
    let row = "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country\n\
               1,71053,MUG,6,date 40537.5,3.39,17850,France\n";
    let far = "</row><row r=\"1048576\"><c r=\"XFD1048576\"><v>1</v></c>";
    let read = read_of(&workbook_of(&[("2010", row)], far)).unwrap();
    assert_eq!((read.rows.len(), read.rows[0].at), (1, datetime!(2010-12-25 12:00)));
}

#[test]
fn every_sheet_of_a_workbook_is_read_and_an_invoice_on_two_only_once() {
    let header = "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country\n";
    let first = format!(
        "{header}489434,85048,CHRISTMAS,12,date 40148.322916666664,6.95,13085,United Kingdom\n489435,22350,BOWL,12,date 40513.35138888889,2.55,13085,United Kingdom\n"
    );
    let second = format!(
        "{header}489435,22350,BOWL,12,date 40513.35138888889,2.55,13085,United Kingdom\nC489436,85123A,HEART,-2,date 40600.35,1.5,,USA\n"
    );
    let bytes = workbook(&[("Year 2009-2010", &first), ("Notes", "nothing"), ("Year 2010-2011", &second)]);
    let rows = read_of(&bytes).unwrap();
    let seen: Vec<_> = rows.rows.iter().map(|row| (row.invoice.as_str(), row.stock_code.as_str(), row.pence)).collect();
    assert_eq!(seen, [("489434", "85048", 695), ("489435", "22350", 255), ("C489436", "85123A", 150)]);
    assert_eq!((rows.rows[0].at, rows.rows[1].at), (datetime!(2009-12-01 7:45), datetime!(2010-12-01 8:26)));
    assert_eq!(rows.passed_over, BTreeMap::from([("repeated", 1)]));
    assert!(rows.samples[0].text.starts_with("row 2 of sheet Year 2010-2011"), "{:?}", rows.samples);
    let packed = zipped(&[("a.csv", ""), ("b.csv", "")]);
    assert!(read_of(&packed).unwrap_err().contains("a zip of 2 files (a.csv, b.csv)"));
}

#[test]
fn what_is_no_sale_is_counted_by_reason() {
    let rows = below(
        HEADER,
        "1,POST,POSTAGE,1,2010-12-01 08:26:00,3.39,1,X\n\
         1,71053,A,1,2010-12-01 08:26:00,0,1,X\n\
         1,71053,A,1,2010-12-01 08:26:00,-1.5,1,X\n\
         1,71053,A,-1,2010-12-01 08:26:00,1,1,X\n\
         1,71053,A,one,2010-12-01 08:26:00,1,1,X\n\
         1,71053,A,1,yesterday,1,1,X\n\
         short,row\n\
         ,,,,,,,\n",
    );
    let expected = [("malformed", 3), ("negative_price", 1), ("no_price", 1), ("no_product", 1), ("no_sale", 1)];
    assert_eq!(rows.passed_over.clone().into_iter().collect::<Vec<_>>(), expected);
    assert_eq!((rows.read, rows.rows.len()), (7, 0));
    let complaint = rows.complaint().unwrap();
    assert!(
        complaint.starts_with(
            "3 of 7 rows are malformed, which is more than 5 %; the first is line 6: \"one\" is no quantity"
        ),
        "{complaint}"
    );
}

#[test]
fn a_row_that_cannot_be_is_passed_over_and_nothing_else() {
    let good = |count: usize| -> String {
        (0..count).map(|n| format!("{n},A1,X,1,2010-12-01 8:26,1.00,1,France\n")).collect()
    };
    for (bad, reason, lost) in [
        ("900,A1,X,2000000,2010-12-01 8:26,1.00,1,France\n", "impossible_quantity", 1),
        ("900,A1,\"two\nlines\",1,2010-12-01 8:26,1.00,1,France\n", "impossible_text", 1),
        ("900,A1,\u{202e}X,1,2010-12-01 8:26,1.00,1,France\n", "impossible_text", 1),
        ("900,A1,X,1,2010-12-01 8:26,1e9,1,France\n", "malformed", 1),
        ("900,A1,X,1,2010-12-01 8:26,1000000000,1,France\n", "impossible_price", 1),
        ("900,A1,X,99999999999999999999,2010-12-01 8:26,1,1,France\n", "malformed", 1),
        ("900,,X,1,2010-12-01 8:26,1.00,1,France\n", "malformed", 1),
        (",A1,X,1,2010-12-01 8:26,1.00,1,France\n", "malformed", 1),
        ("900,A1,X, RED,1,2010-12-01 8:26,1.00,1,France\n", "malformed", 1),
        ("900,A1,\"UNCLOSED,1,2010-12-01 8:26,1.00,1,France\n", "malformed", 1),
        ("900,A1,two\nlines,1,2010-12-01 8:26,1.00,1,France\n", "malformed", 2),
    ] {
        let rows = below(HEADER, &format!("{}{bad}{}", good(50), good(50)));
        assert_eq!((rows.rows.len(), rows.passed_over.get(reason)), (100, Some(&lost)), "{bad}: {:?}", rows.samples);
        assert!(rows.samples[0].text.starts_with("line 52: ") && rows.complaint().is_none(), "{:?}", rows.samples);
    }
}

#[test]
fn a_file_of_another_kind_is_refused_in_a_line() {
    for (bytes, told) in [
        (&b"InvoiceNo,Quantity\n"[..], "no column StockCode; the header is \"InvoiceNo,Quantity\""),
        (b"", "no column InvoiceNo; the header is \"\", and wanted are InvoiceNo, StockCode"),
        (b"<!DOCTYPE html>\n<html>", "the header is \"<!DOCTYPE html>\""),
        (b"%PDF-1.4\n\0\x01", "it is neither text nor a workbook"),
        (b"PK\x03\x04", "its zip is damaged"),
        (b"\x1f\x8b\x08", "its gzip is damaged"),
    ] {
        let refused = read_of(bytes).unwrap_err();
        assert!(refused.contains(told) && !refused.contains('\n'), "{refused}");
    }
    let ambiguous = format!("{HEADER}1,A1,X,1,12/1/10 8:26,1.00,1,France\n");
    let refused = read_of(ambiguous.as_bytes()).unwrap_err();
    assert!(refused.contains("line 2 has the date \"12/1/10 8:26\""), "{refused}");
}

#[test]
fn of_two_columns_the_one_with_the_very_name_is_meant_or_neither() {
    let rest = "StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country";
    let row = "9,1,A1,X,1,2010-12-01,1.00,1,France\n";
    let read = below(&format!("Invoice,Invoice No,{rest}\n"), row);
    assert_eq!(read.rows[0].invoice, "1");
    let priced = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,Price,Unit Price,Customer,Customer ID,Country\n";
    let read = below(priced, "1,A1,X,2,2010-12-01,2.00,1.00,Ada,17,France\n");
    assert_eq!((read.rows[0].pence, read.rows[0].customer.as_str()), (100, "17"));
    for (one, other) in [("Invoice", "Invoice Number"), ("InvoiceNo", "invoice_no")] {
        let refused = read_of(format!("{one},{other},{rest}\n{row}").as_bytes()).unwrap_err();
        assert!(refused.contains(&format!("{one:?} and {other:?} may both be InvoiceNo")), "{refused}");
        assert!(!refused.contains('\n'), "{refused}");
    }
}
