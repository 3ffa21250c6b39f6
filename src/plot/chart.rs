//! Charts: what a run measured, over its epochs.

use std::path::Path;

use plotters::chart::MeshStyle;
use plotters::coord::ranged1d::Ranged;
use plotters::prelude::*;
use plotters::style::{register_font, text_anchor};

use super::axis::Axis;
use super::picture::{self, BACKGROUND, Rgb, TEXT, role_colour};
use super::series::Series;
use crate::Error;
use crate::files;
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

const LINES: Rgb = [0x3a, 0x3c, 0x48];
pub(crate) const FAINT_TEXT: Rgb = [0xb4, 0xb6, 0xc0];

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

/// Write charts of the table at `metrics`, over epochs, as PNG to `out`.
pub fn write(metrics: &Path, title: &str, out: &Path) -> Result<(), Error> {
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
    let height = TITLE_HEIGHT + PANEL_HEIGHT * panels.len() as u32 + AXIS_HEIGHT;
    let bytes = draw(out, (WIDTH, height), |area| {
        draw_panels(area, title, &panels, &series).map_err(|error| error.to_string())
    })?;
    files::write_whole(out, |file| file.write_all(&bytes))
}

pub(super) type Drawn<'a> =
    Result<(), DrawingAreaErrorKind<<BitMapBackend<'a> as DrawingBackend>::ErrorType>>;

fn draw_panels<'a>(area: &Area<'a>, title: &str, panels: &[Shown], series: &Series) -> Drawn<'a> {
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

fn draw_panel<'a>(
    area: &Area<'a>,
    (panel, shown): &Shown,
    series: &Series,
    is_last: bool,
) -> Drawn<'a> {
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
    style(&mut chart.configure_mesh())
        .x_desc(if is_last { "epochs done" } else { "" })
        .y_desc(panel.unit)
        .draw()?;
    if is_complexity {
        draw_alive(&mut chart, series)?;
    }
    // In the line of the title, the names of the columns behind it.
    let mut x = 134;
    let bold = text(24, TEXT);
    area.draw_text(panel.title, &bold, (x, 10))?;
    x += area.estimate_text_size(panel.title, &bold)?.0 as i32 + 40;
    for (column, curve) in shown.iter().filter(|(column, _)| series.has(column.name)) {
        let rgb = colour(role_colour(curve.colour));
        draw_curve(&mut chart, series, column.name, rgb)?;
        area.draw(&Rectangle::new([(x, 19), (x + 28, 24)], rgb.filled()))?;
        let style = text(20, TEXT);
        area.draw_text(curve.label, &style, (x + 38, 13))?;
        x += 38 + area.estimate_text_size(curve.label, &style)?.0 as i32 + 40;
    }
    if is_complexity {
        write_alive(area, series)?;
    }
    Ok(())
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

type PanelChart<'a, 'b> = ChartContext<'b, BitMapBackend<'a>, Cartesian2d<Axis, Axis>>;

/// A column's values, as a line with gaps where it has none.
fn draw_curve<'a>(
    chart: &mut PanelChart<'a, '_>,
    series: &Series,
    column: &str,
    rgb: RGBColor,
) -> Drawn<'a> {
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
fn draw_alive<'a>(chart: &mut PanelChart<'a, '_>, series: &Series) -> Drawn<'a> {
    let line = colour(TEXT).stroke_width(2);
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
fn write_alive<'a>(area: &Area<'a>, series: &Series) -> Drawn<'a> {
    let (words, style) = match series.alive_at {
        Some(epoch) => {
            let epoch = thousands(epoch as usize);
            let words = format!("alive (above {ALIVE}) at epoch {epoch}");
            (words, text(20, TEXT))
        }
        None => {
            let words = format!("not alive (above {ALIVE}) yet");
            (words, text(20, FAINT_TEXT))
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
