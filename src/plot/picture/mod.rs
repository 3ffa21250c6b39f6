//! Pictures of soups: overviews at the size of a screen, and every byte as a pixel in the colour
//! of its kind.

mod arrangement;
pub mod film;
pub mod frames;
mod legend;
mod overview;
mod pen;

use std::io::Write;
use std::path::Path;

use crate::Error;
use crate::files;
use crate::format::thousands;
use crate::language::Language;
use crate::plot::theme::Theme;
use crate::soup::checkpoint::Checkpoint;
use crate::soup::settings::{Meeting, Settings, World};
use crate::soup::zff;
#[cfg(feature = "view")]
pub(crate) use arrangement::tile;
use arrangement::{Arrangement, MAX_TILE};
use legend::Legend;
pub(super) use pen::{FONT, Pen, open_font};

/// Width and height of a picture never exceed this many pixels.
const MAX_SIZE: usize = 4096;
/// Minimum width, for the legend of the smallest soups.
const MIN_WIDTH: usize = 720;

/// Palettes begin with this many shades from background to text.
const SHADES: usize = 16;

/// The index of a kind's colour in the palette.
fn kind_index(kind: usize) -> u8 {
    (SHADES + kind) as u8
}

/// Shades of text, then the colours of a language's kinds.
fn palette(theme: Theme, language: &Language) -> Vec<u8> {
    let (background, text) = (theme.background(), theme.text());
    let mut palette = Vec::new();
    for shade in 0..SHADES {
        let share = shade as f32 / (SHADES - 1) as f32;
        palette.extend((0..3).map(|c| {
            (f32::from(background[c]) * (1.0 - share) + f32::from(text[c]) * share) as u8
        }));
    }
    palette.extend(theme.kind_colours(language).iter().flatten());
    palette
}

/// How programs are arranged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Layout {
    /// Tiles of 8 x 8 bytes (8 x 4 or 4 x 4 for shorter programs) in rows, forming about a square.
    Tiles,
    /// Columns one pixel wide and one program high, in bands: programs with adjacent indices are
    /// side by side.
    Columns,
    /// Tiles at the programs' places on a grid of this width and height.
    Grid(usize, usize),
}

impl Layout {
    /// The default layout for a soup with these settings.
    pub fn of(settings: &Settings) -> Layout {
        if settings.world == World::Zff {
            return Layout::Grid(zff::WIDTH, zff::HEIGHT);
        }
        match settings.meeting {
            Meeting::Grid(grid) if grid.width > 1 && grid.height > 1 => {
                Layout::Grid(grid.width, grid.height)
            }
            _ => Layout::Tiles,
        }
    }
}

/// How to show a soup.
#[derive(Clone, Debug)]
pub struct View {
    /// The language.
    pub language: &'static Language,
    /// How programs are arranged.
    pub layout: Layout,
    /// A description of the soup.
    pub title: String,
    /// Maximum width and height of the picture; of a larger soup, an even sample is shown.
    pub max_size: (usize, usize),
    /// Its colours.
    pub theme: Theme,
    /// Whether an overview tells families of programs apart. On a long tape, where what copies
    /// itself begins anywhere, there are none.
    pub is_of_families: bool,
}

impl View {
    /// Pixels of the largest pictures.
    pub const FULL: (usize, usize) = (MAX_SIZE, MAX_SIZE);
    /// Pixels of one picture among many.
    pub const FRAME: (usize, usize) = (1280, 720);

    /// The default view of a soup with these settings.
    pub fn of(settings: &Settings, max_size: (usize, usize)) -> View {
        View {
            language: settings.language,
            layout: Layout::of(settings),
            title: format!("{}, seed {}", settings.language, settings.seed),
            max_size,
            theme: Theme::default(),
            is_of_families: !matches!(settings.world, World::LongTape { .. }),
        }
    }

    /// The title of the picture of a soup after so many epochs.
    fn title_after(&self, epochs_done: u64) -> String {
        let plural = if epochs_done == 1 { "" } else { "s" };
        let epochs = thousands(epochs_done as usize);
        format!("{}, after {epochs} epoch{plural}", self.title)
    }

    /// The number of programs in a soup, which must have some, and those of the grid.
    fn count(&self, programs: &[u8]) -> Result<usize, Error> {
        let len = self.language.program_len;
        let n = programs.len() / len;
        if n == 0 || !programs.len().is_multiple_of(len) {
            return Err(Error::Usage(format!(
                "{} bytes are no soup of programs of {len}, and have no picture",
                programs.len()
            )));
        }
        if let Layout::Grid(width, height) = self.layout
            && width.checked_mul(height) != Some(n)
        {
            return Err(Error::Setting(format!(
                "`grid` {width}x{height} does not hold the {n} programs of the soup"
            )));
        }
        Ok(n)
    }
}

