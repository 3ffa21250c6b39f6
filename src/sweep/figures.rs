//! Figures of a sweep's table, as PNG and SVG, and the numbers in each of them as CSV.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};

use plotters::coord::Shift;
use plotters::coord::ranged1d::AsRangedCoord;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::outcome::{Ended, LINE_OF_PAPER};
use super::statistics::{Share, Watched, kaplan_meier, median, quantile, wilson};
use super::table::{Cell, Table, parse_trace};
use crate::Error;
use crate::measure::ALIVE;
use crate::output::chart::{self, Axis, FAINT_TEXT, LINES, colour, text};
use crate::output::files;
use crate::output::picture::{self, BACKGROUND, Rgb, TEXT, thousands};

/// Pixels of a figure's width, and of the height of one that needs no more.
const WIDTH: u32 = 1600;
const HEIGHT: u32 = 900;
/// Pixels that the names of curves take to their right.
const LEGEND_WIDTH: u32 = 400;
/// Pixels of the height of a category, and of a panel of traces.
const CATEGORY_HEIGHT: u32 = 64;
const PANEL_HEIGHT: u32 = 330;
/// Pixels above and below what is drawn.
const TOP: u32 = 100;
const BOTTOM: u32 = 76;
/// Of more conditions, the first are drawn; the CSV has them all.
const MOST_CURVES: usize = 21;
const MOST_CATEGORIES: usize = 40;
const MOST_PANELS: usize = 12;
/// Of more curves, intervals would hide each other.
const MOST_BANDS: usize = 7;
/// Of more runs in a panel, single ones are not drawn.
const MOST_LINES: usize = 200;

/// Okabe and Ito's colours, which the colour-blind can tell apart, as far as they can be seen
/// on the background.
const COLOURS: [Rgb; 7] = [
    [0x56, 0xb4, 0xe9],
    [0xe6, 0x9f, 0x00],
    [0x00, 0x9e, 0x73],
    [0xf0, 0xe4, 0x42],
    [0xd5, 0x5e, 0x00],
    [0xcc, 0x79, 0xa7],
    [0xb4, 0xb6, 0xc0],
];
/// Dashes and gaps of the first curves, the next ones and the last.
const DASHES: [Option<(u32, u32)>; 3] = [None, Some((12, 8)), Some((3, 6))];

const QUANTILES: [f64; 5] = [0.05, 0.25, 0.5, 0.75, 0.95];

/// The two lines that a soup may pass, with what tables call the epoch.
const LINES_PASSED: [(&str, &str, f32); 2] = [
    ("entropy-1-by-epoch", "above entropy 1", LINE_OF_PAPER),
    ("alive-by-epoch", "alive (above entropy 3)", ALIVE),
];

/// A figure, and what it is drawn from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// PNG, SVG and CSV.
    pub paths: [PathBuf; 3],
}

/// What a figure needs to know of a run.
#[derive(Clone, Debug)]
struct Run {
    condition: String,
    seed: u64,
    language: String,
    mutation_prob: Option<f64>,
    /// Everything else that it was told.
    others: String,
    expected: Option<f64>,
    is_censored: bool,
    epochs: u64,
    /// Epochs at which the lines of [`LINES_PASSED`] were passed.
    passed: [Option<u64>; 2],
    counts_replicators: bool,
    replicator_at: Option<u64>,
    trace: Vec<(u64, f64)>,
}

impl Run {
    fn watched(&self, event: Option<u64>) -> Watched {
        Watched {
            time: event.unwrap_or(self.epochs),
            happened: event.is_some(),
        }
    }
}

