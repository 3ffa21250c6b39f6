//! Runs as a library user watches, pauses, steps and ends them.

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use crate::common::{read, read_text};
use broth::measure::Measures;
use broth::run::folder::Place;
use broth::run::{Changes, End, LogPoint, Next, Observer, Plan, Run, Summary, View};
use broth::{Settings, Soup, Tally};

/// A soup in which a replicator spreads at once, so that measures move.
fn settings() -> Settings {
    let mut settings = Settings {
        num_programs: 256,
        seed: 561,
        ..Settings::default()
    };
    let replicator = "[[{.>]-]]-]>.{[[";
    settings.initial_program = settings.language.parse_program(replicator).unwrap();
    settings
}

fn plan() -> Plan {
    Plan {
        max_epochs: 70,
        log_interval: 8,
        checkpoint_interval: 32,
        ..Plan::default()
    }
}

/// Run in the folder `path`, which is new.
fn run(path: &Path, observer: &mut dyn Observer) -> Summary {
    let run = Run::create(settings(), plan(), &Place::At(path.into()), None, None).unwrap();
    run.go(&AtomicBool::new(false), observer).unwrap()
}

/// Whether two runs left the same records: tables, and all checkpoints with their sidecars.
fn assert_same(a: &Path, b: &Path) {
    assert_eq!(read(a.join("metrics.csv")), read(b.join("metrics.csv")));
    for epochs in [1, 33, 65, 70] {
        for ending in ["dat", "toml"] {
            let name = format!("checkpoints/{epochs:010}.{ending}");
            assert!(read(a.join(&name)) == read(b.join(&name)), "{name}");
        }
    }
}

/// Steps a soup of its own beside the run, and compares.
struct Comparing {
    by_hand: Soup,
    /// Epochs that the run has told of, and what they came to.
    epochs: u64,
    total: Tally,
    logged: Vec<u64>,
}

impl Observer for Comparing {
    fn epoch(&mut self, soup: View<'_>, tally: &Tally) -> Next {
        self.epochs += 1;
        assert_eq!(soup.epochs_done, self.epochs);
        self.total = self.total + *tally;
        Next::AsBefore
    }

    fn logged(&mut self, point: &LogPoint<'_>) -> Next {
        let epoch = point.row.epoch;
        while self.by_hand.epochs_done() < epoch {
            self.by_hand.step();
        }
        assert_eq!(point.soup.epochs_done, epoch);
        assert!(point.soup.programs == self.by_hand.programs(), "{epoch}");
        assert_eq!(point.row.measures, Measures::of(self.by_hand.programs()));
        self.logged.push(epoch);
        Next::AsBefore
    }
}

#[test]
fn an_observer_sees_the_soup_of_each_log_point() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let mut observer = Comparing {
        by_hand: Soup::new(settings()).unwrap(),
        epochs: 0,
        total: Tally::default(),
        logged: Vec::new(),
    };
    let summary = run(&path, &mut observer);
    assert_eq!(summary.end, End::Finished);
    assert_eq!(observer.epochs, 70);
    assert_eq!(observer.total, summary.tally);
    assert_eq!(observer.logged, [1, 9, 17, 25, 33, 41, 49, 57, 65]);
    let table = read_text(path.join("metrics.csv"));
    let rows = table.lines().skip(1);
    let epochs: Vec<u64> = rows
        .map(|row| row.split(',').next().unwrap().parse().unwrap())
        .collect();
    assert_eq!(epochs, observer.logged);
}

/// Pauses after 20 epochs, and then follows a script: what to answer, one pause after another.
struct Stepping {
    script: Vec<Next>,
    paused_at: Vec<u64>,
    last_logged: u64,
    by_hand: Soup,
}

impl Observer for Stepping {
    fn epoch(&mut self, soup: View<'_>, _: &Tally) -> Next {
        if soup.epochs_done == 20 {
            Next::Pause
        } else {
            Next::AsBefore
        }
    }

    fn logged(&mut self, point: &LogPoint<'_>) -> Next {
        self.last_logged = point.row.epoch;
        Next::AsBefore
    }

