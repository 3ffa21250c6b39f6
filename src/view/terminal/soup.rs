//! The soup in a terminal: two pixels in each cell, or a letter where there are no colours.

use std::env;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};

use super::seen::Seen;
use crate::plot::theme::{Rgb, Theme};

/// Bytes of a pixel's side that are looked at, at most.
const SAMPLES: usize = 4;

/// Colours that a terminal has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Colours {
    /// All of them.
    All,
    /// The 256 of xterm.
    Indexed,
    /// None, or none are wanted.
    None,
}

impl Colours {
    /// Those of this process's terminal, as its environment says.
    pub fn of_terminal() -> Colours {
        Colours::by(|name| env::var(name).ok().filter(|value| !value.is_empty()))
    }

    fn by(variable: impl Fn(&str) -> Option<String>) -> Colours {
        let term = variable("TERM").unwrap_or_default();
        let is_plain = ["dumb", "vt100", "vt220", "linux-m"].contains(&&*term);
        if variable("NO_COLOR").is_some() || is_plain || term.ends_with("-m") {
            return Colours::None;
        }
        match variable("COLORTERM").as_deref() {
            Some("truecolor" | "24bit") => Colours::All,
            _ => Colours::Indexed,
        }
    }

    /// A colour as near as there is.
    pub(super) fn colour(self, [red, green, blue]: Rgb) -> Color {
        match self {
            Colours::All => Color::Rgb(red, green, blue),
            Colours::Indexed => {
                let step = |part: u8| (u16::from(part) * 5 + 127) / 255;
                let index = 16 + 36 * step(red) + 6 * step(green) + step(blue);
                Color::Indexed(index as u8)
            }
            Colours::None => Color::Reset,
        }
    }
}

/// What the colour of a pixel says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    Relatives,
    Bytes,
}

/// What is seen of the soup: the byte in the top left corner, and how many bytes wide and high a
/// pixel is. The whole soup where there is no size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Camera {
    pub corner: (usize, usize),
    pub size: Option<usize>,
}

/// Where the bytes of a soup lie.
#[derive(Clone, Copy, Debug)]
struct Map {
    columns: usize,
    tile: (usize, usize),
    programs: usize,
}

impl Map {
    fn of(seen: &Seen) -> Map {
        Map {
            columns: seen.scene.columns(),
            tile: seen.scene.tile(),
            programs: seen.frame.num_programs(),
        }
    }

    /// Width and height in bytes.
    fn size(&self) -> (usize, usize) {
        let rows = self.programs.div_ceil(self.columns.max(1));
        (self.columns * self.tile.0, rows * self.tile.1)
    }

    /// The program at a place, and the place of the byte in the soup.
    fn at(&self, x: usize, y: usize) -> Option<(usize, usize)> {
        let (column, row) = (x / self.tile.0, y / self.tile.1);
        let program = row * self.columns + column;
        let within = y % self.tile.1 * self.tile.0 + x % self.tile.0;
        let is_there = column < self.columns && program < self.programs;
        is_there.then_some((program, program * self.tile.0 * self.tile.1 + within))
    }
}

impl Camera {
    /// Pixels that an area has.
    fn pixels(area: Rect) -> (usize, usize) {
        (usize::from(area.width), 2 * usize::from(area.height))
    }

    /// How many bytes wide a pixel is.
    fn pixel(self, seen: &Seen, area: Rect) -> usize {
        let ((width, height), (across, down)) = (Map::of(seen).size(), Camera::pixels(area));
        let fitting = width
            .div_ceil(across.max(1))
            .max(height.div_ceil(down.max(1)));
        self.size.unwrap_or(fitting.max(1))
    }

    /// Closer by a half, or farther away, around the middle.
    pub(super) fn zoom(&mut self, closer: bool, seen: &Seen, area: Rect) {
        let (old, (across, down)) = (self.pixel(seen, area), Camera::pixels(area));
        let fitting = Camera::default().pixel(seen, area);
        let new = if closer {
            old.div_ceil(2)
        } else {
            (old * 2).min(fitting)
        };
        let place = |corner: usize, pixels: usize| {
            (corner + pixels * old / 2).saturating_sub(pixels * new / 2)
        };
        self.corner = (place(self.corner.0, across), place(self.corner.1, down));
        self.size = (new < fitting).then_some(new);
        self.stay_inside(seen, area);
    }

    /// A quarter of what is seen to the right and down.
    pub(super) fn pan(&mut self, (right, down): (i32, i32), seen: &Seen, area: Rect) {
        let (pixel, pixels) = (self.pixel(seen, area), Camera::pixels(area));
        let moved = |from: usize, by: i32, pixels: usize| {
            let way = (pixel * pixels / 4).max(1) * by.unsigned_abs() as usize;
            if by < 0 {
                from.saturating_sub(way)
            } else {
                from + way
            }
        };
        self.corner.0 = moved(self.corner.0, right, pixels.0);
        self.corner.1 = moved(self.corner.1, down, pixels.1);
        self.stay_inside(seen, area);
    }

