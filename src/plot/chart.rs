//! Charts: what a run measured, over its epochs.

use std::ops::Range;
use std::path::Path;

use plotters::chart::MeshStyle;
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use plotters::prelude::*;
use plotters::style::{register_font, text_anchor};

use super::picture::{self, BACKGROUND, Rgb, TEXT, role_colour};
use crate::Error;
use crate::files;
use crate::format::thousands;
use crate::language::Role;
use crate::measure::ALIVE;
use crate::run::folder::csv::Lines;

/// Pixels of a chart's width, and of the height of each of its panels.
const WIDTH: u32 = 1600;
const PANEL_HEIGHT: u32 = 270;
/// Room for the title, and for the labels of the axis that all panels share.
const TITLE_HEIGHT: u32 = 60;
const AXIS_HEIGHT: u32 = 76;
/// Of more rows, neighbours are drawn as one: more points than pixels help nobody.
const MAX_POINTS: usize = 4096;
/// No measure of a soup is larger, and smaller ones can be told apart in 64 bits.
const LARGEST: f64 = 1e15;

const LINES: Rgb = [0x3a, 0x3c, 0x48];
pub(crate) const FAINT_TEXT: Rgb = [0xb4, 0xb6, 0xc0];

/// How values become heights.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Scale {
    Linear,
    /// Each power of ten takes the same room; 0 is below 1.
    Logarithmic,
}

impl Scale {
    fn place(self, value: f64) -> f64 {
        match self {
            Scale::Linear => value,
            Scale::Logarithmic => value.max(0.3).log10(),
        }
    }
}

/// One of the charts that share the axis of epochs.
struct Panel {
    title: &'static str,
    unit: &'static str,
    scale: Scale,
    /// Columns of the table, and what they are called.
    series: &'static [(&'static str, &'static str, Role)],
}

/// All that is drawn, as far as the table has it.
const PANELS: [Panel; 6] = [
    Panel {
        title: "Entropy",
        unit: "bits per byte",
        scale: Scale::Linear,
        series: &[
            ("byte_entropy", "of single bytes", Role::Move),
            ("brotli_bpb", "as brotli packs it", Role::Open),
        ],
    },
    Panel {
        title: COMPLEXITY,
        unit: "bits per byte",
        scale: Scale::Linear,
        series: &[("high_order_entropy", "high-order entropy", Role::Read)],
    },
    Panel {
        title: "Work",
        unit: "per interaction",
        scale: Scale::Logarithmic,
        series: &[
            ("steps_per_interaction", "steps", Role::Move),
            (
                "ops_per_interaction",
                "ops: steps other than no-ops",
                Role::Copy,
            ),
        ],
    },
    Panel {
        title: "Replicators",
        unit: "programs",
        scale: Scale::Logarithmic,
        series: &[
            ("number_selfreps", "score of 5 or more", Role::Arithmetic),
            ("number_selfreps_48", "score of 48 or more", Role::Copy),
        ],
    },
    Panel {
        title: "Diversity",
        unit: "tokens",
        scale: Scale::Logarithmic,
        series: &[("distinct_tokens", "distinct tokens", Role::Move)],
    },
    Panel {
        title: "Dominance",
        unit: "share",
        scale: Scale::Linear,
        series: &[(
            "commonest_token_share",
            "of the commonest token",
            Role::Open,
        )],
    },
];

/// The panel that says whether the soup is alive.
const COMPLEXITY: &str = "Complexity";

/// A row, or several that are neighbours.
#[derive(Clone, Debug)]
struct Point {
    epoch: u64,
    /// The least and the most of each column; none where no row has a value.
    values: Vec<Option<(f64, f64)>>,
}