    fn paused(&mut self, soup: View<'_>) -> Next {
        // Nothing is still being measured, and nothing moves.
        assert_eq!(self.last_logged, (soup.epochs_done - 1) / 8 * 8 + 1);
        while self.by_hand.epochs_done() < soup.epochs_done {
            self.by_hand.step();
        }
        assert!(soup.programs == self.by_hand.programs());
        self.paused_at.push(soup.epochs_done);
        self.script.remove(0)
    }
}

#[test]
fn a_paused_run_stands_still_and_goes_on_step_by_step() {
    let folder = tempfile::tempdir().unwrap();
    let (watched, plain) = (folder.path().join("watched"), folder.path().join("plain"));
    let mut observer = Stepping {
        script: vec![
            Next::AsBefore,
            Next::Step(1),
            Next::Step(1),
            Next::Pause,
            Next::Step(11),
            Next::Run,
        ],
        paused_at: Vec::new(),
        last_logged: 0,
        by_hand: Soup::new(settings()).unwrap(),
    };
    let summary = run(&watched, &mut observer);
    assert_eq!(observer.paused_at, [20, 20, 21, 22, 22, 33]);
    assert_eq!(summary.end, End::Finished);
    run(&plain, &mut ());
    assert_same(&watched, &plain);
}

#[test]
fn an_interrupt_ends_a_pause() {
    struct Waiting<'a>(&'a AtomicBool);
    impl Observer for Waiting<'_> {
        fn epoch(&mut self, _: View<'_>, _: &Tally) -> Next {
            Next::Pause
        }
        fn paused(&mut self, _: View<'_>) -> Next {
            self.0.store(true, std::sync::atomic::Ordering::Relaxed);
            Next::AsBefore
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let place = Place::At(folder.path().join("run"));
    let run = Run::create(settings(), plan(), &place, None, None).unwrap();
    let interrupt = AtomicBool::new(false);
    let summary = run.go(&interrupt, &mut Waiting(&interrupt)).unwrap();
    assert_eq!((summary.end, summary.epochs_done), (End::Interrupted, 1));
}

#[test]
fn a_pause_is_no_time_of_epochs() {
    const PAUSE: Duration = Duration::from_millis(300);
    struct Sleeping;
    impl Observer for Sleeping {
        fn epoch(&mut self, soup: View<'_>, _: &Tally) -> Next {
            match soup.epochs_done {
                10 => Next::Pause,
                _ => Next::AsBefore,
            }
        }
        fn paused(&mut self, _: View<'_>) -> Next {
            std::thread::sleep(PAUSE);
            Next::Run
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let before = Instant::now();
    let summary = run(&folder.path().join("run"), &mut Sleeping);
    assert!(summary.elapsed + PAUSE <= before.elapsed());
}

/// Ends the run where it has so many epochs, or where it has logged so many.
struct Ending {
    epochs: Option<u64>,
    logged: Option<u64>,
}

impl Observer for Ending {
    fn epoch(&mut self, soup: View<'_>, _: &Tally) -> Next {
        if self.epochs == Some(soup.epochs_done) {
            Next::End
        } else {
            Next::AsBefore
        }
    }

    fn logged(&mut self, point: &LogPoint<'_>) -> Next {
        if self.logged == Some(point.row.epoch) {
            Next::End
        } else {
            Next::AsBefore
        }
    }
}

#[test]
fn a_run_that_its_observer_ends_can_be_resumed() {
    let folder = tempfile::tempdir().unwrap();
    let plain = folder.path().join("plain");
    run(&plain, &mut ());
    for (name, epochs, logged) in [("epoch", Some(21), None), ("log", None, Some(41))] {
        let path = folder.path().join(name);
        let summary = run(&path, &mut Ending { epochs, logged });
        assert_eq!(summary.end, End::Interrupted);
        match (epochs, logged) {
            (Some(epochs), _) => assert_eq!(summary.epochs_done, epochs),
            (_, Some(logged)) => assert!((logged..=49).contains(&summary.epochs_done)),
            _ => unreachable!("one of them is given"),
        }
        assert!(summary.checkpoint.exists() && summary.picture.is_none());
        let resumed = Run::resume(&path, &Changes::default(), None).unwrap();
        assert_eq!(resumed.soup().epochs_done(), summary.epochs_done);
        let end = resumed.go(&AtomicBool::new(false), &mut ()).unwrap();
        assert_eq!((end.end, end.epochs_done), (End::Finished, 70));
        assert_same(&path, &plain);
    }
}
