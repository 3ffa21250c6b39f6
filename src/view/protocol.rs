//! The messages of the WebSocket, as docs/view.md describes them: binary ones from the server,
//! and commands as JSON from the page.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::frame::{Frame, HEADER_LEN};

/// The type of a frame with the programs that differ from those of an earlier frame.
pub(super) const CHANGES: u8 = 2;
/// The type of a frame with every second or fourth byte, in columns and rows.
pub(super) const SAMPLE: u8 = 3;
/// The type of a message with a byte for each program.
pub(super) const PLANE: u8 = 4;
/// The type of a message with log rows.
pub(super) const ROWS: u8 = 5;
/// Bytes before the payload of planes and rows.
const SHORT_HEADER_LEN: usize = 16;

/// Commands are no longer than this.
pub(super) const LONGEST_COMMAND: usize = 1 << 16;

/// The message with what has changed since `base`: a bit for each program that has, then their
/// bytes. Nothing where it would be no shorter than the whole frame, or the frames have different
/// soups' sizes.
pub(super) fn changes(base: &Frame, now: &Frame) -> Option<Vec<u8>> {
    let len = now.program_len;
    if base.program_len != len || base.programs().len() != now.programs().len() {
        return None;
    }
    let n = now.num_programs();
    let bits_len = n.div_ceil(8);
    let most = (now.programs().len().saturating_sub(bits_len)) / len;
    let mut bits = vec![0_u8; bits_len];
    let mut changed = Vec::with_capacity(most.min(n / 4 + 1));
    let pairs = base.programs().chunks_exact(len);
    for (i, (old, new)) in pairs.zip(now.programs().chunks_exact(len)).enumerate() {
        if old != new {
            if changed.len() >= most {
                return None;
            }
            bits[i / 8] |= 1 << (i % 8);
            changed.push(i as u32);
        }
    }
    let mut message = Vec::with_capacity(HEADER_LEN + bits_len + changed.len() * len);
    message.extend(now.header(CHANGES, 1, (base.id, changed.len() as u32)));
    message.extend(bits);
    for i in changed {
        message.extend_from_slice(&now.programs()[i as usize * len..][..len]);
    }
    Some(message)
}

/// The message with every `step`-th byte of the programs' tiles, which are `tile_width` wide, in
/// columns and rows.
pub(super) fn sample(frame: &Frame, step: usize, tile_width: usize) -> Vec<u8> {
    let len = frame.program_len;
    let height = len / tile_width;
    let places: Vec<usize> = (0..height)
        .step_by(step)
        .flat_map(|y| {
            (0..tile_width)
                .step_by(step)
                .map(move |x| y * tile_width + x)
        })
        .collect();
    let n = frame.num_programs();
    let mut message = vec![0; HEADER_LEN + n * places.len()];
    let (header, bytes) = message.split_at_mut(HEADER_LEN);
    header.copy_from_slice(&frame.header(SAMPLE, step as u8, (0, 0)));
    let programs = frame.programs().chunks_exact(len);
    for (program, out) in programs.zip(bytes.chunks_exact_mut(places.len())) {
        for (byte, place) in out.iter_mut().zip(&places) {
            *byte = program[*place];
        }
    }
    message
}

/// What a byte for each program tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Plane {
    /// Nothing is sent.
    #[default]
    None,
    /// The class of relatives that the program belongs to; 255 for none.
    Class,
    /// How long ago it changed: 16 times the binary logarithm of 1 + epochs, 255 at most.
    Age,
}

/// The message with a byte for each program.
pub(super) fn plane(plane: Plane, frame: &Frame, values: &[u8]) -> Vec<u8> {
    let mut message = Vec::with_capacity(SHORT_HEADER_LEN + values.len());
    message.extend([PLANE, plane as u8, 0, 0]);
    message.extend((values.len() as u32).to_le_bytes());
    message.extend(frame.epoch.to_le_bytes());
    message.extend(values);
    message
}

/// The message with rows of the log, `columns` numbers each. Those before are no longer valid
/// where this is a new `beginning`.
pub(super) fn rows(beginning: bool, columns: usize, values: &[f64]) -> Vec<u8> {
    let count = values.len().checked_div(columns).unwrap_or(0);
    let mut message = Vec::with_capacity(SHORT_HEADER_LEN + 8 * values.len());
    message.extend([ROWS, u8::from(beginning)]);
    message.extend((columns as u16).to_le_bytes());
    message.extend((count as u32).to_le_bytes());
    message.extend([0; 8]);
    for value in values {
        message.extend(value.to_le_bytes());
    }
    message
}

