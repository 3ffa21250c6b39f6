//! Units: the pieces that what is tried is cut into. A unit is a function of the seed, its number
//! and what was asked for, whichever thread does it and whatever was done before.

use std::fmt;
use std::path::{Path, PathBuf};

use super::block::{Block, Done, Interpreters};
use super::draw::Draw;
use super::engines::Fault;
use super::folder::Folder;
use super::soups::SoupUnit;
use crate::Error;
use crate::engine::Engine;
use crate::language::Language;

/// Where tapes come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Random bytes at all densities of ops.
    Random,
    /// Grown around loops.
    Grown,
    /// Soups that are brought to life, and mutants of what lives in them.
    Soups,
    /// The checkpoints of a folder.
    Folder(PathBuf),
}

impl Source {
    /// The sources that need nothing.
    pub const ALL: [Source; 3] = [Source::Random, Source::Grown, Source::Soups];

    /// The folder, if it is one.
    pub fn folder(&self) -> Option<&Path> {
        match self {
            Source::Folder(path) => Some(path),
            _ => None,
        }
    }

    /// The source of this name; any other is a folder.
    pub fn parse(name: &str) -> Source {
        let mut all = Source::ALL.into_iter();
        all.find(|source| source.to_string() == name)
            .unwrap_or_else(|| Source::Folder(name.into()))
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Random => f.write_str("random"),
            Source::Grown => f.write_str("grown"),
            Source::Soups => f.write_str("soups"),
            Source::Folder(path) => path.display().fmt(f),
        }
    }
}

/// A unit of what is tried.
#[derive(Clone, Debug, PartialEq)]
pub struct Unit {
    /// Its number.
    pub number: u64,
    /// Where its tapes come from.
    pub source: Source,
    /// Its language.
    pub language: &'static Language,
}

/// What a unit does.
#[derive(Debug)]
pub enum Work {
    /// Tapes.
    Block(Box<Block>),
    /// A soup, then tapes of it.
    Soup(Box<SoupUnit>),
}

impl Unit {
    /// Its random stream.
    fn draw(&self, seed: u64) -> Draw {
        let source = match self.source {
            Source::Random => 0,
            Source::Grown => 1,
            Source::Soups => 2,
            Source::Folder(_) => 3,
        };
        let language = self.language.name.bytes().map(u64::from);
        let keys: Vec<u64> = [seed, source, self.number]
            .into_iter()
            .chain(language)
            .collect();
        Draw::new(&keys)
    }

    /// Get it ready.
    pub fn work(&self, seed: u64, engines: &[Engine], folder: &Folder) -> Result<Work, Error> {
        let mut draw = self.draw(seed);
        Ok(match &self.source {
            Source::Random => Work::Block(Block::random(self.language, engines, draw).into()),
            Source::Grown => Work::Block(Block::grown(self.language, engines, draw).into()),
            Source::Soups => Work::Soup(SoupUnit::new(self.language, engines, draw).into()),
            Source::Folder(_) => {
                let known = folder.any(self.language, &mut draw)?;
                if draw.one_in(2) {
                    Work::Soup(SoupUnit::of_known(known, engines, draw).into())
                } else {
                    let (language, programs) = (self.language, &known.programs);
                    Work::Block(Block::of_programs(language, engines, programs, draw).into())
                }
            }
        })
    }

    /// Runs of the reference engine that it has at least.
    pub fn interactions(&self) -> u64 {
        match self.source {
            Source::Random => Block::RANDOM,
            Source::Grown => Block::GROWN,
            Source::Soups => SoupUnit::LEAST,
            Source::Folder(_) => Block::OF_PROGRAMS.min(SoupUnit::LEAST),
        }
    }
}

impl Work {
    /// Do it.
    pub fn run(self, interpreters: &Interpreters, fault: Option<Fault>) -> Result<Done, Error> {
        match self {
            Work::Block(block) => Ok(block.run(interpreters, fault)),
            Work::Soup(soup) => soup.run(interpreters, fault),
        }
    }
}
