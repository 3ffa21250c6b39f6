//! Shares and survival, with how sure one can be of them.

/// Standard deviations that a 95 % interval reaches to either side: the normal distribution's
/// quantile of 0.975.
const Z: f64 = 1.959_963_984_540_054;

/// A share, and the interval that holds the true one in 95 % of all experiments.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[must_use]
pub struct Share {
    /// The share itself, 0 to 1.
    pub share: f64,
    /// The interval's lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

impl Share {
    /// The share of all others.
    pub fn complement(self) -> Share {
        Share {
            share: 1.0 - self.share,
            low: 1.0 - self.high,
            high: 1.0 - self.low,
        }
    }
}

/// The share of `successes` among `all`, with Wilson's score interval (without correction for
/// continuity; Wilson 1927); nothing of none.
pub fn wilson(successes: u64, all: u64) -> Option<Share> {
    if all == 0 || successes > all {
        return None;
    }
    let (n, share) = (all as f64, successes as f64 / all as f64);
    let middle = share + Z * Z / (2.0 * n);
    let half = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + Z * Z / n;
    Some(Share {
        share,
        low: if successes == 0 {
            0.0
        } else {
            (middle - half) / scale
        },
        high: if successes == all {
            1.0
        } else {
            (middle + half) / scale
        },
    })
}

/// How long something was watched, and whether what was waited for happened then.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Watched {
    /// Until when, in whatever unit.
    pub time: u64,
    /// Whether it happened; else it was not watched any longer.
    pub happened: bool,
}

impl Watched {
    /// Watched until `end`, or until it happened at `event`.
    pub fn until(event: Option<u64>, end: u64) -> Watched {
        Watched {
            time: event.unwrap_or(end),
            happened: event.is_some(),
        }
    }
}

/// A step of a survival curve: a time at which what was waited for happened to some.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Step {
    /// The time.
    pub time: u64,
    /// How many it had not happened to just before, of those that were still watched.
    pub at_risk: u64,
    /// To how many of them it happened then.
    pub events: u64,
    /// The share that it has not happened to from here on (Kaplan and Meier 1958), with its
    /// interval on the scale of log(-log), which keeps it between 0 and 1 (Kalbfleisch and
    /// Prentice). Where it has happened to all, that scale has no place for it: the upper end
    /// is that of the step before then, or Wilson's where there is none.
    pub survival: Share,
    /// The standard error of that share (Greenwood).
    pub standard_error: f64,
}

/// The survival curve of what was watched: its steps, in order of time. Between them it stays;
/// before the first it is 1.
pub fn kaplan_meier(watched: &[Watched]) -> Vec<Step> {
    let mut watched = watched.to_vec();
    // Who is lost from sight at a time is still at risk at that time.
    watched.sort_by_key(|it| (it.time, !it.happened));
    let (mut survival, mut greenwood) = (1.0, 0.0);
    let mut steps: Vec<Step> = Vec::new();
    let mut first = 0;
    while first < watched.len() {
        let time = watched[first].time;
        let at_this_time = watched[first..].iter().take_while(|it| it.time == time);
        let (mut count, mut events) = (0, 0);
        for it in at_this_time {
            count += 1;
            events += u64::from(it.happened);
        }
        let at_risk = (watched.len() - first) as u64;
        first += count;
        if events == 0 {
            continue;
        }
        let (n, d) = (at_risk as f64, events as f64);
        survival *= (n - d) / n;
        greenwood += d / (n * (n - d));
        let standard_error = if events == at_risk {
            0.0
        } else {
            survival * greenwood.sqrt()
        };
        let (low, high) = match survival {
            0.0 => {
                let alone = || wilson(0, at_risk).map_or(1.0, |it| it.high);
                let before = steps.last().map(|it| it.survival.high);
                (0.0, before.unwrap_or_else(alone))
            }
            _ => {
                let spread = (Z * greenwood.sqrt() / survival.ln()).exp();
                (survival.powf(1.0 / spread), survival.powf(spread))
            }
        };
        steps.push(Step {
            time,
            at_risk,
            events,
            survival: Share {
                share: survival,
                low: low.min(high),
                high: low.max(high),
            },
            standard_error,
        });
    }
    steps
}