fn runs_of(table: &Table) -> Vec<Run> {
    let column = |name: &str| -> Vec<Cell> {
        match table.column(name) {
            Some(cells) => cells.cloned().collect(),
            None => vec![Cell::Empty; table.len()],
        }
    };
    let [condition, language, ended, trace] = ["condition", "lang", "ended", "trace"].map(column);
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
    let others: Vec<Vec<Cell>> = table.settings().map(|name| column(&name)).collect();
    let count = |cell: &Cell| match cell {
        Cell::Count(count) => Some(*count),
        _ => None,
    };
    (0..table.len())
        .filter(|i| ended[*i].to_string() != Ended::Failed.name())
        .map(|i| Run {
            condition: condition[i].to_string(),
            seed: count(&seed[i]).unwrap_or(0),
            language: language[i].to_string(),
            mutation_prob: mutation_prob[i].number(),
            others: others
                .iter()
                .map(|cells| format!("{},", cells[i]))
                .collect(),
            expected: expected[i].number(),
            is_censored: ended[i].to_string() == Ended::Censored.name(),
            epochs: count(&epochs[i]).unwrap_or(0),
            passed: [count(&entropy_1[i]), count(&alive[i])],
            counts_replicators: counted[i] != Cell::Empty,
            replicator_at: count(&replicator[i]),
            trace: parse_trace(&trace[i].to_string()).unwrap_or_default(),
        })
        .collect()
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
pub fn draw(table: &Table, out: &Path) -> Result<Vec<Written>, Error> {
    let runs = runs_of(table);
    if runs.is_empty() {
        return Err(Error::Usage(
            "the table has no run that did not fail: there is nothing to draw".into(),
        ));
    }
    files::make_folder(out)?;
    chart::make_font_known()?;
    let conditions = groups(&runs, |run| run.condition.clone());
    let mut written = Vec::new();
    for (line, (name, title, _)) in LINES_PASSED.iter().enumerate() {
        let figure = Curves::new(title, line, &conditions);
        written.push(write(&figure, name, out)?);
    }
    if conditions.len() > 1 {
        let figure = Shares::new(&conditions);
        written.push(write(&figure, "share-by-condition", out)?);
    }
    if let Some(figure) = ByMutation::new(&runs) {
        written.push(write(&figure, "share-by-mutation-rate", out)?);
    }
    if let Some(figure) = FirstReplicators::new(&runs) {
        written.push(write(&figure, "first-replicator", out)?);
    }
    if let Some(figure) = Traces::new(&conditions) {
        written.push(write(&figure, "entropy-traces", out)?);
    }
    Ok(written)
}

/// One that can be drawn on whatever there is to draw on.
trait Figure {
    fn size(&self) -> (u32, u32);
    fn draw<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Drawn<B>;
    /// Its numbers: the header, then the rows.
    fn numbers(&self) -> Vec<Vec<String>>;
}

type Drawn<B> = Result<(), DrawingAreaErrorKind<<B as DrawingBackend>::ErrorType>>;

fn write(figure: &impl Figure, name: &str, out: &Path) -> Result<Written, Error> {
    let paths = ["png", "svg", "csv"].map(|ending| out.join(format!("{name}.{ending}")));
    let [png, svg, csv] = &paths;
    let bytes = chart::draw(png, figure.size(), |area| {
        figure.draw(area).map_err(|error| error.to_string())
    })?;
    files::write_whole(png, |file| file.write_all(&bytes))?;
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, figure.size()).into_drawing_area();
        area.fill(&colour(BACKGROUND))
            .and_then(|()| figure.draw(&area))
            .and_then(|()| area.present())
            .map_err(|error| picture::not_drawn(svg, error.to_string()))?;
    }
    files::write_whole(svg, |file| file.write_all(text.as_bytes()))?;
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

/// A name, cut to so many signs.
fn short(name: &str, most: usize) -> String {
    match name.chars().count() > most {
        true => name.chars().take(most - 1).chain(['…']).collect(),
        false => name.into(),
    }
}

/// A line's colour, and its dashes and gaps.
type Stroke = (RGBColor, Option<(u32, u32)>);

fn style_of(place: usize) -> Stroke {
    let rgb = COLOURS[place % COLOURS.len()];
    (colour(rgb), DASHES[place / COLOURS.len() % DASHES.len()])
}

/// Title, and a line below it that says how to read the figure.
fn draw_title<B: DrawingBackend>(
    area: &DrawingArea<B, Shift>,
    title: &str,
    how_to_read: &str,
) -> Drawn<B> {
    area.draw_text(title, &text(30, TEXT), (28, 20))?;
    area.draw_text(how_to_read, &text(20, FAINT_TEXT), (28, 60))
}

type Chart<'a, B, X, Y> = ChartContext<'a, B, Cartesian2d<X, Y>>;
type Begun<'a, B, X, Y> =
    Result<Chart<'a, B, X, Y>, DrawingAreaErrorKind<<B as DrawingBackend>::ErrorType>>;

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
        .margin_right(36)
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

/// Names of curves, one below the other.
fn draw_legend<B: DrawingBackend>(
    area: &DrawingArea<B, Shift>,
    names: &[(String, Stroke)],
) -> Drawn<B> {
    for (i, (name, (rgb, dashes))) in names.iter().enumerate() {
        let y = 24 + 34 * i as i32;
        let (dash, gap) = dashes.unwrap_or((40, 0));
        let mut x = 0;
        while x < 40 {
            let end = (x + dash as i32).min(40);
            area.draw(&Rectangle::new([(x, y - 2), (end, y + 2)], rgb.filled()))?;
            x = end + gap.max(1) as i32;
        }
        let style = anchored(text(20, TEXT), HPos::Left);
        area.draw_text(&short(name, 36), &style, (52, y))?;
    }
    Ok(())
}

