//! Which program goes where in a picture.

use super::{Layout, MIN_WIDTH};
use crate::format::thousands;

/// The largest width and height of a tile of bytes.
pub(super) const MAX_TILE: usize = 8;
/// Pixels between bands of columns.
const BAND_GAP: usize = 8;

/// Width and height of the tile of a program, with a pixel for each byte: a square, or two side
/// by side.
pub(crate) const fn tile(program_len: usize) -> (usize, usize) {
    let width = 1 << program_len.ilog2().div_ceil(2);
    (width, program_len / width)
}

/// Programs laid out in columns and rows of cells.
pub(super) struct Arrangement {
    pub(super) columns: usize,
    pub(super) rows: usize,
    /// Width and height of a cell, which shows a program's bytes row by row.
    cell: (usize, usize),
    /// Pixels below each row but the last.
    gap: usize,
    /// The program of a cell, by column and row; none after the last.
    pub(super) program: Box<dyn Fn(usize, usize) -> Option<usize>>,
    /// Which programs there are, in words.
    pub(super) shown: String,
    /// How they lie there, in words.
    how: &'static str,
}

impl Arrangement {
    /// The arrangement of `n` programs of this many bytes, or of an even sample, within this many
    /// pixels.
    pub(super) fn new(
        layout: Layout,
        n: usize,
        program_len: usize,
        room @ (max_width, max_height): (usize, usize),
    ) -> Arrangement {
        if layout != Layout::Columns {
            return Arrangement::of_cells(layout, n, tile(program_len), room);
        }
        let pitch = program_len + BAND_GAP;
        let bands = ((max_height + BAND_GAP) / pitch).max(1);
        let shown = n.min(max_width * bands);
        // Somewhat wider than high, and no narrower than necessary.
        let columns = (shown * pitch * 4 / 3).isqrt().max(MIN_WIDTH);
        let columns = columns.max(shown.div_ceil(bands)).min(max_width).min(shown);
        Arrangement {
            gap: BAND_GAP,
            how: ", in bands",
            ..Arrangement::in_order(n, shown, columns, (1, program_len))
        }
    }

    /// The arrangement of `n` programs, or of an even sample, with a cell of so many pixels for
    /// each: on a grid as they lie there, else in rows.
    pub(super) fn of_cells(
        layout: Layout,
        n: usize,
        cell: (usize, usize),
        (max_width, max_height): (usize, usize),
    ) -> Arrangement {
        let (max_columns, max_rows) = (max_width / cell.0, max_height / cell.1);
        let Layout::Grid(width, height) = layout else {
            let shown = n.min(max_columns * max_rows);
            let columns = shown.isqrt() + usize::from(shown.isqrt().pow(2) < shown);
            let columns = columns.max(shown.div_ceil(max_rows));
            return Arrangement::in_order(n, shown, columns, cell);
        };
        let stride = width
            .div_ceil(max_columns)
            .max(height.div_ceil(max_rows))
            .max(1);
        let (columns, rows) = (width.div_ceil(stride), height.div_ceil(stride));
        let shown = if stride == 1 {
            format!("The grid of {width} x {height} programs")
        } else {
            format!(
                "An even sample of {} of {} programs, the grid's every row and column in {stride}",
                thousands(columns * rows),
                thousands(n)
            )
        };
        Arrangement {
            columns,
            rows,
            cell,
            gap: 0,
            program: Box::new(move |column, row| Some(row * stride * width + column * stride)),
            shown,
            how: "",
        }
    }

    /// Programs in the order of their indices, `columns` in each row.
    fn in_order(n: usize, shown: usize, columns: usize, cell: (usize, usize)) -> Arrangement {
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
            gap: 0,
            program: Box::new(move |column, row| {
                let place = row * columns + column;
                let program = place as u128 * n as u128 / shown as u128;
                (place < shown).then_some(program as usize)
            }),
            shown: caption,
            how: ", in rows",
        }
    }

    /// In words.
    pub(super) fn caption(&self) -> String {
        let each = match self.cell {
            (1, height) => format!("a column of {height} bytes, the first on top"),
            (width, height) => format!("a tile of {width} x {height} bytes"),
        };
        format!("{}{}; each {each}", self.shown, self.how)
    }

    /// Pixels of its width.
    pub(super) fn width(&self) -> usize {
        self.columns * self.cell.0
    }

    /// Pixels of its height.
    pub(super) fn height(&self) -> usize {
        self.rows * (self.cell.1 + self.gap) - self.gap
    }

    /// Draw the programs into the middle of a picture's first rows.
    pub(super) fn draw(
        &self,
        soup: &[u8],
        index_of_byte: &[u8; 256],
        width: usize,
        pixels: &mut [u8],
    ) {
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
