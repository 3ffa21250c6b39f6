//! What the last epoch came to: its work, and how its runs ended.

use crate::language::{Ended, Role};
use crate::measure::column::{Column, Panel, Scale, Source};
use crate::soup::Tally;

static WORK: Panel = Panel {
    title: "Work",
    unit: "per interaction",
    scale: Scale::Logarithmic,
};

/// A sum over the interactions of an epoch, for each of them.
fn each(sum: u64, tally: &Tally) -> f64 {
    sum as f64 / tally.interactions.max(1) as f64
}

/// CPUs end by their step limit or by HALT alone, which has no column: the interactions tell
/// the rest.
pub(super) static COLUMNS: [Column; 7] = [
    Column::count(
        "interactions",
        Source::Tally(|tally| tally.interactions.into()),
    ),
    Column::number(
        "ops_per_interaction",
        Source::Tally(|tally| each(tally.ops, tally).into()),
    )
    .digits(6)
    .drawn(&WORK, "ops (steps other than no-ops)", Role::Copy),
    Column::number(
        "steps_per_interaction",
        Source::Tally(|tally| each(tally.steps, tally).into()),
    )
    .digits(6)
    .drawn_first(&WORK, "steps", Role::Move),
    Column::count(
        Ended::StepLimit.name(),
        Source::Tally(|tally| tally.ended[Ended::StepLimit as usize].into()),
    ),
    Column::count(
        Ended::LeftTape.name(),
        Source::Tally(|tally| tally.ended[Ended::LeftTape as usize].into()),
    ),
    Column::count(
        Ended::UnmatchedBracket.name(),
        Source::Tally(|tally| tally.ended[Ended::UnmatchedBracket as usize].into()),
    ),
    Column::count(
        Ended::StackOverflow.name(),
        Source::Tally(|tally| tally.ended[Ended::StackOverflow as usize].into()),
    ),
];