/// The share of runs that have passed a line, over epochs: 1 - Kaplan and Meier's survival.
struct Curves {
    title: String,
    curves: Vec<Curve>,
}

struct Curve {
    name: String,
    runs: usize,
    passed: usize,
    /// (epoch, at risk, passed then, share from there on).
    steps: Vec<(u64, u64, u64, Share)>,
    last_epoch: u64,
}

fn complement(survival: Share) -> Share {
    Share {
        share: 1.0 - survival.share,
        low: 1.0 - survival.high,
        high: 1.0 - survival.low,
    }
}

impl Curves {
    fn new(line: &str, place: usize, conditions: &[(String, Vec<&Run>)]) -> Curves {
        let curves = conditions.iter().map(|(name, runs)| {
            let watched: Vec<Watched> = runs
                .iter()
                .map(|run| run.watched(run.passed[place]))
                .collect();
            let steps = kaplan_meier(&watched);
            Curve {
                name: name.clone(),
                runs: runs.len(),
                passed: watched.iter().filter(|it| it.happened).count(),
                steps: steps
                    .iter()
                    .map(|it| (it.time, it.at_risk, it.events, complement(it.survival)))
                    .collect(),
                last_epoch: watched.iter().map(|it| it.time).max().unwrap_or(1),
            }
        });
        Curves {
            title: format!("Runs that are {line}, by epoch"),
            curves: curves.collect(),
        }
    }
}

/// A step curve's corners, in per cent.
fn corners(curve: &Curve, get: impl Fn(&Share) -> f64) -> Vec<(f64, f64)> {
    let mut points = vec![(0.0, 0.0)];
    for (epoch, _, _, share) in &curve.steps {
        let before = points.last().map_or(0.0, |last| last.1);
        points.push((*epoch as f64, before));
        points.push((*epoch as f64, 100.0 * get(share)));
    }
    let last = points.last().map_or(0.0, |last| last.1);
    points.push((curve.last_epoch as f64, last));
    points
}

impl Figure for Curves {
    fn size(&self) -> (u32, u32) {
        (WIDTH, HEIGHT)
    }

    fn draw<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Drawn<B> {
        let drawn = &self.curves[..self.curves.len().min(MOST_CURVES)];
        let mut how = String::from("Kaplan-Meier");
        if drawn.len() <= MOST_BANDS {
            how += ", shaded: 95 % interval";
        }
        if drawn.len() < self.curves.len() {
            how += &format!(
                "; the first {} of {} conditions",
                drawn.len(),
                self.curves.len()
            );
        }
        draw_title(area, &self.title, &how)?;
        let (_, area) = area.split_vertically(TOP);
        let (area, legend) = area.split_horizontally(WIDTH - LEGEND_WIDTH);
        let last = drawn.iter().map(|it| it.last_epoch).max().unwrap_or(1);
        let x = Axis::of_epochs(0..last.max(1));
        let y = Axis::linear(0.0..100.0, 5, 1.0);
        let mut chart = chart_on(&area, x, y, 100, BOTTOM)?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(colour(LINES))
            .axis_style(colour(FAINT_TEXT))
            .label_style(text(20, TEXT))
            .axis_desc_style(text(20, FAINT_TEXT))
            .x_label_formatter(&|value| thousands(value.max(0.0) as usize))
            .x_desc("epochs done")
            .y_desc("% of runs")
            .draw()?;
        if drawn.len() <= MOST_BANDS {
            for (i, curve) in drawn.iter().enumerate() {
                let mut outline = corners(curve, |share| share.low);
                outline.extend(corners(curve, |share| share.high).into_iter().rev());
                let fill = style_of(i).0.mix(0.16).filled();
                chart.draw_series([Polygon::new(outline, fill)])?;
            }
        }
        for (i, curve) in drawn.iter().enumerate() {
            draw_line(
                &mut chart,
                corners(curve, |share| share.share),
                style_of(i),
                3,
            )?;
        }
        let names: Vec<_> = drawn
            .iter()
            .enumerate()
            .map(|(i, it)| {
                (
                    format!("{} ({}/{})", short(&it.name, 26), it.passed, it.runs),
                    style_of(i),
                )
            })
            .collect();
        draw_legend(&legend, &names)
    }