/// A picture with a palette.
///
/// ```
/// use broth::plot::picture::{Layout, Picture, View};
/// use broth::{Settings, Soup};
///
/// let settings = Settings {
///     num_programs: 64,
///     ..Settings::default()
/// };
/// let mut soup = Soup::new(settings)?;
/// soup.step();
/// let view = View {
///     layout: Layout::Columns,
///     ..View::of(soup.settings(), View::FULL)
/// };
/// let picture = Picture::of_soup(&view, soup.programs(), soup.epochs_done())?;
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("soup.png");
/// picture.write(&path)?;
/// # Ok::<(), broth::Error>(())
/// ```
#[derive(Debug, PartialEq, Eq)]
pub struct Picture {
    width: usize,
    height: usize,
    /// Red, green and blue of each colour.
    palette: Vec<u8>,
    /// Indices into the palette, row by row.
    pixels: Vec<u8>,
    /// How hard it is compressed, from 1 to 9.
    deflate: u8,
}

/// Bytes of a soup are close to noise: better compression costs a second and saves little.
const DEFLATE_BYTES: u8 = 1;

impl Picture {
    /// The picture of a soup's programs after this many epochs, with a legend below.
    pub fn of_soup(view: &View, programs: &[u8], epochs_done: u64) -> Result<Picture, Error> {
        let font = open_font()?;
        let language = view.language;
        let n = view.count(programs)?;
        let (max_width, max_height) = view.max_size;
        // The legend grows with the picture, at the expense of the programs.
        let legend_height = Legend::height_at_most(max_width, language.kinds().len());
        let room = (
            max_width,
            max_height.saturating_sub(legend_height).max(MAX_TILE),
        );
        let arrangement = Arrangement::new(view.layout, n, language.program_len, room);
        let width = arrangement.width().max(MIN_WIDTH);
        let title = view.title_after(epochs_done);
        let caption = arrangement.caption();
        let text = [title.as_str(), &caption];
        let legend = Legend::new(&font, width, &text, language);
        let height = arrangement.height() + legend.height();
        let mut picture = Picture {
            width,
            height,
            palette: palette(view.theme, language),
            pixels: vec![0; width * height],
            deflate: DEFLATE_BYTES,
        };
        let (shown, below) = picture.pixels.split_at_mut(width * arrangement.height());
        let index_of_byte = language.kind_numbers().map(|kind| kind_index(kind.into()));
        arrangement.draw(programs, &index_of_byte, width, shown);
        legend.draw(&font, below);
        Ok(picture)
    }

    /// The picture as a PNG that contains these texts (keyword, text).
    fn encode(&self, texts: &[(&str, &str)]) -> Result<Vec<u8>, png::EncodingError> {
        // Not directly to the file: the encoder loses the reason why a file cannot be written.
        let mut bytes = Vec::new();
        let mut encoder = self.encoder(&mut bytes);
        for (keyword, text) in texts {
            encoder.add_text_chunk(keyword.to_string(), text.to_string())?;
        }
        encoder.set_deflate_compression(png::DeflateCompression::Level(self.deflate));
        encoder.write_header()?.write_image_data(&self.pixels)?;
        Ok(bytes)
    }

    fn encoder<W: Write>(&self, to: W) -> png::Encoder<'static, W> {
        let mut encoder = png::Encoder::new(to, self.width as u32, self.height as u32);
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_palette(self.palette.clone());
        encoder.set_filter(png::Filter::NoFilter);
        encoder
    }

    /// Write the picture as PNG.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        self.write_with(path, &[])
    }

    fn write_with(&self, path: &Path, texts: &[(&str, &str)]) -> Result<(), Error> {
        let bytes = self.encode(texts).map_err(|error| not_drawn(path, error))?;
        files::write_whole(path, |file| file.write_all(&bytes))
    }
}

/// The error for a picture that cannot be made.
pub(crate) fn not_drawn(path: &Path, why: impl std::fmt::Display) -> Error {
    Error::file(path, format!("cannot be drawn: {why}"))
}

