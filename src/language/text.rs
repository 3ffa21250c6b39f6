//! Program text: a readable form of the bytes of a language.

use super::bff::{COMMANDS, Dialect, Op};

/// Invalid program text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("program text, character {position}: {problem}")]
#[non_exhaustive]
pub struct TextError {
    /// The position of the character, from 1.
    pub position: usize,
    /// What is wrong with it, and what would be right.
    pub problem: String,
}

impl From<TextError> for crate::Error {
    fn from(error: TextError) -> Self {
        crate::Error::Usage(error.to_string())
    }
}

fn error<T>(index: usize, problem: impl Into<String>) -> Result<T, TextError> {
    Err(TextError {
        position: index + 1,
        problem: problem.into(),
    })
}

pub(super) fn parse_commands(
    language: &str,
    dialect: &Dialect,
    text: &str,
) -> Result<Vec<u8>, TextError> {
    let mut bytes = Vec::new();
    let mut chars = text.chars().enumerate();
    while let Some((index, char)) = chars.next() {
        let command = COMMANDS.iter().position(|c| *c == char);
        let op = match (char, command) {
            (_, Some(command)) => Op::ALL[command],
            ('0', _) => Op::Null,
            (' ', _) => Op::Noop,
            ('\\', _) => {
                let escape: String = chars.by_ref().take(3).map(|(_, c)| c).collect();
                match escape.strip_prefix('x').map(byte_of_hex) {
                    Some(Some(byte)) => bytes.push(byte),
                    _ => return error(index, "an escape is \\x and two hex digits, as in \\x5b"),
                }
                continue;
            }
            _ => {
                if let Some(byte) = byte_of_glyph(char) {
                    bytes.push(byte);
                    continue;
                }
                return error(
                    index,
                    format!(
                        "{char:?} stands for nothing; use {} for commands, 0 for null, \
                         a space for a no-op, \\xHH for any byte, or cubff's glyphs",
                        COMMANDS.iter().collect::<String>()
                    ),
                );
            }
        };
        match dialect.byte_of(op) {
            Some(byte) => bytes.push(byte),
            None => return error(index, format!("{language} has no command {char:?}")),
        }
    }
    Ok(bytes)
}

/// The character for `byte`, if there is one; several bytes of a dialect may share it.
pub(super) fn command_symbol(dialect: &Dialect, byte: u8) -> Option<char> {
    match dialect.op(byte) {
        Op::Null => Some('0'),
        Op::Noop => (dialect.byte_of(Op::Noop) == Some(byte)).then_some(' '),
        op => Some(COMMANDS[op as usize]),
    }
}

pub(super) fn show_commands(dialect: &Dialect, program: &[u8]) -> String {
    let mut text = String::new();
    for byte in program {
        match command_symbol(dialect, *byte) {
            Some(symbol) if dialect.byte_of(dialect.op(*byte)) == Some(*byte) => text.push(symbol),
            _ => text.push_str(&format!("\\x{byte:02x}")),
        }
    }
    text
}

/// cubff's glyphs for bytes that are no command: U+0100 and on, but letters for the digraphs.
fn glyph(byte: u8) -> char {
    let letter = match byte {
        0xc4..=0xcc => b'A' + (byte - 0xc4),
        0xf1..=0xf3 => b'J' + (byte - 0xf1),
        _ => return char::from_u32(0x100 + u32::from(byte)).unwrap_or('\u{fffd}'),
    };
    char::from(letter)
}

fn byte_of_glyph(char: char) -> Option<u8> {
    (0..=u8::MAX).find(|byte| glyph(*byte) == char)
}

/// A program as cubff prints it.
pub(super) fn show_glyphs(dialect: &Dialect, program: &[u8]) -> String {
    let symbol = |byte: &u8| match dialect.op(*byte) {
        Op::Noop => glyph(*byte),
        Op::Null => '0',
        op => COMMANDS[op as usize],
    };
    program.iter().map(symbol).collect()
}

