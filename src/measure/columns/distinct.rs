//! How many different programs a soup holds.

use std::collections::HashSet;

use crate::language::Role;
use crate::measure::column::{Column, Panel, Scale, Source, View};

static VARIETY: Panel = Panel {
    title: "Variety",
    unit: "programs",
    scale: Scale::Logarithmic,
};

pub(super) static COLUMNS: [Column; 1] = [Column::count(
    "distinct_programs",
    Source::Soup(|soup| distinct(soup).into()),
)
.drawn(&VARIETY, "distinct programs", Role::Move)];

fn distinct(soup: &View<'_>) -> usize {
    let programs = soup.programs.chunks_exact(soup.language.program_len);
    programs.collect::<HashSet<_>>().len()
}
