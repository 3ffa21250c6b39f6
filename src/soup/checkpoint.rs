//! Checkpoints: a soup on disk, in cubff's format.
//!
//! Three little-endian 64-bit numbers (the number of the next reset, the
//! number of programs, the epochs done), then the programs' bytes.

use std::io::Read;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::Soup;
use crate::Error;
use crate::files;
use crate::language::{Language, PROGRAM_LEN};

/// Bytes before the programs.
const HEADER_LEN: u64 = 24;

/// A soup as a checkpoint holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Number of the next reset, counted from 1.
    pub next_reset: u64,
    /// Epochs done.
    pub epochs_done: u64,
    /// The programs' bytes, one program behind the other.
    pub programs: Vec<u8>,
    /// The tracer tokens, where bytes carry some: one for each byte, from the highest bits
    /// down epoch (24), position (32) and char (8). They have a file of their own.
    pub tokens: Option<Vec<u64>>,
    /// Bytes of a program.
    pub program_len: usize,
    /// Where the world's random stream stands, in a world that has one. It is kept in the
    /// sidecar; the file has no place for it.
    pub stream: Option<u64>,
}

impl Checkpoint {
    /// Read the checkpoint at `path`, of programs of 64 bytes; its length must be what its
    /// header says.
    pub fn read(path: &Path) -> Result<Checkpoint, Error> {
        Checkpoint::read_of(PROGRAM_LEN, path)
    }

    /// As [`Checkpoint::read`], of programs of `program_len` bytes: the file does not tell.
    pub fn read_of(program_len: usize, path: &Path) -> Result<Checkpoint, Error> {
        let wrong = |problem: String| Error::file(path, problem);
        let cannot = |error: std::io::Error| Error::cannot("read", path, error);
        let mut file = files::open(path)?;
        let len = file.metadata().map_err(cannot)?.len();
        if len < HEADER_LEN {
            return Err(wrong(format!(
                "is not a checkpoint: it has {len} bytes, and the header alone has {HEADER_LEN}"
            )));
        }
        let mut number = || {
            let mut bytes = [0; 8];
            file.read_exact(&mut bytes).map_err(cannot)?;
            Ok::<_, Error>(u64::from_le_bytes(bytes))
        };
        let (next_reset, num_programs, epochs_done) = (number()?, number()?, number()?);
        let expected = num_programs
            .checked_mul(program_len as u64)
            .and_then(|bytes| bytes.checked_add(HEADER_LEN));
        if expected != Some(len) || num_programs == 0 || num_programs % 2 == 1 {
            let what_it_should_be = match expected {
                Some(expected) if num_programs > 0 && num_programs % 2 == 0 => {
                    let problem = format!(
                        "its header says {num_programs} programs, which make {expected} bytes, \
                         and it has {len}"
                    );
                    if let Some(language) = language_of(num_programs, len) {
                        return Err(Error::Setting(format!(
                            "{} is not a checkpoint of programs of {program_len} bytes: \
                             {problem}, as programs of {} bytes do, not of {program_len}; give \
                             `language` {language}, or another with such programs",
                            path.display(),
                            language.program_len,
                        )));
                    }
                    format!("{problem}: it was cut short, or is something else")
                }
                None => format!(
                    "its header says {num_programs} programs, \
                     more than any file holds: it is something else"
                ),
                Some(_) => format!(
                    "its header says {num_programs} programs, \
                     and a soup has an even number of them: it is something else"
                ),
            };
            return Err(wrong(format!("is not a checkpoint: {what_it_should_be}")));
        }
        // The same numbers that settings have, so that none can run over.
        if epochs_done.max(next_reset) > i64::MAX as u64 {
            return Err(wrong(format!(
                "is not a checkpoint: its header says {epochs_done} epochs done and next \
                 reset {next_reset}, more than any run has: it is something else"
            )));
        }
        crate::memory::check_memory(num_programs as usize, program_len)
            .map_err(|error| wrong(format!("cannot be loaded: {error}")))?;
        let mut programs = vec![0; num_programs as usize * program_len];
        file.read_exact(&mut programs).map_err(cannot)?;
        Ok(Checkpoint {
            next_reset,
            epochs_done,
            programs,
            tokens: None,
            program_len,
            stream: None,
        })
    }

