//! What stands where on the pages of a document.

use time::OffsetDateTime;

use super::sheet::{LEFT, Mark, RIGHT, Sheet};
use super::table::table;
use super::text::{BODY, Line, QUIET, STRONG, Style, TITLE, wrapped};
use crate::domain::{Document, Kind, amount};

/// Who sells.
pub(super) const SELLER: &str = "Tradewind";

/// What stands there instead of a name and an address that are forgotten.
const ERASED: &str = "Name and address are erased.";

/// Where the facts of a document stand: what they are, and what they say.
const FACTS: i64 = 312_000;
const SAYS: i64 = FACTS + 48_000;
/// In which the number of a document fits there.
const SMALL: Style = Style { size: 8_000, ..BODY };

/// What a document of a kind is called.
pub(super) const fn title(kind: Kind) -> &'static str {
    match kind {
        Kind::Invoice => "Invoice",
        Kind::CreditNote => "Credit note",
    }
}

/// The pages.
pub(super) fn pages(document: &Document) -> Vec<Vec<Mark>> {
    let mut sheet = Sheet::new();
    let kind = document.number.kind;
    sheet.left(LEFT, TITLE, Line::of(title(kind), TITLE));
    sheet.skip(TITLE.size - STRONG.size);
    sheet.right(RIGHT, STRONG, SELLER);
    sheet.skip(44_000);
    let top = sheet.y();
    facts(&mut sheet, document);
    let facts_end = sheet.y();
    sheet.skip(top - facts_end);
    recipient(&mut sheet, document);
    // Below both, unless the recipient has filled the page.
    sheet.skip((facts_end - sheet.y()).max(0) + 30_000);
    match kind {
        Kind::Invoice => table(&mut sheet, &document.items, &document.total.currency),
        Kind::CreditNote => sheet.rule(600, 0),
    }
    total(&mut sheet, document);
    sheet.footed(&document.number.to_string(), QUIET)
}

/// What there is to know of the document, beside the recipient.
fn facts(sheet: &mut Sheet, document: &Document) {
    let number = document.number;
    let invoice = document.invoice.map(|invoice| ("Invoice", invoice.to_string()));
    let facts = [
        Some(("Number", number.to_string())),
        Some(("Date", day(document.issued))),
        invoice,
        Some(("Order", number.order.to_string())),
        Some(("Ordered", day(document.placed))),
    ];
    for (label, says) in facts.into_iter().flatten() {
        sheet.left(FACTS, QUIET, Line::of(label, QUIET));
        for line in wrapped(&says, SMALL, RIGHT - SAYS) {
            sheet.left(SAYS, SMALL, line);
            sheet.skip(BODY.leading());
        }
    }
}

fn recipient(sheet: &mut Sheet, document: &Document) {
    let recipient = &document.recipient;
    let address = recipient.address.clone().unwrap_or_default();
    let place = [address.postal_code, address.city].join(" ");
    let width = FACTS - LEFT - 24_000;
    sheet.paragraph(LEFT, width, QUIET, "For");
    sheet.skip(2_000);
    match recipient.name.as_str() {
        "" => sheet.paragraph(LEFT, width, QUIET, ERASED),
        name => sheet.paragraph(LEFT, width, STRONG, name),
    }
    for text in [address.line1.as_str(), place.trim(), &address.country] {
        if !text.is_empty() {
            sheet.paragraph(LEFT, width, BODY, text);
        }
    }
}

fn total(sheet: &mut Sheet, document: &Document) {
    let (label, note) = match document.number.kind {
        Kind::Invoice => ("Total", "It has been charged to the card that was given with the order. Nothing is owed."),
        Kind::CreditNote => ("Paid back", "It has been paid back to the card that was given with the order."),
    };
    // The total and what is said of it stay together.
    sheet.breaks_before(STRONG.leading() + 40_000);
    sheet.skip(6_000);
    sheet.left(LEFT, STRONG, Line::of(label, STRONG));
    sheet.right(RIGHT, STRONG, &amount(&document.total));
    sheet.skip(STRONG.leading() + 6_000);
    sheet.rule(600, 0);
    sheet.skip(14_000);
    sheet.paragraph(LEFT, RIGHT - LEFT, QUIET, note);
}

/// A day as people write it: 28 November 2026, in UTC.
fn day(time: OffsetDateTime) -> String {
    let date = time.to_offset(time::UtcOffset::UTC).date();
    format!("{} {} {}", date.day(), date.month(), date.year())
}
