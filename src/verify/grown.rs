//! Tapes grown around loops: every form that engines have a shortcut for, next to forms that just
//! miss being one; loops in loops, that write to themselves, whose heads wrap around the tape,
//! that run into data one step away from commands.

use super::draw::Draw;
use super::tapes::Bytes;
use crate::examples;
use crate::language::bff::{Brackets, COMMANDS, Dialect, Op};
use crate::language::{Family, Language, PROGRAM_LEN, TAPE_LEN, Tape};

/// Bodies of loops of the BFF family, of every closed form and others.
pub(super) const BODIES: [&str; 78] = [
    // Scans.
    "", "<", ">", "{", "}", "<<", ">>>", "<{", ">}", ">><{", // Counts.
    "+", "-", ">-<", "<+>", "}-", "{+",
    // Copies, forwards, backwards and apart, tested before or behind.
    ".<{", ".>}", ".<}", ".>{", "<.}", "{.>", ",<{", ",>}", ",<}", ",>{", "<,}", ">,{", "{,>",
    "}.<", "{.<>>", "<,}.", ">>.<{", "}}.{>", // Nests of a copy.
    "[,}<]-", "[,>}]+", "[,<}]-", "[,>{] - ", "[.>}]-", "[<,}]-", "[,}<]-+", "[},>],", "[},>],-",
    "[,}<]{,}", "[,}>]-,", "[,}<,]-", "[-,}<]-", "[,,}>],", "[,{<,]+",
    // Clumsy copies.
    ".,,>}", "{<-,", ">+,}", "{<,,", ",<{,", ".{<,", ",,,<{,", "<,,}", ">{..", ",.>}",
    // Nearly one of these, and others.
    "+>", "-<", "->+<", "+>-", ".>}+", ",.", ".}<,>", ">+", ">>.}}", "<,", ">,", ".>>}", ".}", "--",
    "[>]", "[-]>", "[>[-]<]", "-[.}]>", "+-",
];

/// What lies around the code, and between its commands.
#[derive(Clone, Copy, Debug)]
enum Fill {
    Noop,
    Null,
    Data,
    /// Bytes one step away from other kinds.
    Near,
    Commands,
    Any,
    /// Data, and nulls now and then.
    FewNulls,
}

const FILLS: [Fill; 9] = [
    Fill::Noop,
    Fill::Null,
    Fill::Data,
    Fill::Data,
    Fill::FewNulls,
    Fill::FewNulls,
    Fill::Near,
    Fill::Commands,
    Fill::Any,
];

impl Fill {
    fn byte(self, bytes: &Bytes, draw: &mut Draw) -> u8 {
        match self {
            Fill::Noop => bytes.noop(),
            Fill::Null => 0,
            Fill::Data => bytes.data(draw),
            Fill::Near => bytes.near(draw),
            Fill::Commands => bytes.command(draw),
            Fill::Any => draw.byte(),
            Fill::FewNulls => match draw.below(24) {
                0 => 0,
                _ => bytes.data(draw),
            },
        }
    }
}

/// A tape of `language` grown around loops.
pub(super) fn tape(language: &Language, bytes: &Bytes, draw: &mut Draw) -> Tape {
    let fill = draw.of(&FILLS);
    let mut tape: Tape = std::array::from_fn(|_| fill.byte(bytes, draw));
    if let Family::Bff(dialect) = &language.family
        && dialect.first_place() > 0
    {
        // The heads, often next to each other or half a tape apart.
        tape[0] = draw.byte();
        tape[1] = match draw.below(3) {
            0 => draw.byte(),
            1 => tape[0].wrapping_add(64),
            _ => tape[0].wrapping_add(draw.between(0, 4) as u8),
        };
    }
    if draw.one_in(6) {
        plant_example(language, &mut tape, draw);
    }
    for _ in 0..draw.of(&[1, 1, 1, 2, 3]) {
        let code = code(language, bytes, draw);
        // Most runs come to what is near the start.
        let place = match draw.below(3) {
            0 => draw.below(TAPE_LEN),
            _ => draw.below(12),
        };
        put(&mut tape, place, &code, draw);
    }
    tape
}

/// Write `code` to the tape from `place` on, as far as it fits, with room between its bytes now
/// and then.
fn put(tape: &mut Tape, mut place: usize, code: &[u8], draw: &mut Draw) {
    let room = draw.of(&[0, 0, 1, 3]);
    for byte in code {
        if place < TAPE_LEN {
            tape[place] = *byte;
        }
        place += 1;
        if room > 0 && draw.one_in(8) {
            place += draw.between(1, 2 * room);
        }
    }
}

/// A known replicator in either program, its free places as they are.
fn plant_example(language: &Language, tape: &mut Tape, draw: &mut Draw) {
    let examples: Vec<_> = examples::of(language).collect();
    if examples.is_empty() {
        return;
    }
    let example = draw.of(&examples);
    let side = draw.of(&[0, PROGRAM_LEN]);
    let program = example.program_with(|place| tape[side + place % PROGRAM_LEN]);
    tape[side..side + program.len()].copy_from_slice(&program);
}

/// Some code with a loop.
fn code(language: &Language, bytes: &Bytes, draw: &mut Draw) -> Vec<u8> {
    match &language.family {
        Family::Bff(dialect) => bff_code(dialect, draw),
        Family::Forth(_) | Family::RelativeForth(_) => forth_code(bytes, draw),
        Family::RelativeSubleq(_) => relative_subleq_code(draw),
        Family::Subleq(_) | Family::Machine(_) => subleq_code(draw),
    }
}