    /// Read the tokens that belong to the checkpoint, which was read from `path`.
    #[cfg(feature = "run")]
    pub(crate) fn read_tokens(&mut self, path: &Path) -> Result<(), Error> {
        let path = &Checkpoint::tokens_path(path);
        let cannot = |error: std::io::Error| Error::cannot("read", path, error);
        let mut file = files::open(path)?;
        let len = file.metadata().map_err(cannot)?.len();
        let expected = 8 * self.programs.len() as u64;
        if len != expected {
            return Err(Error::file(
                path,
                format!("has {len} bytes, and the tokens of this soup take {expected}"),
            ));
        }
        let mut bytes = vec![0; expected as usize];
        file.read_exact(&mut bytes).map_err(cannot)?;
        let (tokens, _) = bytes.as_chunks();
        self.tokens = Some(
            tokens
                .iter()
                .map(|token| u64::from_le_bytes(*token))
                .collect(),
        );
        Ok(())
    }

    /// Where the tokens of the checkpoint at `path` are.
    pub(crate) fn tokens_path(path: &Path) -> PathBuf {
        path.with_extension("tokens")
    }

    /// The checkpoint of `soup` as it stands, in a buffer that may be reused.
    pub fn copy_from(&mut self, soup: &Soup) {
        self.next_reset = soup.next_reset();
        self.epochs_done = soup.epochs_done();
        self.program_len = soup.settings().language.program_len;
        self.stream = soup.stream();
        // The soup waits for this, so all threads do it.
        const CHUNK: usize = 1 << 18;
        let programs = soup.programs();
        if self.programs.len() != programs.len() {
            self.programs = vec![0; programs.len()];
        }
        let copies = self.programs.par_chunks_mut(CHUNK);
        copies
            .zip(programs.par_chunks(CHUNK))
            .for_each(|(copy, programs)| copy.copy_from_slice(programs));
        self.tokens = None;
    }

    /// As [`Checkpoint::copy_from`], the tokens with it.
    pub fn copy_all_from(&mut self, soup: &Soup) {
        self.copy_from(soup);
        self.tokens = soup.tokens().map(|tokens| tokens.whole(soup.programs()));
    }

    /// An empty buffer for [`Checkpoint::copy_from`].
    pub fn empty() -> Checkpoint {
        Checkpoint {
            next_reset: 1,
            epochs_done: 0,
            programs: Vec::new(),
            tokens: None,
            program_len: PROGRAM_LEN,
            stream: None,
        }
    }

    /// The name of the checkpoint after `epochs_done` epochs: `0000000513.dat`.
    pub fn file_name(epochs_done: u64) -> String {
        format!("{epochs_done:010}.dat")
    }

    /// Write the checkpoint to `path`, whole or not at all; before it its tokens.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        self.write_and_note(path, || ())
    }

    /// As [`Checkpoint::write`], and calls `note` as soon as the checkpoint is there; as
    /// [`files::write_and_note`].
    pub(crate) fn write_and_note(&self, path: &Path, note: impl FnOnce()) -> Result<(), Error> {
        if let Some(tokens) = &self.tokens {
            files::write_whole(&Checkpoint::tokens_path(path), |file| {
                tokens
                    .iter()
                    .try_for_each(|token| file.write_all(&token.to_le_bytes()))
            })?;
        }
        let write = |file: &mut dyn std::io::Write| {
            file.write_all(&self.header())?;
            file.write_all(&self.programs)
        };
        files::write_and_note(path, write, note)
    }

    fn header(&self) -> [u8; HEADER_LEN as usize] {
        let num_programs = self.num_programs() as u64;
        let mut header = [0; HEADER_LEN as usize];
        let numbers = [self.next_reset, num_programs, self.epochs_done];
        for (bytes, number) in header.as_chunks_mut::<8>().0.iter_mut().zip(numbers) {
            *bytes = number.to_le_bytes();
        }
        header
    }

    /// How many programs it holds.
    pub fn num_programs(&self) -> usize {
        self.programs.len() / self.program_len.max(1)
    }

    /// SHA-256 of the checkpoint as a file, in hex digits.
    pub fn sha256(&self) -> String {
        files::sha256(&[&self.header(), &self.programs])
    }

    /// SHA-256 of its tokens as a file, in hex digits.
    #[cfg(feature = "run")]
    pub(crate) fn tokens_sha256(&self) -> Option<String> {
        let bytes = |tokens: &[u64]| -> Vec<u8> {
            tokens
                .iter()
                .flat_map(|token| token.to_le_bytes())
                .collect()
        };
        Some(files::sha256(&[&bytes(self.tokens.as_ref()?)]))
    }
}

/// A language whose programs make a file of so many bytes, if there is one.
fn language_of(num_programs: u64, len: u64) -> Option<&'static Language> {
    Language::every().find(|language| {
        let bytes = num_programs.checked_mul(language.program_len as u64);
        bytes.and_then(|bytes| bytes.checked_add(HEADER_LEN)) == Some(len)
    })
}
