//! Pictures of soups: every byte is a pixel in the colour of its kind.

pub mod film;
pub mod frames;
mod legend;
mod pen;

use std::io::Write;
use std::path::Path;

use crate::Error;
use crate::files;
use crate::format::thousands;
use crate::language::{Language, Role};
use crate::soup::checkpoint::Checkpoint;
use crate::soup::settings::{Meeting, Settings, World};
use crate::soup::zff;
use legend::Legend;
pub(super) use pen::{FONT, Pen, open_font};

/// Width and height of a picture never exceed this many pixels.
const MAX_SIZE: usize = 4096;
/// The largest width and height of a tile.
const TILE: usize = 8;

/// Width and height of the tile of a program, with a pixel for each byte: a square, or two side
/// by side.
const fn tile(program_len: usize) -> (usize, usize) {
    let width = 1 << program_len.ilog2().div_ceil(2);
    (width, program_len / width)
}

/// Pixels between bands of columns.
const BAND_GAP: usize = 8;
/// Minimum width, for the legend of the smallest soups.
const MIN_WIDTH: usize = 720;

/// A colour: red, green, blue.
pub type Rgb = [u8; 3];

/// The background, part of each picture, so that it looks the same on a light and on a dark page.
pub const BACKGROUND: Rgb = [0x12, 0x13, 0x18];
/// The colour of text.
pub const TEXT: Rgb = [0xe8, 0xe8, 0xec];
/// Palettes begin with this many shades from background to text.
const SHADES: usize = 16;

/// The colour of a role, from Okabe and Ito's palette, which is safe for the colour-blind.
pub fn role_colour(role: Role) -> Rgb {
    match role {
        Role::Open => [0xe6, 0x9f, 0x00],
        Role::Close => [0xd5, 0x5e, 0x00],
        Role::Arithmetic => [0xcc, 0x79, 0xa7],
        Role::Copy => [0xf0, 0xe4, 0x42],
        Role::Read => [0x00, 0x9e, 0x73],
        Role::Move => [0x56, 0xb4, 0xe9],
        Role::MoveSecond => [0x00, 0x72, 0xb2],
        Role::Number => [0x70, 0x78, 0x8c],
        Role::NumberHigh => [0x44, 0x4a, 0x60],
        Role::Null => [0xff, 0xff, 0xff],
        Role::Noop => [0x30, 0x32, 0x3c],
    }
}

/// A colour for each kind of a language, in the order of [`Language::kinds`]: that of its role, a
/// shade darker for each further kind of the same role.
pub fn kind_colours(language: &Language) -> Vec<Rgb> {
    let kinds = language.kinds();
    let mut colours = Vec::new();
    for (i, kind) in kinds.iter().enumerate() {
        let same_role = kinds[..i].iter().filter(|k| k.role == kind.role).count();
        let strength = 0.8_f32.powi(same_role as i32);
        colours.push(role_colour(kind.role).map(|c| (f32::from(c) * strength) as u8));
    }
    colours
}

/// The index of a kind's colour in the palette.
fn kind_index(kind: usize) -> u8 {
    (SHADES + kind) as u8
}

/// Shades of text, then the colours of a language's kinds.
fn palette(language: &Language) -> Vec<u8> {
    let mut palette = Vec::new();
    for shade in 0..SHADES {
        let share = shade as f32 / (SHADES - 1) as f32;
        palette.extend((0..3).map(|c| {
            (f32::from(BACKGROUND[c]) * (1.0 - share) + f32::from(TEXT[c]) * share) as u8
        }));
    }
    palette.extend(kind_colours(language).iter().flatten());
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
        }
    }
}

/// Programs laid out in columns and rows of cells.
struct Arrangement {
    columns: usize,
    rows: usize,
    /// Width and height of a cell, which shows a program's bytes row by row.
    cell: (usize, usize),
    /// Pixels below each row but the last.
    gap: usize,
    /// The program of a cell, by column and row; none after the last.
    program: Box<dyn Fn(usize, usize) -> Option<usize>>,
    /// In words.
    caption: String,
}

impl Arrangement {
    /// The arrangement of `n` programs of this many bytes, or of an even sample, within this many
    /// pixels.
    fn new(
        layout: Layout,
        n: usize,
        program_len: usize,
        (max_width, max_height): (usize, usize),
    ) -> Arrangement {
        let cell @ (tile_width, tile_height) = tile(program_len);
        let (max_columns, max_rows) = (max_width / tile_width, max_height / tile_height);
        match layout {
            Layout::Grid(width, height) => {
                let stride = width
                    .div_ceil(max_columns)
                    .max(height.div_ceil(max_rows))
                    .max(1);
                let (columns, rows) = (width.div_ceil(stride), height.div_ceil(stride));
                let caption = if stride == 1 {
                    format!("The grid of {width} x {height} programs")
                } else {
                    format!(
                        "An even sample of {} of {} programs, the grid's every row and \
                         column in {stride}",
                        thousands(columns * rows),
                        thousands(n)
                    )
                };
                Arrangement {
                    columns,
                    rows,
                    cell,
                    gap: 0,
                    program: Box::new(move |column, row| {
                        Some(row * stride * width + column * stride)
                    }),
                    caption: format!(
                        "{caption}; each a tile of {tile_width} x {tile_height} bytes"
                    ),
                }
            }
            Layout::Tiles => {
                let shown = n.min(max_columns * max_rows);
                let columns = shown.isqrt() + usize::from(shown.isqrt().pow(2) < shown);
                let columns = columns.max(shown.div_ceil(max_rows));
                Arrangement::in_order(n, shown, columns, cell, 0)
            }
            Layout::Columns => {
                let pitch = program_len + BAND_GAP;
                let bands = ((max_height + BAND_GAP) / pitch).max(1);
                let shown = n.min(max_width * bands);
                // Somewhat wider than high, and no narrower than necessary.
                let columns = (shown * pitch * 4 / 3).isqrt().max(MIN_WIDTH);
                let columns = columns.max(shown.div_ceil(bands)).min(max_width).min(shown);
                Arrangement::in_order(n, shown, columns, (1, program_len), BAND_GAP)
            }
        }
    }

