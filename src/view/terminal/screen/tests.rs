use std::sync::Arc;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::style::Color;

use super::*;
use crate::run::Plan;
use crate::soup::settings::Settings;
use crate::view::frame::Camera as Frames;
use crate::view::scene::{Origin, Scene};
use crate::view::shared::State;

/// A soup of 64 programs, of which the upper half is alive and of class 0.
fn seen() -> Seen {
    let settings = Settings {
        num_programs: 64,
        seed: 7,
        ..Settings::default()
    };
    let programs: Vec<u8> = (0..64 * 64)
        .map(|i| if i < 32 * 64 { b'[' } else { 0 })
        .collect();
    let commonest = vec![Common {
        program: vec![b'['; 64],
        count: 32,
        share: 0.5,
        score: 48,
        class: Some(0),
    }];
    Seen {
        frame: Frames::default().take(&programs, 64, 1025, 1),
        scene: Arc::new(Scene {
            settings,
            plan: Plan::default(),
            origin: Origin::Folder("run".into()),
            generation: 1,
        }),
        state: State {
            alive_at: Some(945),
            known: 1089,
            ..State::default()
        },
        classes: Arc::new((0..64).map(|i| if i < 32 { 0 } else { 255 }).collect()),
        entropy: (0..=68).map(|i| (16 * i + 1, i as f64 / 16.0)).collect(),
        commonest: Some((commonest, 33)),
        rate: Some(12.34),
    }
}

fn drawn(screen: &mut Screen, seen: &Seen, size: (u16, u16)) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(size.0, size.1)).unwrap();
    terminal.draw(|frame| screen.draw(frame, seen)).unwrap();
    terminal.backend().buffer().clone()
}

fn text(buffer: &Buffer) -> String {
    let width = usize::from(buffer.area.width);
    let rows = buffer.content().chunks(width);
    let rows = rows.map(|row| row.iter().map(|cell| cell.symbol()).collect::<String>());
    rows.collect::<Vec<String>>().join("\n")
}

fn screen(colours: Colours) -> Screen {
    Screen::new("my-run".into(), colours)
}

fn press(screen: &mut Screen, seen: &Seen, code: KeyCode) -> Next {
    screen.press(KeyEvent::new(code, KeyModifiers::NONE), seen)
}

/// The foregrounds of the soup's cells.
fn soup_colours(buffer: &Buffer) -> Vec<Color> {
    let cells = buffer.content().iter().filter(|it| it.symbol() == "▀");
    cells.map(|it| it.fg).collect()
}

#[test]
fn a_wide_screen_shows_soup_entropy_and_programs() {
    let (seen, mut screen) = (seen(), screen(Colours::All));
    let shown = text(&drawn(&mut screen, &seen, (120, 40)));
    for part in [
        "epoch 1,025",
        "alive at 945",
        "12.3 epochs/s",
        "logged to 1,089",
        "my-run",
        "seed 7",
        "high-order entropy 4.250",
        "▲",
        "33 distinct programs",
        "32     48  [[[[",
        "q quit",
        "▀",
    ] {
        assert!(shown.contains(part), "no `{part}` in\n{shown}");
    }
}

/// Every size has room for what matters most, and nothing panics.
#[test]
fn any_size_will_do() {
    let seen = seen();
    for width in [1, 2, 10, 40, 79, 80, 100, 200] {
        for height in [1, 2, 3, 5, 12, 24, 60] {
            let mut screen = screen(Colours::Indexed);
            let shown = text(&drawn(&mut screen, &seen, (width, height)));
            if width >= 40 {
                assert!(shown.contains("epoch 1,025  alive at 945"), "{shown}");
            }
            for code in [KeyCode::Char('+'), KeyCode::Right, KeyCode::Down] {
                press(&mut screen, &seen, code);
                drawn(&mut screen, &seen, (width, height));
            }
        }
    }
    let narrow = text(&drawn(&mut screen(Colours::All), &seen, (40, 24)));
    for part in ["high-order entropy", "alive at 945", "48  [[[[", "▀"] {
        assert!(narrow.contains(part), "no `{part}` in\n{narrow}");
    }
}