    fn numbers(&self) -> Vec<Vec<String>> {
        let mut rows = vec![header([
            "condition",
            "epoch",
            "at_risk",
            "events",
            "share",
            "low",
            "high",
        ])];
        for curve in &self.curves {
            for (epoch, at_risk, events, share) in &curve.steps {
                rows.push(row([
                    curve.name.clone(),
                    epoch.to_string(),
                    at_risk.to_string(),
                    events.to_string(),
                    number(Some(share.share)),
                    number(Some(share.low)),
                    number(Some(share.high)),
                ]));
            }
            if curve.steps.is_empty() {
                let none = wilson(0, curve.runs as u64);
                rows.push(row([
                    curve.name.clone(),
                    curve.last_epoch.to_string(),
                    curve.runs.to_string(),
                    "0".into(),
                    number(Some(0.0)),
                    number(Some(0.0)),
                    number(none.map(|it| it.high)),
                ]));
            }
        }
        rows
    }
}

/// The share of runs that passed a line by their end.
#[derive(Clone, Copy, Debug)]
struct Passed {
    count: usize,
    runs: usize,
    share: Share,
    /// How the interval was found.
    method: &'static str,
}

/// The share of runs that passed a line, with Wilson's interval; where some were given up
/// before they could, Kaplan and Meier's share at the end with its interval.
fn share_passed(runs: &[&Run], place: usize) -> Option<Passed> {
    let passed = |run: &&&Run| run.passed[place].is_some();
    let count = runs.iter().filter(passed).count();
    let given_up = runs
        .iter()
        .any(|run| run.is_censored && run.passed[place].is_none());
    let plain = wilson(count as u64, runs.len() as u64)?;
    let watched: Vec<Watched> = runs
        .iter()
        .map(|run| run.watched(run.passed[place]))
        .collect();
    let last = kaplan_meier(&watched).pop().filter(|_| given_up);
    Some(Passed {
        count,
        runs: runs.len(),
        share: last.map_or(plain, |step| complement(step.survival)),
        method: if last.is_some() {
            "kaplan-meier"
        } else {
            "wilson"
        },
    })
}

/// A share with its interval, and what a source says of it.
struct Category {
    name: String,
    passed: [Option<Passed>; 2],
    expected: Option<f64>,
}

impl Category {
    fn of(name: String, runs: &[&Run]) -> Category {
        Category {
            name,
            passed: [0, 1].map(|place| share_passed(runs, place)),
            expected: runs.iter().find_map(|run| run.expected),
        }
    }

    fn numbers(&self) -> Vec<Vec<String>> {
        let rows = self
            .passed
            .iter()
            .zip(LINES_PASSED)
            .filter_map(|(passed, line)| {
                let passed = passed.as_ref()?;
                // A source's share is of the paper's line.
                let expected = self.expected.filter(|_| line.2 == LINE_OF_PAPER);
                Some(row([
                    self.name.clone(),
                    line.2.to_string(),
                    passed.count.to_string(),
                    passed.runs.to_string(),
                    number(Some(passed.share.share)),
                    number(Some(passed.share.low)),
                    number(Some(passed.share.high)),
                    passed.method.into(),
                    number(expected),
                ]))
            });
        rows.collect()
    }
}

fn header_of_shares(first: &str) -> Vec<String> {
    header([
        first,
        "above_entropy",
        "passed",
        "runs",
        "share",
        "low",
        "high",
        "interval",
        "expected",
    ])
}

const HOW_TO_READ_SHARES: &str = "bars: 95 % interval; blue circle: above entropy 1; orange square: above 3 (alive); \
     white diamond: what the source gives for entropy 1";

/// A mark with its interval, drawn around `at` in pixels; `ends` are the interval's.
fn draw_mark<B: DrawingBackend>(
    area: &DrawingArea<B, Shift>,
    place: usize,
    at: (i32, i32),
    ends: [(i32, i32); 2],
) -> Drawn<B> {
    let rgb = colour(COLOURS[place]);
    area.draw(&PathElement::new(ends.to_vec(), rgb.stroke_width(3)))?;
    // Caps, across the line.
    let flat = ends[0].1 == ends[1].1;
    for (x, y) in ends {
        let (dx, dy) = if flat { (0, 7) } else { (7, 0) };
        let cap = vec![(x - dx, y - dy), (x + dx, y + dy)];
        area.draw(&PathElement::new(cap, rgb.stroke_width(3)))?;
    }
    match place {
        0 => area.draw(&Circle::new(at, 8, rgb.filled())),
        _ => {
            let corners = [(at.0 - 7, at.1 - 7), (at.0 + 7, at.1 + 7)];
            area.draw(&Rectangle::new(corners, rgb.filled()))
        }
    }
}

