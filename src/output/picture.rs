//! Pictures of soups.

use std::io::Write;
use std::path::Path;

use ab_glyph::{Font, FontRef, PxScale, ScaleFont, point};

use super::files;
use crate::Error;
use crate::language::{Language, PROGRAM_LEN, Role};
use crate::soup::checkpoint::Checkpoint;
use crate::soup::settings::{Meeting, Settings};

/// Width and height of a picture never exceed this many pixels.
const MAX_SIZE: usize = 4096;
/// Width and height of the tile that shows one program, a pixel for a byte.
const TILE: usize = 8;
/// Room for the legend of the smallest soups.
const MIN_WIDTH: usize = 720;

/// DejaVu Sans, its Latin glyphs only; font/LICENSE.txt says under what licence.
static FONT: &[u8] = include_bytes!("font/DejaVuSans-subset.ttf");

type Rgb = [u8; 3];

const BACKGROUND: Rgb = [0x12, 0x13, 0x18];
const TEXT: Rgb = [0xe8, 0xe8, 0xec];

/// The colour of a role: Okabe and Ito's, which the colour-blind tell apart.
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

/// A colour for each kind of a language: its role's, each further kind of the
/// same role a shade darker.
fn kind_colours(language: &Language) -> Vec<Rgb> {
    let kinds = language.kinds();
    let mut colours = Vec::new();
    for (i, kind) in kinds.iter().enumerate() {
        let same_role = kinds[..i].iter().filter(|k| k.role == kind.role).count();
        let strength = 0.8_f32.powi(same_role as i32);
        colours.push(role_colour(kind.role).map(|c| (f32::from(c) * strength) as u8));
    }
    colours
}

/// Where programs go in a picture.
struct Layout {
    columns: usize,
    rows: usize,
    /// The program of each tile, row by row; none behind the last.
    programs: Box<dyn Fn(usize, usize) -> Option<usize>>,
    /// In words.
    caption: String,
}

impl Layout {
    fn new(settings: &Settings, max_columns: usize, max_rows: usize) -> Layout {
        let n = settings.num_programs;
        match settings.meeting {
            Meeting::Grid(grid) if grid.width > 1 && grid.height > 1 => {
                let stride = grid
                    .width
                    .div_ceil(max_columns)
                    .max(grid.height.div_ceil(max_rows));
                let columns = grid.width.div_ceil(stride);
                let rows = grid.height.div_ceil(stride);
                Layout {
                    columns,
                    rows,
                    programs: Box::new(move |column, row| {
                        Some(row * stride * grid.width + column * stride)
                    }),
                    caption: if stride == 1 {
                        format!("The grid of {} x {} programs", grid.width, grid.height)
                    } else {
                        format!(
                            "An even sample of {} of {} programs, the grid's every row and \
                             column in {stride}",
                            thousands(columns * rows),
                            thousands(n)
                        )
                    },
                }
            }
            _ => {
                let shown = n.min(max_columns * max_rows);
                let columns = shown.isqrt() + usize::from(shown.isqrt().pow(2) < shown);
                let columns = columns.max(shown.div_ceil(max_rows));
                Layout {
                    columns,
                    rows: shown.div_ceil(columns),
                    programs: Box::new(move |column, row| {
                        let tile = row * columns + column;
                        let program = tile as u128 * n as u128 / shown as u128;
                        (tile < shown).then_some(program as usize)
                    }),
                    caption: if shown == n {
                        format!("All {} programs, in rows", thousands(n))
                    } else {
                        format!(
                            "An even sample of {} of {} programs, in rows",
                            thousands(shown),
                            thousands(n)
                        )
                    },
                }
            }
        }
    }
}