#[test]
fn keys_choose_what_is_seen() {
    let (seen, mut screen) = (seen(), screen(Colours::All));
    let size = (60, 14);
    let whole = drawn(&mut screen, &seen, size);
    // Relatives are blue, the others grey.
    let colours = soup_colours(&whole);
    let blue = Colours::All.colour(Painter::class_colour(Some(0)));
    let grey = Colours::All.colour(Painter::class_colour(None));
    assert!(colours.contains(&blue) && colours.contains(&grey));
    press(&mut screen, &seen, KeyCode::Char('c'));
    let bytes = soup_colours(&drawn(&mut screen, &seen, size));
    assert!(!bytes.contains(&blue) && bytes.len() == colours.len());
    assert!(
        bytes.contains(&Color::Rgb(255, 255, 255)),
        "nulls are white"
    );
    press(&mut screen, &seen, KeyCode::Char('c'));
    // Closer: the upper left corner of the soup's middle; then down to the other half.
    for _ in 0..9 {
        press(&mut screen, &seen, KeyCode::Char('+'));
    }
    for _ in 0..40 {
        press(&mut screen, &seen, KeyCode::Up);
    }
    let upper = soup_colours(&drawn(&mut screen, &seen, size));
    assert!(upper.iter().all(|it| *it == blue) && upper.len() > colours.len());
    for _ in 0..40 {
        press(&mut screen, &seen, KeyCode::Down);
    }
    let lower = soup_colours(&drawn(&mut screen, &seen, size));
    assert!(lower.iter().all(|it| *it == grey), "{lower:?}");
    press(&mut screen, &seen, KeyCode::Char('0'));
    assert_eq!(drawn(&mut screen, &seen, size), whole);
    for _ in 0..3 {
        press(&mut screen, &seen, KeyCode::Char('+'));
    }
    for _ in 0..3 {
        press(&mut screen, &seen, KeyCode::Char('-'));
    }
    assert_eq!(drawn(&mut screen, &seen, size), whole);
    press(&mut screen, &seen, KeyCode::Char(' '));
    assert!(!screen.follows());
    assert!(text(&drawn(&mut screen, &seen, size)).contains("standing still"));
    press(&mut screen, &seen, KeyCode::Char(' '));
    assert!(screen.follows());
    assert_eq!(press(&mut screen, &seen, KeyCode::Char('x')), Next::Stay);
    assert_eq!(press(&mut screen, &seen, KeyCode::Char('q')), Next::End);
    let ctrl_c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    assert_eq!(screen.press(ctrl_c, &seen), Next::Interrupt);
}

#[test]
fn without_colours_letters_tell_programs_apart() {
    let (seen, mut screen) = (seen(), screen(Colours::None));
    let by_class = drawn(&mut screen, &seen, (80, 40));
    assert!(by_class.content().iter().all(|it| it.fg == Color::Reset));
    let shown = text(&by_class);
    assert!(shown.contains("1111") && shown.contains("...."), "{shown}");
    press(&mut screen, &seen, KeyCode::Char('c'));
    for _ in 0..9 {
        press(&mut screen, &seen, KeyCode::Char('+'));
    }
    let shown = text(&drawn(&mut screen, &seen, (30, 10)));
    assert!(shown.contains("[[[[[["), "{shown}");
}

#[test]
fn a_run_without_log_points_is_shown_too() {
    let mut seen = seen();
    seen.entropy.clear();
    seen.commonest = None;
    seen.state = State::default();
    seen.rate = None;
    let shown = text(&drawn(&mut screen(Colours::All), &seen, (80, 24)));
    for part in ["no log point yet", "looking for common", "not alive"] {
        assert!(shown.contains(part), "no `{part}` in\n{shown}");
    }
}

#[test]
fn entropy_is_spread_over_columns() {
    let rows = [(1, 1.0), (17, f64::NAN), (33, -0.5), (49, 3.5)];
    assert_eq!(spread(&rows, 4), [1000, 0, 0, 3500]);
    assert_eq!(spread(&rows, 2), [1000, 3500]);
    assert_eq!(spread(&rows, 8).len(), 8);
    assert!(spread(&rows, 0).is_empty());
    assert_eq!(mark(&rows, Some(40), 8).unwrap(), "      ▲ alive at 40");
    assert_eq!(mark(&rows, Some(40), 16).unwrap(), "alive at 40 ▲");
    assert_eq!(mark(&rows, None, 8), None);
    assert_eq!(decimals(-0.0001), "0.000");
}