/// What a page asks for.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum Command {
    /// The next frame, once there is a newer one than that sent last.
    Next(Wish),
    /// Run on.
    Play {},
    /// Stand still.
    Pause {},
    /// Run so many epochs, then stand still.
    Step {
        /// How many.
        epochs: u64,
    },
    /// Run no faster than so many epochs a second; as fast as possible where nothing is said.
    Speed {
        /// How many.
        rate: Option<f64>,
    },
    /// Go to the soup after so many epochs, forwards or backwards.
    Jump {
        /// How many.
        epoch: u64,
    },
    /// Replace a program, as pairs of hex digits.
    Plant {
        /// Its index.
        index: usize,
        /// Its bytes.
        hex: String,
    },
    /// Begin another soup.
    New(NewSoup),
    /// Begin the soup of a preset.
    Preset {
        /// Its name.
        name: String,
    },
    /// Trace the commonest replicator back to the interaction that made its ancestor, and go there.
    Birth {},
    /// Of a run folder, show its newest checkpoint, and those that follow.
    Follow {},
}

/// What the next frame is to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wish {
    /// 1 for all bytes; 2 or 4 for every second or fourth, in columns and rows; 0 for none.
    pub sample: u8,
    /// What is told of each program besides.
    #[serde(default)]
    pub plane: Plane,
}

/// Settings of a soup, as an address holds them.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewSoup {
    /// By the names of `broth run`'s flags, as they are written there.
    pub settings: BTreeMap<String, String>,
    /// What was planted: after how many epochs, at which index, as hex digits.
    #[serde(default)]
    pub plants: Vec<(u64, usize, String)>,
    /// Where to go first.
    #[serde(default)]
    pub epoch: Option<u64>,
    /// Whether to go on from there.
    #[serde(default)]
    pub play: bool,
}

impl Command {
    /// Plants that an address may hold.
    const MOST_PLANTS: usize = 256;

    /// Read a message of a page. What is wrong with it is for its reader.
    pub(super) fn parse(text: &str) -> Result<Command, String> {
        if text.len() > LONGEST_COMMAND {
            return Err(format!(
                "a command of {} bytes; the longest has {LONGEST_COMMAND}",
                text.len()
            ));
        }
        let command: Command =
            serde_json::from_str(text).map_err(|error| format!("no command: {error}"))?;
        let problem = match &command {
            Command::Next(wish) if ![0, 1, 2, 4].contains(&wish.sample) => {
                Some("`sample` is 0, 1, 2 or 4")
            }
            Command::Step { epochs } if *epochs == 0 || *epochs > MOST_EPOCHS => {
                Some("`epochs` is a number from 1 to 2^53")
            }
            Command::Jump { epoch } if *epoch > MOST_EPOCHS => Some("`epoch` is at most 2^53"),
            Command::Speed { rate: Some(rate) } if !(0.01..=1e9).contains(rate) => {
                Some("`rate` is a number from 0.01 to 1e9, or null")
            }
            Command::New(soup) if soup.plants.len() > Command::MOST_PLANTS => {
                Some("`plants` holds at most 256")
            }
            Command::New(soup) if soup.epoch.is_some_and(|epoch| epoch > MOST_EPOCHS) => {
                Some("`epoch` is at most 2^53")
            }
            _ => None,
        };
        match problem {
            Some(problem) => Err(format!("no command: {problem}")),
            None => Ok(command),
        }
    }
}

/// Numbers in JSON are whole up to here.
const MOST_EPOCHS: u64 = 1 << 53;

#[cfg(test)]
mod tests {
    use super::super::frame::{Camera, WHOLE};
    use super::*;
    use proptest::prelude::*;

    /// What a page makes of a message, given the programs of the frame before.
    fn applied(before: &[u8], message: &[u8]) -> Vec<u8> {
        let number = |at: usize| u32::from_le_bytes(message[at..at + 4].try_into().unwrap());
        let (len, n) = (
            usize::from(u16::from_le_bytes([message[2], message[3]])),
            number(4) as usize,
        );
        let payload = &message[HEADER_LEN..];
        match message[0] {
            WHOLE => payload.to_vec(),
            CHANGES => {
                let (bits, bytes) = payload.split_at(n.div_ceil(8));
                assert_eq!(bytes.len(), number(28) as usize * len);
                let mut bytes = bytes.chunks_exact(len);
                let mut after = before.to_vec();
                for (i, program) in after.chunks_exact_mut(len).enumerate() {
                    if bits[i / 8] >> (i % 8) & 1 == 1 {
                        program.copy_from_slice(bytes.next().unwrap());
                    }
                }
                after
            }
            other => panic!("type {other}"),
        }
    }