impl Point {
    fn take_in(&mut self, other: &Point) {
        for (value, more) in self.values.iter_mut().zip(&other.values) {
            *value = match (*value, *more) {
                (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
                (value, more) => value.or(more),
            };
        }
    }
}

/// A table over epochs, thinned out to what can be seen.
#[derive(Debug)]
pub struct Series {
    /// The columns, by their names in the header.
    columns: Vec<String>,
    points: Vec<Point>,
    /// Epochs done at the first row with high-order entropy above [`ALIVE`].
    pub alive_at: Option<u64>,
    /// Epochs done at the last row.
    pub last_epoch: u64,
}

impl Series {
    /// Read those of `wanted` columns that the table at `path` has.
    pub fn read(path: &Path, wanted: &[&str]) -> Result<Series, Error> {
        let mut lines = Lines::open(path)?;
        let header = lines.read()?.unwrap_or("");
        let names: Vec<&str> = header.split(',').collect();
        if names[0] != "epoch" {
            return Err(Error::file(
                path,
                "is no table of a run: its first line does not begin with `epoch,`; give a \
                 run folder, or the metrics.csv in one",
            ));
        }
        let columns: Vec<(usize, String)> = names
            .iter()
            .enumerate()
            .filter(|(i, name)| wanted.contains(name) && !names[..*i].contains(name))
            .map(|(i, name)| (i, name.to_string()))
            .collect();
        let entropy = names.iter().position(|name| *name == "high_order_entropy");
        let num_cells = names.len();
        let mut series = Series {
            columns: columns.iter().map(|(_, name)| name.clone()).collect(),
            points: Vec::new(),
            alive_at: None,
            last_epoch: 0,
        };
        // How many rows make a point, and how many the last point has.
        let (mut rows_each, mut rows_in_last) = (1, 0);
        let wrong = |line: u64, problem: String| {
            let problem = format!("line {line}: {problem}; remove the line, or make the run anew");
            Err(Error::file(path, problem))
        };
        loop {
            let number = lines.number() + 1;
            let Some(line) = lines.read()? else { break };
            let cells: Vec<&str> = line.split(',').collect();
            if cells.len() != num_cells {
                let problem = format!("{} cells, and the header has {num_cells}", cells.len());
                return wrong(number, problem);
            }
            let epoch = cells[0]
                .parse()
                .ok()
                .filter(|epoch| i64::try_from(*epoch).is_ok());
            let Some(epoch) = epoch.filter(|epoch| *epoch > series.last_epoch) else {
                let problem = format!("`{}` is no epoch that follows", cells[0]);
                return wrong(number, problem);
            };
            let mut point = Point {
                epoch,
                values: Vec::with_capacity(columns.len()),
            };
            for (i, name) in &columns {
                // Empty where an older version left the column out.
                let value = match cells[*i] {
                    "" => None,
                    cell => match cell.parse().ok().filter(|v: &f64| v.abs() <= LARGEST) {
                        Some(value) => Some((value, value)),
                        None => return wrong(number, format!("`{cell}` is no {name}")),
                    },
                };
                if Some(*i) == entropy && value.is_some_and(|v| v.0 > ALIVE.into()) {
                    series.alive_at = series.alive_at.or(Some(epoch));
                }
                point.values.push(value);
            }
            series.last_epoch = epoch;
            match series.points.last_mut() {
                Some(last) if rows_in_last < rows_each => {
                    last.take_in(&point);
                    rows_in_last += 1;
                }
                _ => {
                    if series.points.len() == MAX_POINTS {
                        for i in 0..MAX_POINTS / 2 {
                            let mut first = series.points[2 * i].clone();
                            first.take_in(&series.points[2 * i + 1]);
                            series.points[i] = first;
                        }
                        series.points.truncate(MAX_POINTS / 2);
                        rows_each *= 2;
                    }
                    series.points.push(point);
                    rows_in_last = 1;
                }
            }
        }
        if !lines.ended_well() {
            return wrong(lines.number(), "is no row of numbers".into());
        }
        if series.points.is_empty() {
            return Err(Error::file(
                path,
                "has no row yet; wait for the run's first log point",
            ));
        }
        Ok(series)
    }

