//! Figures of a sweep's table, as PNG and SVG, and the numbers in each of them as CSV.

mod by_epoch;
mod first_replicator;
mod shares;
mod traces;

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use plotters::coord::Shift;
use plotters::coord::ranged1d::AsRangedCoord;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use by_epoch::Curves;
use first_replicator::FirstReplicators;
use shares::{ByMutation, Shares};
use traces::Traces;

use crate::Error;
use crate::files;
use crate::measure::ALIVE;
use crate::plot::axis::Axis;
use crate::plot::canvas::{self, Drawing, Drawn, colour, text};
use crate::plot::theme::Theme;
use crate::sweep::statistics::Watched;
use crate::sweep::{Cell, TOLD, Table, parse_trace};
use crate::sweep::{Ended, LINE_OF_PAPER};

/// Pixels of a figure's width, and of the height of one that needs no more.
const WIDTH: u32 = 1600;
const HEIGHT: u32 = 900;
/// Pixels of the height of a category.
const CATEGORY_HEIGHT: u32 = 64;
/// Pixels above and below what is drawn.
const TOP: u32 = 100;
const BOTTOM: u32 = 76;
/// Of more conditions, the first are drawn; the CSV has them all.
const MOST_CATEGORIES: usize = 40;

/// Dashes and gaps of curves, in turn. With the colours, which are of another number, no two
/// curves of a figure look the same.
const DASHES: [Option<(u32, u32)>; 4] = [None, Some((18, 7)), Some((5, 5)), Some((32, 5))];

/// The two lines that a soup may pass, with what tables call the epoch.
const LINES_PASSED: [(&str, &str, f32); 2] = [
    ("entropy-1-by-epoch", "above entropy 1", LINE_OF_PAPER),
    ("alive-by-epoch", "alive (above entropy 3)", ALIVE),
];

/// A figure, and what it is drawn from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Written {
    /// PNG, SVG and CSV.
    pub paths: [PathBuf; 3],
}

/// What a figure needs to know of a run.
#[derive(Clone, Debug)]
struct Run {
    key: String,
    condition: String,
    seed: u64,
    language: String,
    mutation_prob: Option<f64>,
    /// Everything else that it was told.
    told: String,
    expected: Option<f64>,
    /// Else it was given up, or stopped by some rule, before what was not seen could come.
    is_finished: bool,
    epochs: u64,
    /// Epochs at which the lines of [`LINES_PASSED`] were passed.
    passed: [Option<u64>; 2],
    counts_replicators: bool,
    replicator_at: Option<u64>,
    trace: Vec<(u64, f64)>,
}

impl Run {
    fn watched(&self, event: Option<u64>) -> Watched {
        Watched::until(event, self.epochs)
    }
}

fn runs_of(table: &Table) -> Vec<Run> {
    let column = |name: &str| -> Vec<Cell> {
        match table.column(name) {
            Some(cells) => cells.cloned().collect(),
            None => vec![Cell::Empty; table.len()],
        }
    };
    let [key, condition, language, ended, trace] =
        ["key", "condition", "lang", "ended", "trace"].map(column);
    let [seed, epochs, entropy_1, alive, replicator, counted] = [
        "seed",
        "epochs",
        "epoch_entropy_1",
        "epoch_alive",
        "epoch_selfreps_48",
        "number_selfreps_48",
    ]
    .map(column);
    let [mutation_prob, expected] = ["mutation-prob", "expected"].map(column);
    let told = TOLD.map(column);
    let count = |cell: &Cell| match cell {
        Cell::Count(count) => Some(*count),
        _ => None,
    };
    let told = |i: usize| -> String {
        let cells = TOLD
            .iter()
            .zip(&told)
            .filter(|(_, cells)| cells[i] != Cell::Empty);
        cells
            .map(|(name, cells)| match *name {
                "settings" => format!(", {}", cells[i]),
                name => format!(", {name} {}", cells[i]),
            })
            .collect()
    };
    let mut runs: Vec<Run> = (0..table.len())
        .filter(|i| ended[*i].to_string() != Ended::Failed.name())
        .map(|i| Run {
            key: key[i].to_string(),
            condition: condition[i].to_string(),
            seed: count(&seed[i]).unwrap_or(0),
            language: language[i].to_string(),
            mutation_prob: mutation_prob[i].number(),
            told: told(i),
            expected: expected[i].number(),
            is_finished: ended[i].to_string() == Ended::Finished.name(),
            epochs: count(&epochs[i]).unwrap_or(0),
            passed: [count(&entropy_1[i]), count(&alive[i])],
            counts_replicators: counted[i] != Cell::Empty,
            replicator_at: count(&replicator[i]),
            trace: parse_trace(&trace[i].to_string()).unwrap_or_default(),
        })
        .collect();
    tell_apart(&mut runs);
    runs
}

