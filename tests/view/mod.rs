//! `broth view`, as a page and as an attacker meets it. `tests/browser/` has the page itself, in a
//! browser.

mod client;
mod safety;
#[cfg(target_os = "linux")]
mod terminal;

use std::path::{Path, PathBuf};

use broth::run::folder::Place;
use broth::run::{Plan, Run};
use broth::{Settings, Soup};
use client::{Message, Socket, Viewer};
use serde_json::Value;
use std::sync::atomic::AtomicBool;

use crate::common::{broth, fail, sha256, succeed};

const SMALL: &str = "--num 256 --seed 7 --log-interval 8";

/// The soup of [`SMALL`] after so many epochs, by the library.
fn by_hand(epochs: u64) -> Soup {
    let settings = Settings {
        num_programs: 256,
        seed: 7,
        ..Settings::default()
    };
    let mut soup = Soup::new(settings).unwrap();
    for _ in 0..epochs {
        soup.step();
    }
    soup
}

fn hash_of(soup: &Soup) -> String {
    sha256(soup.programs())
}

/// Go to the soup after so many epochs, and wait for it.
fn go_to(viewer: &Viewer, socket: &mut Socket, epoch: u64) {
    socket.say(&format!("{{\"do\":\"jump\",\"epoch\":{epoch}}}"));
    let is_there = |state: &Value| state["epoch"] == epoch && state["busy"].is_null();
    viewer.wait_for("arrival", is_there);
}

/// The programs that a frame's message makes of those before.
fn applied(before: &[u8], message: &[u8]) -> Vec<u8> {
    let number = |at: usize| u32::from_le_bytes(message[at..at + 4].try_into().unwrap()) as usize;
    let len = usize::from(u16::from_le_bytes([message[2], message[3]]));
    let (n, payload) = (number(4), &message[32..]);
    if message[0] == 1 {
        assert_eq!(payload.len(), n * len);
        return payload.to_vec();
    }
    let (bits, bytes) = payload.split_at(n.div_ceil(8));
    assert_eq!(bytes.len(), number(28) * len);
    let mut changed = bytes.chunks_exact(len);
    let mut after = before.to_vec();
    for (i, program) in after.chunks_exact_mut(len).enumerate() {
        if bits[i / 8] >> (i % 8) & 1 == 1 {
            program.copy_from_slice(changed.next().unwrap());
        }
    }
    after
}

