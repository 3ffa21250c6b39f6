//! The screen: the soup, its entropy over epochs, the commonest programs; and what keys do.

use ratatui::Frame;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Sparkline};

use super::seen::{Common, Seen};
use super::soup::{By, Camera, Colours, Painter};
use crate::format::thousands;
use crate::measure::ALIVE;

/// From this width on, charts and programs lie beside the soup.
const WIDE: u16 = 100;
/// Entropy is drawn in thousandths of a bit.
const THOUSAND: f64 = 1000.0;

/// What becomes of the screen after a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Stay,
    End,
    /// As [`Next::End`], by Ctrl-C.
    Interrupt,
}

/// See the head of this file.
#[derive(Debug)]
pub(super) struct Screen {
    name: String,
    colours: Colours,
    by: By,
    camera: Camera,
    follows: bool,
    /// Where the soup was drawn last.
    area: Rect,
}

impl Screen {
    pub(super) fn new(name: String, colours: Colours) -> Screen {
        Screen {
            name,
            colours,
            by: By::Relatives,
            camera: Camera::default(),
            follows: true,
            area: Rect::default(),
        }
    }

    /// Whether what is new is to be shown.
    pub(super) fn follows(&self) -> bool {
        self.follows
    }

    /// Do what a key says.
    pub(super) fn press(&mut self, key: KeyEvent, seen: &Seen) -> Next {
        let area = self.area;
        match key.code {
            KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => {
                return Next::Interrupt;
            }
            KeyCode::Char('q') | KeyCode::Esc => return Next::End,
            KeyCode::Char(' ') => self.follows = !self.follows,
            KeyCode::Char('c') => {
                self.by = if self.by == By::Relatives {
                    By::Bytes
                } else {
                    By::Relatives
                }
            }
            KeyCode::Char('+' | '=') => self.camera.zoom(true, seen, area),
            KeyCode::Char('-') => self.camera.zoom(false, seen, area),
            KeyCode::Char('0') => self.camera = Camera::default(),
            KeyCode::Left => self.camera.pan((-1, 0), seen, area),
            KeyCode::Right => self.camera.pan((1, 0), seen, area),
            KeyCode::Up => self.camera.pan((0, -1), seen, area),
            KeyCode::Down => self.camera.pan((0, 1), seen, area),
            _ => {}
        }
        Next::Stay
    }

    /// Draw what is seen.
    pub(super) fn draw(&mut self, frame: &mut Frame<'_>, seen: &Seen) {
        // The head comes first, then the soup, then the foot.
        let whole = frame.area();
        let row = |y: u16, height: u16| Rect::new(0, y, whole.width, height).intersection(whole);
        let feet = u16::from(whole.height >= 3);
        let head = row(0, 1);
        let middle = row(1, whole.height.saturating_sub(1 + feet));
        let foot = row(whole.height - feet.min(whole.height), feet);
        frame.render_widget(self.head(seen, head.width), head);
        frame.render_widget(self.foot(foot.width), foot);
        let (soup, beside) = if middle.width >= WIDE {
            let widths = [Constraint::Fill(1), Constraint::Length(46)];
            let [soup, beside] = Layout::horizontal(widths).spacing(1).areas(middle);
            (soup, beside)
        } else {
            let listed = match middle.height {
                0..12 => 0,
                12..20 => 6,
                20..30 => 10,
                _ => 16,
            };
            let heights = [Constraint::Fill(1), Constraint::Length(listed)];
            let [soup, beside] = Layout::vertical(heights).areas(middle);
            (soup, beside)
        };
        self.area = soup;
        let painter = Painter::new(seen, self.by, self.colours);
        painter.paint(self.camera, soup, frame.buffer_mut());
        let [chart, list] =
            Layout::vertical([Constraint::Length(5), Constraint::Fill(1)]).areas(beside);
        if chart.height >= 3 {
            self.draw_entropy(frame, seen, chart);
        }
        self.draw_commonest(frame, seen, list);
    }