/// Give conditions that are called the same, but were told something else, names that differ.
fn tell_apart(runs: &mut [Run]) {
    let all_told = |run: &Run| {
        let rate = run.mutation_prob.unwrap_or(0.0);
        format!("{}, mutation-prob {rate}{}", run.language, run.told)
    };
    let mut known: HashMap<String, HashSet<String>> = HashMap::new();
    for run in runs.iter() {
        known
            .entry(run.condition.clone())
            .or_default()
            .insert(all_told(run));
    }
    for run in runs {
        if known[&run.condition].len() > 1 {
            run.condition = format!("{}: {}", run.condition, all_told(run));
        }
    }
}

/// The same runs, each once, though several conditions may ask for it.
fn once<'a>(runs: impl Iterator<Item = &'a Run>) -> Vec<&'a Run> {
    let mut seen = HashSet::new();
    runs.filter(|run| seen.insert(&run.key)).collect()
}

/// Runs by what `name` says of them, in the order in which the names come up.
fn groups(runs: &[Run], name: impl Fn(&Run) -> String) -> Vec<(String, Vec<&Run>)> {
    let mut groups: Vec<(String, Vec<&Run>)> = Vec::new();
    for run in runs {
        let name = name(run);
        match groups.iter_mut().find(|group| group.0 == name) {
            Some((_, runs)) => runs.push(run),
            None => groups.push((name, vec![run])),
        }
    }
    groups
}

/// Draw all figures that `table` has numbers for, into the folder `out`.
pub fn draw(table: &Table, out: &Path, theme: Theme) -> Result<Vec<Written>, Error> {
    let runs = runs_of(table);
    if runs.is_empty() {
        return Err(Error::Usage(
            "the table has no run that did not fail: there is nothing to draw".into(),
        ));
    }
    files::make_folder(out)?;
    let to = (out, theme);
    let conditions = groups(&runs, |run| run.condition.clone());
    let mut written = Vec::new();
    for (line, (name, title, _)) in LINES_PASSED.iter().enumerate() {
        let figure = Curves::new(title, line, &conditions);
        written.push(write(&figure, name, to)?);
    }
    let shares = (conditions.len() > 1).then(|| Shares::new(&conditions));
    written.extend(write_or_remove(shares, "share-by-condition", to)?);
    let by_mutation = ByMutation::new(&runs);
    written.extend(write_or_remove(by_mutation, "share-by-mutation-rate", to)?);
    let replicators = FirstReplicators::new(&runs);
    written.extend(write_or_remove(replicators, "first-replicator", to)?);
    let traces = Traces::new(&conditions);
    written.extend(write_or_remove(traces, "entropy-traces", to)?);
    Ok(written)
}

/// Write a figure where there is one; else what an earlier table may have left there under its
/// name goes.
fn write_or_remove(
    figure: Option<impl Figure>,
    name: &str,
    to: (&Path, Theme),
) -> Result<Option<Written>, Error> {
    if let Some(figure) = figure {
        return write(&figure, name, to).map(Some);
    }
    for path in paths_of(name, to.0) {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(Error::cannot("remove", &path, error));
            }
            _ => {}
        }
    }
    Ok(None)
}

fn paths_of(name: &str, out: &Path) -> [PathBuf; 3] {
    ["png", "svg", "csv"].map(|ending| out.join(format!("{name}.{ending}")))
}

/// A drawing of numbers.
trait Figure: Drawing {
    /// Its numbers: the header, then the rows.
    fn numbers(&self) -> Vec<Vec<String>>;
}