fn draw_diamond<B: DrawingBackend>(area: &DrawingArea<B, Shift>, (x, y): (i32, i32)) -> Drawn<B> {
    let corners = vec![
        (x - 11, y),
        (x, y - 11),
        (x + 11, y),
        (x, y + 11),
        (x - 11, y),
    ];
    area.draw(&PathElement::new(corners, colour(TEXT).stroke_width(3)))
}

/// Shares by condition, one below the other.
struct Shares {
    categories: Vec<Category>,
}

impl Shares {
    fn new(conditions: &[(String, Vec<&Run>)]) -> Shares {
        let category = |(name, runs): &(String, Vec<&Run>)| Category::of(name.clone(), runs);
        Shares {
            categories: conditions.iter().map(category).collect(),
        }
    }

    fn drawn(&self) -> &[Category] {
        &self.categories[..self.categories.len().min(MOST_CATEGORIES)]
    }
}

impl Figure for Shares {
    fn size(&self) -> (u32, u32) {
        (
            WIDTH,
            TOP + CATEGORY_HEIGHT * self.drawn().len() as u32 + BOTTOM + 16,
        )
    }

    fn draw<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Drawn<B> {
        draw_title(
            area,
            "Runs that pass a line of high-order entropy, by condition",
            HOW_TO_READ_SHARES,
        )?;
        let (_, area) = area.split_vertically(TOP);
        let rows = self.drawn().len() as f64;
        let y: RangedCoordf64 = (0.0..rows).into();
        let mut chart = chart_on(&area, Axis::linear(0.0..100.0, 10, 1.0), y, 430, BOTTOM)?;
        chart
            .configure_mesh()
            .disable_y_mesh()
            .disable_y_axis()
            .light_line_style(TRANSPARENT)
            .bold_line_style(colour(LINES))
            .axis_style(colour(FAINT_TEXT))
            .label_style(text(20, TEXT))
            .axis_desc_style(text(20, FAINT_TEXT))
            .x_desc("% of runs")
            .draw()?;
        for (i, category) in self.drawn().iter().enumerate() {
            // The first one at the top.
            let middle = rows - i as f64 - 0.5;
            let at = |share: f64| chart.backend_coord(&(100.0 * share, middle));
            let place = |share: f64| relative(&area, at(share));
            let (_, y) = place(0.0);
            let runs = category.passed[0].map_or(0, |passed| passed.runs);
            let name = format!("{} ({runs})", short(&category.name, 34));
            area.draw_text(&name, &anchored(text(20, TEXT), HPos::Right), (430, y))?;
            for (line, passed) in category.passed.iter().enumerate() {
                let Some(Passed { share, .. }) = passed else {
                    continue;
                };
                let y = y + if line == 0 { -12 } else { 12 };
                let point = |share: f64| (place(share).0, y);
                draw_mark(
                    &area,
                    line,
                    point(share.share),
                    [point(share.low), point(share.high)],
                )?;
            }
            if let Some(expected) = category.expected {
                draw_diamond(&area, (place(expected).0, y - 12))?;
            }
        }
        Ok(())
    }

    fn numbers(&self) -> Vec<Vec<String>> {
        let mut rows = vec![header_of_shares("condition")];
        rows.extend(self.categories.iter().flat_map(Category::numbers));
        rows
    }
}

/// A place of the whole drawing as one of `area`, which lies in it.
fn relative<B: DrawingBackend>(area: &DrawingArea<B, Shift>, (x, y): (i32, i32)) -> (i32, i32) {
    let (left, top) = area.get_base_pixel();
    (x - left, y - top)
}

/// Shares by mutation rate, where runs differ by it and else in nothing.
struct ByMutation {
    rates: Vec<f64>,
    categories: Vec<Category>,
}

impl ByMutation {
    fn new(runs: &[Run]) -> Option<ByMutation> {
        // Of all runs that differ in nothing else, those with the most rates.
        let rates_of = |runs: &[&Run]| {
            let bits = runs
                .iter()
                .filter_map(|run| run.mutation_prob)
                .map(f64::to_bits);
            // Rates are not negative: their bits sort as they do.
            bits.collect::<BTreeSet<u64>>()
        };
        let all = groups(runs, |run| format!("{}|{}", run.language, run.others));
        let (_, runs) = all
            .into_iter()
            .max_by_key(|(_, runs)| rates_of(runs).len())?;
        let rates: Vec<f64> = rates_of(&runs).into_iter().map(f64::from_bits).collect();
        let category = |rate: &f64| {
            let of_rate = runs
                .iter()
                .copied()
                .filter(|run| run.mutation_prob == Some(*rate));
            Category::of(format!("{rate}"), &of_rate.collect::<Vec<_>>())
        };
        (rates.len() > 1).then(|| ByMutation {
            categories: rates.iter().map(category).collect(),
            rates,
        })
    }
}

