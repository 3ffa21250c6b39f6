//! Snapshots of a soup, and the thread that measures and writes them beside the epochs.

use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{Scope, ScopedJoinHandle};
use std::time::{Duration, Instant};

use crate::Error;
use crate::language::Language;
use crate::measure::Measures;
use crate::measure::column::{Column, View};
use crate::measure::replicators::Replicators;
use crate::measure::row::{LogRow, measure};
use crate::run::folder::performance::PerformanceRow;
use crate::soup::checkpoint::Checkpoint;
use crate::soup::tokens::TokenMeasures;
use crate::soup::{Soup, Tally};

/// What becomes of a soup's snapshots.
pub(crate) trait Sink: Send {
    /// Why a run stops before its last epoch.
    type Stop: Send;

    /// Note a log point. Answers with why the run stops there, if it does.
    fn log(
        &mut self,
        row: &LogRow,
        performance: &PerformanceRow,
    ) -> Result<Option<Self::Stop>, Error>;

    /// Draw a frame, after its log point and before it is saved.
    fn draw(&mut self, soup: &Checkpoint) -> Result<(), Error>;

    /// Save a soup, all that came before being noted. The last soup of a run is not saved here,
    /// but by whoever has the run driven.
    fn save(&mut self, snapshot: &Snapshot) -> Result<(), Error>;

    /// Whether a log point may stop the run.
    fn may_stop(&self) -> bool;
}

/// What is to be written of a soup.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Due {
    pub log: bool,
    pub frame: bool,
    pub checkpoint: bool,
}

impl Due {
    /// Whether anything is.
    pub(crate) fn any(self) -> bool {
        self.log || self.frame || self.checkpoint
    }
}

/// A copy of the soup, and what to do with it.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub soup: Checkpoint,
    /// What the last epoch came to.
    pub tally: Tally,
    /// What all epochs came to, since the soup was first driven.
    pub total: Tally,
    /// How long they took.
    pub elapsed: Duration,
    /// Set at a log point.
    pub counts: Option<Counts>,
    pub due: Due,
}

/// What was counted at a log point while the soup stood still.
#[derive(Clone, Debug)]
pub(crate) struct Counts {
    /// How many replicators there are, where they are counted.
    pub replicators: Option<Replicators>,
    /// What the tracer tokens measure, where bytes carry some.
    pub tokens: Option<TokenMeasures>,
    /// What the bytes mean.
    pub language: &'static Language,
    /// The columns that are measured besides, because the run asks for them.
    pub also: Vec<&'static Column>,
    /// The interval since the last log point; its time for measures is that of counting.
    pub performance: PerformanceRow,
}

/// A snapshot that was measured and written.
#[derive(Debug)]
pub(crate) struct Recorded<Stop> {
    pub snapshot: Snapshot,
    /// Set at a log point.
    pub row: Option<LogRow>,
    /// Set where the run stops here.
    pub stop: Option<Stop>,
}

type Outcome<S> = Result<Recorded<<S as Sink>::Stop>, Error>;

/// A sink at work, on one snapshot at a time. There is one buffer for copies of the soup, which
/// goes back and forth.
pub(crate) struct Recording<'scope, S: Sink> {
    worker: Worker<'scope, S>,
    /// None while a snapshot is under way.
    buffer: Option<Checkpoint>,
    may_stop: bool,
}

#[expect(clippy::large_enum_variant, reason = "a run has one")]
enum Worker<'scope, S: Sink> {
    /// In a thread of its own, which ends when the sender is dropped.
    Beside {
        snapshots: Sender<Snapshot>,
        results: Receiver<Outcome<S>>,
        thread: ScopedJoinHandle<'scope, S>,
    },
    /// Between two epochs.
    InTurn { sink: S, result: Option<Outcome<S>> },
}

