//! A browser as far as the tests of the server need one: HTTP requests and a WebSocket, by hand, so
//! that they can be wrong in any way.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::common::broth;

/// `broth view`, at a port of its own.
pub(super) struct Viewer {
    child: Child,
    pub(super) port: u16,
    /// The address that it printed.
    pub(super) address: String,
}

impl Viewer {
    /// Start it with words that are split at spaces.
    pub(super) fn start(words: &str) -> Viewer {
        let mut command = broth();
        command.args(["view", "--port", "0", "--quiet"]);
        command.args(words.split_whitespace());
        Viewer::of(command)
    }

    /// Start it by this command.
    pub(super) fn of(mut command: Command) -> Viewer {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut address = String::new();
        let out = child.stdout.as_mut().unwrap();
        let mut byte = [0];
        while !address.ends_with('\n') {
            let read = out.read(&mut byte).unwrap();
            assert_eq!(read, 1, "broth view ended: {}", message(&mut child));
            address.push(byte[0].into());
        }
        let address = address.trim().to_owned();
        let after = address.rsplit_once(':').unwrap().1;
        let port = after.split('/').next().unwrap().parse().unwrap();
        Viewer {
            child,
            port,
            address,
        }
    }

    /// Start `broth run` by this command, which says among other things where its page is.
    pub(super) fn of_run(mut command: Command) -> Viewer {
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = lines.by_ref().find_map(|line| {
            let line = line.unwrap();
            line.strip_prefix("the page is at ").map(str::to_owned)
        });
        // The rest is of no interest, and must go somewhere.
        std::thread::spawn(move || lines.for_each(drop));
        let address = address.expect("the run ended");
        let after = address.rsplit_once(':').unwrap().1;
        let port = after.trim_end_matches('/').parse().unwrap();
        Viewer {
            child,
            port,
            address,
        }
    }

    /// Ask for a path as a page of the server does.
    pub(super) fn get(&self, path: &str) -> Answer {
        let host = format!("Host: localhost:{}", self.port);
        self.ask(&format!("GET {path} HTTP/1.1"), &[&host])
    }

    /// The JSON at a path.
    pub(super) fn json(&self, path: &str) -> Value {
        let answer = self.get(path);
        assert_eq!(answer.code, 200, "{path}: {}", answer.text());
        serde_json::from_slice(&answer.body).unwrap()
    }

