//! What tracer tokens measure: how many are left, and how much of the soup the commonest has.

use crate::language::Role;
use crate::measure::column::{Column, Panel, Scale, Source};

static DIVERSITY: Panel = Panel {
    title: "Diversity",
    unit: "tokens",
    scale: Scale::Logarithmic,
};
static DOMINANCE: Panel = Panel {
    title: "Dominance",
    unit: "share",
    scale: Scale::Linear,
};

/// See [`crate::soup::tokens::TokenMeasures`].
pub(super) static COLUMNS: [Column; 2] = [
    Column::count(
        "distinct_tokens",
        Source::Tokens(|tokens| tokens.distinct.into()),
    )
    .drawn(&DIVERSITY, "distinct tokens", Role::Move),
    Column::number(
        "commonest_token_share",
        Source::Tokens(|tokens| tokens.commonest_share.into()),
    )
    .drawn(&DOMINANCE, "share of the commonest token", Role::Open),
];