    /// The epochs that the table goes over.
    pub fn epochs(&self) -> Range<u64> {
        self.points[0].epoch..self.last_epoch
    }

    /// A column's stretches without a gap, as (epoch, least, most).
    pub fn stretches(&self, name: &str) -> Vec<Vec<(u64, f64, f64)>> {
        let Some(column) = self.columns.iter().position(|known| known == name) else {
            return Vec::new();
        };
        let mut stretches = vec![Vec::new()];
        for point in &self.points {
            match (point.values[column], stretches.last_mut()) {
                (Some((least, most)), Some(stretch)) => stretch.push((point.epoch, least, most)),
                (None, Some(stretch)) if !stretch.is_empty() => stretches.push(Vec::new()),
                _ => {}
            }
        }
        stretches.retain(|stretch| !stretch.is_empty());
        stretches
    }
}

/// An axis with ticks of its own, few and round, wherever it lies.
#[derive(Clone, Debug)]
pub(crate) struct Axis {
    range: Range<f64>,
    scale: Scale,
    ticks: Vec<f64>,
    /// Digits behind the point.
    digits: usize,
}

impl Axis {
    /// Whole numbers.
    pub fn of_epochs(range: Range<u64>) -> Axis {
        let (first, last) = (range.start as f64, range.end as f64);
        // A single epoch stands in the middle.
        let room = if first == last {
            first.max(1.0) / 2.0
        } else {
            0.0
        };
        Axis::linear(first - room..last + room, 10, 1.0)
    }

    /// About `count` steps or fewer, none smaller than `least_step`.
    pub fn linear(range: Range<f64>, count: usize, least_step: f64) -> Axis {
        let rough = ((range.end - range.start) / count as f64).max(least_step);
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0]
            .map(|factor| factor * power)
            .into_iter()
            .find(|step| *step >= rough * 0.999)
            .unwrap_or(rough);
        let first = (range.start / step - 1e-9).ceil();
        let ticks = (0..=2 * count)
            .map(|i| (first + i as f64) * step)
            .take_while(|tick| *tick <= range.end + step * 1e-9)
            .collect();
        Axis {
            range,
            scale: Scale::Linear,
            ticks,
            digits: (-step.log10().floor()).clamp(0.0, 9.0) as usize,
        }
    }

    /// Have no ticks.
    pub fn leave_out_ticks(&mut self) {
        self.ticks.clear();
    }

    /// By powers of ten, from the one below `least` (from 0, if that is below 1) to at least
    /// ten times as much.
    pub fn logarithmic(least: f64, most: f64) -> Axis {
        let powers = || (0..16).map(|power| 10_f64.powi(power));
        let bottom = powers().take_while(|power| *power <= least).last();
        let bottom = bottom.unwrap_or(0.0);
        let top = most.max(10.0 * bottom.max(1.0));
        let zero = (bottom == 0.0).then_some(0.0);
        let on_axis = |power: &f64| (bottom..=top).contains(power);
        Axis {
            range: bottom..top * 1.3,
            scale: Scale::Logarithmic,
            ticks: zero.into_iter().chain(powers().filter(on_axis)).collect(),
            digits: 0,
        }
    }
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (first, last): (i32, i32)) -> i32 {
        let place = |value| self.scale.place(value);
        let (from, to) = (place(self.range.start), place(self.range.end));
        let share = ((place(*value) - from) / (to - from)).clamp(0.0, 1.0);
        first + (share * f64::from(last - first)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        match hint.weight().allow_light_points() {
            true => Vec::new(),
            false => self.ticks.clone(),
        }
    }

    fn range(&self) -> Range<f64> {
        self.range.clone()
    }
}

impl ValueFormatter<f64> for Axis {
    fn format_ext(&self, value: &f64) -> String {
        match self.digits {
            0 if *value >= 0.0 => thousands(*value as usize),
            digits => format!("{value:.digits$}"),
        }
    }
}