    fn stay_inside(&mut self, seen: &Seen, area: Rect) {
        let (pixel, pixels) = (self.pixel(seen, area), Camera::pixels(area));
        let (width, height) = Map::of(seen).size();
        let most = |size: usize, pixels: usize| size.saturating_sub(pixel * pixels);
        self.corner.0 = self.corner.0.min(most(width, pixels.0));
        self.corner.1 = self.corner.1.min(most(height, pixels.1));
    }
}

/// Paints the soup of what is seen.
pub(super) struct Painter<'a> {
    seen: &'a Seen,
    map: Map,
    by: By,
    colours: Colours,
    /// The colour of each kind of byte, and which kind each byte is.
    kinds: Vec<Rgb>,
    kind_of: [u8; 256],
}

impl<'a> Painter<'a> {
    pub(super) fn new(seen: &'a Seen, by: By, colours: Colours) -> Painter<'a> {
        let language = seen.scene.settings.language;
        Painter {
            seen,
            map: Map::of(seen),
            by,
            colours,
            kinds: Theme::Dark.kind_colours(language),
            kind_of: language.kind_numbers(),
        }
    }

    /// Fill an area.
    pub(super) fn paint(&self, camera: Camera, area: Rect, buffer: &mut Buffer) {
        let pixel = camera.pixel(self.seen, area);
        for row in 0..area.height {
            for column in 0..area.width {
                let x = camera.corner.0 + usize::from(column) * pixel;
                let y = camera.corner.1 + 2 * usize::from(row) * pixel;
                let cell = &mut buffer[(area.x + column, area.y + row)];
                if self.colours == Colours::None {
                    cell.set_char(self.letter(x, y, pixel));
                    continue;
                }
                let colour = |y| self.pixel(x, y, pixel).map(|it| self.colours.colour(it));
                let (upper, lower) = (colour(y), colour(y + pixel));
                if upper.is_none() && lower.is_none() {
                    continue;
                }
                cell.set_char('▀').set_style(
                    Style::new()
                        .fg(upper.unwrap_or(Color::Reset))
                        .bg(lower.unwrap_or(Color::Reset)),
                );
            }
        }
    }

    /// The colour of a class.
    pub(super) fn class_colour(class: Option<u8>) -> Rgb {
        let series = Theme::Dark.series();
        let colour = class.and_then(|it| series.get(usize::from(it)));
        colour.copied().unwrap_or(Theme::Dark.greys()[1])
    }

    fn byte_colour(&self, (program, byte): (usize, usize)) -> Rgb {
        match self.by {
            By::Relatives => Painter::class_colour(self.seen.classes.get(program).copied()),
            By::Bytes => {
                let byte = self.seen.frame.programs()[byte];
                self.kinds[usize::from(self.kind_of[usize::from(byte)])]
            }
        }
    }

    /// The mean colour of a pixel, by a few of its bytes.
    fn pixel(&self, x: usize, y: usize, size: usize) -> Option<Rgb> {
        let samples = size.min(SAMPLES);
        let (mut sums, mut count) = ([0_u32; 3], 0);
        for i in 0..samples * samples {
            let (right, down) = (i % samples, i / samples);
            let place = |at: usize| at * size / samples + size / samples / 2;
            if let Some(found) = self.map.at(x + place(right), y + place(down)) {
                let colour = self.byte_colour(found);
                sums = std::array::from_fn(|part| sums[part] + u32::from(colour[part]));
                count += 1;
            }
        }
        (count > 0).then(|| sums.map(|sum| (sum / count) as u8))
    }

    /// What stands for a pixel where there are no colours: its class, or its byte; of many bytes,
    /// how bright they are.
    fn letter(&self, x: usize, y: usize, size: usize) -> char {
        let Some((program, byte)) = self.map.at(x + size / 2, y + size / 2) else {
            return ' ';
        };
        match self.by {
            By::Relatives => match self.seen.classes.get(program) {
                Some(class @ 0..=8) => (b'1' + class) as char,
                _ => '.',
            },
            By::Bytes if size == 1 => {
                let language = self.seen.scene.settings.language;
                let text = language.byte_text(self.seen.frame.programs()[byte]);
                text.chars().next().unwrap_or(' ')
            }
            By::Bytes => {
                const RAMP: &[u8] = b" .:-=+*#%@";
                let colour = self.pixel(x, y, size).unwrap_or_default();
                let light: usize = colour.iter().map(|part| usize::from(*part)).sum();
                RAMP[light * (RAMP.len() - 1) / (3 * 255)] as char
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_those_that_the_environment_says() {
        for (pairs, colours) in [
            (&[("TERM", "xterm-256color")][..], Colours::Indexed),
            (
                &[("TERM", "xterm"), ("COLORTERM", "truecolor")],
                Colours::All,
            ),
            (&[("TERM", "xterm"), ("NO_COLOR", "1")], Colours::None),
            (&[("TERM", "dumb"), ("COLORTERM", "24bit")], Colours::None),
            (&[("TERM", "vt100")], Colours::None),
        ] {
            let variable = |name: &str| {
                let found = pairs.iter().find(|it| it.0 == name)?;
                Some(found.1.to_owned())
            };
            assert_eq!(Colours::by(variable), colours, "{pairs:?}");
        }
        assert_eq!(Colours::Indexed.colour([255; 3]), Color::Indexed(231));
        assert_eq!(Colours::Indexed.colour([0; 3]), Color::Indexed(16));
    }
}
