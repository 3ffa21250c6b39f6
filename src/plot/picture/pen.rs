//! Text on pictures whose palettes begin with shades of the text colour.

use ab_glyph::{Font, FontRef, PxScale, ScaleFont, point};

use super::SHADES;
use crate::Error;

/// The Latin glyphs of DejaVu Sans; font/LICENSE.txt has the licence.
pub(crate) static FONT: &[u8] = include_bytes!("../font/DejaVuSans-subset.ttf");

/// The font of labels in pictures.
pub(crate) fn open_font() -> Result<FontRef<'static>, Error> {
    FontRef::try_from_slice(FONT)
        .map_err(|_| Error::Bug("the font inside broth cannot be read".into()))
}

/// A font at a size.
#[derive(Clone, Copy)]
pub(crate) struct Pen<'a> {
    pub font: &'a FontRef<'static>,
    /// Height of a line in pixels.
    pub size: f32,
}

impl Pen<'_> {
    /// Width of a text in pixels.
    pub(crate) fn width(&self, text: &str) -> usize {
        let scaled = self.font.as_scaled(PxScale::from(self.size));
        let advances = text.chars().map(|c| scaled.h_advance(scaled.glyph_id(c)));
        advances.sum::<f32>().ceil() as usize
    }

    /// Write a text with its top left corner at `(x, y)` into rows of `width` pixels;
    /// what does not fit is cut off.
    pub(crate) fn write(
        &self,
        pixels: &mut [u8],
        width: usize,
        (x, y): (usize, usize),
        text: &str,
    ) {
        let height = pixels.len() / width;
        let scaled = self.font.as_scaled(PxScale::from(self.size));
        let baseline = y as f32 + scaled.ascent();
        let mut pen = x as f32;
        for char in text.chars() {
            let glyph = scaled
                .glyph_id(char)
                .with_scale_and_position(PxScale::from(self.size), point(pen, baseline));
            pen += scaled.h_advance(glyph.id);
            let Some(outline) = self.font.outline_glyph(glyph) else {
                continue;
            };
            let bounds = outline.px_bounds();
            outline.draw(|dx, dy, coverage| {
                let x = (bounds.min.x + dx as f32) as usize;
                let y = (bounds.min.y + dy as f32) as usize;
                if x < width && y < height {
                    let shade = (coverage.min(1.0) * (SHADES - 1) as f32) as u8;
                    let pixel = &mut pixels[y * width + x];
                    *pixel = shade.max(*pixel);
                }
            });
        }
    }
}