pub(crate) fn colour([red, green, blue]: Rgb) -> RGBColor {
    RGBColor(red, green, blue)
}

/// Text at this size.
pub(crate) fn text(size: u32, rgb: Rgb) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&colour(rgb))
}

/// Axes and a mesh of thin lines, as all charts have them.
pub(crate) fn style<'m, 'a, 'b, X: Ranged, Y: Ranged, B: DrawingBackend>(
    mesh: &'m mut MeshStyle<'a, 'b, X, Y, B>,
) -> &'m mut MeshStyle<'a, 'b, X, Y, B> {
    mesh.light_line_style(TRANSPARENT)
        .bold_line_style(colour(LINES))
        .axis_style(colour(FAINT_TEXT))
        .label_style(text(20, TEXT))
        .axis_desc_style(text(20, FAINT_TEXT))
}

/// Have text be drawn with the font inside broth.
pub(crate) fn make_font_known() -> Result<(), Error> {
    register_font("sans-serif", FontStyle::Normal, picture::FONT)
        .map_err(|_| Error::Bug("the font inside broth cannot be read".into()))
}

/// A drawing of so many pixels, encoded as PNG.
pub(crate) fn draw(
    path: &Path,
    (width, height): (u32, u32),
    draw: impl FnOnce(&Area<'_>) -> Result<(), String>,
) -> Result<Vec<u8>, Error> {
    let wrong = |why: String| picture::not_drawn(path, why);
    make_font_known()?;
    let mut pixels = vec![0; width as usize * height as usize * 3];
    {
        let area = BitMapBackend::with_buffer(&mut pixels, (width, height)).into_drawing_area();
        area.fill(&colour(BACKGROUND))
            .map_err(|error| wrong(error.to_string()))?;
        draw(&area).map_err(wrong)?;
        area.present().map_err(|error| wrong(error.to_string()))?;
    }
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder
        .write_header()
        .and_then(|mut writer| writer.write_image_data(&pixels))
        .map_err(|error| wrong(error.to_string()))?;
    Ok(bytes)
}

/// What is drawn on.
pub(crate) type Area<'a> = DrawingArea<BitMapBackend<'a>, plotters::coord::Shift>;

/// Write charts of the table at `metrics`, over epochs, as PNG to `out`.
pub fn write(metrics: &Path, title: &str, out: &Path) -> Result<(), Error> {
    let wanted: Vec<&str> = PANELS.iter().flat_map(|p| p.series).map(|s| s.0).collect();
    let series = Series::read(metrics, &wanted)?;
    let panels: Vec<&Panel> = PANELS
        .iter()
        .filter(|panel| {
            let mut names = panel.series.iter().map(|s| s.0);
            names.any(|name| !series.stretches(name).is_empty())
        })
        .collect();
    if panels.is_empty() {
        return Err(Error::file(
            metrics,
            format!(
                "has nothing to draw: none of the columns {}",
                wanted.join(", ")
            ),
        ));
    }
    let height = TITLE_HEIGHT + PANEL_HEIGHT * panels.len() as u32 + AXIS_HEIGHT;
    let bytes = draw(out, (WIDTH, height), |area| {
        draw_panels(area, title, &panels, &series).map_err(|error| error.to_string())
    })?;
    files::write_whole(out, |file| file.write_all(&bytes))
}

pub(super) type Drawn<'a> =
    Result<(), DrawingAreaErrorKind<<BitMapBackend<'a> as DrawingBackend>::ErrorType>>;

fn draw_panels<'a>(area: &Area<'a>, title: &str, panels: &[&Panel], series: &Series) -> Drawn<'a> {
    let (top, mut rest) = area.split_vertically(TITLE_HEIGHT);
    top.draw_text(title, &text(30, TEXT), (28, 20))?;
    for (i, panel) in panels.iter().enumerate() {
        let is_last = i + 1 == panels.len();
        let height = PANEL_HEIGHT + if is_last { AXIS_HEIGHT } else { 0 };
        let (here, below) = rest.split_vertically(height);
        draw_panel(&here, panel, series, is_last)?;
        rest = below;
    }
    Ok(())
}

