//! Strips: the kinds of a soup's bytes, in space and time.

use std::ops::Range;
use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor;

use super::axis::Axis;
use super::canvas::{self, Drawing, Drawn, Raster, colour, text};
use super::theme::{Rgb, Theme};
use crate::Error;
use crate::format::thousands;
use crate::language::{Language, Role};
use crate::soup::Soup;

/// Pixels of the whole picture, of its parts, and of the margins.
const WIDTH: u32 = 1600;
const TITLE_HEIGHT: u32 = 60;
const SHARES_HEIGHT: u32 = 260;
const AXIS_HEIGHT: u32 = 76;
const LEGEND_LINE: u32 = 34;
const LEFT: u32 = 134;
const RIGHT: u32 = 40;
/// Space above each part, for its title.
const CAPTION: u32 = 44;
/// The number of points in time that can be distinguished.
pub const GOOD_POINTS: u64 = (WIDTH - LEFT - RIGHT) as u64 / 2;
/// At most this many points in time may be requested.
pub const MAX_POINTS: u64 = 4096;
/// Up to this number of programs, every byte is a row.
const FEW_PROGRAMS: usize = 8;
/// Of more programs, at most this many get one row each.
const MAX_ROWS: usize = 640;
/// Approximate height of all rows together, in pixels.
const ROWS_HEIGHT: usize = 560;

/// The programs shown row by row.
#[derive(Debug)]
enum Rows {
    /// Every byte of these programs.
    Bytes(Vec<usize>),
    /// These programs, each by its commonest kind other than no-op.
    Programs(Vec<usize>),
}

/// A strip under construction: a soup at one point in time after another.
#[derive(Debug)]
pub struct Strip {
    language: &'static Language,
    title: String,
    kind_of_byte: [u8; 256],
    rows: Rows,
    num_programs: usize,
    points: Vec<u64>,
    /// The share of each kind, for each point.
    shares: Vec<Vec<f64>>,
    /// The kind of each row, for each point; none if a program consists of no-ops.
    cells: Vec<Vec<Option<u8>>>,
}

impl Strip {
    /// A strip of a soup like this one, with `programs` row by row: every byte of up to eight
    /// programs; of more, one row for each program or for an even sample of them. Without
    /// `programs`, eight of all.
    pub fn new(soup: &Soup, programs: Option<Range<usize>>) -> Result<Strip, Error> {
        let settings = soup.settings();
        let n = settings.num_programs;
        let sample = |range: Range<usize>, most: usize| -> Vec<usize> {
            let len = range.len().min(most);
            (0..len)
                .map(|i| range.start + (i as u128 * range.len() as u128 / len as u128) as usize)
                .collect()
        };
        let rows = match programs {
            Some(range) if range.is_empty() || range.end > n => {
                return Err(Error::Setting(format!(
                    "`programs` {}..{}: the soup has the programs 0..{n}; choose some of them",
                    range.start, range.end
                )));
            }
            Some(range) if range.len() > FEW_PROGRAMS => Rows::Programs(sample(range, MAX_ROWS)),
            range => Rows::Bytes(sample(range.unwrap_or(0..n), FEW_PROGRAMS)),
        };
        Ok(Strip {
            language: settings.language,
            title: format!(
                "{}, seed {}, {} programs",
                settings.language,
                settings.seed,
                thousands(n)
            ),
            kind_of_byte: settings.language.kind_numbers(),
            rows,
            num_programs: n,
            points: Vec::new(),
            shares: Vec::new(),
            cells: Vec::new(),
        })
    }

    /// Add the soup in its present state; its language and number of programs must be those of the
    /// soup with which the strip was created.
    pub fn push(&mut self, soup: &Soup) -> Result<(), Error> {
        let settings = soup.settings();
        if settings.language != self.language || settings.num_programs != self.num_programs {
            return Err(Error::Usage(format!(
                "a strip of {} goes on with that soup alone",
                self.title
            )));
        }
        let bytes = soup.programs();
        let kinds = self.language.kinds();
        let mut counts = vec![0_u64; kinds.len()];
        for byte in bytes {
            counts[self.kind_of_byte[*byte as usize] as usize] += 1;
        }
        let share = |count: &u64| *count as f64 / bytes.len() as f64;
        self.shares.push(counts.iter().map(share).collect());
        let program =
            |i: &usize| &bytes[i * self.language.program_len..][..self.language.program_len];
        let kind = |byte: &u8| self.kind_of_byte[*byte as usize];
        self.cells.push(match &self.rows {
            Rows::Bytes(programs) => {
                let bytes = programs.iter().flat_map(program);
                bytes.map(|byte| Some(kind(byte))).collect()
            }
            Rows::Programs(programs) => programs
                .iter()
                .map(|i| {
                    let mut counts = vec![0; kinds.len()];
                    for byte in program(i) {
                        counts[kind(byte) as usize] += 1;
                    }
                    let ops = (0..kinds.len())
                        .filter(|kind| kinds[*kind].role != Role::Noop && counts[*kind] > 0);
                    // The first of several equally common ones.
                    ops.rev()
                        .max_by_key(|kind| counts[*kind])
                        .map(|kind| kind as u8)
                })
                .collect(),
        });
        self.points.push(soup.epochs_done());
        Ok(())
    }