/// The share that something happened to by the end, and how sure that is.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
#[must_use]
pub struct AtEnd {
    /// To how many it happened.
    pub happened: usize,
    /// Of how many.
    pub all: usize,
    /// How many of the others were lost from sight before the end.
    pub lost: usize,
    /// The share, with its interval.
    pub share: Share,
    /// How share and interval were found.
    pub method: &'static str,
}

impl AtEnd {
    /// Of what was watched, each with whether that was to the end; one that it did not happen to
    /// before then is lost. A plain share with Wilson's interval where none was lost, else
    /// Kaplan and Meier's. Where it happened to none, the interval is that of those that were
    /// not lost; of none, nothing is known. None of none.
    pub fn of(runs: impl Iterator<Item = (Watched, bool)>) -> Option<AtEnd> {
        let (mut watched, mut happened, mut lost) = (Vec::new(), 0, 0);
        for (it, to_the_end) in runs {
            happened += usize::from(it.happened);
            lost += usize::from(!it.happened && !to_the_end);
            watched.push(it);
        }
        let all = watched.len();
        let plain = |all: usize| wilson(happened as u64, all as u64);
        let unknown = Share {
            share: 0.0,
            low: 0.0,
            high: 1.0,
        };
        let (share, method) = match kaplan_meier(&watched).pop().filter(|_| lost > 0) {
            Some(last) => (last.survival.complement(), "kaplan-meier"),
            None => (
                plain(all - lost).or((all > 0).then_some(unknown))?,
                "wilson",
            ),
        };
        Some(AtEnd {
            happened,
            all,
            lost,
            share,
            method,
        })
    }
}

/// The first time by which it has happened to half of all; none where it has not.
pub fn median(steps: &[Step]) -> Option<u64> {
    // A product of shares may be half but for its last digits.
    let step = steps.iter().find(|it| it.survival.share <= 0.5 + 1e-9)?;
    Some(step.time)
}

