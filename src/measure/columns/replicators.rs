//! How many programs are replicators, by cubff's measure and by that of Knierim et al.

use crate::language::Role;
use crate::measure::column::{Column, Panel, Scale, Source};

static REPLICATORS: Panel = Panel {
    title: "Replicators",
    unit: "programs",
    scale: Scale::Logarithmic,
};

pub(super) static COLUMNS: [Column; 2] = [
    Column::count(
        "number_selfreps",
        Source::Replicators(|count| count.cubff.into()),
    )
    .drawn(
        &REPLICATORS,
        "programs that score 5 or more",
        Role::Arithmetic,
    )
    .in_sweeps(),
    Column::count(
        "number_selfreps_48",
        Source::Replicators(|count| count.knierim.into()),
    )
    .drawn(&REPLICATORS, "programs that score 48 or more", Role::Copy)
    .in_sweeps(),
];
