//! The axes of charts.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};

use crate::format::thousands;
use crate::measure::column::Scale;

/// Where a value lies on an axis of this scale.
fn place(scale: Scale, value: f64) -> f64 {
    match scale {
        Scale::Linear => value,
        Scale::Logarithmic => value.max(0.3).log10(),
    }
}

/// An axis with ticks of its own, few and round, wherever it lies.
#[derive(Clone, Debug)]
pub(crate) struct Axis {
    range: Range<f64>,
    scale: Scale,
    ticks: Vec<f64>,
    /// Digits behind the point.
    digits: usize,
}

impl Axis {
    /// Whole numbers.
    pub(super) fn of_epochs(range: Range<u64>) -> Axis {
        let (first, last) = (range.start as f64, range.end as f64);
        // A single epoch stands in the middle.
        let room = if first == last {
            first.max(1.0) / 2.0
        } else {
            0.0
        };
        Axis::linear(first - room..last + room, 10, 1.0)
    }

    /// About `count` steps or fewer, none smaller than `least_step`.
    pub(super) fn linear(range: Range<f64>, count: usize, least_step: f64) -> Axis {
        let rough = ((range.end - range.start) / count as f64).max(least_step);
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0]
            .map(|factor| factor * power)
            .into_iter()
            .find(|step| *step >= rough * 0.999)
            .unwrap_or(rough);
        let first = (range.start / step - 1e-9).ceil();
        let ticks = (0..=2 * count)
            .map(|i| (first + i as f64) * step)
            .take_while(|tick| *tick <= range.end + step * 1e-9)
            .collect();
        Axis {
            range,
            scale: Scale::Linear,
            ticks,
            digits: (-step.log10().floor()).clamp(0.0, 9.0) as usize,
        }
    }

    /// Have no ticks.
    pub(super) fn leave_out_ticks(&mut self) {
        self.ticks.clear();
    }

    /// By powers of ten, from the one below `least` (from 0, if that is below 1) to at least
    /// ten times as much.
    pub(super) fn logarithmic(least: f64, most: f64) -> Axis {
        let powers = || (0..16).map(|power| 10_f64.powi(power));
        let bottom = powers().take_while(|power| *power <= least).last();
        let bottom = bottom.unwrap_or(0.0);
        let top = most.max(10.0 * bottom.max(1.0));
        let zero = (bottom == 0.0).then_some(0.0);
        let on_axis = |power: &f64| (bottom..=top).contains(power);
        Axis {
            range: bottom..top * 1.3,
            scale: Scale::Logarithmic,
            ticks: zero.into_iter().chain(powers().filter(on_axis)).collect(),
            digits: 0,
        }
    }
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (first, last): (i32, i32)) -> i32 {
        let place = |value| place(self.scale, value);
        let (from, to) = (place(self.range.start), place(self.range.end));
        let share = ((place(*value) - from) / (to - from)).clamp(0.0, 1.0);
        first + (share * f64::from(last - first)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        match hint.weight().allow_light_points() {
            true => Vec::new(),
            false => self.ticks.clone(),
        }
    }

    fn range(&self) -> Range<f64> {
        self.range.clone()
    }
}

impl ValueFormatter<f64> for Axis {
    fn format_ext(&self, value: &f64) -> String {
        match self.digits {
            0 if *value >= 0.0 => thousands(*value as usize),
            digits => format!("{value:.digits$}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Wherever an axis lies, it has a few ticks on it, and every value a place.
    #[test]
    fn axes_have_ticks_everywhere() {
        let mut axes = vec![];
        for range in [
            0..1,
            0..16,
            5..5,
            1..1_000_003,
            i64::MAX as u64 - 1..i64::MAX as u64,
        ] {
            axes.push(Axis::of_epochs(range));
        }
        for range in [0.0..1e-3, -1e15..1e15, 0.0..8.2, -0.01..3.5] {
            axes.push(Axis::linear(range, 5, 1e-3));
        }
        for (least, most) in [
            (0.0, 0.0),
            (0.0, 7.0),
            (-5.0, 8192.0),
            (1.0, 9.0),
            (31.5, 31.5),
            (27_172.0, 8_388_608.0),
            (1e15, 1e15),
        ] {
            axes.push(Axis::logarithmic(least, most));
        }
        for axis in axes {
            assert!((1..=20).contains(&axis.ticks.len()), "{axis:?}");
            for tick in &axis.ticks {
                let slack = (axis.range.end - axis.range.start) * 1e-6;
                assert!(*tick >= axis.range.start - slack && *tick <= axis.range.end + slack);
            }
            assert_eq!(axis.map(&axis.range.start, (10, 110)), 10);
            assert_eq!(axis.map(&axis.range.end, (10, 110)), 110);
            assert_eq!(axis.map(&1e300, (10, 110)), 110);
        }
        let ticks = Axis::linear(0.0..8.5, 5, 1e-3).ticks;
        assert_eq!(ticks, [0.0, 2.0, 4.0, 6.0, 8.0]);
        let logarithmic = Axis::logarithmic(0.0, 1000.0);
        let places = [0.0, 1.0, 10.0, 100.0, 1000.0].map(|v| logarithmic.map(&v, (0, 1000)));
        assert!(places.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(places[0], 0);
        let ticks = Axis::logarithmic(27_172.0, 8_388_608.0).ticks;
        assert_eq!(ticks, [1e4, 1e5, 1e6]);
    }
}
