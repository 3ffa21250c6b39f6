//! Who may talk to the server, and what it does with what is no message at all.

use std::path::Path;

use proptest::prelude::*;

use super::SMALL;
use super::client::{Message, Viewer};

#[test]
fn pages_of_other_sites_are_refused() {
    let viewer = Viewer::start(SMALL);
    let port = viewer.port;
    for origin in [
        "http://evil.example",
        "https://evil.example",
        "null",
        "http://localhost:1",
        &format!("http://evil.example:{port}"),
        &format!("https://localhost:{port}"),
    ] {
        let refused = viewer.socket_with(&[&format!("Origin: {origin}")]);
        let answer = refused.err().expect(origin);
        assert_eq!(answer.code, 403, "{origin}");
    }
    // A program that is no browser sends none.
    assert!(viewer.socket_with(&[]).is_ok());
    let host = format!("Host: localhost:{port}");
    let from = |site| format!("Sec-Fetch-Site: {site}");
    for path in ["/ws", "/api/state", "/api/soup", "/main.js"] {
        let answer = viewer.ask(
            &format!("GET {path} HTTP/1.1"),
            &[&host, &from("cross-site")],
        );
        assert_eq!(answer.code, 403, "{path}");
    }
    let answer = viewer.ask("GET / HTTP/1.1", &[&host, &from("cross-site")]);
    assert_eq!(answer.code, 200);
}

#[test]
fn names_that_lead_here_by_a_trick_are_refused() {
    let viewer = Viewer::start(SMALL);
    let port = viewer.port;
    for host in [
        format!("Host: evil.example:{port}"),
        "Host: localhost".to_owned(),
        format!("Host: localhost.evil.example:{port}"),
        format!("Host: 192.168.1.5:{port}"),
        "Host: ".to_owned(),
    ] {
        for path in ["/", "/api/state", "/ws"] {
            let answer = viewer.ask(&format!("GET {path} HTTP/1.1"), &[&host]);
            assert_eq!(answer.code, 403, "{host} {path}");
        }
    }
    for host in ["127.0.0.1", "localhost", "[::1]"] {
        let answer = viewer.ask("GET / HTTP/1.1", &[&format!("Host: {host}:{port}")]);
        assert_eq!(answer.code, 200, "{host}");
    }
}

#[test]
fn other_machines_need_the_token() {
    let viewer = Viewer::start(&format!("{SMALL} --host 0.0.0.0"));
    let port = viewer.port;
    let token = viewer.address.split_once("?token=").unwrap().1;
    assert_eq!(token.len(), 32, "{}", viewer.address);
    let host = format!("Host: 127.0.0.1:{port}");
    for path in ["/", "/api/state", "/ws", "/main.js", "/?token=0"] {
        let answer = viewer.ask(&format!("GET {path} HTTP/1.1"), &[&host]);
        assert_eq!(answer.code, 403, "{path}");
        assert!(!answer.text().contains(token) && answer.header("set-cookie").is_none());
    }
    let answer = viewer.ask(&format!("GET /?token={token} HTTP/1.1"), &[&host]);
    assert_eq!(answer.code, 200);
    let cookie = answer.header("set-cookie").unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"));
    let cookie = format!("Cookie: {}", cookie.split(';').next().unwrap());
    let answer = viewer.ask("GET /api/state HTTP/1.1", &[&host, &cookie]);
    assert_eq!(answer.code, 200);
    let other = Viewer::start(&format!("{SMALL} --host 0.0.0.0"));
    assert_ne!(other.address.split_once("?token=").unwrap().1, token);
    // On loopback there is none, and nobody else can come.
    let viewer = Viewer::start(SMALL);
    assert!(!viewer.address.contains("token") && viewer.address.contains("127.0.0.1"));
}

