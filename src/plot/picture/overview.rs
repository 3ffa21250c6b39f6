//! A soup at the size of a screen: all its programs at a glance, some of them byte by byte, and
//! words on what to look for.

use std::cmp::Reverse;

use ab_glyph::FontRef;

use super::arrangement::{Arrangement, tile};
use super::legend::Legend;
use super::{Layout, Pen, Picture, SHADES, View, kind_index, open_font, palette};
use crate::Error;
use crate::format::thousands;
use crate::language::{Language, Role};
use crate::measure::families::Families;

/// Pixels of an overview's width, and of the space around and between its parts.
const WIDTH: usize = 1600;
const MARGIN: usize = 24;
/// Pixels of the map of a soup that is about as wide as high, with what is beside it.
const MAP: (usize, usize) = (740, 740);
/// Pixels of the map of a grid that is at least [`WIDE`] times as wide as high, with nothing
/// beside it, and of the height of what is below.
const WIDE_MAP: (usize, usize) = (WIDTH - 2 * MARGIN, 520);
const BELOW_WIDE_MAP: usize = 380;
const WIDE: usize = 3;
/// The largest block of a program.
const MAX_BLOCK: usize = 64;
/// Pixels of text: of the title, and of everything else.
const TITLE: usize = 28;
const TEXT: usize = 18;
/// Pixels from line to line.
const LINE: usize = 26;
/// Pixels of the height of a program that is shown byte by byte, and of the gap below it.
const ROW: (usize, usize) = (15, 2);
/// Pixels of the colour of a family beside such a program, and of the gap behind it.
const SWATCH: (usize, usize) = (14, 6);
/// Of more families, the largest have colours.
const MOST_FAMILIES: u8 = 6;
/// Blocks of one colour are worth compressing.
const DEFLATE_BLOCKS: u8 = 6;
/// Shades of grey for programs without relatives.
const GREYS: usize = 3;

impl Picture {
    /// The picture of a soup at the size of a screen: each program as a block in the colour of
    /// its family, and some of them byte by byte. If there is no room for all, an even sample is
    /// shown. The `max_size` of the view does not count.
    pub fn overview(view: &View, programs: &[u8], epochs_done: u64) -> Result<Picture, Error> {
        let n = view.count(programs)?;
        let font = open_font()?;
        let is_wide =
            matches!(view.layout, Layout::Grid(width, height) if width / height.max(1) >= WIDE);
        let room = if is_wide { WIDE_MAP } else { MAP };
        let map = Map::new(view, programs, n, room);
        let title = view.title_after(epochs_done);
        let words = wrapped(&font, &map.what_to_look_for(), WIDTH - 2 * MARGIN);
        let top = MARGIN + TITLE + 18 + words.len() * LINE + 12;
        let body = if is_wide {
            LINE + map.height() + MARGIN + BELOW_WIDE_MAP
        } else {
            LINE + MAP.1
        };
        let height = top + body + MARGIN;
        let mut sheet = Sheet {
            font: &font,
            pixels: vec![0; WIDTH * height],
        };
        sheet.write(TITLE, (MARGIN, MARGIN), &title);
        for (i, line) in words.iter().enumerate() {
            sheet.write(TEXT, (MARGIN, MARGIN + TITLE + 18 + i * LINE), line);
        }
        sheet.write(TEXT, (MARGIN, top), &map.caption());
        map.draw(&mut sheet, (MARGIN, top + LINE));
        let below_map = top + LINE + map.height() + MARGIN;
        let right = (WIDTH - MARGIN - map.detail_width(), top);
        if is_wide {
            map.draw_families(&mut sheet, (MARGIN, below_map));
            map.draw_detail(&mut sheet, (right.0, below_map), BELOW_WIDE_MAP, false);
        } else {
            let has_room = below_map + map.families_height() <= top + body;
            if has_room {
                map.draw_families(&mut sheet, (MARGIN, below_map));
            }
            map.draw_detail(&mut sheet, right, body, !has_room);
        }
        let mut palette = palette(view.theme, view.language);
        let series = view.theme.series();
        palette.extend(series[..usize::from(MOST_FAMILIES)].iter().flatten());
        palette.extend(view.theme.greys().iter().flatten());
        Ok(Picture {
            width: WIDTH,
            height,
            palette,
            pixels: sheet.pixels,
            deflate: DEFLATE_BLOCKS,
        })
    }
}

/// A drawing of shades and colours, [`WIDTH`] pixels wide.
struct Sheet<'a> {
    font: &'a FontRef<'static>,
    pixels: Vec<u8>,
}

