//! What charts, strips and figures are drawn on: bitmaps and SVG, in one style.

use std::path::Path;

use plotters::chart::MeshStyle;
use plotters::coord::Shift;
use plotters::coord::ranged1d::Ranged;
use plotters::prelude::*;
use plotters::style::register_font;

use super::format::{Format, Subject};
use super::picture;
use super::theme::{Rgb, Theme};
use crate::Error;
use crate::files;

/// A drawing that can be made on anything.
pub(super) trait Drawing {
    /// Width and height in pixels.
    fn size(&self) -> (u32, u32);

    /// Draw everything but the raster.
    fn draw<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>, theme: Theme) -> Drawn<B>;

    /// What is no line and no text, if there is something.
    fn raster(&self, _theme: Theme) -> Option<Raster> {
        None
    }
}

/// The result of drawing.
pub(super) type Drawn<B> = Result<(), DrawingAreaErrorKind<<B as DrawingBackend>::ErrorType>>;

/// A part of a drawing that consists of pixels.
pub(super) struct Raster {
    /// The place of its first pixel in the drawing.
    pub(super) at: (u32, u32),
    /// Pixels of its width.
    pub(super) width: u32,
    /// Its pixels, row by row.
    pub(super) pixels: Vec<Rgb>,
}

impl Raster {
    fn height(&self) -> u32 {
        self.pixels.len() as u32 / self.width.max(1)
    }

    /// Copy it into a bitmap of this width.
    fn copy_into(&self, bitmap: &mut [u8], width: u32) {
        let (x, y) = self.at;
        for (row, pixels) in (y..).zip(self.pixels.chunks(self.width.max(1) as usize)) {
            let from = (row as usize * width as usize + x as usize) * 3;
            let bytes = pixels.as_flattened();
            bitmap[from..from + bytes.len()].copy_from_slice(bytes);
        }
    }

    /// It as an image within an SVG.
    fn to_svg(&self) -> Result<String, png::EncodingError> {
        let bytes = encode_png((self.width, self.height()), self.pixels.as_flattened())?;
        let ((x, y), width, height) = (self.at, self.width, self.height());
        Ok(format!(
            "<image x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" \
             style=\"image-rendering:pixelated\" href=\"data:image/png;base64,{}\"/>\n",
            base64(&bytes)
        ))
    }
}

/// Bytes as text, by RFC 4648.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let byte = |i: usize| u32::from(three.get(i).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..4 {
            let value = bits >> (18 - 6 * digit) & 63;
            // So many bytes have one more digit than they are.
            text.push(if digit > three.len() {
                '='
            } else {
                DIGITS[value as usize].into()
            });
        }
    }
    text
}

/// Pixels of three bytes each as PNG.
fn encode_png((width, height): (u32, u32), pixels: &[u8]) -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.write_header()?.write_image_data(pixels)?;
    Ok(bytes)
}

/// Write a drawing to a file, in the format that its name says.
pub(super) fn write(drawing: &impl Drawing, out: &Path, theme: Theme) -> Result<(), Error> {
    let bytes = match Format::of(out, Subject::Chart)? {
        Format::Svg => to_svg(drawing, out, theme)?.into_bytes(),
        Format::Png | Format::Gif => to_png(drawing, out, theme)?,
    };
    files::write_whole(out, |file| file.write_all(&bytes))
}

fn to_png(drawing: &impl Drawing, out: &Path, theme: Theme) -> Result<Vec<u8>, Error> {
    make_font_known()?;
    let size @ (width, height) = drawing.size();
    let mut pixels = vec![0; width as usize * height as usize * 3];
    {
        let area = BitMapBackend::with_buffer(&mut pixels, size).into_drawing_area();
        area.fill(&colour(theme.background()))
            .and_then(|()| drawing.draw(&area, theme))
            .and_then(|()| area.present())
            .map_err(|error| picture::not_drawn(out, error.to_string()))?;
    }
    if let Some(raster) = drawing.raster(theme) {
        raster.copy_into(&mut pixels, width);
    }
    encode_png(size, &pixels).map_err(|error| picture::not_drawn(out, error))
}

