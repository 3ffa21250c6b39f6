//! The legend below the programs of a picture: text, and the colours of kinds.

use ab_glyph::FontRef;

use super::{Pen, kind_index};
use crate::language::Language;

pub(super) struct Legend {
    width: usize,
    /// Pixels of a line of text.
    line: usize,
    text: Vec<String>,
    /// For each kind, its offset from the left, its line, and its text.
    kinds: Vec<(usize, usize, String)>,
}

impl Legend {
    /// The legend of a picture of this width. A text that is too wide is split after its semicolon
    /// into two lines.
    pub(super) fn new(
        font: &FontRef<'static>,
        width: usize,
        text: &[&str],
        language: &Language,
    ) -> Legend {
        let line = Legend::line_height(width);
        let mut legend = Legend {
            width,
            line,
            text: Vec::new(),
            kinds: Vec::new(),
        };
        let margin = legend.margin();
        for text in text {
            let is_too_wide = legend.pen(font).width(text) > width - 2 * margin;
            match text.split_once("; ").filter(|_| is_too_wide) {
                Some((first, rest)) => legend.text.extend([first.into(), rest.into()]),
                None => legend.text.push(text.to_string()),
            }
        }
        let (mut x, mut row) = (margin, legend.text.len());
        for kind in language.kinds() {
            let label = format!("{}  {}", kind.symbol, kind.name);
            let taken = legend.label_offset() + legend.pen(font).width(&label) + line;
            if x + taken > width && x > margin {
                (x, row) = (margin, row + 1);
            }
            legend.kinds.push((x, row, label));
            x += taken;
        }
        legend
    }

    /// Of the kinds alone.
    pub(super) fn of_kinds(font: &FontRef<'static>, width: usize, language: &Language) -> Legend {
        Legend::new(font, width, &[], language)
    }

    /// Pixels of a line of text in a picture of this width.
    pub(super) fn line_height(width: usize) -> usize {
        (width / 45).clamp(22, 80)
    }

    /// The maximum height of a legend with this many kinds in pictures of at most this width: two
    /// lines of text, one more if a text is too wide (which happens in narrow pictures only), and
    /// lines of at least four kinds.
    pub(super) fn height_at_most(max_width: usize, kinds: usize) -> usize {
        Legend::line_height(max_width) * (3 + kinds.div_ceil(4)) + Legend::line_height(0)
    }

    /// In pixels.
    pub(super) fn height(&self) -> usize {
        let last = self.kinds.last().map_or(self.text.len(), |kind| kind.1 + 1);
        self.line * (last + 1)
    }

    fn margin(&self) -> usize {
        self.line / 2
    }

    fn swatch(&self) -> usize {
        self.line * 2 / 3
    }

    /// Distance from the colour of a kind to its text.
    fn label_offset(&self) -> usize {
        self.swatch() + self.line / 4
    }

    fn pen<'a>(&self, font: &'a FontRef<'static>) -> Pen<'a> {
        Pen {
            font,
            size: self.line as f32 * 0.72,
        }
    }

    /// Draw the legend into as many rows of a picture as it is high.
    pub(super) fn draw(&self, font: &FontRef<'static>, pixels: &mut [u8]) {
        let top = |row: usize| self.margin() + row * self.line;
        let pen = self.pen(font);
        for (row, text) in self.text.iter().enumerate() {
            pen.write(pixels, self.width, (self.margin(), top(row)), text);
        }
        for (kind, (x, row, label)) in self.kinds.iter().enumerate() {
            for y in 0..self.swatch() {
                let from = (top(*row) + self.line / 8 + y) * self.width + x;
                pixels[from..from + self.swatch()].fill(kind_index(kind));
            }
            let at = (x + self.label_offset(), top(*row));
            pen.write(pixels, self.width, at, label);
        }
    }
}
