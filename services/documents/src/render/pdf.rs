//! Pages as a PDF file, with the glyphs of the fonts that they use.

use std::collections::BTreeMap;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use pdf_writer::types::{CidFontType, FontFlags, SystemInfo, UnicodeCmap};
use pdf_writer::{Content, Date, Filter, Finish as _, Name, Pdf, Rect, Ref, Settings, Str, TextStr};
use subsetter::{GlyphRemapper, subset};
use time::OffsetDateTime;

use super::font::{Font, Glyph};
use super::layout::{SELLER, title};
use super::sheet::{LEFT, Mark, PAGE, RIGHT};
use crate::domain::Document;

const CATALOG: Ref = Ref::new(1);
const TREE: Ref = Ref::new(2);
const INFO: Ref = Ref::new(3);
/// Of each font: itself, what it descends to, its descriptor, its file, its map to glyphs and that to text.
const FONTS: i32 = 10;
/// Of each page: itself and what it says.
const PAGES: i32 = 40;

const IDENTITY: SystemInfo<'static> = SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"Identity"), supplement: 0 };

/// The characters that are used of each font, by what stands for them in the file: every character for itself, also where a font has
/// the same glyph for two, so that the text that is read back is the text that was written.
type Used = BTreeMap<Font, BTreeMap<char, (u16, Glyph)>>;

/// The file.
pub(super) fn write(document: &Document, pages: &[Vec<Mark>]) -> Vec<u8> {
    let used = used(pages);
    let mut pdf = Pdf::with_settings(Settings { pretty: false });
    pdf.catalog(CATALOG).pages(TREE).lang(TextStr("en"));
    pdf.document_info(INFO)
        .title(TextStr(&format!("{} {}", title(document.number.kind), document.number)))
        .author(TextStr(SELLER))
        .creation_date(date(document.issued));
    let name = document.number.to_string().into_bytes();
    pdf.set_file_id((name.clone(), name));
    for (font, chars) in &used {
        embed(&mut pdf, *font, chars);
    }
    let ids: Vec<_> = (PAGES..).step_by(2).map(Ref::new).take(pages.len()).collect();
    pdf.pages(TREE).kids(ids.iter().copied()).count(i32::try_from(ids.len()).unwrap_or(i32::MAX));
    for (id, marks) in ids.iter().zip(pages) {
        let says = Ref::new(id.get() + 1);
        let mut page = pdf.page(*id);
        page.parent(TREE).media_box(Rect::new(0.0, 0.0, points(PAGE.0), points(PAGE.1))).contents(says);
        let mut resources = page.resources();
        let mut fonts = resources.fonts();
        for font in used.keys() {
            fonts.pair(name_of(*font), first(*font));
        }
        fonts.finish();
        resources.finish();
        page.finish();
        let content = packed(&content(marks, &used));
        pdf.stream(says, &content).filter(Filter::FlateDecode);
    }
    pdf.finish()
}

fn used(pages: &[Vec<Mark>]) -> Used {
    let mut used = Used::new();
    for mark in pages.iter().flatten() {
        let Mark::Text { line, .. } = mark else { continue };
        for glyph in &line.glyphs {
            used.entry(glyph.font).or_default().insert(glyph.char, (0, *glyph));
        }
    }
    for chars in used.values_mut() {
        // 0 is what is not there. No font has more glyphs than there are numbers.
        for (number, (cid, _)) in (1..).zip(chars.values_mut()) {
            *cid = number;
        }
    }
    used
}

fn content(marks: &[Mark], used: &Used) -> Vec<u8> {
    let mut content = Content::new();
    for mark in marks {
        match mark {
            Mark::Rule { y, weight, grey } => {
                content.set_stroke_gray(shade(*grey)).set_line_width(points(*weight));
                content.move_to(points(LEFT), points(PAGE.1 - y)).line_to(points(RIGHT), points(PAGE.1 - y)).stroke();
            }
            Mark::Text { x, y, style, line } => {
                content.begin_text().set_fill_gray(shade(style.grey)).next_line(points(*x), points(PAGE.1 - y));
                for run in line.glyphs.chunk_by(|one, next| one.font == next.font) {
                    let Some(chars) = run.first().and_then(|glyph| used.get(&glyph.font)) else { continue };
                    let cids = run.iter().filter_map(|glyph| chars.get(&glyph.char));
                    let text: Vec<u8> = cids.flat_map(|(cid, _)| cid.to_be_bytes()).collect();
                    content.set_font(name_of(run[0].font), points(style.size)).show(Str(&text));
                }
                content.end_text();
            }
        }
    }
    content.finish().into_vec()
}