    /// What run it is and how far, the most important first; what does not fit is left out.
    fn head(&self, seen: &Seen, width: u16) -> Line<'static> {
        let (state, settings) = (&seen.state, &seen.scene.settings);
        let alive = match state.alive_at {
            Some(epoch) => format!("alive at {}", thousands(epoch as usize)),
            None => "not alive".into(),
        };
        let rate = match seen.rate {
            Some(rate) => format!("{rate:.1} epochs/s"),
            None => String::new(),
        };
        let log = match state.known {
            known if known > seen.frame.epoch => {
                format!("logged to {}", thousands(known as usize))
            }
            _ => String::new(),
        };
        let still = if self.follows { "" } else { "standing still" };
        let parts = [
            format!("epoch {}", thousands(seen.frame.epoch as usize)),
            alive,
            still.into(),
            rate,
            log,
            self.name.clone(),
            format!("{}, seed {}", settings.language, settings.seed),
            format!("{} programs", thousands(settings.num_programs)),
        ];
        Line::styled(
            fitted(&parts, width),
            Style::new().add_modifier(Modifier::BOLD),
        )
    }

    fn foot(&self, width: u16) -> Line<'static> {
        let by = match self.by {
            By::Relatives => "c bytes",
            By::Bytes => "c relatives",
        };
        let space = if self.follows {
            "space stand still"
        } else {
            "space follow"
        };
        let parts = ["q quit", space, by, "+ - 0 zoom", "arrows move"].map(String::from);
        Line::styled(
            fitted(&parts, width),
            Style::new().add_modifier(Modifier::DIM),
        )
    }

    fn style(&self, class: Option<u8>) -> Style {
        if self.colours == Colours::None {
            return Style::new();
        }
        Style::new().fg(self.colours.colour(Painter::class_colour(class)))
    }

    /// High-order entropy over the run, with a mark where the soup came alive.
    fn draw_entropy(&self, frame: &mut Frame<'_>, seen: &Seen, area: Rect) {
        let [title, bars, marks] = Layout::vertical([
            Constraint::Length(1),
            Constraint::Fill(1),
            Constraint::Length(1),
        ])
        .areas(area);
        let Some((_, last)) = seen.entropy.last() else {
            frame.render_widget("no log point yet", title);
            return;
        };
        let text = format!("high-order entropy {}", decimals(*last));
        frame.render_widget(text, title);
        let width = usize::from(bars.width);
        let values = spread(&seen.entropy, width);
        let most = values.iter().copied().max().unwrap_or(0);
        let most = most.max((f64::from(ALIVE) * THOUSAND) as u64);
        let line = Sparkline::default()
            .data(&values)
            .max(most)
            .style(self.style(Some(0)));
        frame.render_widget(line, bars);
        if let Some(text) = mark(&seen.entropy, seen.state.alive_at, width) {
            frame.render_widget(text, marks);
        }
    }

    fn draw_commonest(&self, frame: &mut Frame<'_>, seen: &Seen, area: Rect) {
        let language = seen.scene.settings.language;
        let Some((listed, distinct)) = &seen.commonest else {
            frame.render_widget("looking for common programs", area);
            return;
        };
        let of = match listed.as_slice() {
            [] => "no program twice".to_owned(),
            _ => "  count  score  program".to_owned(),
        };
        let width = usize::from(area.width);
        let distinct = format!("{} distinct programs", thousands(*distinct as usize));
        let mut lines = vec![Line::raw(distinct), Line::raw(of)];
        for it in listed {
            let Common {
                program,
                count,
                score,
                class,
                ..
            } = it;
            let head = format!("{:>7}  {score:>5}  ", thousands(*count as usize));
            let room = width.saturating_sub(head.chars().count());
            let text: String = program.iter().map(|it| language.byte_text(*it)).collect();
            let text: String = text.chars().take(room).collect();
            lines.push(Line::from(vec![
                Span::raw(head),
                Span::styled(text, self.style(*class)),
            ]));
        }
        frame.render_widget(Paragraph::new(lines), area);
    }
}

/// The parts that fit, with gaps between them.
fn fitted(parts: &[String], width: u16) -> String {
    let mut line = String::new();
    for part in parts.iter().filter(|part| !part.is_empty()) {
        let gap = if line.is_empty() { "" } else { "  " };
        let needed = line.chars().count() + gap.len() + part.chars().count();
        if needed > usize::from(width) {
            break;
        }
        line = line + gap + part;
    }
    line
}

/// An entropy with three decimals; what rounds to 0 has no sign.
fn decimals(entropy: f64) -> String {
    let text = format!("{entropy:.3}");
    if text == "-0.000" {
        "0.000".into()
    } else {
        text
    }
}

/// Entropy in thousandths of a bit over so many columns, the highest of each.
fn spread(entropy: &[(u64, f64)], columns: usize) -> Vec<u64> {
    let n = entropy.len();
    let part = |at: usize| {
        let from = at * n / columns;
        let to = ((at + 1) * n / columns).max(from + 1);
        let found = entropy[from..to].iter().map(|it| it.1);
        // What is no number counts as nothing.
        (found.fold(0.0, f64::max) * THOUSAND) as u64
    };
    (0..columns).map(part).collect()
}

/// The line below the chart that marks where the soup came alive.
fn mark(entropy: &[(u64, f64)], alive_at: Option<u64>, columns: usize) -> Option<String> {
    let epoch = alive_at?;
    let at = entropy.iter().position(|it| it.0 >= epoch)?;
    let column = at * columns / entropy.len();
    let text = format!("alive at {}", thousands(epoch as usize));
    let before = text.chars().count() + 1;
    Some(if column >= before && column + before >= columns {
        format!("{}{text} ▲", " ".repeat(column - before))
    } else {
        format!("{}▲ {text}", " ".repeat(column))
    })
}

#[cfg(test)]
mod tests;