#[test]
fn answers_keep_pages_from_loading_anything_else() {
    let viewer = Viewer::start(SMALL);
    for path in [
        "/",
        "/main.js",
        "/style.css",
        "/api/state",
        "/api/none",
        "/none",
    ] {
        let answer = viewer.get(path);
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'"), "{path}");
        assert!(
            !policy.contains("unsafe") && !policy.contains('*'),
            "{path}"
        );
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("access-control-allow-origin"), None);
    }
    let page = viewer.get("/").text();
    assert!(!page.contains("http://") && !page.contains("https://") && !page.contains("style="));
    assert!(page.contains("<script type=\"module\" src=\"/main.js\">"));
}

/// All that the page is made of is served, and asks for nothing from elsewhere.
#[test]
fn the_page_is_whole() {
    let viewer = Viewer::start(SMALL);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/view/page");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let url = if name == "index.html" {
            "/".into()
        } else {
            format!("/{name}")
        };
        let answer = viewer.get(&url);
        assert_eq!(answer.code, 200, "{url}");
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(answer.text() == text, "{url}");
        for line in text.lines().filter(|line| line.contains("import ")) {
            if let Some(file) = line.split("\"./").nth(1) {
                let file = file.split('"').next().unwrap();
                assert_eq!(viewer.get(&format!("/{file}")).code, 200, "{line}");
            }
        }
        count += 1;
    }
    assert!(count >= 9);
}

#[test]
fn no_file_of_the_machine_is_served() {
    let viewer = Viewer::start(SMALL);
    for path in [
        "/../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "//etc/passwd",
        "/Cargo.toml",
        "/api/../Cargo.toml",
        "/api/program/..%2f..%2fetc%2fpasswd",
        "/page/main.js",
    ] {
        let answer = viewer.get(path);
        assert!([400, 404].contains(&answer.code), "{path}: {}", answer.code);
        assert!(!answer.text().contains("root:"), "{path}");
    }
    for request in [
        "POST / HTTP/1.1",
        "PUT /main.js HTTP/1.1",
        "DELETE /api/state HTTP/1.1",
    ] {
        let host = format!("Host: localhost:{}", viewer.port);
        assert_eq!(viewer.ask(request, &[&host]).code, 405, "{request}");
    }
}

#[test]
fn pages_beyond_the_last_are_turned_away_and_let_in_again() {
    let viewer = Viewer::start(SMALL);
    let mut open: Vec<_> = (0..64).map(|_| viewer.socket()).collect();
    // Each is there.
    for socket in &mut open {
        socket.text("soup");
    }
    let answer = viewer.socket_with(&[]).err().unwrap();
    assert_eq!(answer.code, 503);
    open.truncate(60);
    let begun = std::time::Instant::now();
    while viewer.socket_with(&[]).is_err() {
        assert!(begun.elapsed().as_secs() < 20);
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

/// Messages that are none do no harm: the page that sends them is told or hung up on, and all
/// others see what they saw.
#[test]
fn malformed_messages_do_no_harm() {
    let mut viewer = Viewer::start(SMALL);
    let hash = |viewer: &Viewer| viewer.json("/api/hash")["sha256"].clone();
    let before = hash(&viewer);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 64,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let anything = (
        any::<u8>(),
        proptest::collection::vec(any::<u8>(), 0..300),
        any::<bool>(),
    );
    runner
        .run(&anything, |(first, bytes, is_raw)| {
            let mut socket = viewer.socket();
            if is_raw {
                socket.send_raw(&bytes);
            } else {
                socket.send(first, &bytes);
            }
            // Unless it was one to close, a right one is still understood, or the server hung up.
            socket.say(r#"{"do":"next","sample":9}"#);
            drop(socket);
            prop_assert!(viewer.get("/api/state").code == 200);
            Ok(())
        })
        .unwrap();
    let mut socket = viewer.socket();
    socket.say("{\"do\":\"jump\",\"epoch\":-1}");
    assert!(
        socket.text("notice")["text"]
            .as_str()
            .unwrap()
            .contains("no command")
    );
    socket.send(0x82, &[1, 2, 3]);
    assert_eq!(socket.text("notice")["level"], "error");
    // Longer than any command: no such message is even taken.
    socket.say(&"x".repeat(1 << 20));
    while !matches!(socket.next(), Message::Closed) {}
    assert!(viewer.runs());
    assert_eq!(hash(&viewer), before);
}