impl Sheet<'_> {
    fn fill(&mut self, (x, y): (usize, usize), (width, height): (usize, usize), colour: u8) {
        for row in y..y + height {
            let from = row * WIDTH + x;
            self.pixels[from..from + width].fill(colour);
        }
    }

    fn write(&mut self, size: usize, at: (usize, usize), text: &str) {
        pen(self.font, size).write(&mut self.pixels, WIDTH, at, text);
    }
}

fn pen<'a>(font: &'a FontRef<'static>, size: usize) -> Pen<'a> {
    Pen {
        font,
        size: size as f32,
    }
}

/// A text in lines of at most so many pixels.
fn wrapped(font: &FontRef<'static>, text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        if let Some(line) = lines.last_mut()
            && pen(font, TEXT).width(&format!("{line} {word}")) <= width
        {
            *line += " ";
            *line += word;
        } else {
            lines.push(word.into());
        }
    }
    lines
}

/// A share in per cent; one that is not nothing is not called that.
fn percent(share: f64) -> String {
    if share > 0.0 && share < 0.05 {
        "< 0.1 %".into()
    } else {
        format!("{share:.1} %")
    }
}

/// The programs of a soup at their places.
struct Map<'a> {
    language: &'static Language,
    arrangement: Arrangement,
    /// Pixels of a program's block.
    block: usize,
    /// The bytes of the soup.
    programs: &'a [u8],
    /// The programs that are shown, in the order of their places.
    shown: Vec<usize>,
    /// Their families, unless what copies itself begins anywhere.
    families: Option<Families>,
}

