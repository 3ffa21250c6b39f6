//! The share of runs that have passed a line, over epochs.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::{
    BOTTOM, Chart, Figure, HEIGHT, Run, Stroke, TOP, WIDTH, anchored, chart_on, draw_line,
    draw_title, header, left_out, number, relative, row, short, style_of,
};
use crate::plot::axis::Axis;
use crate::plot::canvas::{self, Drawing, Drawn, text};
use crate::plot::theme::Theme;
use crate::sweep::statistics::{AtEnd, Share, Watched, kaplan_meier};

/// Pixels to the right of the curves, for their intervals and names.
const LEGEND_WIDTH: u32 = 450;
/// Signs of the longest name that has room in it.
const MOST_SIGNS: usize = 32;
/// Pixels between two names, where there is room for it.
const LABEL_HEIGHT: i32 = 34;
/// Of more conditions, the first are drawn; the CSV has them all.
const MOST_CURVES: usize = 21;
/// Of more curves, shaded intervals would hide each other: they are drawn at the end only.
const MOST_BANDS: usize = 3;
/// Of more curves, intervals at the end would have no room.
const MOST_BARS: usize = 7;
/// Pixels from the end of the curves to the first bar, and from bar to bar.
const BAR_GAP: i32 = 11;

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

impl Curve {
    /// Per cent at the end of the curve.
    fn end(&self, get: impl Fn(&Share) -> f64) -> (f64, f64) {
        let last = corners(self, get).pop();
        last.unwrap_or((0.0, 0.0))
    }
}

/// The heights of labels that would best be at `wanted`, in ascending order: at least `gap`
/// apart, and within `room`, if that is large enough.
fn spread(wanted: &[i32], gap: i32, (top, bottom): (i32, i32)) -> Vec<i32> {
    let mut places: Vec<i32> = Vec::new();
    for place in wanted {
        let least = places.last().map_or(top, |last| last + gap);
        places.push(least.max(*place));
    }
    // What has been pushed out below pushes back those above it.
    let mut most = bottom;
    for place in places.iter_mut().rev() {
        *place = most.min(*place);
        most = *place - gap;
    }
    places
}

impl Drawing for Curves {
    fn size(&self) -> (u32, u32) {
        (WIDTH, HEIGHT)
    }

    fn draw<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>, theme: Theme) -> Drawn<B> {
        let drawn = self.drawn();
        let mut how = String::from("Kaplan-Meier");
        if drawn.len() <= MOST_BANDS {
            how += "; shaded: 95 % interval";
        } else if drawn.len() <= MOST_BARS {
            how += "; bars on the right: 95 % interval at the end of a curve";
        }
        how += &left_out(drawn.len(), self.curves.len(), "conditions");
        draw_title(area, theme, &self.title, &how)?;
        let (_, body) = area.split_vertically(TOP);
        let (left, _) = body.split_horizontally(WIDTH - LEGEND_WIDTH);
        let last = drawn.iter().map(|it| it.last_epoch).max().unwrap_or(1);
        let x = Axis::of_epochs(0..last.max(1));
        let y = Axis::linear(0.0..100.0, 5, 1.0);
        let mut chart = chart_on(&left, x, y, 100, BOTTOM)?;
        canvas::style(&mut chart.configure_mesh(), theme)
            .x_desc("epochs done")
            .y_desc("% of runs")
            .draw()?;
        if drawn.len() <= MOST_BANDS {
            for (i, curve) in drawn.iter().enumerate() {
                let mut outline = corners(curve, |share| share.low);
                outline.extend(corners(curve, |share| share.high).into_iter().rev());
                let fill = style_of(i, theme).0.mix(0.16).filled();
                chart.draw_series([Polygon::new(outline, fill)])?;
            }
        }
        for (i, curve) in drawn.iter().enumerate() {
            let points = corners(curve, |share| share.share);
            draw_line(&mut chart, points, style_of(i, theme), 3)?;
        }
        if (MOST_BANDS + 1..=MOST_BARS).contains(&drawn.len()) {
            self.draw_bars(&body, &chart, theme)?;
        }
        self.draw_labels(&body, &chart, theme)
    }
}

impl Curves {
    fn drawn(&self) -> &[Curve] {
        &self.curves[..self.curves.len().min(MOST_CURVES)]
    }