    proptest! {
        /// Whatever has changed, the page's copy is the soup; differences are sent only where
        /// they are shorter.
        #[test]
        fn changes_make_the_next_frame(
            len in prop_oneof![Just(16_usize), Just(32), Just(64)],
            before in proptest::collection::vec(any::<u8>(), 30),
            edits in proptest::collection::vec((0..30_usize, any::<u8>()), 0..60),
        ) {
            let soup = |values: &[u8]| -> Vec<u8> {
                values.iter().flat_map(|value| vec![*value; len]).collect()
            };
            let mut after = before.clone();
            for (i, value) in edits {
                after[i] = value;
            }
            let (before, after) = (soup(&before), soup(&after));
            let mut camera = Camera::default();
            let base = camera.take(&before, len, 1, 1);
            let now = camera.take(&after, len, 2, 1);
            match changes(&base, &now) {
                Some(message) => {
                    prop_assert!(message.len() < now.message().len());
                    prop_assert_eq!(applied(&before, &message), after);
                }
                None => prop_assert_eq!(applied(&before, now.message()), after),
            }
        }

        /// No text, and no bytes that are text, do anything but a command or an answer.
        #[test]
        fn any_text_is_a_command_or_refused(text in "\\PC{0,200}") {
            let _ = Command::parse(&text);
        }

        /// Nearly right ones neither.
        #[test]
        fn nearly_right_commands_are_commands_or_refused(
            word in "(next|play|pause|step|speed|jump|plant|new|preset|birth|follow|x)",
            key in "(sample|plane|epochs|rate|epoch|index|hex|settings|plants|play|name|y)",
            value in "(-?[0-9]{1,25}|null|true|\"[a-f0-9]{0,9}\"|\\{\"seed\":\"7\"\\}|\\[\\[1,2,\"00\"\\]\\]|1e999|\\[)",
        ) {
            let text = format!("{{\"do\":\"{word}\",\"{key}\":{value}}}");
            if let Ok(Command::Step { epochs }) = Command::parse(&text) {
                prop_assert!((1..=MOST_EPOCHS).contains(&epochs));
            }
        }
    }

    #[test]
    fn frames_of_other_sizes_have_no_differences() {
        let mut camera = Camera::default();
        let small = camera.take(&[0; 64], 64, 1, 1);
        let large = camera.take(&[0; 128], 64, 1, 2);
        let short = camera.take(&[0; 128], 32, 1, 3);
        assert_eq!(changes(&small, &large), None);
        assert_eq!(changes(&large, &short), None);
        let same = changes(&large, &large).unwrap();
        assert_eq!(same.len(), HEADER_LEN + 1);
    }

    #[test]
    fn samples_are_every_second_and_fourth_byte_of_columns_and_rows() {
        let mut camera = Camera::default();
        let programs: Vec<u8> = (0..128).collect();
        let frame = camera.take(&programs, 64, 1, 1);
        let half = sample(&frame, 2, 8);
        assert_eq!((half[0], half[1], half.len()), (SAMPLE, 2, HEADER_LEN + 32));
        assert_eq!(half[HEADER_LEN..][..5], [0, 2, 4, 6, 16]);
        assert_eq!(half[HEADER_LEN + 16], 64);
        let quarter = sample(&frame, 4, 8);
        assert_eq!(quarter[HEADER_LEN..], [0, 4, 32, 36, 64, 68, 96, 100]);
        // Of 8 x 4 and 4 x 4 bytes.
        let frame = camera.take(&programs, 32, 1, 1);
        assert_eq!(sample(&frame, 4, 8)[HEADER_LEN..][..3], [0, 4, 32]);
        let frame = camera.take(&programs, 16, 1, 1);
        assert_eq!(sample(&frame, 4, 4)[HEADER_LEN..][..3], [0, 16, 32]);
    }

    #[test]
    fn commands_are_read_or_refused_with_a_reason() {
        let wish = Wish {
            sample: 2,
            plane: Plane::Class,
        };
        let next = Command::parse(r#"{"do":"next","sample":2,"plane":"class"}"#);
        assert_eq!(next, Ok(Command::Next(wish)));
        let play = Command::parse(r#"{"do":"play"}"#);
        assert_eq!(play, Ok(Command::Play {}));
        let new = r#"{"do":"new","settings":{"seed":"29"},"plants":[[5,1,"00"]],"epoch":7}"#;
        let Ok(Command::New(soup)) = Command::parse(new) else {
            panic!("{new}");
        };
        assert_eq!(soup.settings["seed"], "29");
        assert_eq!(
            (soup.plants.len(), soup.epoch, soup.play),
            (1, Some(7), false)
        );
        for (text, hint) in [
            ("", "EOF"),
            ("{}", "do"),
            (r#"{"do":"fly"}"#, "fly"),
            (r#"{"do":"play","now":1}"#, "now"),
            (r#"{"do":"next","sample":3}"#, "0, 1, 2 or 4"),
            (r#"{"do":"step","epochs":0}"#, "from 1"),
            (r#"{"do":"step","epochs":-1}"#, "-1"),
            (r#"{"do":"jump","epoch":1e300}"#, "1e+300"),
            (r#"{"do":"speed","rate":0}"#, "0.01"),
        ] {
            let problem = Command::parse(text).unwrap_err();
            assert!(problem.contains(hint), "{text}: {problem}");
        }
        let long = format!("{{\"do\":\"play\"{}}}", " ".repeat(LONGEST_COMMAND));
        assert!(Command::parse(&long).unwrap_err().contains("longest"));
    }
}