fn to_svg(drawing: &impl Drawing, out: &Path, theme: Theme) -> Result<String, Error> {
    make_font_known()?;
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, drawing.size()).into_drawing_area();
        area.fill(&colour(theme.background()))
            .and_then(|()| drawing.draw(&area, theme))
            .and_then(|()| area.present())
            .map_err(|error| picture::not_drawn(out, error.to_string()))?;
    }
    if let (Some(raster), Some(end)) = (drawing.raster(theme), text.rfind("</svg>")) {
        let image = raster.to_svg();
        let image = image.map_err(|error| picture::not_drawn(out, error))?;
        text.insert_str(end, &image);
    }
    Ok(text)
}

/// A colour of plotters.
pub(super) fn colour([red, green, blue]: Rgb) -> RGBColor {
    RGBColor(red, green, blue)
}

/// Text at this size.
pub(super) fn text(size: u32, rgb: Rgb) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&colour(rgb))
}

/// Axes and a mesh of thin lines, as all charts have them.
pub(super) fn style<'m, 'a, 'b, X: Ranged, Y: Ranged, B: DrawingBackend>(
    mesh: &'m mut MeshStyle<'a, 'b, X, Y, B>,
    theme: Theme,
) -> &'m mut MeshStyle<'a, 'b, X, Y, B> {
    mesh.light_line_style(TRANSPARENT)
        .bold_line_style(colour(theme.mesh()))
        .axis_style(colour(theme.faint_text()))
        .label_style(text(20, theme.text()))
        .axis_desc_style(text(20, theme.faint_text()))
}

/// Have text be drawn with the font inside broth.
fn make_font_known() -> Result<(), Error> {
    register_font("sans-serif", FontStyle::Normal, picture::FONT)
        .map_err(|_| Error::Bug("the font inside broth cannot be read".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_become_text_as_the_standard_says() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
        assert_eq!(base64(&[0xff, 0xef, 0xbe]), "/+++");
    }

    /// A raster of four pixels in a drawing of nothing else.
    struct Spots;

    impl Drawing for Spots {
        fn size(&self) -> (u32, u32) {
            (5, 4)
        }

        fn draw<B: DrawingBackend>(&self, _: &DrawingArea<B, Shift>, _: Theme) -> Drawn<B> {
            Ok(())
        }

        fn raster(&self, _: Theme) -> Option<Raster> {
            let pixels = [1, 2, 3, 4].map(|red| [red, 0, 0]).into();
            Some(Raster {
                at: (2, 1),
                width: 2,
                pixels,
            })
        }
    }

    #[test]
    fn rasters_are_part_of_bitmaps_and_of_svg() {
        let folder = tempfile::tempdir().unwrap();
        for theme in Theme::ALL {
            let out = folder.path().join("a.png");
            write(&Spots, &out, theme).unwrap();
            let file = std::io::BufReader::new(std::fs::File::open(&out).unwrap());
            let mut reader = png::Decoder::new(file).read_info().unwrap();
            let mut pixels = vec![0; 60];
            reader.next_frame(&mut pixels).unwrap();
            let pixels = pixels.as_chunks::<3>().0;
            for (i, pixel) in pixels.iter().enumerate() {
                let expected = match (i % 5, i / 5) {
                    (x @ 2..=3, y @ 1..=2) => [(x - 2 + 2 * (y - 1)) as u8 + 1, 0, 0],
                    _ => theme.background(),
                };
                assert_eq!(*pixel, expected, "{theme:?} {i}");
            }
            let out = folder.path().join("a.svg");
            write(&Spots, &out, theme).unwrap();
            let svg = std::fs::read_to_string(&out).unwrap();
            assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
            assert!(svg.contains("<image x=\"2\" y=\"1\" width=\"2\" height=\"2\""));
            assert!(svg.contains("href=\"data:image/png;base64,iVBORw0KGgo"));
        }
    }
}