    /// Beside the ends of the curves, the interval of each.
    fn draw_bars<B: DrawingBackend>(
        &self,
        body: &DrawingArea<B, Shift>,
        chart: &Chart<'_, B, Axis, Axis>,
        theme: Theme,
    ) -> Drawn<B> {
        let right = chart.plotting_area().get_pixel_range().0.end;
        for (i, curve) in self.drawn().iter().enumerate() {
            let height = |percent: f64| relative(body, chart.backend_coord(&(0.0, percent))).1;
            let [low, share, high] = [
                height(curve.end(|share| share.low).1),
                height(curve.end(|share| share.share).1),
                height(curve.end(|share| share.high).1),
            ];
            let x = right - body.get_base_pixel().0 + BAR_GAP * (i as i32 + 1);
            let (rgb, _) = style_of(i, theme);
            let bar = vec![(x, low), (x, high)];
            body.draw(&PathElement::new(bar, rgb.stroke_width(3)))?;
            for y in [low, high] {
                let cap = vec![(x - 4, y), (x + 4, y)];
                body.draw(&PathElement::new(cap, rgb.stroke_width(2)))?;
            }
            body.draw(&Circle::new((x, share), 5, rgb.filled()))?;
        }
        Ok(())
    }

    /// Names of curves, each as near to the end of its curve as others leave room.
    fn draw_labels<B: DrawingBackend>(
        &self,
        body: &DrawingArea<B, Shift>,
        chart: &Chart<'_, B, Axis, Axis>,
        theme: Theme,
    ) -> Drawn<B> {
        let (top, bottom) = {
            let range = chart.plotting_area().get_pixel_range().1;
            let base = body.get_base_pixel().1;
            (range.start - base, range.end - base)
        };
        let mut ends: Vec<(i32, usize)> = Vec::new();
        for (i, curve) in self.drawn().iter().enumerate() {
            let end = chart.backend_coord(&curve.end(|share| share.share));
            ends.push((relative(body, end).1, i));
        }
        // Of curves that end together, the first is named first.
        ends.sort();
        let wanted: Vec<i32> = ends.iter().map(|end| end.0).collect();
        let gap = LABEL_HEIGHT.min((bottom - top) / (ends.len() as i32 - 1).max(1));
        let x = (WIDTH - LEGEND_WIDTH) as i32 + BAR_GAP * 3;
        for (y, (_, i)) in spread(&wanted, gap, (top, bottom)).into_iter().zip(ends) {
            let curve = &self.drawn()[i];
            let name = format!(
                "{} ({}/{})",
                short(&curve.name, MOST_SIGNS),
                curve.passed,
                curve.runs
            );
            draw_sample(body, (x, y), style_of(i, theme))?;
            let style = anchored(text(20, theme.text()), HPos::Left);
            body.draw_text(&name, &style, (x + 52, y))?;
        }
        Ok(())
    }
}

/// A piece of a line, as its curve is drawn.
fn draw_sample<B: DrawingBackend>(
    area: &DrawingArea<B, Shift>,
    (x, y): (i32, i32),
    (rgb, dashes): Stroke,
) -> Drawn<B> {
    const WIDTH: i32 = 42;
    let (dash, gap) = dashes.map_or((WIDTH, 0), |(dash, gap)| (dash as i32, gap as i32));
    let mut from = 0;
    while from < WIDTH {
        let to = (from + dash).min(WIDTH);
        let corners = [(x + from, y - 2), (x + to, y + 2)];
        area.draw(&Rectangle::new(corners, rgb.filled()))?;
        from = to + gap.max(1);
    }
    Ok(())
}

impl Figure for Curves {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_curves_do_not_overlap() {
        for (wanted, room, places) in [
            (&[10, 100, 300][..], (0, 400), &[10, 100, 300][..]),
            (&[50, 50, 50], (0, 400), &[50, 84, 118]),
            (&[390, 395, 400], (0, 400), &[332, 366, 400]),
            (&[0, 0, 395, 400, 400], (0, 400), &[0, 34, 332, 366, 400]),
        ] {
            assert_eq!(spread(wanted, 34, room), places);
        }
        // As many as there may be, all at the bottom.
        let places = spread(&[708; MOST_CURVES], 34, (8, 716));
        assert!(places.windows(2).all(|pair| pair[1] - pair[0] >= 34));
        assert!(places[0] >= 0 && places[MOST_CURVES - 1] <= 716);
    }

    /// No two curves look the same, and the first ones do not have a colour in common.
    #[test]
    fn curves_can_be_told_apart() {
        for theme in Theme::ALL {
            let styles: Vec<Stroke> = (0..MOST_CURVES).map(|i| style_of(i, theme)).collect();
            for (i, style) in styles.iter().enumerate() {
                assert!(!styles[..i].contains(style), "{i}");
                let same_colour = styles[..i.min(7)].iter().any(|other| other.0 == style.0);
                assert_eq!(same_colour, i >= 7);
                let before = i.checked_sub(1).map(|before| styles[before].1);
                assert_ne!(before, Some(style.1));
            }
        }
    }
}
