//! Colours of the terminal: the same that pictures have.

use broth::language::Language;
use broth::plot::theme::Theme;

pub(super) const RESET: &str = "\x1b[0m";
pub(super) const DIM: &str = "\x1b[2m";
pub(super) const BOLD: &str = "\x1b[1m";

/// What stands at a place of the tape, in order of importance.
pub(super) const MARKS: [&str; 4] = [
    "\x1b[48;2;0;110;60m",
    "\x1b[48;2;20;70;170m",
    "\x1b[48;2;170;30;30m",
    "\x1b[48;2;120;90;0m",
];

/// The bytes of a tape in the colours of their kinds, those at `marks` with a
/// background: the program counter, then heads or operands.
pub(super) fn tape(language: &Language, tape: &[u8], marks: [Option<usize>; 4]) -> String {
    let mut text = String::new();
    for (place, byte) in tape.iter().enumerate() {
        let [r, g, b] = Theme::Dark.role_colour(language.kind(*byte).role);
        let mark = marks.iter().position(|mark| *mark == Some(place));
        let background = mark.map_or("", |mark| MARKS[mark]);
        let symbol = language.byte_text(*byte);
        text.push_str(&format!(
            "{background}\x1b[38;2;{r};{g};{b}m{symbol}{RESET}"
        ));
    }
    text
}