    /// Write the strip as PNG or SVG, as the name of `out` says.
    pub fn write(&self, out: &Path, theme: Theme) -> Result<(), Error> {
        canvas::write(self, out, theme)
    }

    /// The height of the rows of all programs together, in pixels.
    fn rows_height(&self) -> u32 {
        let (row_height, gap) = self.row_height_and_gap();
        let height = match &self.rows {
            Rows::Bytes(programs) => {
                programs.len() * (self.language.program_len * row_height + gap) - gap
            }
            Rows::Programs(programs) => programs.len() * row_height,
        };
        height as u32
    }

    /// The height of the part below the shares.
    fn lower_height(&self) -> u32 {
        CAPTION + self.rows_height() + AXIS_HEIGHT
    }

    /// Pixels above a row, within those of all rows.
    fn top_of(&self, row: usize) -> u32 {
        let (row_height, gap) = self.row_height_and_gap();
        let gaps = if gap > 0 {
            row / self.language.program_len * gap
        } else {
            0
        };
        (row * row_height + gaps) as u32
    }

    /// Pixels of each row, and of the gap below the rows of each program.
    fn row_height_and_gap(&self) -> (usize, usize) {
        match &self.rows {
            Rows::Bytes(programs) => {
                let rows = programs.len() * self.language.program_len;
                ((ROWS_HEIGHT / rows).clamp(1, 6), 6)
            }
            Rows::Programs(programs) => ((ROWS_HEIGHT / programs.len()).clamp(1, 24), 0),
        }
    }

    fn epochs(&self) -> Axis {
        let first = self.points.first().copied().unwrap_or(0);
        let last = self.points.last().copied().unwrap_or(first);
        Axis::of_epochs(first..last)
    }

    /// The range of pixels of a point, from left to right, within `width`.
    fn pixels_of(&self, point: usize, width: i32) -> (i32, i32) {
        let edge = |point: usize| (point as u64 * width as u64 / self.points.len() as u64) as i32;
        (edge(point), edge(point + 1) - edge(point))
    }

    /// The share of each kind among all bytes, stacked.
    fn draw_shares<B: DrawingBackend>(
        &self,
        area: &DrawingArea<B, Shift>,
        theme: Theme,
    ) -> Drawn<B> {
        let kinds = self.language.kinds();
        let does_something = |kind: &usize| kinds[*kind].role != Role::Noop;
        let shown: Vec<usize> = (0..kinds.len()).filter(does_something).collect();
        let sum = |shares: &Vec<f64>| shown.iter().map(|kind| shares[*kind]).sum::<f64>();
        let most = self.shares.iter().map(sum).fold(0.0, f64::max);
        // In many languages most bytes are no-ops, which would leave no room for the others.
        let top = (most * 1.1).clamp(0.01, 1.0);
        let caption = format!(
            "Kinds of all {} bytes, stacked{}",
            thousands(self.num_programs * self.language.program_len),
            if shown.len() < kinds.len() {
                "; the rest are no-ops"
            } else {
                ""
            }
        );
        area.draw_text(&caption, &text(22, theme.text()), (LEFT as i32, 10))?;
        let mut chart = ChartBuilder::on(area)
            .margin_left(24)
            .margin_right(RIGHT)
            .margin_top(CAPTION)
            .margin_bottom(12)
            .y_label_area_size(LEFT - 24)
            .build_cartesian_2d(self.epochs(), Axis::linear(0.0..100.0 * top, 5, 0.1))?;
        canvas::style(&mut chart.configure_mesh(), theme)
            .disable_mesh()
            .y_desc("percent")
            .draw()?;
        let plot = chart.plotting_area().strip_coord_spec();
        let (width, height) = plot.dim_in_pixel();
        let colours = theme.kind_colours(self.language);
        for (point, shares) in self.shares.iter().enumerate() {
            let (x, wide) = self.pixels_of(point, width as i32);
            let mut below = 0.0;
            for kind in &shown {
                let (share, rgb) = (shares[*kind], colours[*kind]);
                let edge = |share: f64| ((1.0 - share / top) * f64::from(height)).round() as i32;
                let (lower, upper) = (edge(below), edge(below + share));
                fill(&plot, (x, upper), (wide, lower - upper), rgb)?;
                below += share;
            }
        }
        Ok(())
    }