/// The value below which a share `q` of the sorted `values` lies, between two of them where
/// it falls there (Hyndman and Fan's type 7); none of none.
pub fn quantile(values: &[f64], q: f64) -> Option<f64> {
    let last = values.len().checked_sub(1)?;
    let place = q.clamp(0.0, 1.0) * last as f64;
    let (below, above) = (place.floor() as usize, place.ceil() as usize);
    Some(values[below] + (values[above] - values[below]) * (place - below as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where it has happened to all, it is not certain that it must.
    #[test]
    fn certainty_has_an_interval() {
        let at = |time, happened| Watched { time, happened };
        let one = kaplan_meier(&[at(7, true)])[0].survival;
        assert_eq!((one.share, one.low), (0.0, 0.0));
        assert!((one.high - 0.793).abs() < 1e-3, "{one:?}");
        let steps = kaplan_meier(&[at(1, true), at(2, true), at(3, true)]);
        assert_eq!(steps[2].survival.high, steps[1].survival.high);
    }

    /// Half of 24 is 12, whatever digits a product of shares ends with.
    #[test]
    fn medians_are_where_half_is_over() {
        for all in (2..=200).step_by(2) {
            let watched: Vec<Watched> = (1..=all)
                .map(|time| Watched {
                    time,
                    happened: time <= all / 2,
                })
                .collect();
            assert_eq!(median(&kaplan_meier(&watched)), Some(all / 2), "{all}");
        }
    }

    #[test]
    fn shares_at_the_end_tell_who_was_lost() {
        let at = |time, happened| Watched { time, happened };
        // Those that are lost end before 9.
        let of = |runs: &[Watched]| AtEnd::of(runs.iter().map(|it| (*it, it.time == 9)));
        let whole = of(&[at(5, true), at(9, false)]).unwrap();
        assert_eq!((whole.happened, whole.all, whole.method), (1, 2, "wilson"));
        assert_eq!(Some(whole.share), wilson(1, 2));
        // One of two is lost before the other's event: that one stands for both.
        let lost = of(&[at(5, false), at(9, true)]).unwrap();
        assert_eq!((lost.share.share, lost.method), (1.0, "kaplan-meier"));
        assert!(lost.share.low < 0.3, "{lost:?}");
        // None of those that stayed; and nobody stayed.
        let none = of(&[at(1, false), at(9, false), at(9, false)]).unwrap();
        assert_eq!(Some(none.share), wilson(0, 2));
        let nobody = of(&[at(1, false); 20]).unwrap();
        assert_eq!((nobody.share.low, nobody.share.high), (0.0, 1.0));
        assert!(of(&[]).is_none());
    }

    /// Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I,
    /// method 3.
    #[test]
    fn wilson_as_published() {
        for (successes, all, low, high) in [
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0, 0.1611),
            (1, 29, 0.0061, 0.1718),
        ] {
            let share = wilson(successes, all).unwrap();
            assert!(
                (share.low - low).abs() < 5.1e-5,
                "{successes}/{all}: {share:?}"
            );
            assert!(
                (share.high - high).abs() < 5.1e-5,
                "{successes}/{all}: {share:?}"
            );
            let other = wilson(all - successes, all).unwrap();
            assert!((other.low - (1.0 - share.high)).abs() < 1e-12);
        }
        assert_eq!(wilson(0, 0), None);
        assert_eq!(wilson(3, 3).unwrap().high, 1.0);
    }

    /// Weeks in remission of 21 patients with leukaemia, treated with 6-mercaptopurine
    /// (Freireich et al. 1963): survival, Greenwood's standard error and log(-log) intervals
    /// as textbooks print them.
    #[test]
    fn kaplan_meier_as_published() {
        let happened = [6, 6, 6, 7, 10, 13, 16, 22, 23];
        let lost = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35];
        let watched: Vec<Watched> = happened
            .map(|time| Watched {
                time,
                happened: true,
            })
            .into_iter()
            .chain(lost.map(|time| Watched {
                time,
                happened: false,
            }))
            .collect();
        assert_eq!(watched.len(), 21);
        let expected = [
            (6, 21, 3, 0.8571, 0.0764, 0.6197, 0.9516),
            (7, 17, 1, 0.8067, 0.0869, 0.5631, 0.9228),
            (10, 15, 1, 0.7529, 0.0963, 0.5032, 0.8894),
            (13, 12, 1, 0.6902, 0.1068, 0.4316, 0.8491),
            (16, 11, 1, 0.6275, 0.1141, 0.3675, 0.8049),
            (22, 7, 1, 0.5378, 0.1282, 0.2678, 0.7468),
            (23, 6, 1, 0.4482, 0.1346, 0.1881, 0.6801),
        ];
        let steps = kaplan_meier(&watched);
        assert_eq!(steps.len(), expected.len());
        for (step, (time, at_risk, events, survival, error, low, high)) in
            steps.iter().zip(expected)
        {
            assert_eq!(
                (step.time, step.at_risk, step.events),
                (time, at_risk, events)
            );
            for (ours, theirs) in [
                (step.survival.share, survival),
                (step.standard_error, error),
                (step.survival.low, low),
                (step.survival.high, high),
            ] {
                assert!((ours - theirs).abs() < 1e-4, "{step:?}: {ours} {theirs}");
            }
        }
        assert_eq!(median(&steps), Some(23));
    }

    /// The 21 patients who got a placebo: nobody was lost from sight, so that survival is the
    /// plain share, and falls to 0 in week 23.
    #[test]
    fn without_censoring_survival_is_a_plain_share() {
        let weeks = [
            1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23,
        ];
        let watched = weeks.map(|time| Watched {
            time,
            happened: true,
        });
        let steps = kaplan_meier(&watched);
        for step in &steps {
            let left = weeks.iter().filter(|week| **week > step.time).count();
            assert!(
                (step.survival.share - left as f64 / 21.0).abs() < 1e-12,
                "{step:?}"
            );
        }
        let [.., before, last] = steps.as_slice() else {
            panic!("{steps:?}");
        };
        assert_eq!((last.time, last.survival.share), (23, 0.0));
        assert_eq!(last.survival.high, before.survival.high);
        assert_eq!(median(&steps), Some(8));
        assert!(kaplan_meier(&[]).is_empty());
    }

    #[test]
    fn quantiles_lie_between_values() {
        let values = [1.0, 2.0, 4.0, 8.0];
        assert_eq!(quantile(&values, 0.0), Some(1.0));
        assert_eq!(quantile(&values, 0.5), Some(3.0));
        assert_eq!(quantile(&values, 1.0), Some(8.0));
        assert_eq!(quantile(&[], 0.5), None);
    }
}
