//! Pieces of code, of either family.

use super::bff::{self, Spot};
use super::forth::Span;

/// A piece of code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Piece {
    /// Of the BFF family: a loop or a program.
    Bff(bff::Piece),
    /// Of the Forth family: a loop.
    Forth(Span),
}

impl Piece {
    /// Where it lies, and where a run enters it.
    pub fn spot(&self) -> Spot {
        match self {
            Piece::Bff(piece) => piece.spot,
            Piece::Forth(_) => Spot::Loop,
        }
    }

    /// Its commands as text, a space for those without; bytes of Forth in hex.
    pub fn text(&self) -> String {
        match self {
            Piece::Bff(piece) => piece.text(),
            Piece::Forth(span) => {
                let bytes = span.bytes();
                let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                hex.join(" ")
            }
        }
    }
}