impl<'scope, S: Sink> Recording<'scope, S> {
    /// Put `sink` to work in a thread of its own.
    pub(crate) fn beside(scope: &'scope Scope<'scope, '_>, mut sink: S) -> Self
    where
        S: 'scope,
    {
        let may_stop = sink.may_stop();
        let (snapshots, inbox) = mpsc::channel::<Snapshot>();
        let (outbox, results) = mpsc::channel();
        let thread = scope.spawn(move || {
            for snapshot in inbox {
                if outbox.send(record(&mut sink, snapshot)).is_err() {
                    break;
                }
            }
            sink
        });
        Recording {
            worker: Worker::Beside {
                snapshots,
                results,
                thread,
            },
            buffer: Some(Checkpoint::empty()),
            may_stop,
        }
    }

    /// Have `sink` work while the soup waits.
    pub(crate) fn in_turn(sink: S) -> Self {
        Recording {
            may_stop: sink.may_stop(),
            worker: Worker::InTurn { sink, result: None },
            buffer: Some(Checkpoint::empty()),
        }
    }

    /// Copy the soup and hand it over. The snapshot before must have been collected and its
    /// buffer given back.
    pub(crate) fn submit(
        &mut self,
        soup: &Soup,
        snapshot: impl FnOnce(Checkpoint) -> Snapshot,
    ) -> Result<(), Error> {
        let buffer = self.buffer.take().ok_or_else(Error::recorder_gone)?;
        let mut snapshot = snapshot(buffer);
        // A checkpoint that a stop rule asks for needs its tokens too.
        let may_stop = snapshot.counts.is_some() && self.may_stop;
        if snapshot.due.checkpoint || may_stop {
            snapshot.soup.copy_all_from(soup);
        } else {
            snapshot.soup.copy_from(soup);
        }
        match &mut self.worker {
            Worker::Beside { snapshots, .. } => {
                snapshots.send(snapshot).map_err(|_| Error::recorder_gone())
            }
            Worker::InTurn { sink, result } => {
                *result = Some(record(sink, snapshot));
                Ok(())
            }
        }
    }

    /// What came of the snapshot under way: once it is recorded, or with `wait` for sure.
    pub(crate) fn collect(&mut self, wait: bool) -> Result<Option<Recorded<S::Stop>>, Error> {
        if self.buffer.is_some() {
            return Ok(None);
        }
        match &mut self.worker {
            Worker::Beside { results, .. } => match results.try_recv() {
                Ok(result) => result.map(Some),
                Err(_) if wait => results
                    .recv()
                    .map_err(|_| Error::recorder_gone())?
                    .map(Some),
                Err(_) => Ok(None),
            },
            Worker::InTurn { result, .. } => result.take().transpose(),
        }
    }

    /// Return the buffer of a snapshot that was collected.
    pub(crate) fn give_back(&mut self, buffer: Checkpoint) {
        self.buffer = Some(buffer);
    }

    /// The buffer, unless it was kept, and the sink.
    pub(crate) fn close(self) -> Result<(Checkpoint, S), Error> {
        let sink = match self.worker {
            Worker::Beside {
                snapshots, thread, ..
            } => {
                drop(snapshots);
                thread.join().map_err(|_| Error::recorder_gone())?
            }
            Worker::InTurn { sink, .. } => sink,
        };
        Ok((self.buffer.unwrap_or_else(Checkpoint::empty), sink))
    }
}

/// Measure a snapshot where that is due, and write what is. Rows and frames come before the
/// checkpoint of the same epoch.
fn record<S: Sink>(sink: &mut S, snapshot: Snapshot) -> Outcome<S> {
    let (mut row, mut stop) = (None, None);
    if let Some(counts) = &snapshot.counts {
        let before = Instant::now();
        let (epoch, programs) = (snapshot.soup.epochs_done, &snapshot.soup.programs);
        let sample = View {
            language: counts.language,
            programs,
            epochs_done: epoch,
        };
        let measured = LogRow {
            epoch,
            measures: Measures::of(programs),
            tally: snapshot.tally,
            replicators: counts.replicators,
            tokens: counts.tokens,
            also: measure(&counts.also, &sample),
        };
        let mut performance = counts.performance;
        performance.measured += before.elapsed();
        stop = sink.log(&measured, &performance)?;
        row = Some(measured);
    }
    if snapshot.due.frame {
        sink.draw(&snapshot.soup)?;
    }
    if snapshot.due.checkpoint && stop.is_none() {
        sink.save(&snapshot)?;
    }
    Ok(Recorded {
        snapshot,
        row,
        stop,
    })
}
