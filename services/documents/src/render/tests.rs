//! What is written is read back by a program that is not ours.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test a panic is the verdict")]

use std::io::Write as _;
use std::process::{Command, Stdio};

use contracts::tradewind::money::v1::Money;
use contracts::tradewind::ordering::v1::{Address, Recipient};
use time::macros::datetime;

use super::render;
use crate::domain::{Document, Item, Kind, Number};

fn money(minor: i64) -> Money {
    Money { currency: "EUR".to_owned(), minor }
}

fn item(name: &str, quantity: i32, price: i64) -> Item {
    Item { name: name.to_owned(), sku: "TEA-1".to_owned(), quantity, unit_price: money(price) }
}

/// An invoice to somebody of that name over these items.
fn invoice(name: &str, items: Vec<Item>) -> Document {
    let order = "0190163d-8694-739b-aea5-966c26f8ad91".parse().unwrap();
    let total = items.iter().map(|item| item.amount().unwrap().minor).sum();
    let address = Address {
        line1: "Οδός Ερμού 12".to_owned(),
        city: "Αθήνα".to_owned(),
        postal_code: "105 63".to_owned(),
        country: "GR".to_owned(),
        ..Address::default()
    };
    Document {
        number: Number { kind: Kind::Invoice, order },
        placed: datetime!(2026-11-28 09:30 UTC),
        issued: datetime!(2026-11-29 00:00 UTC),
        invoice: None,
        recipient: Recipient { name: name.to_owned(), address: Some(address), ..Recipient::default() },
        items,
        total: money(total),
    }
}

/// What pdftotext reads, a page each, as it stands on the page.
fn read(bytes: &[u8]) -> Vec<String> {
    let mut program = Command::new(tradewind_testing::poppler().join("pdftotext"))
        .args(["-layout", "-enc", "UTF-8", "-", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = program.stdin.take().unwrap();
    let bytes = bytes.to_vec();
    let writing = std::thread::spawn(move || input.write_all(&bytes));
    let output = program.wait_with_output().unwrap();
    writing.join().unwrap().unwrap();
    let complaints = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && complaints.is_empty(), "{complaints}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.split_terminator('\u{c}').map(ToOwned::to_owned).collect()
}

/// Whether a line of the text has these words, in this order.
fn has(text: &str, words: &[&str]) -> bool {
    text.lines().any(|line| {
        let mut rest = line;
        words.iter().all(|word| match rest.split_once(word) {
            Some((_, after)) => {
                rest = after;
                true
            }
            None => false,
        })
    })
}

#[test]
fn names_of_every_script_and_all_amounts_are_read_back() {
    let names =
        ["Čaj Łódź – Ångström", "Τσάι του βουνού", "Чай «Щедрость»", "烏龍茶 鐵觀音", "玉露 ウーロン茶", "우롱차"];
    let items: Vec<_> = (1..).zip(names).map(|(quantity, name)| item(name, quantity, 1_250)).collect();
    let pages = read(&render(&invoice("Ελένη 王小明 Šimková", items)));
    let [page] = &pages[..] else { panic!("{} pages", pages.len()) };
    for (quantity, name) in (1..).zip(names) {
        let (count, whole) =
            (quantity.to_string(), format!("{}.{:02}", quantity * 1_250 / 100, quantity * 1_250 % 100));
        assert!(has(page, &[name, &count, "12.50", &whole]), "{name} {whole}:\n{page}");
    }
    for words in [
        &["Invoice", "Tradewind"][..],
        &["Ελένη 王小明 Šimková"],
        &["Οδός Ερμού 12"],
        &["105 63 Αθήνα"],
        &["INV-0190163d-8694-739b-aea5-966c26f8ad91"],
        &["Date", "29 November 2026"],
        &["Ordered", "28 November 2026"],
        &["Unit price (EUR)", "Amount (EUR)"],
        &["Total", "EUR 262.50"],
        &["Page 1 of 1"],
    ] {
        assert!(has(page, words), "{words:?}:\n{page}");
    }
}

#[test]
fn a_credit_note_names_what_was_paid_back_and_the_invoice() {
    let invoice = invoice("Ada", vec![]);
    let number = Number { kind: Kind::CreditNote, ..invoice.number };
    let mut note = Document { number, invoice: Some(invoice.number), total: money(1_999), ..invoice };
    let page = read(&render(&note)).concat();
    for words in
        [&["Credit note"][..], &["Number", "CRN-0190163d"], &["Invoice", "INV-0190163d"], &["Paid back", "EUR 19.99"]]
    {
        assert!(has(&page, words), "{words:?}:\n{page}");
    }
    note.invoice = None;
    assert!(!read(&render(&note)).concat().contains("INV-"));
}

#[test]
fn a_thousand_items_fill_pages_each_with_its_head_and_none_is_lost() {
    let items: Vec<_> = (1..=1_000).map(|number| item(&format!("Article no. {number:04}"), 1, 100)).collect();
    let document = invoice("Ada", items);
    let bytes = render(&document);
    assert!(bytes == render(&document), "the same document is the same bytes");
    let pages = read(&bytes);
    let count = pages.len();
    assert!((20..60).contains(&count), "{count} pages");
    for (number, page) in (1..).zip(&pages) {
        assert!(has(page, &["Article", "Quantity", "Amount (EUR)"]) || number == count, "page {number}:\n{page}");
        assert!(has(page, &["INV-", &format!("Page {number} of {count}")]), "page {number}:\n{page}");
    }
    let text = pages.concat();
    for number in 1..=1_000 {
        assert_eq!(text.matches(&format!("Article no. {number:04}")).count(), 1, "{number}");
    }
    assert!(has(&text, &["Total", "EUR 1000.00"]));
}

#[test]
fn whatever_a_text_holds_stays_on_the_page() {
    let long = "Wörter und mehr ".repeat(640);
    let joined = "ж".repeat(10_000);
    let document = invoice(&long, vec![item(&joined, i32::MAX, 1), item("\u{202e}evil\u{7}\u{200d}\u{e000}", 1, 1)]);
    let pages = read(&render(&document));
    assert!(pages.len() > 2, "{} pages", pages.len());
    let text = pages.concat();
    assert_eq!((text.matches('ж').count(), text.matches("Wörter").count()), (10_000, 640));
    assert!(text.contains("\\u{202e}evil\\u{7}\u{fffd}"), "{text}");
    // Amounts in a currency that is not known here, and larger than there is room for, are shown as well as can be.
    let mut document = invoice("Ada", vec![]);
    document.items =
        vec![Item { unit_price: Money { currency: "XXX".to_owned(), minor: i64::MAX }, ..item("a", 2, 0) }];
    assert!(has(&read(&render(&document)).concat(), &["XXX 9223372036854775807 (minor units)", "-"]));
}