/// Write an overview of a soup as PNG, in the default view for its settings.
pub(crate) fn write_soup(path: &Path, settings: &Settings, soup: &Checkpoint) -> Result<(), Error> {
    let view = View::of(settings, View::FULL);
    Picture::overview(&view, &soup.programs, soup.epochs_done)?.write(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::PROGRAM_LEN;
    use crate::plot::theme::Rgb;
    use crate::soup::meeting::Grid;

    fn view(language: &'static Language, layout: Layout) -> View {
        View {
            language,
            layout,
            title: "a soup".into(),
            max_size: View::FULL,
            theme: Theme::Dark,
            is_of_families: true,
        }
    }

    fn soup(num_programs: usize) -> Vec<u8> {
        (0..num_programs * PROGRAM_LEN)
            .map(|i| (i * 31 % 256 + i / 4096) as u8)
            .collect()
    }

    /// What a reader of the PNG sees: width, height, and each pixel's colour.
    fn decode(bytes: &[u8]) -> (usize, usize, Vec<Rgb>) {
        let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes));
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        let colours = pixels.as_chunks::<3>().0.to_vec();
        (info.width as usize, info.height as usize, colours)
    }

    fn colour_of(language: &Language, byte: u8) -> Rgb {
        let kind = language.kind_numbers()[byte as usize];
        Theme::Dark.kind_colours(language)[kind as usize]
    }

    #[test]
    fn kinds_are_numbered_as_they_are_listed() {
        for language in Language::every() {
            let kinds = language.kinds();
            for byte in 0..=255 {
                let kind = kinds[language.kind_numbers()[byte as usize] as usize];
                assert_eq!(kind, language.kind(byte));
            }
        }
    }

    #[test]
    fn pictures_stay_within_bounds() {
        for language in Language::ALL {
            for num_programs in [2, 1000, 300_000] {
                let soup = soup(num_programs);
                // The last one narrow and high.
                let grid = Layout::Grid(2, num_programs / 2);
                for layout in [Layout::Tiles, Layout::Columns, grid] {
                    for max_size in [View::FULL, View::FRAME] {
                        let view = View {
                            max_size,
                            ..view(language, layout)
                        };
                        let picture = Picture::of_soup(&view, &soup, 5).unwrap();
                        assert!(
                            picture.width <= max_size.0 && picture.height <= max_size.1,
                            "{language} {num_programs} {layout:?} {max_size:?}"
                        );
                        assert!(picture.width >= MIN_WIDTH);
                    }
                }
            }
        }
    }

    #[test]
    fn grids_keep_their_shape() {
        for (width, height, columns) in [(240, 135, 240), (2000, 150, 500), (200_000, 1, 448)] {
            let settings = Settings {
                num_programs: width * height,
                meeting: Meeting::Grid(Grid {
                    width,
                    height,
                    radius: 2,
                    torus: false,
                }),
                ..Settings::default()
            };
            let view = View::of(&settings, View::FULL);
            let picture = Picture::of_soup(&view, &soup(width * height), 5).unwrap();
            assert_eq!(picture.width, columns * MAX_TILE);
        }
    }

    /// Every byte of every program is where its layout says, in the colour of its kind.
    #[test]
    fn each_byte_is_at_its_place() {
        let language: &'static Language = "bff".parse().unwrap();
        let (n, grid_width) = (1000, 100);
        let soup = soup(n);
        type Place = fn(usize, usize) -> (usize, usize);
        let layouts: [(Layout, usize, Place); 3] = [
            (Layout::Tiles, 32, |program, byte| {
                let (x, y) = (program % 32 * 8, program / 32 * 8);
                (x + byte % 8, y + byte / 8)
            }),
            (Layout::Grid(100, 10), grid_width, |program, byte| {
                let (x, y) = (program % 100 * 8, program / 100 * 8);
                (x + byte % 8, y + byte / 8)
            }),
            (Layout::Columns, 720, |program, byte| {
                (program % 720, program / 720 * 72 + byte)
            }),
        ];
        for (layout, columns, place) in layouts {
            let picture = Picture::of_soup(&view(language, layout), &soup, 5).unwrap();
            let (width, height, pixels) = decode(&picture.encode(&[]).unwrap());
            assert_eq!((width, height), (picture.width, picture.height));
            let shown_width = if layout == Layout::Columns {
                columns
            } else {
                columns * MAX_TILE
            };
            let margin = (width - shown_width) / 2;
            for program in 0..n {
                for byte in 0..PROGRAM_LEN {
                    let (x, y) = place(program, byte);
                    assert_eq!(
                        pixels[y * width + margin + x],
                        colour_of(language, soup[program * PROGRAM_LEN + byte]),
                        "{layout:?}: byte {byte} of program {program}"
                    );
                }
            }
            // There is nothing after the last program.
            if layout != Layout::Grid(100, 10) {
                let (x, y) = place(n, 0);
                assert_eq!(pixels[y * width + margin + x], Theme::Dark.background());
            }
        }
    }

    #[test]
    fn samples_are_even_and_in_the_soup() {
        for (layout, columns, rows) in [(Layout::Tiles, 512, 480), (Layout::Columns, 4096, 53)] {
            let arrangement = Arrangement::new(layout, 1 << 20, PROGRAM_LEN, (4096, 3840));
            assert_eq!((arrangement.columns, arrangement.rows), (columns, rows));
            let programs: Vec<_> = (0..rows)
                .flat_map(|row| (0..columns).map(move |column| (column, row)))
                .map(|(column, row)| (arrangement.program)(column, row).unwrap())
                .collect();
            assert!(
                programs
                    .windows(2)
                    .all(|w| (4..=5).contains(&(w[1] - w[0])))
            );
            assert!(*programs.last().unwrap() < 1 << 20);
        }
    }
}
