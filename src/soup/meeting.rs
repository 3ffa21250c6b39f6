//! Who meets whom: anybody, neighbours on a grid, or those that a pattern allows.

use std::fmt::Write as _;
use std::io::BufRead;
use std::sync::Arc;

use crate::Error;
use crate::language::PROGRAM_LEN;

/// Who meets whom in an epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Meeting {
    /// Anybody: a random shuffle of the whole soup.
    Shuffle,
    /// Anybody, in turns that repeat; for soups of 2^m programs.
    FixedShuffle,
    /// Neighbours by index, the partner changing from epoch to epoch.
    NoPermutation,
    /// Those that a pattern allows.
    Pattern(Arc<Pattern>),
    /// Those close by on a grid.
    Grid(Grid),
}

/// A grid of programs, row by row, where programs meet their neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// Programs in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// How many rows and columns away a neighbour may be.
    pub radius: usize,
    /// Whether opposite edges are joined.
    pub torus: bool,
}

impl Grid {
    /// Where neighbours of a program lie: in these rows and columns.
    fn window(&self, program: usize) -> [Span; 2] {
        let around = |at, len| Span::around(at, len, self.radius, self.torus);
        [
            around(program / self.width, self.height),
            around(program % self.width, self.width),
        ]
    }

    /// The neighbours of a program, row by row, itself left out. On a torus rows and columns
    /// go from R before the program to R behind it; where that would be some of them twice,
    /// from the first to the last.
    pub fn neighbours(&self, program: usize) -> impl Iterator<Item = usize> {
        let [rows, columns] = self.window(program);
        let width = self.width;
        (0..rows.count)
            .flat_map(move |row| {
                (0..columns.count).map(move |column| rows.at(row) * width + columns.at(column))
            })
            .filter(move |neighbour| *neighbour != program)
    }

    pub(super) fn pick(&self, program: usize, random: u64) -> Option<usize> {
        let [rows, columns] = self.window(program);
        let neighbours = rows.count * columns.count - 1;
        if neighbours == 0 {
            return None;
        }
        let index = (random % neighbours as u64) as usize;
        // Places before the program itself keep their number.
        let index = index + usize::from(index >= rows.own * columns.count + columns.own);
        Some(rows.at(index / columns.count) * self.width + columns.at(index % columns.count))
    }
}

/// Some rows, or columns, one behind the other.
#[derive(Clone, Copy)]
struct Span {
    first: usize,
    count: usize,
    /// Which of them the program in their midst has.
    own: usize,
    /// How many there are on the grid; behind the last comes the first.
    len: usize,
}

impl Span {
    /// Those up to `radius` away from number `at` of `len`.
    fn around(at: usize, len: usize, radius: usize, torus: bool) -> Span {
        let width = radius.saturating_mul(2).saturating_add(1);
        let (first, end) = match torus {
            false => (
                at.saturating_sub(radius),
                at.saturating_add(radius).saturating_add(1).min(len),
            ),
            true if width >= len => (0, len),
            true => {
                let first = (at + len - radius) % len;
                (first, first + width)
            }
        };
        Span {
            first,
            count: end - first,
            own: (at + len - first) % len,
            len,
        }
    }

    fn at(self, index: usize) -> usize {
        (self.first + index) % self.len
    }
}

/// Who may meet whom: a list of neighbours for each program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pattern {
    /// Neighbours of program i are `neighbours[starts[i]..starts[i + 1]]`.
    starts: Vec<usize>,
    neighbours: Vec<u32>,
}

impl Pattern {
    /// The pattern with the entries (program, neighbour), each program's
    /// neighbours in the order of the entries. A program outside the soup, or one that is to meet
    /// itself, is an error.
    pub fn new(num_programs: usize, entries: &[(u32, u32)]) -> Result<Pattern, Error> {
        let is_outside = |program: u32| program as usize >= num_programs;
        for (a, b) in entries.iter().copied() {
            if is_outside(a) || is_outside(b) || a == b {
                return Err(Error::Setting(format!(
                    "`entries`: ({a}, {b}) are not two of {num_programs} programs"
                )));
            }
        }
        let mut starts = vec![0; num_programs + 1];
        for (program, _) in entries {
            starts[*program as usize + 1] += 1;
        }
        for i in 0..num_programs {
            starts[i + 1] += starts[i];
        }
        let mut next = starts.clone();
        let mut neighbours = vec![0; entries.len()];
        for (program, neighbour) in entries {
            let place = &mut next[*program as usize];
            neighbours[*place] = *neighbour;
            *place += 1;
        }
        Ok(Pattern { starts, neighbours })
    }