/// Write a picture of a soup as PNG: each program a tile of 8 x 8 bytes, the
/// colour of a byte by its kind, and a legend below. At most 4096 x 4096
/// pixels; of larger soups an even sample, as the legend then says.
pub fn write_soup(path: &Path, settings: &Settings, soup: &Checkpoint) -> Result<(), Error> {
    let font = FontRef::try_from_slice(FONT)
        .map_err(|_| Error::file(path, "cannot be drawn: the font inside broth is broken"))?;
    let language = settings.language;
    let colours = kind_colours(language);
    // The legend grows with the picture, and takes its room from the tiles.
    let max_rows = (MAX_SIZE - Legend::height_at_most(colours.len())) / TILE;
    let layout = Layout::new(settings, MAX_SIZE / TILE, max_rows);
    let width = (layout.columns * TILE).max(MIN_WIDTH);
    let title = format!(
        "{language}, seed {}, after {} epochs",
        settings.seed,
        thousands(soup.epochs_done as usize)
    );
    let caption = format!("{}; each a tile of 8 x 8 bytes", layout.caption);
    let legend = Legend::draw(&font, width, &[title, caption], language);

    let mut palette = Vec::new();
    for level in 0..Legend::LEVELS {
        let share = level as f32 / (Legend::LEVELS - 1) as f32;
        palette.extend((0..3).map(|c| {
            (f32::from(BACKGROUND[c]) * (1.0 - share) + f32::from(TEXT[c]) * share) as u8
        }));
    }
    palette.extend(colours.iter().flatten());
    let kinds = language.kinds();
    let index_of_byte: Vec<u8> = (0..=255)
        .map(|byte| {
            let kind = kinds.iter().position(|kind| *kind == language.kind(byte));
            Legend::kind_index(kind.unwrap_or(0))
        })
        .collect();

    // Not to the file at once: the encoder forgets why a file cannot be written.
    let mut bytes = Vec::new();
    let draw = |bytes: &mut Vec<u8>| -> Result<(), png::EncodingError> {
        let height = layout.rows * TILE + legend.height;
        let mut encoder = png::Encoder::new(bytes, width as u32, height as u32);
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_palette(palette);
        // Bytes of a soup are close to noise: more effort costs a second and
        // saves little.
        encoder.set_deflate_compression(png::DeflateCompression::Level(1));
        encoder.set_filter(png::Filter::NoFilter);
        let mut writer = encoder.write_header()?;
        let mut rows = writer.stream_writer()?;
        let margin = (width - layout.columns * TILE) / 2;
        let mut line = vec![0; width];
        for y in 0..layout.rows * TILE {
            line.fill(0);
            for column in 0..layout.columns {
                let Some(program) = (layout.programs)(column, y / TILE) else {
                    continue;
                };
                let first = program * PROGRAM_LEN + y % TILE * TILE;
                let at = margin + column * TILE;
                for (pixel, byte) in line[at..at + TILE]
                    .iter_mut()
                    .zip(&soup.programs[first..first + TILE])
                {
                    *pixel = index_of_byte[*byte as usize];
                }
            }
            rows.write_all(&line)?;
        }
        rows.write_all(&legend.pixels)?;
        rows.finish()
    };
    draw(&mut bytes).map_err(|error| Error::file(path, format!("cannot be drawn: {error}")))?;
    files::write_whole(path, |file| file.write_all(&bytes))
}

/// What stands below the tiles, as indices into the palette.
struct Legend {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl Legend {
    /// Shades of text in the palette, before the kinds' colours.
    const LEVELS: usize = 16;

    fn kind_index(kind: usize) -> u8 {
        (Legend::LEVELS + kind) as u8
    }

    /// Pixels of a line of text in a picture of this width.
    fn line_height(width: usize) -> usize {
        (width / 45).clamp(22, 80)
    }

    /// The most that a legend with so many kinds takes: two lines of text,
    /// and of kinds at least four on a line.
    fn height_at_most(kinds: usize) -> usize {
        Legend::line_height(MAX_SIZE) * (3 + kinds.div_ceil(4))
    }

