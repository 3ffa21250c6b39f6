//! Shares of runs that passed a line by their end, by condition and by mutation rate.

use std::collections::BTreeSet;

use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::{
    BOTTOM, Figure, HEIGHT, LINES_PASSED, MOST_CATEGORIES, Run, TOP, WIDTH, anchored, chart_on,
    draw_title, groups, header, left_out, number, once, relative, row, short, size_of_rows,
};
use crate::plot::axis::Axis;
use crate::plot::canvas::{self, Drawing, Drawn, colour, text};
use crate::plot::theme::Theme;
use crate::sweep::LINE_OF_PAPER;
use crate::sweep::statistics::AtEnd;

/// A share with its interval, and what a source says of it.
struct Category {
    name: String,
    passed: [Option<AtEnd>; 2],
    expected: Option<f64>,
}

impl Category {
    fn of(name: String, runs: &[&Run]) -> Category {
        Category {
            name,
            passed: [0, 1].map(|place| {
                let watched = |it: &&Run| (it.watched(it.passed[place]), it.is_finished);
                AtEnd::of(runs.iter().map(watched))
            }),
            expected: runs.iter().find_map(|run| run.expected),
        }
    }

    /// Draw its marks; `at` tells the pixel of a share, so many pixels aside of its middle.
    fn draw_marks<B: DrawingBackend>(
        &self,
        area: &DrawingArea<B, Shift>,
        theme: Theme,
        at: impl Fn(f64, i32) -> (i32, i32),
    ) -> Drawn<B> {
        for (line, passed) in self.passed.iter().enumerate() {
            let Some(AtEnd { share, .. }) = passed else {
                continue;
            };
            let [share, low, high] =
                [share.share, share.low, share.high].map(|share| at(share, ASIDE[line]));
            draw_mark(area, (line, theme), share, [low, high])?;
        }
        match self.expected {
            Some(expected) => draw_diamond(area, theme, at(expected, ASIDE[0])),
            None => Ok(()),
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
                    passed.happened.to_string(),
                    passed.all.to_string(),
                    passed.lost.to_string(),
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
        "lost",
        "share",
        "low",
        "high",
        "interval",
        "expected",
    ])
}

const HOW_TO_READ_SHARES: &str = "bars: 95 % interval; blue circle: above entropy 1; orange square: above 3 (alive); \
     open diamond: what the source gives for entropy 1";

/// Pixels by which the marks of the two lines stand aside of their middle.
const ASIDE: [i32; 2] = [-12, 12];

/// A mark with its interval, drawn around `at` in pixels; `ends` are the interval's.
fn draw_mark<B: DrawingBackend>(
    area: &DrawingArea<B, Shift>,
    (place, theme): (usize, Theme),
    at: (i32, i32),
    ends: [(i32, i32); 2],
) -> Drawn<B> {
    let rgb = colour(theme.series()[place]);
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

fn draw_diamond<B: DrawingBackend>(
    area: &DrawingArea<B, Shift>,
    theme: Theme,
    (x, y): (i32, i32),
) -> Drawn<B> {
    let corners = vec![
        (x - 11, y),
        (x, y - 11),
        (x + 11, y),
        (x, y + 11),
        (x - 11, y),
    ];
    area.draw(&PathElement::new(
        corners,
        colour(theme.text()).stroke_width(3),
    ))
}

/// A rate in per cent, with three digits that say something.
fn percent(rate: f64) -> String {
    let rounded: f64 = format!("{:.2e}", 100.0 * rate).parse().unwrap_or(rate);
    format!("{rounded} %")
}

/// Shares by condition, one below the other.
pub(super) struct Shares {
    categories: Vec<Category>,
}

impl Shares {
    pub(super) fn new(conditions: &[(String, Vec<&Run>)]) -> Shares {
        let category = |(name, runs): &(String, Vec<&Run>)| Category::of(name.clone(), runs);
        Shares {
            categories: conditions.iter().map(category).collect(),
        }
    }

    fn drawn(&self) -> &[Category] {
        &self.categories[..self.categories.len().min(MOST_CATEGORIES)]
    }
}

impl Drawing for Shares {
    fn size(&self) -> (u32, u32) {
        size_of_rows(self.drawn().len())
    }

    fn draw<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>, theme: Theme) -> Drawn<B> {
        draw_title(
            area,
            theme,
            "Runs that pass a line of high-order entropy, by condition",
            &(HOW_TO_READ_SHARES.to_string()
                + &left_out(self.drawn().len(), self.categories.len(), "conditions")),
        )?;
        let (_, area) = area.split_vertically(TOP);
        let rows = self.drawn().len() as f64;
        let y: RangedCoordf64 = (0.0..rows).into();
        let mut chart = chart_on(&area, Axis::linear(0.0..100.0, 10, 1.0), y, 430, BOTTOM)?;
        canvas::style(&mut chart.configure_mesh(), theme)
            .disable_y_mesh()
            .disable_y_axis()
            .x_desc("% of runs")
            .draw()?;
        for (i, category) in self.drawn().iter().enumerate() {
            // The first one at the top.
            let middle = rows - i as f64 - 0.5;
            let at = |share: f64| chart.backend_coord(&(100.0 * share, middle));
            let place = |share: f64| relative(&area, at(share));
            let (_, y) = place(0.0);
            let runs = category.passed[0].map_or(0, |passed| passed.all);
            let name = format!("{} ({runs})", short(&category.name, 34));
            area.draw_text(
                &name,
                &anchored(text(20, theme.text()), HPos::Right),
                (430, y),
            )?;
            category.draw_marks(&area, theme, |share, aside| (place(share).0, y + aside))?;
        }
        Ok(())
    }
}