fn write(figure: &impl Figure, name: &str, (out, theme): (&Path, Theme)) -> Result<Written, Error> {
    let paths = paths_of(name, out);
    let [png, svg, csv] = &paths;
    for path in [png, svg] {
        canvas::write(figure, path, theme)?;
    }
    files::write_whole(csv, |file| {
        let mut writer = csv::Writer::from_writer(file);
        for row in figure.numbers() {
            writer.write_record(row)?;
        }
        writer.flush()
    })?;
    Ok(Written { paths })
}

fn row<const N: usize>(cells: [String; N]) -> Vec<String> {
    cells.into()
}

fn header<const N: usize>(names: [&str; N]) -> Vec<String> {
    names.map(String::from).into()
}

fn number(value: Option<f64>) -> String {
    value.map(|value| format!("{value:.6}")).unwrap_or_default()
}

fn count(value: Option<u64>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// The place of a text that ends, or begins, at its point in the middle of its height.
fn anchored(style: TextStyle<'static>, side: HPos) -> TextStyle<'static> {
    style.pos(Pos::new(side, VPos::Center))
}

/// A name, cut to so many signs, each of which can be drawn.
fn short(name: &str, most: usize) -> String {
    let plain = name
        .chars()
        .map(|it| if it.is_control() { '\u{fffd}' } else { it });
    match name.chars().count() > most {
        true => plain.take(most - 1).chain(['…']).collect(),
        false => plain.collect(),
    }
}

/// What a title says where not all is drawn.
fn left_out(drawn: usize, all: usize, what: &str) -> String {
    match drawn < all {
        true => format!("; the first {drawn} of {all} {what}"),
        false => String::new(),
    }
}

/// A line's colour, and its dashes and gaps.
type Stroke = (RGBColor, Option<(u32, u32)>);

fn style_of(place: usize, theme: Theme) -> Stroke {
    let colours = theme.series();
    let rgb = colours[place % colours.len()];
    (colour(rgb), DASHES[place % DASHES.len()])
}

/// Title, and a line below it that says how to read the figure.
fn draw_title<B: DrawingBackend>(
    area: &DrawingArea<B, Shift>,
    theme: Theme,
    title: &str,
    how_to_read: &str,
) -> Drawn<B> {
    area.draw_text(title, &text(30, theme.text()), (28, 20))?;
    area.draw_text(how_to_read, &text(20, theme.faint_text()), (28, 60))
}

type Chart<'a, B, X, Y> = ChartContext<'a, B, Cartesian2d<X, Y>>;
type Begun<'a, B, X, Y> =
    Result<Chart<'a, B, X, Y>, DrawingAreaErrorKind<<B as DrawingBackend>::ErrorType>>;

/// Pixels of a figure with so many categories, one below the other.
fn size_of_rows(rows: usize) -> (u32, u32) {
    (WIDTH, TOP + CATEGORY_HEIGHT * rows as u32 + BOTTOM + 16)
}

/// Room for a chart with two axes.
fn chart_on<'a, B: DrawingBackend, X, Y>(
    area: &'a DrawingArea<B, Shift>,
    x: X,
    y: Y,
    left: u32,
    bottom: u32,
) -> Begun<'a, B, X::CoordDescType, Y::CoordDescType>
where
    X: AsRangedCoord,
    Y: AsRangedCoord,
{
    ChartBuilder::on(area)
        .margin_left(20)
        .margin_right(64)
        .margin_top(8)
        .margin_bottom(8)
        .y_label_area_size(left)
        .x_label_area_size(bottom)
        .build_cartesian_2d(x, y)
}

/// A line, dashed or not.
fn draw_line<B: DrawingBackend>(
    chart: &mut Chart<'_, B, Axis, Axis>,
    points: Vec<(f64, f64)>,
    (rgb, dashes): Stroke,
    width: u32,
) -> Drawn<B> {
    let style = rgb.stroke_width(width);
    match dashes {
        None => chart
            .draw_series(LineSeries::new(points, style))
            .map(|_| ()),
        Some((dash, gap)) => {
            let series = DashedLineSeries::new(points, dash, gap, style);
            chart.draw_series(series).map(|_| ())
        }
    }
}

/// A place of the whole drawing as one of `area`, which lies in it.
fn relative<B: DrawingBackend>(area: &DrawingArea<B, Shift>, (x, y): (i32, i32)) -> (i32, i32) {
    let (left, top) = area.get_base_pixel();
    (x - left, y - top)
}
