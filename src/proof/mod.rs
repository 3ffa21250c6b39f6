//! Proofs: what a program does beside every partner that there is.
//!
//! A program of the BFF family is run on the left of a partner whose bytes are unknown. A byte of
//! the tape is then a value, or a byte of the partner with something added (`value.rs`), and a
//! step (`run.rs`) moves, copies and counts such bytes as the rules of the language say. Where a
//! bracket asks whether an unknown byte is null, the run forks, and each branch remembers the
//! answer (`tree.rs`). A branch ends as runs do, or where a step depends on the partner in another
//! way: it would execute an unknown byte, or look for a bracket across one.
//!
//! What holds in the end of every branch holds beside each of the 256^64 partners
//! (`verdict.rs`). Nobody has to believe it: every branch is compared with the reference engine
//! beside drawn partners (`twin.rs`), and a certificate (`certificate.rs`) tells each step, which
//! a checker that shares no code with all this follows once more (`check.rs`).

pub mod certificate;
pub mod check;
mod run;
mod tree;
mod twin;
mod value;
mod verdict;

pub use run::{Dependence, How};
pub use tree::{Branch, End, Followed, MOST_FORKS, MOST_STEPS};
pub use twin::{Tried, draw};
pub use value::{Byte, Partner, Values};
pub use verdict::{Condition, Copies, Verdict};

use crate::Error;
use crate::language::{Language, Program, TAPE_LEN};
use crate::measure::copying::Copied;

/// How much a proof is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    /// Drawn partners beside which the reference engine must agree with what was proved.
    pub checked: u32,
    /// Drawn partners among which one is looked for that a program does not copy itself beside,
    /// if it is not proved that there is none.
    pub tried: u32,
    /// What partners are drawn from.
    pub seed: u64,
}

impl Default for Effort {
    fn default() -> Self {
        Effort {
            checked: 64,
            tried: 4096,
            seed: 0,
        }
    }
}

/// What a program does beside every partner, as far as it can be proved.
///
/// ```
/// use broth::language::{MAX_STEPS, bff};
/// use broth::proof::{Effort, Proof, Verdict};
///
/// let mut program = [1; 64]; // no-ops
/// program[..8].copy_from_slice(b"[[{.>]-]");
/// program[56..].copy_from_slice(b"]-]>.{[[");
/// let proof = Proof::of(&bff::BFF_NOHEADS, &program, MAX_STEPS, &Effort::default())?;
/// let Verdict::Every(copies) = proof.verdict else {
///     panic!("it copies itself beside each of the 256^64 partners");
/// };
/// assert_eq!(copies.direction(), "mirrored");
/// # Ok::<(), broth::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Proof {
    /// The run of the program.
    pub followed: Followed,
    /// What it shows.
    pub verdict: Verdict,
    /// Runs of the reference engine that agreed with it.
    pub checked: u64,
    /// What became of the program beside drawn partners, unless it is proved for all.
    pub tried: Option<Tried>,
}

impl Proof {
    /// Follow `program` on the left of an unknown partner, and try what that shows. It is an
    /// error of broth's own if the reference engine does not agree.
    pub fn of(
        language: &'static Language,
        program: &Program,
        max_steps: u32,
        effort: &Effort,
    ) -> Result<Proof, Error> {
        let followed = Followed::new(language, program, max_steps)?;
        // A program that is its own mirror image copies itself both ways; what counts is how its
        // bytes go.
        let mut tape = [0; TAPE_LEN];
        let (left, right) = tape.split_at_mut(program.len());
        left.copy_from_slice(program);
        right.copy_from_slice(&draw(effort.seed, 0));
        let copied = Copied::to_the_right(language, &tape, max_steps)?;
        let prefer = Copies {
            mirrored: copied.mirrored,
            first: copied.first,
        };
        let verdict = followed.verdict(Some(prefer));
        let checked = followed.check(effort.checked, effort.seed)?;
        let is_for_all = matches!(verdict, Verdict::Every(_));
        let tried =
            (!is_for_all).then(|| followed.try_partners(&verdict, effort.tried, effort.seed));
        Ok(Proof {
            followed,
            verdict,
            checked,
            tried,
        })
    }
}
