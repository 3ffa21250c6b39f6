//! High-order entropy of many runs over epochs.

use std::collections::BTreeSet;
use std::ops::Range;

use plotters::coord::Shift;
use plotters::coord::ranged1d::Ranged;
use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::{
    BOTTOM, Figure, Run, TOP, WIDTH, anchored, chart_on, draw_line, draw_title, header, left_out,
    number, short,
};
use crate::measure::ALIVE;
use crate::plot::axis::Axis;
use crate::plot::canvas::{self, Drawing, Drawn, colour, text};
use crate::plot::theme::Theme;
use crate::sweep::statistics::quantile;

/// Pixels of the height of a panel.
const PANEL_HEIGHT: u32 = 330;
/// Of more conditions, the first are drawn; the CSV has them all.
const MOST_PANELS: usize = 12;
/// Of more runs in a panel, single ones are not drawn.
const MOST_LINES: usize = 200;

const QUANTILES: [f64; 5] = [0.05, 0.25, 0.5, 0.75, 0.95];

/// High-order entropy over epochs: quantiles of many runs, a panel for each condition.
pub(super) struct Traces {
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
    pub(super) fn new(conditions: &[(String, Vec<&Run>)]) -> Option<Traces> {
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

impl Drawing for Traces {
    fn size(&self) -> (u32, u32) {
        (
            WIDTH,
            TOP + PANEL_HEIGHT * self.drawn().len() as u32 + BOTTOM,
        )
    }

    fn draw<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>, theme: Theme) -> Drawn<B> {
        draw_title(
            area,
            theme,
            "High-order entropy, by epoch",
            &("line: median of all runs; shaded: half of them, and nine tenths; thin: single \
               runs; a run that has ended keeps its last value"
                .to_string()
                + &left_out(self.drawn().len(), self.panels.len(), "conditions")),
        )?;
        let (_, mut rest) = area.split_vertically(TOP);
        for (i, panel) in self.drawn().iter().enumerate() {
            let is_last = i + 1 == self.drawn().len();
            let bottom = if is_last { BOTTOM } else { 0 };
            let (here, below) = rest.split_vertically(PANEL_HEIGHT + bottom);
            rest = below;
            self.draw_panel(&here, panel, bottom, theme)?;
        }
        Ok(())
    }
}

impl Figure for Traces {
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
        theme: Theme,
    ) -> Drawn<B> {
        let style = anchored(text(22, theme.text()), HPos::Left);
        let name = format!("{} ({} runs)", short(&panel.name, 60), panel.traces.len());
        area.draw_text(&name, &style, (120, 16))?;
        let (_, below) = area.split_vertically(32);
        let x = Axis::of_epochs(self.epochs.clone());
        let y = Axis::linear(0.0..self.highest * 1.05, 4, 1e-3);
        let mut chart = chart_on(&below, x, y, 100, bottom)?;
        canvas::style(&mut chart.configure_mesh(), theme)
            .x_desc(if bottom > 0 { "epochs done" } else { "" })
            .y_desc("bits per byte")
            .draw()?;
        let at = |q: usize| {
            let points = panel.points.iter();
            points.map(move |(epoch, _, values)| (*epoch as f64, values[q].max(0.0)))
        };
        let rgb = colour(theme.series()[0]);
        for (low, high, strength) in [(0, 4, 0.15), (1, 3, 0.3)] {
            let outline: Vec<_> = at(low)
                .chain(at(high).collect::<Vec<_>>().into_iter().rev())
                .collect();
            chart.draw_series([Polygon::new(outline, rgb.mix(strength).filled())])?;
        }
        if panel.traces.len() <= MOST_LINES {
            let thin = colour(theme.faint_text()).mix(0.6).stroke_width(1);
            for trace in &panel.traces {
                let points = trace
                    .iter()
                    .map(|(epoch, entropy)| (*epoch as f64, entropy.max(0.0)));
                let is_point = trace.len() == 1;
                chart.draw_series(
                    LineSeries::new(points, thin).point_size(u32::from(is_point) * 3),
                )?;
            }
        }
        draw_line(&mut chart, at(2).collect(), (rgb, None), 3)?;
        let alive = f64::from(ALIVE);
        let Range { start, end } = chart.as_coord_spec().x_spec().range();
        let ends = vec![(start, alive), (end, alive)];
        draw_line(&mut chart, ends, (colour(theme.text()), Some((12, 8))), 2)
    }
}