/// Puts the glyphs of a font that are used into the file.
#[expect(clippy::expect_used, reason = "the fonts are part of the program, and so are all of their glyphs")]
fn embed(pdf: &mut Pdf, font: Font, chars: &BTreeMap<char, (u16, Glyph)>) {
    let (face, [itself, descendant, descriptor, file, glyphs, to_unicode]) = (font.face(), refs(font));
    let mut kept = GlyphRemapper::new();
    let numbers: Vec<_> = chars.values().map(|(_, glyph)| kept.remap(glyph.id)).collect();
    let bytes = subset(face.bytes, 0, &kept).expect("a font that can be made smaller");
    // What it is called begins with six letters that say that it is a part.
    let base = format!("TRWIND+{}", face.name);
    let base = Name(base.as_bytes());

    pdf.type0_font(itself)
        .base_font(base)
        .encoding_predefined(Name(b"Identity-H"))
        .descendant_font(descendant)
        .to_unicode(to_unicode);
    let mut cid = pdf.cid_font(descendant);
    cid.subtype(CidFontType::Type2).base_font(base).system_info(IDENTITY).font_descriptor(descriptor);
    cid.default_width(0.0).cid_to_gid_map_stream(glyphs);
    cid.widths().consecutive(1, chars.values().map(|(_, glyph)| number(glyph.advance)));
    cid.finish();

    let (of, parsed) = (|units: i16| number(face.thousandths(units)), &face.parsed);
    let around = parsed.global_bounding_box();
    pdf.font_descriptor(descriptor)
        .name(base)
        .flags(FontFlags::SYMBOLIC)
        .bbox(Rect::new(of(around.x_min), of(around.y_min), of(around.x_max), of(around.y_max)))
        .italic_angle(0.0)
        .ascent(of(parsed.ascender()))
        .descent(of(parsed.descender()))
        .cap_height(of(parsed.capital_height().unwrap_or_else(|| parsed.ascender())))
        .stem_v(if font == Font::Bold { 140.0 } else { 90.0 })
        .font_file2(file);
    pdf.stream(file, &packed(&bytes)).filter(Filter::FlateDecode).pair(Name(b"Length1"), length(&bytes));

    let map: Vec<u8> = [0_u16].into_iter().chain(numbers).flat_map(u16::to_be_bytes).collect();
    pdf.stream(glyphs, &packed(&map)).filter(Filter::FlateDecode);
    let mut text = UnicodeCmap::new(Name(b"Custom"), IDENTITY);
    chars.iter().for_each(|(char, (cid, _))| text.pair(*cid, *char));
    pdf.cmap(to_unicode, &packed(&text.finish())).filter(Filter::FlateDecode);
}

fn refs(font: Font) -> [Ref; 6] {
    let first = first(font).get();
    [0, 1, 2, 3, 4, 5].map(|next| Ref::new(first + next))
}

const fn first(font: Font) -> Ref {
    Ref::new(match font {
        Font::Regular => FONTS,
        Font::Bold => FONTS + 10,
        Font::Han => FONTS + 20,
    })
}

const fn name_of(font: Font) -> Name<'static> {
    Name(match font {
        Font::Regular => b"R",
        Font::Bold => b"B",
        Font::Han => b"H",
    })
}

#[expect(clippy::expect_used, reason = "memory takes whatever is written to it")]
fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::default());
    packed.write_all(bytes).and_then(|()| packed.finish()).expect("written to memory")
}

fn length(bytes: &[u8]) -> i32 {
    i32::try_from(bytes.len()).unwrap_or(i32::MAX)
}

/// Whole thousandths as points.
fn points(thousandths: i64) -> f32 {
    number(thousandths) / 1000.0
}

/// A length, of which none is so long that it had no exact form.
fn number(whole: i64) -> f32 {
    whole as f32
}

fn shade(grey: u8) -> f32 {
    f32::from(grey) / 100.0
}

fn date(time: OffsetDateTime) -> Date {
    let time = time.to_offset(time::UtcOffset::UTC);
    let date = Date::new(u16::try_from(time.year()).unwrap_or_default()).month(time.month().into()).day(time.day());
    date.hour(time.hour()).minute(time.minute()).second(time.second()).utc_offset_hour(0).utc_offset_minute(0)
}