impl Figure for ByMutation {
    fn size(&self) -> (u32, u32) {
        (WIDTH, HEIGHT)
    }

    fn draw<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Drawn<B> {
        draw_title(
            area,
            "Runs that pass a line of high-order entropy, by mutation rate",
            HOW_TO_READ_SHARES,
        )?;
        let (_, area) = area.split_vertically(TOP);
        let x: RangedCoordf64 = (0.0..self.rates.len() as f64).into();
        let mut chart = chart_on(&area, x, Axis::linear(0.0..100.0, 5, 1.0), 100, BOTTOM)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(colour(LINES))
            .axis_style(colour(FAINT_TEXT))
            .label_style(text(20, TEXT))
            .axis_desc_style(text(20, FAINT_TEXT))
            .x_labels(0)
            .x_desc("mutation rate: % of bytes per epoch (not to scale)")
            .y_desc("% of runs")
            .draw()?;
        for (i, category) in self.categories.iter().enumerate() {
            let at = |share: f64| chart.backend_coord(&(i as f64 + 0.5, 100.0 * share));
            let place = |share: f64| relative(&area, at(share));
            let (x, bottom) = place(0.0);
            let rate = format!("{:.4}", 100.0 * self.rates[i]);
            let rate = rate.trim_end_matches('0').trim_end_matches('.');
            let style = text(20, TEXT).pos(Pos::new(HPos::Center, VPos::Top));
            area.draw_text(&format!("{rate} %"), &style, (x, bottom + 12))?;
            for (line, passed) in category.passed.iter().enumerate() {
                let Some(Passed { share, .. }) = passed else {
                    continue;
                };
                let x = x + if line == 0 { -12 } else { 12 };
                let point = |share: f64| (x, place(share).1);
                draw_mark(
                    &area,
                    line,
                    point(share.share),
                    [point(share.low), point(share.high)],
                )?;
            }
            if let Some(expected) = category.expected {
                draw_diamond(&area, (x - 12, place(expected).1))?;
            }
        }
        Ok(())
    }

    fn numbers(&self) -> Vec<Vec<String>> {
        let mut rows = vec![header_of_shares("mutation_prob")];
        rows.extend(self.categories.iter().flat_map(Category::numbers));
        rows
    }
}

/// When the first replicator was seen, by language; by condition where there is one language.
struct FirstReplicators {
    by: &'static str,
    groups: Vec<Group>,
    last_epoch: u64,
}

struct Group {
    name: String,
    /// Seeds, and when it came.
    watched: Vec<(u64, Watched)>,
    median: Option<u64>,
}

impl FirstReplicators {
    fn new(runs: &[Run]) -> Option<FirstReplicators> {
        let counted: Vec<Run> = runs
            .iter()
            .filter(|it| it.counts_replicators)
            .cloned()
            .collect();
        let by_language = groups(&counted, |run| run.language.clone());
        let (by, groups) = match by_language.len() {
            0 => return None,
            1 => ("condition", groups(&counted, |run| run.condition.clone())),
            _ => ("language", by_language),
        };
        let groups = groups.into_iter().map(|(name, runs)| {
            let watched: Vec<(u64, Watched)> = runs
                .iter()
                .map(|run| (run.seed, run.watched(run.replicator_at)))
                .collect();
            let plain: Vec<Watched> = watched.iter().map(|it| it.1).collect();
            Group {
                name,
                watched,
                median: median(&kaplan_meier(&plain)),
            }
        });
        Some(FirstReplicators {
            by,
            groups: groups.collect(),
            last_epoch: counted.iter().map(|run| run.epochs).max()?,
        })
    }

    fn drawn(&self) -> &[Group] {
        &self.groups[..self.groups.len().min(MOST_CATEGORIES)]
    }
}

impl Figure for FirstReplicators {
    fn size(&self) -> (u32, u32) {
        (
            WIDTH,
            TOP + CATEGORY_HEIGHT * self.drawn().len() as u32 + BOTTOM + 16,
        )
    }