    /// Read a pattern: a line `a b` for each entry, a program and a neighbour
    /// it may meet, from 0. Empty lines are skipped.
    ///
    /// The error says which line is wrong and why, that there is no entry at all, or that there
    /// is no memory for a soup of so many programs.
    pub fn read(num_programs: usize, mut input: impl BufRead) -> Result<Pattern, String> {
        crate::memory::check_memory(num_programs, PROGRAM_LEN)
            .map_err(|error| error.to_string())?;
        let mut entries = Vec::new();
        let mut line = Vec::new();
        for number in 1.. {
            line.clear();
            // Longer than any line that is right.
            const LONGEST: u64 = 4096;
            let read = std::io::Read::take(&mut input, LONGEST).read_until(b'\n', &mut line);
            match read {
                Err(error) => return Err(format!("cannot be read: {error}")),
                Ok(0) => break,
                Ok(_) => {}
            }
            let entry = parse_entry(num_programs, &line)
                .map_err(|problem| format!("line {number}: {problem}"))?;
            entries.extend(entry);
        }
        if entries.is_empty() {
            return Err(
                "lists no pair, so no programs would ever meet; write a line `a b` for each \
                 program a and each program b that it may meet, as in `0 1`"
                    .into(),
            );
        }
        Pattern::new(num_programs, &entries).map_err(|error| error.to_string())
    }

    /// The number of programs that the pattern is for.
    pub fn num_programs(&self) -> usize {
        self.starts.len() - 1
    }

    /// The pattern as text that [`Pattern::read`] reads.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for program in 0..self.num_programs() {
            for neighbour in self.of(program) {
                let _ = writeln!(text, "{program} {neighbour}");
            }
        }
        text
    }

    fn of(&self, program: usize) -> &[u32] {
        &self.neighbours[self.starts[program]..self.starts[program + 1]]
    }

    pub(super) fn pick(&self, program: usize, random: u64) -> Option<usize> {
        let neighbours = self.of(program);
        let index = random.checked_rem(neighbours.len() as u64)?;
        Some(neighbours[index as usize] as usize)
    }
}

fn parse_entry(num_programs: usize, line: &[u8]) -> Result<Option<(u32, u32)>, String> {
    let Ok(text) = std::str::from_utf8(line) else {
        return Err("is not text; write two program numbers, as in `0 1`".into());
    };
    let mut words = text.split_whitespace();
    let (first, second) = match (words.next(), words.next(), words.next()) {
        (None, _, _) => return Ok(None),
        (Some(first), Some(second), None) => (first, second),
        _ => {
            return Err(format!(
                "`{}` is not two program numbers, as in `0 1`",
                text.trim_end().chars().take(40).collect::<String>()
            ));
        }
    };
    let last = num_programs.saturating_sub(1);
    let number = |word: &str| match word.parse::<u32>() {
        Ok(number) if (number as usize) < num_programs => Ok(number),
        Ok(_) => Err(format!(
            "program {word} is outside the soup, which has programs 0 to {last}"
        )),
        Err(_) => Err(format!(
            "`{}` is not a program number from 0 to {last}",
            word.chars().take(40).collect::<String>(),
        )),
    };
    match (number(first)?, number(second)?) {
        (a, b) if a == b => Err(format!("program {a} cannot meet itself")),
        entry => Ok(Some(entry)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clipped_corner_has_fewer_neighbours() {
        let grid = Grid {
            width: 5,
            height: 4,
            radius: 1,
            torus: false,
        };
        assert_eq!(grid.neighbours(0).collect::<Vec<_>>(), [1, 5, 6]);
        assert_eq!(
            grid.neighbours(7).collect::<Vec<_>>(),
            [1, 2, 3, 6, 8, 11, 12, 13]
        );
    }

    #[test]
    fn a_torus_joins_opposite_edges() {
        let mut grid = Grid {
            width: 5,
            height: 4,
            radius: 1,
            torus: true,
        };
        let neighbours = |grid: &Grid, program| grid.neighbours(program).collect::<Vec<_>>();
        assert_eq!(neighbours(&grid, 0), [19, 15, 16, 4, 1, 9, 5, 6]);
        assert_eq!(neighbours(&grid, 7), [1, 2, 3, 6, 8, 11, 12, 13]);
        // Nobody is met twice: all rows are within reach.
        grid.radius = 2;
        assert_eq!(neighbours(&grid, 0).len(), 19);
        let ring = Grid {
            width: 6,
            height: 1,
            radius: 2,
            torus: true,
        };
        assert_eq!(neighbours(&ring, 0), [4, 5, 1, 2]);
    }

    #[test]
    fn patterns_read_and_say_what_is_wrong() {
        let read = |text: &str| Pattern::read(4, text.as_bytes());
        let pattern = read("0 1\n\n 2\t3 \r\n0 2").unwrap();
        assert_eq!(pattern, Pattern::new(4, &[(0, 1), (2, 3), (0, 2)]).unwrap());
        for wrong in [(0, 4), (4, 0), (3, 3)] {
            let error = Pattern::new(4, &[(0, 1), wrong]).unwrap_err();
            assert!(error.to_string().contains("two of 4 programs"), "{error}");
        }
        assert_eq!(pattern.to_text(), "0 1\n0 2\n2 3\n");
        for (text, line, word) in [
            ("0 1\n0 4\n", "line 2", "outside the soup"),
            ("0 -1\n", "line 1", "not a program number"),
            ("0\n1\n", "line 1", "not two program numbers"),
            ("0 1 2\n", "line 1", "not two program numbers"),
            ("\n\n1 1\n", "line 3", "cannot meet itself"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(line) && error.contains(word), "{error}");
        }
        assert!(Pattern::read(4, &b"0 1\n\xff\xfe\n"[..]).is_err());
        for empty in ["", "\n \n"] {
            assert!(read(empty).unwrap_err().contains("lists no pair"));
        }
    }
}
