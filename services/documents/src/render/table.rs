//! The table of what was ordered.

use super::sheet::{LEFT, RIGHT, Sheet};
use super::text::{BODY, Line, QUIET, wrapped};
use crate::domain::{Item, amount};

/// Between two columns.
const GUTTER: i64 = 18_000;
/// The least that is left for what something is called.
const NARROWEST: i64 = 120_000;
/// Above and below what a row says.
const AIR: i64 = 4_500;
/// A row that is no higher stays on one page.
const KEPT: i64 = 150_000;

/// The columns of figures: where each ends, and what stands above it.
struct Columns {
    heads: [String; 3],
    ends: [i64; 3],
    name_width: i64,
}

/// Writes a row for each item; its head is repeated on every page.
pub(super) fn table(sheet: &mut Sheet, items: &[Item], currency: &str) {
    let rows: Vec<_> = items.iter().map(|item| figures(item, currency)).collect();
    let columns = Columns::of(&rows, currency);
    head(sheet, &columns);
    for (item, figures) in items.iter().zip(&rows) {
        row(sheet, &columns, item, figures);
    }
}

/// Quantity, price and amount; an amount names its currency where that is not the document's.
fn figures(item: &Item, currency: &str) -> [String; 3] {
    let plain = |text: String| match text.strip_prefix(currency).and_then(|rest| rest.strip_prefix(' ')) {
        Some(rest) => rest.to_owned(),
        None => text,
    };
    let whole = item.amount().map_or_else(|| "-".to_owned(), |whole| plain(amount(&whole)));
    [item.quantity.to_string(), plain(amount(&item.unit_price)), whole]
}

impl Columns {
    /// As wide as what stands in them.
    fn of(rows: &[[String; 3]], currency: &str) -> Self {
        let heads = ["Quantity".to_owned(), format!("Unit price ({currency})"), format!("Amount ({currency})")];
        let head = heads.clone().map(|head| Line::of(&head, QUIET).width(QUIET));
        let [quantity, price, whole] = rows.iter().fold(head, |widest, row| {
            let [a, b, c] = row.each_ref().map(|text| Line::of(text, BODY).width(BODY));
            [widest[0].max(a), widest[1].max(b), widest[2].max(c)]
        });
        let ends = [RIGHT - whole - price - 2 * GUTTER, RIGHT - whole - GUTTER, RIGHT];
        let name_width = (ends[0] - quantity - GUTTER - LEFT).max(NARROWEST);
        Self { heads, ends, name_width }
    }
}

fn head(sheet: &mut Sheet, columns: &Columns) {
    sheet.left(LEFT, QUIET, Line::of("Article", QUIET));
    for (head, end) in columns.heads.iter().zip(columns.ends) {
        sheet.right(end, QUIET, head);
    }
    sheet.skip(QUIET.leading() + 3_000);
    sheet.rule(600, 0);
    sheet.skip(AIR);
}

fn row(sheet: &mut Sheet, columns: &Columns, item: &Item, figures: &[String; 3]) {
    let lines = [(BODY, item.name.as_str()), (QUIET, item.sku.as_str())];
    let lines =
        lines.map(|(style, text)| wrapped(text, style, columns.name_width).into_iter().map(move |line| (style, line)));
    let lines: Vec<_> = lines.into_iter().flatten().collect();
    let height: i64 = lines.iter().map(|(style, _)| style.leading()).sum();
    let mut figures = Some(figures);
    if sheet.breaks_before(height.min(KEPT) + 2 * AIR) {
        head(sheet, columns);
    }
    for (style, line) in lines {
        if sheet.breaks_before(style.leading() + AIR) {
            head(sheet, columns);
        }
        if let Some(figures) = figures.take() {
            for (text, end) in figures.iter().zip(columns.ends) {
                sheet.right(end, BODY, text);
            }
        }
        sheet.left(LEFT, style, line);
        sheet.skip(style.leading());
    }
    sheet.skip(AIR);
    sheet.rule(300, 80);
    sheet.skip(AIR);
}