    fn draw<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Drawn<B> {
        draw_title(
            area,
            &format!(
                "Epoch of the first replicator (score of 48 or more), by {}",
                self.by
            ),
            "circle: a run; grey triangle: a run that ended without one; \
             orange line: Kaplan-Meier median",
        )?;
        let (_, area) = area.split_vertically(TOP);
        let rows = self.drawn().len() as f64;
        let y: RangedCoordf64 = (0.0..rows).into();
        let mut chart = chart_on(
            &area,
            Axis::logarithmic(0.0, self.last_epoch as f64),
            y,
            430,
            BOTTOM,
        )?;
        chart
            .configure_mesh()
            .disable_y_mesh()
            .disable_y_axis()
            .light_line_style(TRANSPARENT)
            .bold_line_style(colour(LINES))
            .axis_style(colour(FAINT_TEXT))
            .label_style(text(20, TEXT))
            .axis_desc_style(text(20, FAINT_TEXT))
            .x_label_formatter(&|value| thousands(value.max(0.0) as usize))
            .x_desc("epochs done (logarithmic)")
            .draw()?;
        for (i, group) in self.drawn().iter().enumerate() {
            let Group {
                name,
                watched,
                median,
            } = group;
            let middle = rows - i as f64 - 0.5;
            let place = |epoch: u64| relative(&area, chart.backend_coord(&(epoch as f64, middle)));
            let (_, y) = place(1);
            let found = watched.iter().filter(|it| it.1.happened).count();
            let name = format!("{} ({found}/{})", short(name, 32), watched.len());
            area.draw_text(&name, &anchored(text(20, TEXT), HPos::Right), (430, y))?;
            for (j, (_, it)) in watched.iter().enumerate() {
                // Beside each other where they would hide each other, in a fixed order.
                let y = y + (j * 11 % 37) as i32 - 18;
                let x = place(it.time).0;
                if it.happened {
                    let style = colour(COLOURS[0]).mix(0.8).filled();
                    area.draw(&Circle::new((x, y), 6, style))?;
                } else {
                    let corners = vec![(x - 6, y - 6), (x + 6, y), (x - 6, y + 6), (x - 6, y - 6)];
                    area.draw(&PathElement::new(
                        corners,
                        colour(FAINT_TEXT).stroke_width(2),
                    ))?;
                }
            }
            if let Some(median) = median {
                let x = place(*median).0;
                let line = vec![(x, y - 26), (x, y + 26)];
                area.draw(&PathElement::new(line, colour(COLOURS[1]).stroke_width(4)))?;
            }
        }
        Ok(())
    }

    fn numbers(&self) -> Vec<Vec<String>> {
        let mut rows = vec![header([self.by, "seed", "epoch", "found", "median_epoch"])];
        for Group {
            name,
            watched,
            median,
        } in &self.groups
        {
            rows.extend(watched.iter().map(|(seed, it)| {
                row([
                    name.clone(),
                    seed.to_string(),
                    it.time.to_string(),
                    u8::from(it.happened).to_string(),
                    count(*median),
                ])
            }));
        }
        rows
    }
}

/// High-order entropy over epochs: quantiles of many runs, a panel for each condition.
struct Traces {
    panels: Vec<Panel>,
    epochs: Range<u64>,
    highest: f64,
}

struct Panel {
    name: String,
    traces: Vec<Vec<(u64, f64)>>,
    /// Epoch, runs that still went on, and the values of [`QUANTILES`].
    points: Vec<(u64, usize, [f64; 5])>,
}

impl Traces {
    fn new(conditions: &[(String, Vec<&Run>)]) -> Option<Traces> {
        let panels: Vec<Panel> = conditions
            .iter()
            .map(|(name, runs)| Panel::of(name, runs))
            .filter(|panel| !panel.points.is_empty())
            .collect();
        let points = || panels.iter().flat_map(|it| &it.traces).flatten();
        Some(Traces {
            epochs: points().map(|it| it.0).min()?..points().map(|it| it.0).max()?,
            highest: points().map(|it| it.1).fold(f64::from(ALIVE), f64::max),
            panels,
        })
    }

    fn drawn(&self) -> &[Panel] {
        &self.panels[..self.panels.len().min(MOST_PANELS)]
    }
}

impl Panel {
    fn of(name: &str, runs: &[&Run]) -> Panel {
        let traces: Vec<Vec<(u64, f64)>> = runs
            .iter()
            .map(|it| it.trace.clone())
            .filter(|it| !it.is_empty())
            .collect();
        // The last point of a trace lies where its run happened to stop; all others are shared.
        let shared = traces
            .iter()
            .flat_map(|it| &it[..it.len() - 1])
            .map(|it| it.0);
        let last = traces
            .iter()
            .filter_map(|it| it.last())
            .map(|it| it.0)
            .max();
        let epochs: BTreeSet<u64> = shared.chain(last).collect();
        let mut next = vec![0; traces.len()];
        let points = epochs.into_iter().map(|epoch| {
            let mut going_on = 0;
            // A run that has ended keeps its last value.
            let mut values: Vec<f64> = Vec::with_capacity(traces.len());
            for (trace, next) in traces.iter().zip(&mut next) {
                while trace.get(*next).is_some_and(|point| point.0 <= epoch) {
                    *next += 1;
                }
                going_on += usize::from(trace.last().is_some_and(|last| last.0 >= epoch));
                values.extend(next.checked_sub(1).map(|i| trace[i].1));
            }
            values.sort_by(f64::total_cmp);
            (
                epoch,
                going_on,
                QUANTILES.map(|q| quantile(&values, q).unwrap_or(0.0)),
            )
        });
        Panel {
            name: name.into(),
            points: points.collect(),
            traces,
        }
    }
}

