//! Shannon entropy, brotli bits per byte, and the difference of both, high-order entropy.

use crate::language::Role;
use crate::measure::column::{Column, Panel, Scale, Source};

static ENTROPY: Panel = Panel {
    title: "Entropy",
    unit: "bits per byte",
    scale: Scale::Linear,
};
/// The panel that says whether the soup is alive.
pub static COMPLEXITY: Panel = Panel {
    title: "Complexity",
    unit: "bits per byte",
    scale: Scale::Linear,
};

pub(super) static COLUMNS: [Column; 4] = [
    Column::number(
        "byte_entropy",
        Source::Measures(|it| it.byte_entropy.into()),
    )
    .digits(6)
    .drawn(&ENTROPY, "Shannon entropy (bits per byte)", Role::Move)
    .in_sweeps(),
    Column::count("brotli_size", Source::Measures(|it| it.brotli_size.into())),
    Column::number("brotli_bpb", Source::Measures(|it| it.brotli_bpb.into()))
        .digits(6)
        .drawn(&ENTROPY, "brotli size (bits per byte)", Role::Open)
        .in_sweeps(),
    Column::single(
        "high_order_entropy",
        Source::Measures(|it| it.high_order_entropy.into()),
    )
    .drawn(&COMPLEXITY, "high-order entropy", Role::Read)
    .in_sweeps(),
];