    /// Programs in the order of their indices, `columns` in each row.
    fn in_order(
        n: usize,
        shown: usize,
        columns: usize,
        cell: (usize, usize),
        gap: usize,
    ) -> Arrangement {
        let words = match cell {
            (1, height) => format!("in bands; each a column of {height} bytes, the first on top"),
            (width, height) => format!("in rows; each a tile of {width} x {height} bytes"),
        };
        let caption = if shown == n {
            format!("All {} programs", thousands(n))
        } else {
            format!(
                "An even sample of {} of {} programs",
                thousands(shown),
                thousands(n)
            )
        };
        Arrangement {
            columns,
            rows: shown.div_ceil(columns),
            cell,
            gap,
            program: Box::new(move |column, row| {
                let place = row * columns + column;
                let program = place as u128 * n as u128 / shown as u128;
                (place < shown).then_some(program as usize)
            }),
            caption: format!("{caption}, {words}"),
        }
    }

    fn width(&self) -> usize {
        self.columns * self.cell.0
    }

    fn height(&self) -> usize {
        self.rows * (self.cell.1 + self.gap) - self.gap
    }

    /// Draw the programs into the middle of a picture's first rows.
    fn draw(&self, soup: &[u8], index_of_byte: &[u8; 256], width: usize, pixels: &mut [u8]) {
        let margin = (width - self.width()) / 2;
        let (cell_width, cell_height) = self.cell;
        for (y, line) in pixels.chunks_exact_mut(width).enumerate() {
            let row = y / (cell_height + self.gap);
            let inside = y % (cell_height + self.gap);
            if row >= self.rows || inside >= cell_height {
                continue;
            }
            let cells = line[margin..].chunks_exact_mut(cell_width);
            for (column, cell) in cells.take(self.columns).enumerate() {
                let Some(program) = (self.program)(column, row) else {
                    continue;
                };
                let first = program * cell_width * cell_height + inside * cell_width;
                for (pixel, byte) in cell.iter_mut().zip(&soup[first..]) {
                    *pixel = index_of_byte[*byte as usize];
                }
            }
        }
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
}

impl Picture {
    /// The picture of a soup's programs after this many epochs, with a legend below.
    pub fn of_soup(view: &View, programs: &[u8], epochs_done: u64) -> Result<Picture, Error> {
        let font = open_font()?;
        let language = view.language;
        let n = programs.len() / language.program_len;
        if n == 0 || !programs.len().is_multiple_of(language.program_len) {
            return Err(Error::Usage(format!(
                "{} bytes are no soup of programs of {}, and have no picture",
                programs.len(),
                language.program_len
            )));
        }
        if let Layout::Grid(width, height) = view.layout
            && width.checked_mul(height) != Some(n)
        {
            return Err(Error::Setting(format!(
                "`grid` {width}x{height} does not hold the {n} programs of the soup"
            )));
        }
        let (max_width, max_height) = view.max_size;
        // The legend grows with the picture, at the expense of the programs.
        let legend_height = Legend::height_at_most(max_width, language.kinds().len());
        let room = (
            max_width,
            max_height.saturating_sub(legend_height).max(TILE),
        );
        let arrangement = Arrangement::new(view.layout, n, language.program_len, room);
        let width = arrangement.width().max(MIN_WIDTH);
        let title = format!(
            "{}, after {} epochs",
            view.title,
            thousands(epochs_done as usize)
        );
        let text = [title.as_str(), &arrangement.caption];
        let legend = Legend::new(&font, width, &text, language);
        let height = arrangement.height() + legend.height();
        let mut picture = Picture {
            width,
            height,
            palette: palette(language),
            pixels: vec![0; width * height],
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
        // Bytes of a soup are close to noise: better compression costs a second and saves little.
        encoder.set_deflate_compression(png::DeflateCompression::Level(1));
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

/// Write a picture of a soup as PNG, in the default view for its settings: at most 4096 x 4096
/// pixels; of larger soups an even sample, as the legend then says.
pub(crate) fn write_soup(path: &Path, settings: &Settings, soup: &Checkpoint) -> Result<(), Error> {
    let view = View::of(settings, View::FULL);
    Picture::of_soup(&view, &soup.programs, soup.epochs_done)?.write(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::PROGRAM_LEN;
    use crate::soup::meeting::Grid;

    fn view(language: &'static Language, layout: Layout) -> View {
        View {
            language,
            layout,
            title: "a soup".into(),
            max_size: View::FULL,
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
        kind_colours(language)[kind as usize]
    }

    #[test]
    fn every_kind_has_a_colour_of_its_own() {
        for language in Language::ALL {
            let colours = kind_colours(language);
            let kinds = language.kinds();
            assert_eq!(colours.len(), kinds.len());
            for (i, colour) in colours.iter().enumerate() {
                assert!(!colours[..i].contains(colour), "{language}");
                assert_ne!(*colour, BACKGROUND);
            }
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
            assert_eq!(picture.width, columns * TILE);
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
                columns * TILE
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
                assert_eq!(pixels[y * width + margin + x], BACKGROUND);
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