    /// Send any request.
    pub(super) fn ask(&self, request: &str, headers: &[&str]) -> Answer {
        let mut stream = self.connect();
        let headers = headers.join("\r\n");
        write!(
            stream,
            "{request}\r\n{headers}\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut bytes = Vec::new();
        // The server may hang up on what it does not like.
        let _ = stream.read_to_end(&mut bytes);
        Answer::of(&bytes)
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        stream
    }

    /// The state, once it is as wanted.
    pub(super) fn wait_for(&self, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            let state = self.json("/api/state")["state"].clone();
            if is_so(&state) {
                return state;
            }
            assert!(
                begun.elapsed() < Duration::from_secs(60),
                "no {what}: {state}"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// A WebSocket as a page of the server opens it.
    pub(super) fn socket(&self) -> Socket {
        let origin = format!("Origin: http://localhost:{}", self.port);
        self.socket_with(&[&origin]).unwrap()
    }

    /// A WebSocket with these headers; the answer where it is refused.
    pub(super) fn socket_with(&self, headers: &[&str]) -> Result<Socket, Answer> {
        let mut stream = self.connect();
        let mut request = format!(
            "GET /ws HTTP/1.1\r\nHost: localhost:{}\r\nUpgrade: websocket\r\n\
             Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
            self.port
        );
        for header in headers {
            request += header;
            request += "\r\n";
        }
        request += "\r\n";
        stream.write_all(request.as_bytes()).unwrap();
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
            head.push(byte[0]);
        }
        let answer = Answer::of(&head);
        if answer.code == 101 {
            Ok(Socket { stream })
        } else {
            Err(answer)
        }
    }

    /// Whether it still runs.
    pub(super) fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Ask it to end, as Ctrl-C does; its exit code.
    #[cfg(unix)]
    pub(super) fn interrupt(mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        let told = Command::new("kill").args(["-INT", &id]).status().unwrap();
        assert!(told.success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn message(child: &mut Child) -> String {
    let mut text = String::new();
    let _ = child.stderr.as_mut().unwrap().read_to_string(&mut text);
    text
}

/// What a server answers.
#[derive(Debug)]
pub(super) struct Answer {
    /// 0 where it is none.
    pub(super) code: u16,
    head: String,
    pub(super) body: Vec<u8>,
}

impl Answer {
    fn of(bytes: &[u8]) -> Answer {
        let end = bytes.windows(4).position(|it| it == b"\r\n\r\n");
        let (head, body) = match end {
            Some(end) => (&bytes[..end], bytes[end + 4..].to_vec()),
            None => (bytes, Vec::new()),
        };
        let head = String::from_utf8_lossy(head).into_owned();
        let code = head.split(' ').nth(1).and_then(|code| code.parse().ok());
        Answer {
            code: code.unwrap_or(0),
            head,
            body,
        }
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header's value.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|it| it.1)
    }
}

/// A message of the server.
#[derive(Debug)]
pub(super) enum Message {
    Text(Value),
    Binary(Vec<u8>),
    /// The server has closed the connection.
    Closed,
}

/// An open WebSocket.
pub(super) struct Socket {
    stream: TcpStream,
}

impl Socket {
    pub(super) fn say(&mut self, text: &str) {
        self.send(0x81, text.as_bytes());
    }

    /// Send a frame that begins with this byte.
    pub(super) fn send(&mut self, first: u8, payload: &[u8]) {
        let mut frame = vec![first];
        match payload.len() {
            len @ 0..126 => frame.push(0x80 | len as u8),
            len @ 126..65536 => {
                frame.push(0xfe);
                frame.extend((len as u16).to_be_bytes());
            }
            len => {
                frame.push(0xff);
                frame.extend((len as u64).to_be_bytes());
            }
        }
        let mask = [7, 99, 200, 31];
        frame.extend(mask);
        frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(a, b)| a ^ b));
        // It may be closed already.
        let _ = self.stream.write_all(&frame);
    }

    /// Send bytes as they are.
    pub(super) fn send_raw(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    pub(super) fn next(&mut self) -> Message {
        self.try_next().unwrap_or(Message::Closed)
    }

    fn try_next(&mut self) -> std::io::Result<Message> {
        let mut head = [0; 2];
        self.stream.read_exact(&mut head)?;
        let mut len = u64::from(head[1] & 0x7f);
        if len == 126 {
            let mut bytes = [0; 2];
            self.stream.read_exact(&mut bytes)?;
            len = u16::from_be_bytes(bytes).into();
        } else if len == 127 {
            let mut bytes = [0; 8];
            self.stream.read_exact(&mut bytes)?;
            len = u64::from_be_bytes(bytes);
        }
        let mut payload = vec![0; len as usize];
        self.stream.read_exact(&mut payload)?;
        Ok(match head[0] & 0xf {
            1 => Message::Text(serde_json::from_slice(&payload).unwrap()),
            2 => Message::Binary(payload),
            8 => Message::Closed,
            other => panic!("a frame of type {other}"),
        })
    }

    /// The next text of this type.
    pub(super) fn text(&mut self, kind: &str) -> Value {
        loop {
            match self.next() {
                Message::Text(value) if value["type"] == kind => return value,
                Message::Closed => panic!("closed, and no `{kind}` yet"),
                _ => {}
            }
        }
    }

    /// The next binary message of one of these types.
    pub(super) fn binary(&mut self, kinds: &[u8]) -> Vec<u8> {
        loop {
            match self.next() {
                Message::Binary(bytes) if kinds.contains(&bytes[0]) => return bytes,
                Message::Closed => panic!("closed, and none of {kinds:?} yet"),
                _ => {}
            }
        }
    }
}
