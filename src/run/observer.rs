//! Watching a run: what an observer is told, and what it may ask for.

use crate::measure::column::View;
use crate::measure::row::LogRow;
use crate::soup::Tally;

/// A log point that was measured.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct LogPoint<'a> {
    /// The measures, as they are in metrics.csv.
    pub row: &'a LogRow,
    /// The soup that was measured. The run may be some epochs ahead of it.
    pub soup: View<'a>,
}

/// What an observer wants of the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Next {
    /// Nothing new: a run that goes on does so, and one that is paused stays paused.
    #[default]
    AsBefore,
    /// Go on to the end.
    Run,
    /// Run so many epochs, then pause.
    Step(u64),
    /// Pause before the next epoch.
    Pause,
    /// End before the next epoch. The run ends as if it had been interrupted: it can be resumed.
    End,
}

/// Told of everything that happens in a run, in order. It can make the run wait or end, and
/// cannot change the soup. A [`View`] of it is no copy: its bytes are those of the run.
///
/// All calls come from the thread that runs the epochs, which waits for them. A pause costs the
/// run nothing but time, and that time is not counted as time of epochs.
pub trait Observer {
    /// An epoch is done; `tally` is what it came to.
    fn epoch(&mut self, soup: View<'_>, tally: &Tally) -> Next {
        let _ = (soup, tally);
        Next::AsBefore
    }

    /// A log point was measured and written down. Log points are measured beside the epochs
    /// that follow, so this may come some epochs later.
    fn logged(&mut self, point: &LogPoint<'_>) -> Next {
        let _ = point;
        Next::AsBefore
    }

    /// The run is paused, with all log points so far measured. This is called again and again
    /// while the answer is [`Next::AsBefore`] or [`Next::Pause`]; it may take as long as it
    /// likes.
    fn paused(&mut self, soup: View<'_>) -> Next {
        let _ = soup;
        Next::Run
    }
}

/// Watches nothing.
impl Observer for () {}