impl Figure for Traces {
    fn size(&self) -> (u32, u32) {
        (
            WIDTH,
            TOP + PANEL_HEIGHT * self.drawn().len() as u32 + BOTTOM,
        )
    }

    fn draw<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Drawn<B> {
        draw_title(
            area,
            "High-order entropy, by epoch",
            "line: median of all runs; shaded: half of them, and nine tenths; thin: single runs; \
             a run that has ended keeps its last value",
        )?;
        let (_, mut rest) = area.split_vertically(TOP);
        for (i, panel) in self.drawn().iter().enumerate() {
            let is_last = i + 1 == self.drawn().len();
            let bottom = if is_last { BOTTOM } else { 0 };
            let (here, below) = rest.split_vertically(PANEL_HEIGHT + bottom);
            rest = below;
            self.draw_panel(&here, panel, bottom)?;
        }
        Ok(())
    }

    fn numbers(&self) -> Vec<Vec<String>> {
        let names = [
            "condition",
            "epoch",
            "runs",
            "going_on",
            "q05",
            "q25",
            "median",
            "q75",
            "q95",
        ];
        let mut rows = vec![header(names)];
        for panel in &self.panels {
            rows.extend(panel.points.iter().map(|(epoch, going_on, quantiles)| {
                let mut cells = vec![
                    panel.name.clone(),
                    epoch.to_string(),
                    panel.traces.len().to_string(),
                    going_on.to_string(),
                ];
                cells.extend(quantiles.iter().map(|it| number(Some(*it))));
                cells
            }));
        }
        rows
    }
}

impl Traces {
    fn draw_panel<B: DrawingBackend>(
        &self,
        area: &DrawingArea<B, Shift>,
        panel: &Panel,
        bottom: u32,
    ) -> Drawn<B> {
        let style = anchored(text(22, TEXT), HPos::Left);
        let name = format!("{} ({} runs)", short(&panel.name, 60), panel.traces.len());
        area.draw_text(&name, &style, (120, 16))?;
        let (_, below) = area.split_vertically(32);
        let x = Axis::of_epochs(self.epochs.clone());
        let y = Axis::linear(0.0..self.highest * 1.05, 4, 1e-3);
        let mut chart = chart_on(&below, x, y, 100, bottom)?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(colour(LINES))
            .axis_style(colour(FAINT_TEXT))
            .label_style(text(20, TEXT))
            .axis_desc_style(text(20, FAINT_TEXT))
            .x_label_formatter(&|value| thousands(value.max(0.0) as usize))
            .x_desc(if bottom > 0 { "epochs done" } else { "" })
            .y_desc("bits per byte")
            .draw()?;
        let at = |q: usize| {
            let points = panel.points.iter();
            points.map(move |(epoch, _, values)| (*epoch as f64, values[q].max(0.0)))
        };
        let rgb = colour(COLOURS[0]);
        for (low, high, strength) in [(0, 4, 0.15), (1, 3, 0.3)] {
            let outline: Vec<_> = at(low)
                .chain(at(high).collect::<Vec<_>>().into_iter().rev())
                .collect();
            chart.draw_series([Polygon::new(outline, rgb.mix(strength).filled())])?;
        }
        if panel.traces.len() <= MOST_LINES {
            let thin = colour(FAINT_TEXT).mix(0.6).stroke_width(1);
            for trace in &panel.traces {
                let points = trace
                    .iter()
                    .map(|(epoch, entropy)| (*epoch as f64, entropy.max(0.0)));
                chart.draw_series(LineSeries::new(points, thin))?;
            }
        }
        draw_line(&mut chart, at(2).collect(), (rgb, None), 3)?;
        let alive = f64::from(ALIVE);
        let ends = vec![
            (self.epochs.start as f64, alive),
            (self.epochs.end as f64, alive),
        ];
        draw_line(&mut chart, ends, (colour(TEXT), Some((12, 8))), 2)
    }
}