#[test]
fn a_page_sees_the_bytes_of_the_soup() {
    let viewer = Viewer::start(SMALL);
    let mut socket = viewer.socket();
    let scene = socket.text("soup");
    assert_eq!(
        (&scene["num"], &scene["columns"]),
        (&256.into(), &16.into())
    );
    assert_eq!(scene["address"]["seed"], "7");
    assert_eq!(scene["language"]["text"].as_array().unwrap().len(), 256);
    let mut programs = Vec::new();
    for epoch in [0, 1, 2, 3, 17] {
        if epoch > 0 {
            go_to(&viewer, &mut socket, epoch);
        }
        socket.say(r#"{"do":"next","sample":1}"#);
        loop {
            let message = socket.binary(&[1, 2]);
            programs = applied(&programs, &message);
            if u64::from_le_bytes(message[8..16].try_into().unwrap()) == epoch {
                break;
            }
            socket.say(r#"{"do":"next","sample":1}"#);
        }
        assert!(programs == by_hand(epoch).programs(), "epoch {epoch}");
        assert!(viewer.get("/api/soup").body == programs);
    }
}

#[test]
fn it_plays_pauses_and_steps() {
    let viewer = Viewer::start(SMALL);
    let mut socket = viewer.socket();
    let state = viewer.wait_for("state", |_| true);
    assert_eq!(
        (&state["epoch"], &state["playing"]),
        (&0.into(), &false.into())
    );
    socket.say(r#"{"do":"play"}"#);
    viewer.wait_for("epochs", |state| state["epoch"].as_u64() > Some(20));
    socket.say(r#"{"do":"pause"}"#);
    let paused = viewer.wait_for("pause", |state| state["playing"] == false);
    let epoch = viewer.json("/api/hash")["epoch"].as_u64().unwrap();
    assert!(epoch >= paused["epoch"].as_u64().unwrap());
    socket.say(r#"{"do":"step","epochs":3}"#);
    viewer.wait_for("steps", |state| state["epoch"] == epoch + 3);
    let hash = viewer.json("/api/hash");
    assert_eq!(hash["sha256"], hash_of(&by_hand(epoch + 3)));
    // No faster than it is told to be.
    socket.say(r#"{"do":"speed","rate":20}"#);
    socket.say(r#"{"do":"play"}"#);
    std::thread::sleep(std::time::Duration::from_millis(600));
    socket.say(r#"{"do":"pause"}"#);
    let state = viewer.wait_for("pause", |state| state["playing"] == false);
    let ran = state["epoch"].as_u64().unwrap() - epoch - 3;
    assert!((1..=40).contains(&ran), "{ran} epochs");
    assert_eq!(state["limit"], 20.0);
}

#[test]
fn it_goes_back_and_on_to_the_same_bytes() {
    let viewer = Viewer::start(SMALL);
    let mut socket = viewer.socket();
    for epoch in [300, 17, 299, 0, 1, 300] {
        go_to(&viewer, &mut socket, epoch);
        let hash = viewer.json("/api/hash");
        assert_eq!(hash["epoch"], epoch);
        assert_eq!(hash["sha256"], hash_of(&by_hand(epoch)), "epoch {epoch}");
    }
    // Rows are there once each, in order.
    let rows = socket_rows(&viewer);
    assert_eq!(rows[..4], [1.0, 9.0, 17.0, 25.0]);
    assert!(rows.windows(2).all(|it| it[0] < it[1]));
}

/// The epochs of all rows that a new page is told of.
fn socket_rows(viewer: &Viewer) -> Vec<f64> {
    let message = viewer.socket().binary(&[5]);
    let width = usize::from(u16::from_le_bytes([message[2], message[3]]));
    let (numbers, _) = message[16..].as_chunks::<8>();
    let numbers: Vec<f64> = numbers.iter().map(|it| f64::from_le_bytes(*it)).collect();
    numbers.chunks_exact(width).map(|row| row[0]).collect()
}

#[test]
fn what_is_planted_is_in_the_soup_and_in_the_link() {
    let viewer = Viewer::start(SMALL);
    let mut socket = viewer.socket();
    go_to(&viewer, &mut socket, 20);
    let program = "5b".repeat(64);
    socket.say(&format!(
        "{{\"do\":\"plant\",\"index\":5,\"hex\":\"{program}\"}}"
    ));
    let scene = loop {
        let scene = socket.text("soup");
        if scene["generation"] == 2 {
            break scene;
        }
    };
    assert_eq!(scene["plants"][0], serde_json::json!([20, 5, program]));
    let mut soup = by_hand(20);
    soup.set_program(5, &[0x5b; 64]).unwrap();
    assert_eq!(viewer.json("/api/hash")["sha256"], hash_of(&soup));
    go_to(&viewer, &mut socket, 90);
    for _ in 20..90 {
        soup.step();
    }
    assert_eq!(viewer.json("/api/hash")["sha256"], hash_of(&soup));
    // Another page, of another server, given the link.
    let other = Viewer::start("--num 64");
    let mut socket = other.socket();
    let new = serde_json::json!({
        "do": "new", "settings": scene["address"], "plants": scene["plants"], "epoch": 90,
    });
    socket.say(&new.to_string());
    other.wait_for("arrival", |state| state["epoch"] == 90);
    assert_eq!(other.json("/api/hash")["sha256"], hash_of(&soup));
}

#[test]
fn it_stops_by_its_rule_and_after_its_last_epoch() {
    let text = "[[{.>]-]]-]>.{[[";
    let mut command = broth();
    command.args(["view", "--port", "0", "--quiet", "--play"]);
    command.args(["--num", "256", "--seed", "3", "--log-interval", "8"]);
    command.args([
        "--initial-program",
        text,
        "--stop-high-order-entropy",
        "0.8",
    ]);
    let viewer = Viewer::of(command);
    let state = viewer.wait_for("stop", |state| state["ended"].is_string());
    assert!(
        state["ended"].as_str().unwrap().contains("entropy"),
        "{state}"
    );
    let epoch = state["epoch"].as_u64().unwrap();
    // The soup is that of the log point.
    assert_eq!(epoch % 8, 1);
    let mut socket = viewer.socket();
    socket.say(r#"{"do":"play"}"#);
    viewer.wait_for("more", |state| state["epoch"].as_u64() > Some(epoch + 9));

    let viewer = Viewer::start(&format!("{SMALL} --max-epochs 37 --play"));
    let state = viewer.wait_for("end", |state| state["ended"].is_string());
    assert_eq!(
        (&state["epoch"], &state["playing"]),
        (&37.into(), &false.into())
    );
    assert_eq!(viewer.json("/api/hash")["sha256"], hash_of(&by_hand(37)));
}

#[test]
fn programs_can_be_looked_at_and_run() {
    let viewer = Viewer::start("--preset small");
    let mut socket = viewer.socket();
    let first = viewer.json("/api/program/0");
    assert!(first["score"].as_u64() > Some(48), "{first}");
    assert_eq!(first["copied"]["mirrored"], true);
    assert!(first["loop"].is_array());
    go_to(&viewer, &mut socket, 3);
    let now = viewer.json("/api/program/9");
    let met = viewer.json("/api/interaction/9?epoch=3");
    assert_eq!(met["epoch"], 2);
    let after = met["after"].as_str().unwrap();
    let half = if met["side"] == "left" {
        0..128
    } else {
        128..256
    };
    assert_eq!(&after[half], now["hex"].as_str().unwrap());
    let trace = viewer.json(&format!(
        "/api/trace?tape={}",
        met["start"].as_str().unwrap()
    ));
    assert_eq!(trace["end"], met["after"]);
    let hex = first["hex"].as_str().unwrap();
    let places = viewer.json(&format!("/api/places?hex={hex}"));
    assert!(places["places"].is_array());
    let parsed = viewer.json("/api/parse?text=%5B%5B%7B.%3E%5D-%5D");
    assert_eq!(parsed["hex"], "5b5b7b2e3e5d2d5d");
}

#[test]
fn a_replicator_is_traced_to_its_birth() {
    // It comes alive by itself.
    let viewer = Viewer::start("--num 2048 --seed 9 --lang forthtrivial --log-interval 8");
    let mut socket = viewer.socket();
    socket.say(r#"{"do":"play"}"#);
    let state = viewer.wait_for("life", |state| state["alive_at"].is_u64());
    let alive_at = state["alive_at"].as_u64().unwrap();
    socket.say(r#"{"do":"pause"}"#);
    viewer.wait_for("pause", |state| state["playing"] == false);
    socket.say(r#"{"do":"birth"}"#);
    let birth = socket.text("birth");
    let epoch = birth["epoch"].as_u64().unwrap();
    assert!(epoch > 0 && epoch <= alive_at, "{birth}");
    assert!(birth["score"].as_u64() >= Some(48), "{birth}");
    viewer.wait_for("arrival", |state| {
        state["epoch"] == epoch && state["busy"].is_null()
    });
    let program = viewer.json(&format!("/api/program/{}", birth["index"]));
    assert_eq!(program["hex"], birth["hex"]);
}

/// A run in `folder`, to this many epochs.
fn run_in(folder: &Path, max_epochs: u64) -> PathBuf {
    let path = folder.join("run");
    let plan = Plan {
        max_epochs,
        log_interval: 8,
        checkpoint_interval: 32,
        picture: false,
        ..Plan::default()
    };
    let settings = by_hand(0).settings().clone();
    let run = Run::create(settings, plan, &Place::At(path.clone()), None, None).unwrap();
    run.go(&AtomicBool::new(false), &mut ()).unwrap();
    path
}

#[test]
fn a_run_folder_is_shown_and_followed() {
    let folder = tempfile::tempdir().unwrap();
    let path = run_in(folder.path(), 70);
    let before = folder_contents(&path);
    let mut command = broth();
    command.args(["view", "--port", "0", "--quiet"]).arg(&path);
    let viewer = Viewer::of(command);
    let state = viewer.wait_for("soup", |state| state["epoch"] == 70);
    assert_eq!(state["following"], true);
    assert_eq!(viewer.json("/api/hash")["sha256"], hash_of(&by_hand(70)));
    // Its rows come as soon as its tables are read.
    viewer.wait_for("rows", |_| !socket_rows(&viewer).is_empty());
    assert_eq!(
        socket_rows(&viewer),
        [1.0, 9.0, 17.0, 25.0, 33.0, 41.0, 49.0, 57.0, 65.0]
    );
    // Back into the past, and on from there: the folder stays as it is.
    let mut socket = viewer.socket();
    go_to(&viewer, &mut socket, 50);
    assert_eq!(viewer.json("/api/hash")["sha256"], hash_of(&by_hand(50)));
    go_to(&viewer, &mut socket, 100);
    assert_eq!(viewer.json("/api/hash")["sha256"], hash_of(&by_hand(100)));
    assert!(folder_contents(&path) == before);
    // The run goes on meanwhile.
    succeed(
        "run --max-epochs 130 --quiet --no-picture --resume",
        &[&path],
    );
    socket.say(r#"{"do":"follow"}"#);
    viewer.wait_for("newer checkpoint", |state| state["epoch"] == 130);
    viewer.wait_for("newer rows", |_| {
        socket_rows(&viewer).last() == Some(&129.0)
    });
    assert_eq!(viewer.json("/api/hash")["sha256"], hash_of(&by_hand(130)));
}

/// All files of a run folder, with what they hold.
fn folder_contents(path: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![path.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push((path.clone(), std::fs::read(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn a_run_can_be_watched_and_paused_and_keeps_its_records() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let mut command = broth();
    command.args(["run", "--view", "--port", "0", "--no-picture"]);
    command.args(SMALL.split(' '));
    command
        .args(["--max-epochs", "1000000", "--out"])
        .arg(&path);
    let mut viewer = Viewer::of_run(command);
    let mut socket = viewer.socket();
    assert_eq!(socket.text("soup")["origin"], "run");
    socket.say(r#"{"do":"pause"}"#);
    let is_still = |viewer: &Viewer| {
        let epoch = || viewer.json("/api/state")["state"]["epoch"].clone();
        let before = epoch();
        std::thread::sleep(std::time::Duration::from_millis(300));
        before == epoch()
    };
    viewer.wait_for("pause", |state| state["playing"] == false);
    assert!(is_still(&viewer));
    let state = viewer.wait_for("state", |_| true);
    let epoch = state["epoch"].as_u64().unwrap();
    socket.say(r#"{"do":"step","epochs":5}"#);
    viewer.wait_for("steps", |state| state["epoch"] == epoch + 5);
    socket.say(r#"{"do":"next","sample":1}"#);
    loop {
        let message = socket.binary(&[1, 2]);
        if message[8..16] == (epoch + 5).to_le_bytes() {
            assert!(message[32..] == *by_hand(epoch + 5).programs());
            break;
        }
        socket.say(r#"{"do":"next","sample":1}"#);
    }
    // What would lead it astray is refused.
    socket.say(r#"{"do":"jump","epoch":0}"#);
    assert!(
        socket.text("notice")["text"]
            .as_str()
            .unwrap()
            .contains("records")
    );
    socket.say(r#"{"do":"play"}"#);
    viewer.wait_for("more", |state| state["epoch"].as_u64() > Some(epoch + 50));
    assert!(viewer.runs());
    assert_eq!(viewer.interrupt(), Some(130));
    let saved = broth::run::newest_soup(&path).unwrap();
    assert_eq!(hash_of(&saved), hash_of(&by_hand(saved.epochs_done())));
}

#[test]
fn every_world_can_be_seen() {
    for (words, columns) in [
        ("--preset z80", 200),
        ("--world long-tape --lang i8080 --seed 1", 32),
        ("--grid 24x10 --seed 1", 24),
        ("--lang subleq --num 64", 8),
    ] {
        let viewer = Viewer::start(words);
        let mut socket = viewer.socket();
        let scene = socket.text("soup");
        assert_eq!(scene["columns"], columns, "{words}");
        socket.say(r#"{"do":"step","epochs":2}"#);
        viewer.wait_for("steps", |state| state["epoch"] == 2);
        for wish in [
            "1,\"plane\":\"age\"",
            "2,\"plane\":\"class\"",
            "4",
            "0,\"plane\":\"class\"",
        ] {
            socket.say(&format!("{{\"do\":\"next\",\"sample\":{wish}}}"));
            let message = socket.binary(&[1, 2, 3, 4]);
            assert!(message.len() > 16, "{words} {wish}");
        }
        let details = viewer.json("/api/program/3");
        assert!(details["score"].is_u64(), "{words}");
    }
}

#[test]
fn wrong_requests_get_a_clear_answer() {
    let viewer = Viewer::start(SMALL);
    let port = viewer.port;
    fail(
        2,
        &format!("view --port {port}"),
        &[],
        &["--port", "another program listens"],
    );
    fail(
        2,
        "view --preset brith",
        &[],
        &["--preset brith", "birth, spread"],
    );
    fail(2, "view --num 7", &[], &["--num 7", "even"]);
    fail(
        2,
        "view --host no.such.host.invalid",
        &[],
        &["--host", "no address"],
    );
    let folder = tempfile::tempdir().unwrap();
    fail(2, "view", &[folder.path()], &["not a run folder"]);
    fail(2, "view", &[&folder.path().join("none")], &["none"]);
    let run = run_in(folder.path(), 8);
    fail(2, "view --seed 3", &[&run], &["--seed", "leave it out"]);
    for (path, hint) in [
        ("/api/program/256", "has 256"),
        ("/api/program/1?hex=5b", "1 byte"),
        ("/api/trace?tape=00", "1 byte"),
        ("/api/trace", "0 bytes"),
        ("/api/places?hex=zz", "character 1"),
        ("/api/parse?text=q", "character 1"),
        ("/api/interaction/3?epoch=0", "no epoch"),
        ("/api/interaction/256?epoch=0", "no epoch"),
        ("/api/interaction/3?epoch=x", "not a number"),
        ("/api/interaction/3?epoch=1e9", "too far"),
    ] {
        let answer = viewer.get(path);
        assert_eq!(answer.code, 400, "{path}: {}", answer.text());
        assert!(answer.text().contains(hint), "{path}: {}", answer.text());
    }
    assert_eq!(viewer.get("/api/program/x").code, 400);
    let mut socket = viewer.socket();
    for (text, hint) in [
        (r#"{"do":"new","settings":{"num":"7"}}"#, "even"),
        (
            r#"{"do":"new","settings":{"load":"/etc/passwd"}}"#,
            "no setting",
        ),
        (r#"{"do":"plant","index":256,"hex":""}"#, "0 bytes"),
        (r#"{"do":"preset","name":"brith"}"#, "birth, spread"),
        (r#"{"do":"follow"}"#, "no run folder"),
        (r#"{"do":"birth"}"#, "no replicator"),
    ] {
        socket.say(text);
        let notice = socket.text("notice");
        assert!(notice["text"].as_str().unwrap().contains(hint), "{notice}");
    }
    // All is as it was.
    assert_eq!(viewer.json("/api/hash")["sha256"], hash_of(&by_hand(0)));
}

#[cfg(unix)]
#[test]
fn it_ends_when_it_is_asked_to() {
    for words in [SMALL, "--num 4096 --play"] {
        let viewer = Viewer::start(words);
        let _open = viewer.socket();
        assert_eq!(viewer.interrupt(), Some(130));
    }
}

#[test]
fn a_slow_page_holds_up_nobody() {
    let viewer = Viewer::start("--num 65536 --play");
    // It asks for frames, and takes none: the soup is larger than what the system buffers.
    let mut slow = viewer.socket();
    for _ in 0..64 {
        slow.say(r#"{"do":"next","sample":1,"plane":"age"}"#);
    }
    let mut quick = viewer.socket();
    let epoch_of = |it: &[u8]| u64::from_le_bytes(it[8..16].try_into().unwrap());
    let mut epochs = Vec::new();
    while epochs.len() < 5 {
        quick.say(r#"{"do":"next","sample":1}"#);
        epochs.push(epoch_of(&quick.binary(&[1, 2])));
        assert!(epochs.is_sorted(), "{epochs:?}");
        // An epoch may be shown twice, before and after something is done to its soup.
        epochs.dedup();
    }
    // The slow one has what it asked for first, and then the newest.
    let first = slow.binary(&[1, 2]);
    assert!(epoch_of(&first) <= epochs[4]);
    assert!(matches!(slow.next(), Message::Text(_) | Message::Binary(_)));
}
