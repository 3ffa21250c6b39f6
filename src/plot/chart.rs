//! Charts: what a run measured, over its epochs.

use std::path::Path;

use plotters::coord::Shift;
use plotters::coord::ranged1d::Ranged;
use plotters::prelude::*;
use plotters::style::text_anchor;

use super::axis::Axis;
use super::canvas::{self, Drawing, Drawn, colour, text};
use super::series::Series;
use super::theme::Theme;
use crate::Error;
use crate::format::thousands;
use crate::measure::ALIVE;
use crate::measure::column::{Column, Curve, Panel, Scale};
use crate::measure::columns::{self, COMPLEXITY};

/// Pixels of a chart's width, and of the height of each of its panels.
const WIDTH: u32 = 1600;
const PANEL_HEIGHT: u32 = 270;
/// Room for the title, and for the labels of the axis that all panels share.
const TITLE_HEIGHT: u32 = 60;
const AXIS_HEIGHT: u32 = 76;

/// A panel, and the columns that it shows, in this order.
type Shown = (&'static Panel, Vec<(&'static Column, Curve)>);

/// All panels with all their columns.
fn panels() -> Vec<Shown> {
    let mut panels: Vec<Shown> = Vec::new();
    for column in columns::all() {
        let Some(curve) = column.drawn else { continue };
        let place = panels.iter().position(|panel| panel.0 == curve.panel);
        let place = place.unwrap_or_else(|| {
            panels.push((curve.panel, Vec::new()));
            panels.len() - 1
        });
        let shown = &mut panels[place].1;
        let at = if curve.is_first { 0 } else { shown.len() };
        shown.insert(at, (column, curve));
    }
    panels
}

/// Write charts of the table at `metrics`, over epochs, to `out`: as PNG or SVG, as its name says.
pub fn write(metrics: &Path, title: &str, out: &Path, theme: Theme) -> Result<(), Error> {
    let mut panels = panels();
    let shown = panels.iter().flat_map(|panel| &panel.1);
    let wanted: Vec<&str> = shown.map(|(column, _)| column.name).collect();
    let series = Series::read(metrics, &wanted)?;
    panels.retain(|(_, shown)| shown.iter().any(|(column, _)| series.has(column.name)));
    if panels.is_empty() {
        return Err(Error::file(
            metrics,
            format!(
                "has nothing to draw: none of the columns {}",
                wanted.join(", ")
            ),
        ));
    }
    let charts = Charts {
        title,
        panels,
        series,
    };
    canvas::write(&charts, out, theme)
}

/// Panels, one below the other, that share their axis of epochs.
struct Charts<'a> {
    title: &'a str,
    panels: Vec<Shown>,
    series: Series,
}

impl Drawing for Charts<'_> {
    fn size(&self) -> (u32, u32) {
        let panels = PANEL_HEIGHT * self.panels.len() as u32;
        (WIDTH, TITLE_HEIGHT + panels + AXIS_HEIGHT)
    }

    fn draw<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>, theme: Theme) -> Drawn<B> {
        let (top, mut rest) = area.split_vertically(TITLE_HEIGHT);
        top.draw_text(self.title, &text(30, theme.text()), (28, 20))?;
        for (i, panel) in self.panels.iter().enumerate() {
            let is_last = i + 1 == self.panels.len();
            let height = PANEL_HEIGHT + if is_last { AXIS_HEIGHT } else { 0 };
            let (here, below) = rest.split_vertically(height);
            self.draw_panel(&here, panel, is_last, theme)?;
            rest = below;
        }
        Ok(())
    }
}

impl Charts<'_> {
    fn draw_panel<B: DrawingBackend>(
        &self,
        area: &DrawingArea<B, Shift>,
        (panel, shown): &Shown,
        is_last: bool,
        theme: Theme,
    ) -> Drawn<B> {
        let series = &self.series;
        let is_complexity = *panel == &COMPLEXITY;
        let least_top = is_complexity.then_some(f64::from(ALIVE) + 0.5);
        let columns = shown.iter().map(|(column, _)| column.name);
        let axis = axis_of(panel.scale, columns, series, least_top.unwrap_or(0.0));
        let epochs = Axis::of_epochs(series.epochs());
        let mut chart = ChartBuilder::on(area)
            .margin_left(24)
            .margin_right(40)
            .margin_top(44)
            .margin_bottom(8)
            .y_label_area_size(110)
            .x_label_area_size(if is_last { AXIS_HEIGHT } else { 0 })
            .build_cartesian_2d(epochs, axis)?;
        canvas::style(&mut chart.configure_mesh(), theme)
            .x_desc(if is_last { "epochs done" } else { "" })
            .y_desc(panel.unit)
            .draw()?;
        if is_complexity {
            draw_alive(&mut chart, series, theme)?;
        }
        // In the line of the title, the names of the columns behind it.
        let mut x = 134;
        let bold = text(24, theme.text());
        area.draw_text(panel.title, &bold, (x, 10))?;
        x += area.estimate_text_size(panel.title, &bold)?.0 as i32 + 40;
        for (column, curve) in shown.iter().filter(|(column, _)| series.has(column.name)) {
            let rgb = colour(theme.role_colour(curve.colour));
            draw_curve(&mut chart, series, column.name, rgb)?;
            area.draw(&Rectangle::new([(x, 19), (x + 28, 24)], rgb.filled()))?;
            let style = text(20, theme.text());
            area.draw_text(curve.label, &style, (x + 38, 13))?;
            x += 38 + area.estimate_text_size(curve.label, &style)?.0 as i32 + 40;
        }
        if is_complexity {
            write_alive(area, series, theme)?;
        }
        Ok(())
    }
}

