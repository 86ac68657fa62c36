//! One font: which sign is which glyph, how wide it is, and where a line of Japanese may be broken.

use krilla::text::{Font, GlyphId, KrillaGlyph};
use skrifa::instance::{LocationRef, Size};
use skrifa::{FontRef, MetadataProvider};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Stands for a sign that the font does not have, as in Japanese print.
const GETA: char = '〓';
/// May not begin a line (行頭禁則), as far as our own words need it.
const NOT_FIRST: &str = "、。，．・：；？！）」』】〕〉》ー々ゃゅょっァィゥェォャュョッ％%)]}.,:;";
/// May not end a line.
const NOT_LAST: &str = "（「『【〔〈《([{";

/// A font that is ready to be set.
pub(super) struct Typeface {
    font: Font,
    /// Of every sign that the font has: its glyph and its width by the size of 1.
    signs: BTreeMap<char, (u32, f32)>,
}

/// Words of one line.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// As they are found and copied in the PDF.
    pub text: String,
    pub glyphs: Vec<KrillaGlyph>,
    /// At the size that they were broken for.
    pub width: f32,
}

impl Typeface {
    /// Takes a whole file; of a collection the first font. None when it is no font.
    pub(super) fn read(file: Vec<u8>) -> Option<Self> {
        let file = Arc::new(file);
        let font = Font::new(Arc::clone(&file).into(), 0)?;
        let read = FontRef::from_index(&file, 0).ok()?;
        let widths = read.glyph_metrics(Size::new(1.0), LocationRef::default());
        let signs = read.charmap().mappings().filter_map(|(sign, glyph)| {
            let sign = char::from_u32(sign)?;
            Some((sign, (glyph.to_u32(), widths.advance_width(glyph)?)))
        });
        Some(Self { font, signs: signs.collect() })
    }

    pub(super) fn font(&self) -> Font {
        self.font.clone()
    }

    fn sign(&self, sign: char) -> (u32, f32) {
        let known = self.signs.get(&sign).or_else(|| self.signs.get(&GETA));
        known.copied().unwrap_or((0, 1.0))
    }

    /// Breaks a text into lines of a width, at most so many; the last ends with an ellipsis when there is more.
    /// A text of nothing is one line of nothing.
    pub(super) fn lines(&self, text: &str, size: f32, width: f32, most: usize) -> Vec<Line> {
        let signs: Vec<char> = text.chars().collect();
        let wide = |from: usize, until: usize| -> f32 {
            signs.get(from..until).into_iter().flatten().map(|sign| self.sign(*sign).1 * size).sum()
        };
        let (mut lines, mut from) = (Vec::new(), 0);
        loop {
            let (mut until, mut may_break, mut used) = (from, from, 0.0);
            while let Some(sign) = signs.get(until) {
                used += self.sign(*sign).1 * size;
                // A hair more is no overflow but the sum's rounding.
                if used > width + 0.01 && until > from {
                    break;
                }
                until += 1;
                if breaks(signs.get(until - 1).copied(), signs.get(until).copied()) {
                    may_break = until;
                }
            }
            if until < signs.len() && may_break > from {
                until = may_break;
            }
            let more = until < signs.len();
            if more && lines.len() + 1 >= most {
                while until > from + 1 && wide(from, until) + self.sign('…').1 * size > width {
                    until -= 1;
                }
                let cut: String = signs.get(from..until).into_iter().flatten().collect();
                lines.push(self.line(cut.trim_end().to_owned() + "…", size));
                return lines;
            }
            let part: String = signs.get(from..until).into_iter().flatten().collect();
            lines.push(self.line(part.trim_end().to_owned(), size));
            from = until;
            while lines.len() > 1 && signs.get(from) == Some(&' ') {
                from += 1;
            }
            if from >= signs.len() {
                return lines;
            }
        }
    }

    fn line(&self, text: String, size: f32) -> Line {
        let (mut glyphs, mut width) = (Vec::new(), 0.0);
        for (at, sign) in text.char_indices() {
            let (glyph, advance) = self.sign(sign);
            let range = at..at + sign.len_utf8();
            let glyph = GlyphId::new(glyph);
            glyphs.push(KrillaGlyph::new(glyph, advance, 0.0, 0.0, 0.0, range, None));
            width += advance * size;
        }
        Line { text, glyphs, width }
    }
}

/// Whether a line may end between two signs.
fn breaks(before: Option<char>, after: Option<char>) -> bool {
    let (Some(before), Some(after)) = (before, after) else { return true };
    if NOT_LAST.contains(before) || NOT_FIRST.contains(after) || after == ' ' {
        return false;
    }
    // Words and numbers of ASCII stay whole where they can.
    let joined = |sign: char| sign.is_ascii_graphic();
    !(joined(before) && joined(after))
}

#[cfg(test)]
mod tests {
    use super::breaks;

    #[test]
    fn a_line_ends_where_japanese_print_ends_it() {
        let table = [
            ('放', '棄', true),
            ('棄', '、', false),
            ('（', '応', false),
            ('応', '）', false),
            ('1', '2', false),
            ('2', '件', true),
            (' ', 'a', true),
            ('a', ' ', false),
        ];
        for (before, after, due) in table {
            assert_eq!(breaks(Some(before), Some(after)), due, "{before}{after}");
        }
    }
}
