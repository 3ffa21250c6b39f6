//! How many programs of a soup are replicators, as columns.

use super::column::{Column, Panel, Scale, Source};
use crate::language::Role;

static REPLICATORS: Panel = Panel {
    title: "Replicators",
    unit: "programs",
    scale: Scale::Logarithmic,
};

/// See [`super::replicators::Replicators`].
pub(super) static COLUMNS: [Column; 2] = [
    Column::count(
        "number_selfreps",
        Source::Replicators(|count| count.cubff.into()),
    )
    .drawn(&REPLICATORS, "score of 5 or more", Role::Arithmetic)
    .in_sweeps(),
    Column::count(
        "number_selfreps_48",
        Source::Replicators(|count| count.knierim.into()),
    )
    .drawn(&REPLICATORS, "score of 48 or more", Role::Copy)
    .in_sweeps(),
];