impl<'a> Map<'a> {
    fn new(view: &View, programs: &'a [u8], n: usize, room: (usize, usize)) -> Map<'a> {
        let arrangement = Arrangement::of_cells(view.layout, n, (1, 1), room);
        let (columns, rows) = (arrangement.columns, arrangement.rows);
        let block = (room.0 / columns).min(room.1 / rows).clamp(1, MAX_BLOCK);
        let places = (0..rows).flat_map(|row| (0..columns).map(move |column| (column, row)));
        let shown: Vec<usize> = places
            .filter_map(|(column, row)| (arrangement.program)(column, row))
            .collect();
        let len = view.language.program_len;
        let families = view.is_of_families.then(|| {
            if shown.len() == n {
                Families::of(view.language, programs, MOST_FAMILIES)
            } else {
                let sample: Vec<u8> = shown
                    .iter()
                    .flat_map(|i| &programs[i * len..][..len])
                    .copied()
                    .collect();
                Families::of(view.language, &sample, MOST_FAMILIES)
            }
        });
        Map {
            language: view.language,
            arrangement,
            block,
            programs,
            shown,
            families,
        }
    }

    /// The bytes of a program, by its place.
    fn program(&self, place: usize) -> &[u8] {
        let len = self.language.program_len;
        &self.programs[self.shown[place] * len..][..len]
    }

    fn height(&self) -> usize {
        self.arrangement.rows * self.block
    }

    /// Pixels of a byte in a block, if there is room for bytes.
    fn pixels_of_byte(&self) -> Option<usize> {
        let (width, height) = tile(self.language.program_len);
        let pixels = self.block.saturating_sub(5) / width.max(height);
        (pixels >= 2).then_some(pixels)
    }

    /// The index of a program's colour, by its place.
    fn colour(&self, place: usize) -> u8 {
        let families = SHADES + self.language.kinds().len();
        let Some(found) = &self.families else {
            return self.commonest_kind(place);
        };
        let index = match found.of_program[place] {
            Some(family) => families + usize::from(family),
            // In no order, as the programs are.
            None => {
                let sum = self.program(place).iter().map(|it| usize::from(*it));
                families + usize::from(MOST_FAMILIES) + sum.sum::<usize>() % GREYS
            }
        };
        index as u8
    }

    /// The index of the colour of a program's commonest kind other than no-op.
    fn commonest_kind(&self, place: usize) -> u8 {
        let kinds = self.language.kinds();
        let numbers = self.language.kind_numbers();
        let mut counts = vec![0; kinds.len()];
        for byte in self.program(place) {
            counts[usize::from(numbers[usize::from(*byte)])] += 1;
        }
        let is_op = |kind: &usize| kinds[*kind].role != Role::Noop && counts[*kind] > 0;
        let commonest = (0..kinds.len()).filter(is_op);
        // The first of several equally common ones.
        let commonest = commonest.max_by_key(|kind| (counts[*kind], Reverse(*kind)));
        commonest.map_or(0, kind_index)
    }

    fn caption(&self) -> String {
        let shown = &self.arrangement.shown;
        match (&self.families, self.pixels_of_byte()) {
            (Some(_), None) => format!("{shown}, each in the colour of its family"),
            (Some(_), Some(_)) => format!("{shown}, each framed in the colour of its family"),
            (None, None) => format!("{shown}, each in the colour of its commonest kind"),
            (None, Some(_)) => format!("{shown}, each with all its bytes"),
        }
    }

    fn what_to_look_for(&self) -> String {
        let Some(found) = &self.families else {
            return "Look for what comes again and again: whatever copies itself leaves the same \
                    pattern in many places, and noise has no pattern."
                .into();
        };
        let percent = |part: usize| 100.0 * part as f64 / self.shown.len() as f64;
        let Some(largest) = found.families.first() else {
            return "No colour, as in noise: no program has relatives enough for a family. Where a \
                    replicator takes over, its colour spreads."
                .into();
        };
        format!(
            "One colour is one family: programs with far more bytes in common than by chance. \
             Noise has no colour. {:.1} % of the programs have a family; {:.1} % are of the \
             largest.",
            percent(found.members()),
            percent(largest.members)
        )
    }

    fn draw(&self, sheet: &mut Sheet<'_>, (left, top): (usize, usize)) {
        let block = self.block;
        let gap = usize::from(block >= 6);
        let index_of_byte = self.language.kind_numbers().map(|it| kind_index(it.into()));
        let (tile_width, tile_height) = tile(self.language.program_len);
        for place in 0..self.shown.len() {
            let (column, row) = (
                place % self.arrangement.columns,
                place / self.arrangement.columns,
            );
            let (x, y) = (left + column * block, top + row * block);
            let pixels = self.pixels_of_byte();
            // A frame is for families.
            if self.families.is_some() || pixels.is_none() {
                sheet.fill((x, y), (block - gap, block - gap), self.colour(place));
            }
            let Some(pixels) = pixels else { continue };
            let (width, height) = (tile_width * pixels, tile_height * pixels);
            let (x, y) = (
                x + (block - gap - width) / 2,
                y + (block - gap - height) / 2,
            );
            for (i, byte) in self.program(place).iter().enumerate() {
                let at = (x + i % tile_width * pixels, y + i / tile_width * pixels);
                sheet.fill(at, (pixels, pixels), index_of_byte[usize::from(*byte)]);
            }
        }
    }

    fn families_height(&self) -> usize {
        let families = self.families.as_ref();
        families.map_or(0, |found| (found.families.len() + 1) * LINE)
    }

    /// What each colour stands for, and how many programs have it.
    fn draw_families(&self, sheet: &mut Sheet<'_>, (x, top): (usize, usize)) {
        let Some(found) = &self.families else { return };
        let first = (SHADES + self.language.kinds().len()) as u8;
        let share = |members: usize| 100.0 * members as f64 / self.shown.len() as f64;
        for (i, family) in found.families.iter().enumerate() {
            let y = top + i * LINE;
            sheet.fill((x, y + 2), (16, 16), first + i as u8);
            let mirrored = match family.mirrored {
                0 => String::new(),
                mirrored => format!(", {} of them mirrored", thousands(mirrored)),
            };
            let text = format!(
                "{}: {} programs{mirrored}",
                percent(share(family.members)),
                thousands(family.members)
            );
            sheet.write(TEXT, (x + 26, y), &text);
        }
        let y = top + found.families.len() * LINE;
        for grey in 0..GREYS {
            let colour = first + MOST_FAMILIES + grey as u8;
            sheet.fill((x + grey * 5, y + 2), (5, 16), colour);
        }
        let alone = self.shown.len() - found.members();
        let text = format!(
            "{}: {} programs without a family",
            percent(share(alone)),
            thousands(alone)
        );
        sheet.write(TEXT, (x + 26, y), &text);
    }

    /// Pixels of a byte where programs are shown byte by byte, a line each.
    fn cell(&self) -> usize {
        let room = WIDTH - 3 * MARGIN - MAP.0 - SWATCH.0 - SWATCH.1;
        room / self.language.program_len
    }

    fn detail_width(&self) -> usize {
        SWATCH.0 + SWATCH.1 + self.cell() * self.language.program_len
    }

    /// Some programs byte by byte, and below them the colours of kinds, and of families where
    /// `with_families` says so.
    fn draw_detail(
        &self,
        sheet: &mut Sheet<'_>,
        (x, top): (usize, usize),
        height: usize,
        with_families: bool,
    ) {
        let font = sheet.font;
        let width = self.detail_width();
        let legend = Legend::of_kinds(font, width, self.language);
        let families = if with_families {
            self.families_height() + 12
        } else {
            0
        };
        let room = height.saturating_sub(LINE + 10 + families + legend.height());
        let rows = self.programs_to_show(room / (ROW.0 + ROW.1));
        let caption = format!("{} of them, a line each, byte by byte", rows.len());
        sheet.write(TEXT, (x, top), &caption);
        let index_of_byte = self.language.kind_numbers().map(|it| kind_index(it.into()));
        let cell = self.cell();
        for (i, place) in rows.iter().enumerate() {
            let y = top + LINE + i * (ROW.0 + ROW.1);
            if self.families.is_some() {
                sheet.fill((x, y), (SWATCH.0, ROW.0), self.colour(*place));
            }
            for (at, byte) in self.program(*place).iter().enumerate() {
                let x = x + SWATCH.0 + SWATCH.1 + at * cell;
                sheet.fill((x, y), (cell, ROW.0), index_of_byte[usize::from(*byte)]);
            }
        }
        let mut y = top + LINE + rows.len() * (ROW.0 + ROW.1) + 10;
        if with_families {
            self.draw_families(sheet, (x, y));
            y += families;
        }
        let mut pixels = vec![0; width * legend.height()];
        legend.draw(font, &mut pixels);
        for (row, line) in pixels.chunks_exact(width).enumerate() {
            let from = (y + row) * WIDTH + x;
            if let Some(place) = sheet.pixels.get_mut(from..from + width) {
                place.copy_from_slice(line);
            }
        }
    }

    /// The places of at most `most` programs, evenly over families: the largest first, within
    /// each those that are mirrored last, and programs without a family at the end.
    fn programs_to_show(&self, most: usize) -> Vec<usize> {
        let mut places: Vec<usize> = (0..self.shown.len()).collect();
        if let Some(found) = &self.families {
            places.sort_by_cached_key(|place| {
                let family = found.of_program[*place];
                let is_mirrored = family.is_some_and(|family| {
                    let middle = self.program(found.families[usize::from(family)].middle);
                    let here = self.program(*place);
                    let same = here.iter().zip(middle).filter(|(a, b)| a == b).count();
                    let mirrored = here.iter().zip(middle.iter().rev());
                    same < mirrored.filter(|(a, b)| a == b).count()
                });
                (family.map_or(u8::MAX, |family| family), is_mirrored, *place)
            });
        }
        let len = places.len().min(most);
        (0..len).map(|i| places[i * places.len() / len]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::theme::Theme;
    use crate::random::Streams;
    use crate::soup::Soup;
    use crate::soup::settings::{Settings, World};

    /// Where the map begins, below a title and a line of text.
    const MAP_CORNER: (usize, usize) = (MARGIN, MARGIN + TITLE + 18 + LINE + 12 + LINE);

    fn view(layout: Layout) -> View {
        View {
            layout,
            ..View::of(&Settings::default(), View::FULL)
        }
    }

    /// A soup of noise in which programs 0, 3, 6 ... of the first `copies` are the same.
    fn soup(view: &View, num_programs: usize, copies: usize) -> Vec<u8> {
        let settings = Settings {
            num_programs,
            language: view.language,
            ..Settings::default()
        };
        let mut programs = Soup::new(settings).unwrap().programs().to_vec();
        let len = view.language.program_len;
        let model = programs[..len].to_vec();
        for program in programs.chunks_exact_mut(len).take(copies).step_by(3) {
            program.copy_from_slice(&model);
        }
        programs
    }

    fn index_of_family(view: &View, family: usize) -> u8 {
        (SHADES + view.language.kinds().len() + family) as u8
    }

    /// Each program has a block at its place, in the colour of its family; on a grid, its place
    /// is that on the grid.
    #[test]
    fn blocks_lie_where_their_programs_do() {
        for (layout, n, columns, block, corner) in [
            (Layout::Tiles, 4096, 64, 11, MAP_CORNER),
            (Layout::Tiles, 131_072, 363, 2, MAP_CORNER),
            (Layout::Grid(50, 40), 2000, 50, 14, MAP_CORNER),
            (Layout::Grid(240, 12), 2880, 240, 6, MAP_CORNER),
        ] {
            let view = view(layout);
            let programs = soup(&view, n, n / 2);
            let picture = Picture::overview(&view, &programs, 7).unwrap();
            for program in 0..n {
                let (x, y) = (
                    corner.0 + program % columns * block,
                    corner.1 + program / columns * block,
                );
                let seen = picture.pixels[y * picture.width + x];
                let family = index_of_family(&view, 0);
                if program < n / 2 && program % 3 == 0 {
                    assert_eq!(seen, family, "{layout:?}: program {program}");
                } else {
                    let greys = index_of_family(&view, 6)..index_of_family(&view, 9);
                    assert!(
                        greys.contains(&seen),
                        "{layout:?}: program {program}, {seen}"
                    );
                }
            }
        }
    }

    /// Small soups are enlarged until bytes can be told apart, each in the colour of its kind.
    #[test]
    fn small_soups_show_their_bytes() {
        let view = view(Layout::Tiles);
        let programs = soup(&view, 100, 0);
        let picture = Picture::overview(&view, &programs, 7).unwrap();
        let numbers = view.language.kind_numbers();
        for (i, byte) in programs.iter().enumerate() {
            let (program, at) = (i / 64, i % 64);
            let (left, top) = (24 + program % 10 * 64, MAP_CORNER.1 + program / 10 * 64);
            let (x, y) = (left + 3 + at % 8 * 7, top + 3 + at / 8 * 7);
            for (x, y) in [(x, y), (x + 6, y + 6)] {
                let seen = picture.pixels[y * picture.width + x];
                let kind = kind_index(numbers[usize::from(*byte)].into());
                assert_eq!(seen, kind, "byte {at} of program {program}");
            }
        }
    }

    #[test]
    fn words_say_what_is_seen() {
        let view = view(Layout::Tiles);
        let noise = soup(&view, 1000, 0);
        let words = |programs: &[u8], view: &View| {
            let map = Map::new(view, programs, 1000, MAP);
            (map.what_to_look_for(), map.caption())
        };
        let (look_for, caption) = words(&noise, &view);
        assert!(look_for.starts_with("No colour, as in noise"), "{look_for}");
        assert!(
            caption.starts_with("All 1,000 programs, each framed in"),
            "{caption}"
        );
        let (look_for, _) = words(&soup(&view, 1000, 900), &view);
        assert!(
            look_for.contains("30.0 % of the programs have a family"),
            "{look_for}"
        );
        // On a long tape nothing is said of families.
        let settings = Settings {
            world: World::LongTape { head_offset: 0 },
            ..Settings::default()
        };
        let long = View::of(&settings, View::FULL);
        let (look_for, caption) = words(&noise, &long);
        assert!(look_for.contains("again and again"), "{look_for}");
        assert!(caption.ends_with("each with all its bytes"), "{caption}");
    }

    /// However many programs there are and however they lie, an overview fits a screen, in
    /// every language and both themes.
    #[test]
    fn small_shares_are_not_nothing() {
        let shown = [0.0, 0.03, 0.05, 0.26, 100.0].map(percent);
        assert_eq!(shown, ["0.0 %", "< 0.1 %", "0.1 %", "0.3 %", "100.0 %"]);
    }

    #[test]
    fn overviews_fit_a_screen() {
        let streams = Streams::new(5);
        let noise: Vec<u8> = (0..4096).map(|i| streams.key(i) as u8).collect();
        let layouts = [
            (1, Layout::Tiles),
            (2, Layout::Tiles),
            (1000, Layout::Tiles),
            (1000, Layout::Grid(2, 500)),
            (1000, Layout::Grid(1000, 1)),
            (1, Layout::Grid(1, 1)),
            (560_000, Layout::Tiles),
            (20_000, Layout::Grid(10_000, 2)),
        ];
        for (i, language) in Language::every().enumerate() {
            // The largest ones once.
            let layouts = &layouts[..if i == 0 { 8 } else { 6 }];
            for (n, layout) in layouts.iter().copied() {
                let bytes = n * language.program_len;
                let programs: Vec<u8> = noise.iter().copied().cycle().take(bytes).collect();
                for theme in Theme::ALL {
                    let view = View {
                        language,
                        theme,
                        ..view(layout)
                    };
                    let picture = Picture::overview(&view, &programs, u64::MAX).unwrap();
                    assert_eq!(picture.width, 1600);
                    assert!(picture.height <= 1200, "{language} {n}: {}", picture.height);
                    let most = picture.pixels.iter().max().unwrap();
                    assert!(usize::from(*most) < picture.palette.len() / 3);
                }
            }
        }
    }
}