impl Figure for Shares {
    fn numbers(&self) -> Vec<Vec<String>> {
        let mut rows = vec![header_of_shares("condition")];
        rows.extend(self.categories.iter().flat_map(Category::numbers));
        rows
    }
}

/// Shares by mutation rate, of runs that differ in nothing else.
pub(super) struct ByMutation {
    /// What else they were told, where others were told something else.
    of: Option<String>,
    rates: Vec<f64>,
    categories: Vec<Category>,
}

impl ByMutation {
    pub(super) fn new(runs: &[Run]) -> Option<ByMutation> {
        // Rates are not negative: their bits sort as they do.
        let rates_of = |runs: &[&Run]| -> BTreeSet<u64> {
            runs.iter()
                .filter_map(|it| it.mutation_prob)
                .map(f64::to_bits)
                .collect()
        };
        let all = groups(runs, |run| format!("{}{}", run.language, run.told));
        let several = all.len() > 1;
        // Those with the most rates, the first of them.
        let most = all.iter().map(|it| rates_of(&it.1).len()).max()?;
        let (told, runs) = all.into_iter().find(|it| rates_of(&it.1).len() == most)?;
        let rates: Vec<f64> = rates_of(&runs).into_iter().map(f64::from_bits).collect();
        let category = |rate: &f64| {
            let of_rate = runs
                .iter()
                .copied()
                .filter(|it| it.mutation_prob == Some(*rate));
            Category::of(format!("{rate}"), &once(of_rate))
        };
        (rates.len() > 1).then(|| ByMutation {
            of: several.then_some(told),
            categories: rates.iter().map(category).collect(),
            rates,
        })
    }
}

impl Drawing for ByMutation {
    fn size(&self) -> (u32, u32) {
        (WIDTH, HEIGHT)
    }

    fn draw<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>, theme: Theme) -> Drawn<B> {
        let title = "Runs that pass a line of high-order entropy, by mutation rate";
        let title = match &self.of {
            Some(told) => format!("{title}: {}", short(told, 60)),
            None => title.into(),
        };
        draw_title(area, theme, &title, HOW_TO_READ_SHARES)?;
        let (_, area) = area.split_vertically(TOP);
        let x: RangedCoordf64 = (0.0..self.rates.len() as f64).into();
        let mut chart = chart_on(&area, x, Axis::linear(0.0..100.0, 5, 1.0), 100, BOTTOM)?;
        canvas::style(&mut chart.configure_mesh(), theme)
            .disable_x_mesh()
            .x_labels(0)
            .x_desc("mutation rate: % of bytes per epoch (not to scale)")
            .y_desc("% of runs")
            .draw()?;
        for (i, category) in self.categories.iter().enumerate() {
            let at = |share: f64| chart.backend_coord(&(i as f64 + 0.5, 100.0 * share));
            let place = |share: f64| relative(&area, at(share));
            let (x, bottom) = place(0.0);
            // So many names have room beside each other.
            if i.is_multiple_of(self.rates.len().div_ceil(12)) {
                let style = text(20, theme.text()).pos(Pos::new(HPos::Center, VPos::Top));
                area.draw_text(&percent(self.rates[i]), &style, (x, bottom + 12))?;
            }
            category.draw_marks(&area, theme, |share, aside| (x + aside, place(share).1))?;
        }
        Ok(())
    }
}

impl Figure for ByMutation {
    fn numbers(&self) -> Vec<Vec<String>> {
        let mut rows = vec![header_of_shares("mutation_prob")];
        rows.extend(self.categories.iter().flat_map(Category::numbers));
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::percent;

    #[test]
    fn rates_are_written_in_few_digits() {
        for (rate, written) in [
            (0.0, "0 %"),
            (1.0 / 4096.0, "0.0244 %"),
            (0.001, "0.1 %"),
            (1e-9, "0.0000001 %"),
            (1.0, "100 %"),
        ] {
            assert_eq!(percent(rate), written);
        }
    }
}