    fn draw(font: &FontRef<'_>, width: usize, text: &[String], language: &Language) -> Legend {
        let line = Legend::line_height(width);
        let size = line as f32 * 0.72;
        let margin = line / 2;
        let swatch = line * 2 / 3;
        // First where each kind goes, then how many lines that makes.
        let mut places = Vec::new();
        let (mut x, mut row) = (margin, text.len());
        for kind in language.kinds() {
            let label = format!("{}  {}", kind.symbol, kind.name);
            let taken = swatch + line / 4 + text_width(font, size, &label) + line;
            if x + taken > width && x > margin {
                (x, row) = (margin, row + 1);
            }
            places.push((x, row, label));
            x += taken;
        }
        let height = line * (row + 2);
        let mut legend = Legend {
            width,
            height,
            pixels: vec![0; width * height],
        };
        let top = |row: usize| margin + row * line;
        for (row, text) in text.iter().enumerate() {
            legend.write(font, size, margin, top(row), text);
        }
        for (kind, (x, row, label)) in places.iter().enumerate() {
            for y in 0..swatch {
                let from = (top(*row) + line / 8 + y) * width + x;
                legend.pixels[from..from + swatch].fill(Legend::kind_index(kind));
            }
            legend.write(font, size, x + swatch + line / 4, top(*row), label);
        }
        legend
    }

    fn write(&mut self, font: &FontRef<'_>, size: f32, x: usize, top: usize, text: &str) {
        let scaled = font.as_scaled(PxScale::from(size));
        let baseline = top as f32 + scaled.ascent();
        let mut pen = x as f32;
        for char in text.chars() {
            let glyph = scaled
                .glyph_id(char)
                .with_scale_and_position(PxScale::from(size), point(pen, baseline));
            pen += scaled.h_advance(glyph.id);
            let Some(outline) = font.outline_glyph(glyph) else {
                continue;
            };
            let bounds = outline.px_bounds();
            outline.draw(|dx, dy, coverage| {
                let x = (bounds.min.x + dx as f32) as usize;
                let y = (bounds.min.y + dy as f32) as usize;
                if x < self.width && y < self.height {
                    let level = (coverage.min(1.0) * (Legend::LEVELS - 1) as f32) as u8;
                    let pixel = &mut self.pixels[y * self.width + x];
                    *pixel = level.max(*pixel);
                }
            });
        }
    }
}

fn text_width(font: &FontRef<'_>, size: f32, text: &str) -> usize {
    let scaled = font.as_scaled(PxScale::from(size));
    let advances = text.chars().map(|c| scaled.h_advance(scaled.glyph_id(c)));
    advances.sum::<f32>().ceil() as usize
}

/// A number with its thousands apart: `131,072`.
pub fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::soup::pairing::Grid;

    fn size_of_picture(settings: &Settings) -> (u32, u32) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("soup.png");
        let soup = Checkpoint {
            next_reset: 1,
            epochs_done: 5,
            programs: (0..settings.num_programs * PROGRAM_LEN)
                .map(|i| (i * 31 % 256) as u8)
                .collect(),
        };
        write_soup(&path, settings, &soup).unwrap();
        let file = std::io::BufReader::new(std::fs::File::open(path).unwrap());
        let mut reader = png::Decoder::new(file).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        (info.width, info.height)
    }

    #[test]
    fn pictures_stay_within_bounds() {
        for language in Language::ALL {
            for num_programs in [2, 1000, 300_000] {
                let (width, height) = size_of_picture(&Settings {
                    language,
                    num_programs,
                    ..Settings::default()
                });
                assert!(width <= 4096 && height <= 4096, "{language} {num_programs}");
                assert!(width >= 720);
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
                }),
                ..Settings::default()
            };
            assert_eq!(size_of_picture(&settings).0, columns * 8);
        }
    }

    #[test]
    fn samples_are_even_and_in_the_soup() {
        let settings = Settings {
            num_programs: 1 << 20,
            ..Settings::default()
        };
        let layout = Layout::new(&settings, 512, 480);
        let programs: Vec<_> = (0..480)
            .flat_map(|row| (0..512).map(move |column| (column, row)))
            .map(|(column, row)| (layout.programs)(column, row).unwrap())
            .collect();
        assert!(
            programs
                .windows(2)
                .all(|w| (4..=5).contains(&(w[1] - w[0])))
        );
        assert!(*programs.last().unwrap() < 1 << 20);
    }

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(131_072), "131,072");
    }
}