    /// The kinds of single bytes or programs, each a row.
    fn draw_rows<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>, theme: Theme) -> Drawn<B> {
        let (row_height, _) = self.row_height_and_gap();
        let (caption, unit) = match &self.rows {
            Rows::Bytes(programs) => (
                format!(
                    "Every byte of {} program{}, the first on top",
                    programs.len(),
                    if programs.len() == 1 { "" } else { "s" }
                ),
                "program",
            ),
            Rows::Programs(programs) => (
                format!(
                    "{} programs, each in the colour of its commonest kind other than no-op",
                    thousands(programs.len())
                ),
                "program",
            ),
        };
        area.draw_text(&caption, &text(22, theme.text()), (LEFT as i32, 10))?;
        let mut rows = Axis::linear(0.0..1.0, 1, 1.0);
        rows.leave_out_ticks();
        let mut chart = ChartBuilder::on(area)
            .margin_left(24)
            .margin_right(RIGHT)
            .margin_top(CAPTION)
            .y_label_area_size(LEFT - 24)
            .x_label_area_size(AXIS_HEIGHT)
            .build_cartesian_2d(self.epochs(), rows)?;
        canvas::style(&mut chart.configure_mesh(), theme)
            .disable_mesh()
            .x_desc("epochs done")
            .y_desc(unit)
            .draw()?;
        // Labels of programs: beside the middle of their bytes, or for every so many programs.
        let (Rows::Bytes(programs) | Rows::Programs(programs)) = &self.rows;
        let rows_each = programs.len().div_ceil(FEW_PROGRAMS);
        let right = text_anchor::Pos::new(text_anchor::HPos::Right, text_anchor::VPos::Center);
        let style = text(20, theme.text()).pos(right);
        for (i, program) in programs.iter().enumerate().step_by(rows_each) {
            let middle = match &self.rows {
                Rows::Bytes(_) => {
                    self.top_of(i * self.language.program_len)
                        + (self.language.program_len * row_height / 2) as u32
                }
                Rows::Programs(_) => self.top_of(i) + row_height as u32 / 2,
            };
            let at = (LEFT as i32 - 12, (CAPTION + middle) as i32);
            area.draw_text(&thousands(*program), &style, at)?;
        }
        Ok(())
    }
}

impl Drawing for Strip {
    fn size(&self) -> (u32, u32) {
        let last_line = legend_places(self.language).last().map_or(0, |last| last.1);
        let legend = LEGEND_LINE * (last_line + 1) + 40;
        let shares = CAPTION + SHARES_HEIGHT;
        (WIDTH, TITLE_HEIGHT + shares + self.lower_height() + legend)
    }

    fn draw<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>, theme: Theme) -> Drawn<B> {
        let (top, rest) = area.split_vertically(TITLE_HEIGHT);
        top.draw_text(&self.title, &text(30, theme.text()), (28, 20))?;
        let (shares, rest) = rest.split_vertically(CAPTION + SHARES_HEIGHT);
        self.draw_shares(&shares, theme)?;
        let (rows, below) = rest.split_vertically(self.lower_height());
        self.draw_rows(&rows, theme)?;
        let colours = theme.kind_colours(self.language);
        for ((x, line, label), rgb) in legend_places(self.language).into_iter().zip(colours) {
            let y = (line * LEGEND_LINE) as i32 + 20;
            fill(&below, (x, y - 1), (18, 18), rgb)?;
            below.draw_text(&label, &text(20, theme.text()), (x + 28, y))?;
        }
        Ok(())
    }

    /// The rows: too many cells to draw each of them in an SVG.
    fn raster(&self, theme: Theme) -> Option<Raster> {
        let width = WIDTH - LEFT - RIGHT;
        let mut pixels = vec![theme.background(); (width * self.rows_height()) as usize];
        let colours = theme.kind_colours(self.language);
        let (row_height, _) = self.row_height_and_gap();
        for (point, cells) in self.cells.iter().enumerate() {
            let (x, wide) = self.pixels_of(point, width as i32);
            for (row, kind) in cells.iter().enumerate() {
                let Some(kind) = kind else { continue };
                let top = self.top_of(row) as usize;
                for y in top..top + row_height {
                    let from = y * width as usize + x as usize;
                    pixels[from..from + wide as usize].fill(colours[usize::from(*kind)]);
                }
            }
        }
        Some(Raster {
            at: (LEFT, TITLE_HEIGHT + CAPTION + SHARES_HEIGHT + CAPTION),
            width,
            pixels,
        })
    }
}

/// Fill a rectangle; plotters takes its corners as within.
fn fill<B: DrawingBackend>(
    area: &DrawingArea<B, Shift>,
    (x, y): (i32, i32),
    (width, height): (i32, i32),
    rgb: Rgb,
) -> Drawn<B> {
    if width < 1 || height < 1 {
        return Ok(());
    }
    let corners = [(x, y), (x + width, y + height)];
    area.draw(&Rectangle::new(corners, colour(rgb).filled()))
}

/// The place of each kind in the legend: its offset from the left, its line, and its text.
fn legend_places(language: &Language) -> Vec<(i32, u32, String)> {
    let columns = 4;
    let width = (WIDTH - LEFT - RIGHT) / columns;
    let kinds = language.kinds().into_iter().zip(0..);
    kinds
        .map(|(kind, i)| {
            let x = LEFT + i % columns * width;
            (
                x as i32,
                i / columns,
                format!("{}  {}", kind.symbol, kind.name),
            )
        })
        .collect()
}