fn draw_panel<'a>(area: &Area<'a>, panel: &Panel, series: &Series, is_last: bool) -> Drawn<'a> {
    let values = panel.series.iter().flat_map(|s| series.stretches(s.0));
    let (mut least, mut most) = (f64::INFINITY, 0.0_f64);
    for (_, low, high) in values.flatten() {
        (least, most) = (least.min(low), most.max(high));
    }
    let is_complexity = panel.title == COMPLEXITY;
    if is_complexity {
        most = most.max(f64::from(ALIVE) + 0.5);
    }
    let axis = match panel.scale {
        Scale::Logarithmic => Axis::logarithmic(least, most),
        // A line along the edge could be taken for the edge.
        Scale::Linear => {
            let least = least.min(0.0);
            let room = ((most - least) * 0.06).max(1e-3);
            Axis::linear(
                least - if least < 0.0 { room } else { 0.0 }..most + room,
                5,
                1e-3,
            )
        }
    };
    let epochs = Axis::of_epochs(series.epochs());
    let mut chart = ChartBuilder::on(area)
        .margin_left(24)
        .margin_right(40)
        .margin_top(44)
        .margin_bottom(8)
        .y_label_area_size(110)
        .x_label_area_size(if is_last { AXIS_HEIGHT } else { 0 })
        .build_cartesian_2d(epochs, axis)?;
    style(&mut chart.configure_mesh())
        .x_desc(if is_last { "epochs done" } else { "" })
        .y_desc(panel.unit)
        .draw()?;
    let from_to = series.epochs();
    let (first, last) = (from_to.start as f64, from_to.end as f64);
    if is_complexity {
        let line = colour(TEXT).stroke_width(2);
        let alive = f64::from(ALIVE);
        let ends = [(first, alive), (last, alive)];
        chart.draw_series(DashedLineSeries::new(ends, 12, 8, line))?;
        if let Some(epoch) = series.alive_at {
            let x = epoch as f64;
            let top = chart.as_coord_spec().y_spec().range().end;
            let ends = [(x, 0.0), (x, top)];
            chart.draw_series(DashedLineSeries::new(ends, 3, 6, line))?;
        }
    }
    // In the line of the title, the names of the series behind it.
    let mut x = 134;
    let bold = text(24, TEXT);
    area.draw_text(panel.title, &bold, (x, 10))?;
    x += area.estimate_text_size(panel.title, &bold)?.0 as i32 + 40;
    for (name, label, role) in panel.series {
        let rgb = role_colour(*role);
        let stretches = series.stretches(name);
        if stretches.is_empty() {
            continue;
        }
        for stretch in stretches {
            let style = colour(rgb).stroke_width(3);
            if let [(epoch, value, _)] = stretch[..] {
                let dot = Circle::new((epoch as f64, value), 4, colour(rgb).filled());
                chart.draw_series([dot])?;
            }
            let line = stretch.iter().flat_map(|(epoch, least, most)| {
                // From a point's least to its most, if it is of several rows.
                let ends = [(*epoch as f64, *least), (*epoch as f64, *most)];
                ends.into_iter().take(if least == most { 1 } else { 2 })
            });
            chart.draw_series(LineSeries::new(line, style))?;
        }
        area.draw(&Rectangle::new(
            [(x, 19), (x + 28, 24)],
            colour(rgb).filled(),
        ))?;
        let style = text(20, TEXT);
        area.draw_text(label, &style, (x + 38, 13))?;
        x += 38 + area.estimate_text_size(label, &style)?.0 as i32 + 40;
    }
    if is_complexity {
        let (words, style) = match series.alive_at {
            Some(epoch) => {
                let words = format!(
                    "alive (above {ALIVE}) at epoch {}",
                    thousands(epoch as usize)
                );
                (words, text(20, TEXT))
            }
            None => (
                format!("not alive (above {ALIVE}) yet"),
                text(20, FAINT_TEXT),
            ),
        };
        let right = text_anchor::Pos::new(text_anchor::HPos::Right, text_anchor::VPos::Top);
        area.draw_text(&words, &style.pos(right), (WIDTH as i32 - 40, 13))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(text: &str) -> Result<Series, Error> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.csv");
        std::fs::write(&path, text).unwrap();
        Series::read(&path, &["a", "high_order_entropy"])
    }

    #[test]
    fn columns_are_found_by_their_names() {
        let table = series("epoch,b,high_order_entropy,a\n1,x,0.5,7\n5,,3.25,\n9,,4,8\n").unwrap();
        assert_eq!(table.alive_at, Some(5));
        assert_eq!(table.epochs(), 1..9);
        let entropy = vec![vec![(1, 0.5, 0.5), (5, 3.25, 3.25), (9, 4.0, 4.0)]];
        assert_eq!(table.stretches("high_order_entropy"), entropy);
        let with_gap = vec![vec![(1, 7.0, 7.0)], vec![(9, 8.0, 8.0)]];
        assert_eq!(table.stretches("a"), with_gap);
        assert!(table.stretches("b").is_empty());
    }

    /// Many rows become few points, and no extreme is lost.
    #[test]
    fn long_tables_are_thinned_out() {
        let mut text = String::from("epoch,a,high_order_entropy\n");
        for row in 1..=100_000 {
            let a = match row {
                77_777 => 1e6,
                77_779 => -5.0,
                _ => f64::from(row % 7),
            };
            let entropy = if row >= 65_432 { 3.5 } else { 1.0 };
            text += &format!("{row},{a},{entropy}\n");
        }
        let table = series(&text).unwrap();
        assert!(table.points.len() <= MAX_POINTS && table.points.len() > MAX_POINTS / 4);
        assert_eq!(table.alive_at, Some(65_432));
        assert_eq!(table.epochs(), 1..100_000);
        let points = table.stretches("a").concat();
        assert_eq!(points.iter().map(|p| p.2).fold(0.0, f64::max), 1e6);
        assert_eq!(points.iter().map(|p| p.1).fold(0.0, f64::min), -5.0);
        assert!(points.windows(2).all(|pair| pair[0].0 < pair[1].0));
        let high = points.iter().find(|point| point.2 == 1e6).unwrap();
        assert!((77_700..=77_777).contains(&high.0));
    }

    #[test]
    fn wrong_rows_are_named_by_line() {
        for (rows, hints) in [
            ("", &["has no row yet"][..]),
            ("1,2,3\n2,x,3\n", &["line 3", "`x` is no a"]),
            ("1,2,NaN\n", &["line 2", "`NaN` is no high_order_entropy"]),
            ("1,inf,3\n", &["line 2", "`inf`"]),
            ("1,-1e300,3\n", &["line 2", "`-1e300`"]),
            ("1,2\n", &["line 2", "2 cells", "has 3"]),
            ("1,2,3\n1,2,3\n", &["line 3", "no epoch that follows"]),
            ("-1,2,3\n", &["line 2", "no epoch"]),
            ("9223372036854775808,2,3\n", &["line 2", "no epoch"]),
            ("1,2,3\n\n", &["line 3", "1 cells"]),
        ] {
            let text = format!("epoch,a,high_order_entropy\n{rows}");
            let error = series(&text).unwrap_err().to_string();
            for hint in hints {
                assert!(error.contains(hint), "{rows:?}: {error}");
            }
        }
        let long = format!("epoch,a\n1,2\n2,{}\n", "9".repeat(5000));
        assert!(series(&long).unwrap_err().to_string().contains("line 3"));
        assert!(series("").unwrap_err().to_string().contains("no table"));
        // The last row of a run that goes on may be half there.
        assert_eq!(series("epoch,a\n1,2\n2,").unwrap().epochs(), 1..1);
    }

    /// Wherever an axis lies, it has a few ticks on it, and every value a place.
    #[test]
    fn axes_have_ticks_everywhere() {
        let mut axes = vec![];
        for range in [
            0..1,
            0..16,
            5..5,
            1..1_000_003,
            i64::MAX as u64 - 1..i64::MAX as u64,
        ] {
            axes.push(Axis::of_epochs(range));
        }
        for range in [0.0..1e-3, -1e15..1e15, 0.0..8.2, -0.01..3.5] {
            axes.push(Axis::linear(range, 5, 1e-3));
        }
        for (least, most) in [
            (0.0, 0.0),
            (0.0, 7.0),
            (-5.0, 8192.0),
            (1.0, 9.0),
            (31.5, 31.5),
            (27_172.0, 8_388_608.0),
            (1e15, 1e15),
        ] {
            axes.push(Axis::logarithmic(least, most));
        }
        for axis in axes {
            assert!((1..=20).contains(&axis.ticks.len()), "{axis:?}");
            for tick in &axis.ticks {
                let slack = (axis.range.end - axis.range.start) * 1e-6;
                assert!(*tick >= axis.range.start - slack && *tick <= axis.range.end + slack);
            }
            assert_eq!(axis.map(&axis.range.start, (10, 110)), 10);
            assert_eq!(axis.map(&axis.range.end, (10, 110)), 110);
            assert_eq!(axis.map(&1e300, (10, 110)), 110);
        }
        let ticks = Axis::linear(0.0..8.5, 5, 1e-3).ticks;
        assert_eq!(ticks, [0.0, 2.0, 4.0, 6.0, 8.0]);
        let logarithmic = Axis::logarithmic(0.0, 1000.0);
        let places = [0.0, 1.0, 10.0, 100.0, 1000.0].map(|v| logarithmic.map(&v, (0, 1000)));
        assert!(places.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(places[0], 0);
        let ticks = Axis::logarithmic(27_172.0, 8_388_608.0).ticks;
        assert_eq!(ticks, [1e4, 1e5, 1e6]);
    }

    /// Every panel of which the table has a column is there, and whatever numbers the table
    /// holds, it can be drawn.
    #[test]
    fn any_numbers_can_be_drawn() {
        let folder = tempfile::tempdir().unwrap();
        let (table, out) = (folder.path().join("t.csv"), folder.path().join("t.png"));
        for (header, rows, panels) in [
            ("brotli_bpb", "7,1\n", 1),
            (
                "brotli_bpb,high_order_entropy",
                "1,-1e15,1e15\n9223372036854775807,0,0\n",
                2,
            ),
            ("ops_per_interaction", "1,-5\n2,0\n3,1e15\n", 1),
            (
                "number_selfreps_48,distinct_tokens",
                "1,,0\n2,0,\n3,1,0\n",
                2,
            ),
            (
                "commonest_token_share",
                "9223372036854775806,0\n9223372036854775807,0\n",
                1,
            ),
        ] {
            std::fs::write(&table, format!("epoch,{header}\n{rows}")).unwrap();
            write(&table, "hostile", &out).unwrap();
            let file = std::io::BufReader::new(std::fs::File::open(&out).unwrap());
            let reader = png::Decoder::new(file).read_info().unwrap();
            let height = TITLE_HEIGHT + panels * PANEL_HEIGHT + AXIS_HEIGHT;
            assert_eq!(reader.info().height, height, "{header}");
        }
        std::fs::write(&table, "epoch,x\n1,2\n").unwrap();
        let error = write(&table, "", &out).unwrap_err().to_string();
        assert!(
            error.contains("nothing to draw") && error.contains("byte_entropy"),
            "{error}"
        );
    }
}