/// An axis for all values of these columns, up to `least_top` at least.
fn axis_of<'a>(
    scale: Scale,
    columns: impl Iterator<Item = &'a str>,
    series: &Series,
    least_top: f64,
) -> Axis {
    let (mut least, mut most) = (f64::INFINITY, 0.0_f64);
    for (_, low, high) in columns.flat_map(|name| series.stretches(name)).flatten() {
        (least, most) = (least.min(low), most.max(high));
    }
    let most = most.max(least_top);
    match scale {
        Scale::Logarithmic => Axis::logarithmic(least, most),
        // A line along the edge could be taken for the edge.
        Scale::Linear => {
            let least = least.min(0.0);
            let room = ((most - least) * 0.06).max(1e-3);
            let bottom = if least < 0.0 { least - room } else { least };
            Axis::linear(bottom..most + room, 5, 1e-3)
        }
    }
}

type PanelChart<'a, B> = ChartContext<'a, B, Cartesian2d<Axis, Axis>>;

/// A column's values, as a line with gaps where it has none.
fn draw_curve<B: DrawingBackend>(
    chart: &mut PanelChart<'_, B>,
    series: &Series,
    column: &str,
    rgb: RGBColor,
) -> Drawn<B> {
    for stretch in series.stretches(column) {
        if let [(epoch, value, _)] = stretch[..] {
            let dot = Circle::new((epoch as f64, value), 4, rgb.filled());
            chart.draw_series([dot])?;
        }
        let line = stretch.iter().flat_map(|(epoch, least, most)| {
            // From a point's least to its most, if it is of several rows.
            let ends = [(*epoch as f64, *least), (*epoch as f64, *most)];
            ends.into_iter().take(if least == most { 1 } else { 2 })
        });
        chart.draw_series(LineSeries::new(line, rgb.stroke_width(3)))?;
    }
    Ok(())
}

/// The line above which a soup is alive, and where this one came to it.
fn draw_alive<B: DrawingBackend>(
    chart: &mut PanelChart<'_, B>,
    series: &Series,
    theme: Theme,
) -> Drawn<B> {
    let line = colour(theme.text()).stroke_width(2);
    let (epochs, alive) = (series.epochs(), f64::from(ALIVE));
    let ends = [(epochs.start as f64, alive), (epochs.end as f64, alive)];
    chart.draw_series(DashedLineSeries::new(ends, 12, 8, line))?;
    if let Some(epoch) = series.alive_at {
        let x = epoch as f64;
        let top = chart.as_coord_spec().y_spec().range().end;
        let ends = [(x, 0.0), (x, top)];
        chart.draw_series(DashedLineSeries::new(ends, 3, 6, line))?;
    }
    Ok(())
}

/// When the soup came alive, in words on the right.
fn write_alive<B: DrawingBackend>(
    area: &DrawingArea<B, Shift>,
    series: &Series,
    theme: Theme,
) -> Drawn<B> {
    let (words, style) = match series.alive_at {
        Some(epoch) => {
            let epoch = thousands(epoch as usize);
            let words = format!("alive (above {ALIVE}) at epoch {epoch}");
            (words, text(20, theme.text()))
        }
        None => {
            let words = format!("not alive (above {ALIVE}) yet");
            (words, text(20, theme.faint_text()))
        }
    };
    let right = text_anchor::Pos::new(text_anchor::HPos::Right, text_anchor::VPos::Top);
    area.draw_text(&words, &style.pos(right), (WIDTH as i32 - 40, 13))
}

#[cfg(test)]
mod tests {
    use super::*;

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
            write(&table, "hostile", &out, Theme::Dark).unwrap();
            let file = std::io::BufReader::new(std::fs::File::open(&out).unwrap());
            let reader = png::Decoder::new(file).read_info().unwrap();
            let height = TITLE_HEIGHT + panels * PANEL_HEIGHT + AXIS_HEIGHT;
            assert_eq!(reader.info().height, height, "{header}");
        }
        std::fs::write(&table, "epoch,x\n1,2\n").unwrap();
        let error = write(&table, "", &out, Theme::Dark)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("nothing to draw") && error.contains("byte_entropy"),
            "{error}"
        );
    }
}
