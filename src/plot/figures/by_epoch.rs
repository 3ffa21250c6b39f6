//! The share of runs that have passed a line, over epochs.

use plotters::coord::Shift;
use plotters::prelude::*;

use super::{
    BOTTOM, Drawn, Figure, HEIGHT, Run, TOP, WIDTH, chart_on, draw_legend, draw_line, draw_title,
    header, left_out, number, row, short, style_of,
};
use crate::plot::axis::Axis;
use crate::plot::chart;
use crate::sweep::statistics::{AtEnd, Share, Watched, kaplan_meier};

/// Pixels that the names of curves take to their right.
const LEGEND_WIDTH: u32 = 400;
/// Of more conditions, the first are drawn; the CSV has them all.
const MOST_CURVES: usize = 21;
/// Of more curves, intervals would hide each other.
const MOST_BANDS: usize = 7;

/// The share of runs that have passed a line, over epochs: 1 - Kaplan and Meier's survival.
pub(super) struct Curves {
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
    /// The share at the end where there is no step: none, of those that were watched so long.
    never: Share,
}

impl Curves {
    pub(super) fn new(line: &str, place: usize, conditions: &[(String, Vec<&Run>)]) -> Curves {
        let curves = conditions.iter().map(|(name, runs)| {
            let watched: Vec<Watched> = runs
                .iter()
                .map(|run| run.watched(run.passed[place]))
                .collect();
            let steps = kaplan_meier(&watched);
            let last_epoch = watched.iter().map(|it| it.time).max().unwrap_or(1);
            let at_end = AtEnd::of(watched.iter().map(|it| (*it, it.time == last_epoch)));
            Curve {
                name: name.clone(),
                runs: runs.len(),
                passed: watched.iter().filter(|it| it.happened).count(),
                steps: steps
                    .iter()
                    .map(|it| (it.time, it.at_risk, it.events, it.survival.complement()))
                    .collect(),
                last_epoch,
                never: at_end.map_or_else(Share::default, |it| it.share),
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
    let start = match curve.steps.is_empty() {
        true => 100.0 * get(&curve.never),
        false => 0.0,
    };
    let mut points = vec![(0.0, start)];
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
        how += &left_out(drawn.len(), self.curves.len(), "conditions");
        draw_title(area, &self.title, &how)?;
        let (_, area) = area.split_vertically(TOP);
        let (area, legend) = area.split_horizontally(WIDTH - LEGEND_WIDTH);
        let last = drawn.iter().map(|it| it.last_epoch).max().unwrap_or(1);
        let x = Axis::of_epochs(0..last.max(1));
        let y = Axis::linear(0.0..100.0, 5, 1.0);
        let mut chart = chart_on(&area, x, y, 100, BOTTOM)?;
        chart::style(&mut chart.configure_mesh())
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
                rows.push(row([
                    curve.name.clone(),
                    curve.last_epoch.to_string(),
                    curve.runs.to_string(),
                    "0".into(),
                    number(Some(curve.never.share)),
                    number(Some(curve.never.low)),
                    number(Some(curve.never.high)),
                ]));
            }
        }
        rows
    }
}
