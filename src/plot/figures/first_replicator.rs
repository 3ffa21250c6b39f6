//! When the first replicator was seen.

use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::{
    BOTTOM, Figure, MOST_CATEGORIES, Run, TOP, anchored, chart_on, count, draw_title, groups,
    header, left_out, once, relative, row, short, size_of_rows,
};
use crate::plot::axis::Axis;
use crate::plot::canvas::{self, Drawing, Drawn, colour, text};
use crate::plot::theme::Theme;
use crate::sweep::statistics::{Watched, kaplan_meier, median};

/// When the first replicator was seen, by language; by condition where there is one language.
pub(super) struct FirstReplicators {
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
    pub(super) fn new(runs: &[Run]) -> Option<FirstReplicators> {
        let counted: Vec<Run> = runs
            .iter()
            .filter(|it| it.counts_replicators)
            .cloned()
            .collect();
        let by_language = groups(&counted, |run| run.language.clone());
        let rate = |run: &Run| run.mutation_prob.map(f64::to_bits);
        let is_told_the_same = counted
            .iter()
            .is_sorted_by(|a, b| a.told == b.told && rate(a) == rate(b));
        // Languages can be compared where runs differ in nothing else.
        let (by, groups) = match by_language.len() {
            0 => return None,
            2.. if is_told_the_same => ("language", by_language),
            _ => ("condition", groups(&counted, |run| run.condition.clone())),
        };
        let groups = groups.into_iter().map(|(name, runs)| {
            let watched: Vec<(u64, Watched)> = once(runs.into_iter())
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

impl Drawing for FirstReplicators {
    fn size(&self) -> (u32, u32) {
        size_of_rows(self.drawn().len())
    }

    fn draw<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>, theme: Theme) -> Drawn<B> {
        draw_title(
            area,
            theme,
            &format!(
                "Epoch of the first replicator (score of 48 or more), by {}",
                self.by
            ),
            &("circle: a run; grey triangle: a run that ended without one; \
               orange line: Kaplan-Meier median"
                .to_string()
                + &left_out(self.drawn().len(), self.groups.len(), "groups")),
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
        canvas::style(&mut chart.configure_mesh(), theme)
            .disable_y_mesh()
            .disable_y_axis()
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
            area.draw_text(
                &name,
                &anchored(text(20, theme.text()), HPos::Right),
                (430, y),
            )?;
            for (j, (_, it)) in watched.iter().enumerate() {
                // Beside each other where they would hide each other, in a fixed order.
                let y = y + (j * 11 % 37) as i32 - 18;
                let x = place(it.time).0;
                if it.happened {
                    let style = colour(theme.series()[0]).mix(0.8).filled();
                    area.draw(&Circle::new((x, y), 6, style))?;
                } else {
                    let corners = vec![(x - 6, y - 6), (x + 6, y), (x - 6, y + 6), (x - 6, y - 6)];
                    area.draw(&PathElement::new(
                        corners,
                        colour(theme.faint_text()).stroke_width(2),
                    ))?;
                }
            }
            if let Some(median) = median {
                let x = place(*median).0;
                let line = vec![(x, y - 26), (x, y + 26)];
                area.draw(&PathElement::new(
                    line,
                    colour(theme.series()[1]).stroke_width(4),
                ))?;
            }
        }
        Ok(())
    }
}

impl Figure for FirstReplicators {
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