fn bff_code(dialect: &Dialect, draw: &mut Draw) -> Vec<u8> {
    let mut text = String::new();
    if let Brackets::Jump(distance) = dialect.brackets() {
        // A loop is as long as its jump.
        for _ in 0..draw.between(1, 3) {
            let body: String = draw
                .of(&BODIES)
                .chars()
                .filter(|c| *c != '[' && *c != ']')
                .collect();
            text.push_str(&format!("{body:<distance$.distance$}]"));
        }
        return bff_bytes(dialect, &text);
    }
    // Heads apart from each other and from the loop.
    for _ in 0..draw.of(&[0, 0, 2, 4, 8, 16]) {
        text.push(draw.of(&['<', '>', '{', '}', '>', '{']));
    }
    if draw.one_in(4) {
        text.push(draw.of(&['+', '-', '.', ',']));
    }
    add_loop(&mut text, draw, 3);
    if draw.one_in(3) {
        text.push(draw.of(&['+', '-', '.', ',', '<', '>', ']', '[']));
        add_loop(&mut text, draw, 2);
    }
    if draw.one_in(8) {
        // A bracket too few or too many, or another command.
        let at = draw.below(text.len());
        text.remove(at);
    }
    bff_bytes(dialect, &text)
}

/// The bytes of commands and spaces; a command that the dialect lacks is left out.
fn bff_bytes(dialect: &Dialect, text: &str) -> Vec<u8> {
    let index = |char| COMMANDS.iter().position(|command| *command == char);
    let bytes = text.chars().filter_map(|char| match char {
        ' ' => dialect.byte_of(Op::Noop),
        _ => dialect.commands()[index(char)?],
    });
    bytes.collect()
}

fn add_loop(text: &mut String, draw: &mut Draw, depth: usize) {
    text.push('[');
    match draw.below(if depth == 0 { 3 } else { 6 }) {
        0..3 => text.push_str(draw.of(&BODIES)),
        3 => {
            for _ in 0..draw.between(1, 7) {
                text.push(draw.of(&COMMANDS[2..]));
            }
        }
        4 => {
            for _ in 0..draw.between(0, 3) {
                text.push(draw.of(&COMMANDS[2..]));
            }
            add_loop(text, draw, depth - 1);
            for _ in 0..draw.between(0, 3) {
                text.push(draw.of(&COMMANDS[2..]));
            }
        }
        _ => {
            add_loop(text, draw, depth - 1);
            text.push(draw.of(&['-', '+', '>', '<', ' ', '.']));
            add_loop(text, draw, depth - 1);
        }
    }
    text.push(']');
}

/// Pushes, and a loop of a few ops that jumps back to its first byte or near it.
fn forth_code(bytes: &Bytes, draw: &mut Draw) -> Vec<u8> {
    let mut code = Vec::new();
    for _ in 0..draw.below(5) {
        code.push(0x40 + draw.below(64) as u8);
    }
    for _ in 0..draw.of(&[1, 1, 2]) {
        let len = draw.between(0, 9);
        for _ in 0..len {
            code.push(match draw.below(8) {
                0 => 0x40 + draw.below(20) as u8,
                1 => 0x80 + draw.below(4) as u8,
                2 => 0x20,
                3 => bytes.command(draw),
                _ => draw.below(20) as u8,
            });
        }
        let back = match draw.below(5) {
            0 => draw.below(14),
            _ => len,
        };
        // A jump back by so many places and one.
        code.push(0xc0 | ((back.max(1) - 1) as u8 % 64));
    }
    code
}

fn relative_subleq_code(draw: &mut Draw) -> Vec<u8> {
    let byte = |draw: &mut Draw| match draw.below(5) {
        0 => draw.below(12) as u8,
        1 => 0xff - draw.below(12) as u8,
        2 => 0,
        3 => 64 + draw.below(4) as u8,
        _ => draw.byte(),
    };
    (0..4 * draw.between(1, 8)).map(|_| byte(draw)).collect()
}

fn subleq_code(draw: &mut Draw) -> Vec<u8> {
    let byte = |draw: &mut Draw| match draw.below(4) {
        0 => 3 * draw.below(8) as u8,
        1 => draw.below(24) as u8,
        2 => 64 + draw.below(8) as u8,
        _ => draw.byte(),
    };
    (0..3 * draw.between(1, 10)).map(|_| byte(draw)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::reference;
    use crate::language::Ended;

    #[test]
    fn tapes_have_loops_that_go_on() {
        for language in Language::ALL {
            let bytes = Bytes::of(language);
            let mut draw = Draw::new(&[5]);
            let long = (0..400).filter(|_| {
                let mut tape = tape(language, &bytes, &mut draw);
                reference::run(language, &mut tape, 2000).steps > 200
            });
            assert!(long.count() > 80, "{language}");
        }
    }

    #[test]
    fn runs_end_in_every_way() {
        let language = &crate::language::bff::BFF_NOHEADS;
        let bytes = Bytes::of(language);
        let mut draw = Draw::new(&[6]);
        let mut ended = [0; Ended::ALL.len()];
        for _ in 0..400 {
            let mut tape = tape(language, &bytes, &mut draw);
            ended[reference::run(language, &mut tape, 2000).ended as usize] += 1;
        }
        assert!(ended[..3].iter().all(|count| *count > 20), "{ended:?}");
    }
}