pub(super) fn parse_hex(text: &str) -> Result<Vec<u8>, TextError> {
    let mut bytes = Vec::new();
    let mut chars = text.chars().enumerate();
    while let Some((index, first)) = chars.next() {
        if first.is_ascii_whitespace() {
            continue;
        }
        let Some((second_index, second)) = chars.next() else {
            return error(
                index,
                format!("{first:?} is half a byte; write two hex digits"),
            );
        };
        match (first.to_digit(16), second.to_digit(16)) {
            (Some(high), Some(low)) => bytes.push((high * 16 + low) as u8),
            (None, _) => return error(index, format!("{first:?} is not a hex digit")),
            (_, None) => return error(second_index, format!("{second:?} is not a hex digit")),
        }
    }
    Ok(bytes)
}

fn byte_of_hex(digits: &str) -> Option<u8> {
    match parse_hex(digits).as_deref() {
        Ok([byte]) => Some(*byte),
        _ => None,
    }
}

pub(super) fn show_hex(program: &[u8]) -> String {
    program.iter().map(|byte| format!("{byte:02X}")).collect()
}

#[cfg(test)]
mod tests {
    use crate::language::{Language, bff};

    fn parse(language: &Language, text: &str) -> Result<Vec<u8>, (usize, String)> {
        language
            .parse_program(text)
            .map_err(|error| (error.position, error.problem))
    }

    #[test]
    fn glyphs_of_cubff_are_read_and_written() {
        for language in Language::ALL {
            let all: Vec<u8> = (0..=255).collect();
            let Some(glyphs) = language.glyphs(&all) else {
                continue;
            };
            assert_eq!(glyphs.chars().count(), 256);
            let read = language.parse_program(&glyphs).unwrap();
            assert_eq!(language.glyphs(&read).unwrap(), glyphs, "{language}");
            // A no-op is read as itself; a command may be one of several bytes.
            for (byte, read) in all.iter().zip(&read) {
                let is_noop = ["·", " "].contains(&&*language.byte_text(*byte));
                assert!(read == byte || !is_noop, "{language}, {byte}");
            }
        }
        assert_eq!(
            parse(&bff::BFF, "ķ<ƃAILǿ ").unwrap(),
            [0x37, b'<', 0x83, 0xc4, 0xcc, 0xf3, 0xff, b' ']
        );
        assert_eq!(bff::BFF.glyphs(b"7<\x83\xc4[\0 ").unwrap(), "ķ<ƃA[0Ġ");
        assert!(crate::language::subleq::SUBLEQ.glyphs(b"7").is_none());
    }

    #[test]
    fn commands_are_the_dialects_own_bytes() {
        assert_eq!(
            parse(&bff::BFF, "[]+-.,<>{}0 \\x7f").unwrap(),
            b"[]+-.,<>{}\0 \x7f"
        );
        assert_eq!(
            parse(&bff::BFF_PERM, "[]+-.,<>{}0").unwrap(),
            [9, 10, 5, 6, 7, 8, 1, 2, 3, 4, 0]
        );
        assert_eq!(
            parse(&bff::BFF_NOHEADS_4BIT, "[}0 ").unwrap(),
            [0xf6, 0xff, 0xf0, 0xf1]
        );
        assert_eq!(parse(&bff::BFF_SELFMOVE, "><0").unwrap(), [0, 1, 0]);
    }

    #[test]
    fn errors_name_the_character() {
        assert_eq!(parse(&bff::BFF, "[[é]").unwrap_err().0, 3);
        assert_eq!(parse(&bff::BFF, "[[\\x5").unwrap_err().0, 3);
        assert_eq!(parse(&bff::BFF, "\\q41").unwrap_err().0, 1);
        assert_eq!(
            parse(&bff::BFF_SELFMOVE, "[.").unwrap_err(),
            (2, "bff_selfmove has no command '.'".into())
        );
        let forth = "forth".parse::<&Language>().unwrap();
        assert_eq!(parse(forth, "40 4").unwrap_err().0, 4);
        assert_eq!(parse(forth, "40 4g").unwrap_err().0, 5);
        assert_eq!(parse(forth, "4 0").unwrap_err().0, 2);
    }

    #[test]
    fn text_reads_back() {
        let all: Vec<u8> = (0..=255).collect();
        for language in Language::ALL {
            let text = language.program_text(&all);
            assert_eq!(language.parse_program(&text).unwrap(), all, "{language}");
        }
    }
}
