//! A page's WebSocket: the newest of everything goes out, commands come in. Frames are sent only as
//! the page asks for them, so a slow page skips some and holds up nobody.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::ws::{Message, WebSocket};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use crate::view::frame::Frame;
use crate::view::looker::Looker;
use crate::view::protocol::{self, Command, Plane, Wish};
use crate::view::scene::Scene;
use crate::view::shared::{Order, Shared, State};

/// A page that takes nothing for so long is gone.
const PATIENCE: Duration = Duration::from_secs(60);
/// Rows are told no more often.
const ROWS_INTERVAL: Duration = Duration::from_millis(100);

/// The page is gone, or as good as that.
struct Gone;

struct Client {
    socket: WebSocket,
    shared: Arc<Shared>,
    looker: Arc<Looker>,
    scene: watch::Receiver<Arc<Scene>>,
    state: watch::Receiver<State>,
    census: watch::Receiver<Arc<str>>,
    frames: watch::Receiver<Arc<Frame>>,
    rows_changed: watch::Receiver<u64>,
    replies: UnboundedReceiver<String>,
    reply: UnboundedSender<String>,
    /// The rows that it has.
    rows_seen: (u64, usize),
    /// When rows may be told again, where there are new ones.
    rows_due: Option<Instant>,
    wish: Option<Wish>,
    /// The frame that it has all bytes of.
    whole: Option<Arc<Frame>>,
    /// What it was sent last: the frame, how it was sampled, the plane and its version.
    sent: (u32, u8, Plane, u64),
}

/// Serve a page until it is gone.
pub(super) async fn serve(socket: WebSocket, shared: Arc<Shared>, looker: Arc<Looker>) {
    let (reply, replies) = unbounded_channel();
    let mut client = Client {
        scene: shared.scene.subscribe(),
        state: shared.state.subscribe(),
        census: shared.census.subscribe(),
        frames: shared.frames.subscribe(),
        rows_changed: shared.rows_changed.subscribe(),
        socket,
        shared,
        looker,
        replies,
        reply,
        rows_seen: (u64::MAX, 0),
        rows_due: None,
        wish: None,
        whole: None,
        sent: (0, 0, Plane::None, 0),
    };
    client.scene.mark_changed();
    client.state.mark_changed();
    client.census.mark_changed();
    client.rows_changed.mark_changed();
    // What ends it is of no interest to anybody.
    let _ = client.go_on().await;
}

impl Client {
    async fn go_on(&mut self) -> Result<(), Gone> {
        loop {
            let rows_due = self.rows_due;
            let far = Instant::now() + PATIENCE;
            tokio::select! {
                message = self.socket.recv() => match message {
                    Some(Ok(message)) => self.hear(message).await?,
                    Some(Err(_)) | None => return Err(Gone),
                },
                Some(text) = self.replies.recv() => self.say(text).await?,
                Ok(()) = self.scene.changed() => self.tell_scene().await?,
                Ok(()) = self.state.changed() => {
                    let text = self.state.borrow_and_update().message();
                    self.say(text).await?;
                }
                Ok(()) = self.census.changed() => {
                    let text = self.census.borrow_and_update().to_string();
                    if !text.is_empty() {
                        self.say(text).await?;
                    }
                }
                Ok(()) = self.rows_changed.changed(), if rows_due.is_none() => {
                    self.tell_rows().await?;
                }
                () = sleep_until(rows_due.unwrap_or(far)), if rows_due.is_some() => {
                    self.rows_due = None;
                }
                Ok(()) = self.frames.changed(), if self.wish.is_some() => self.grant().await?,
            }
        }
    }

    async fn send(&mut self, message: Message) -> Result<(), Gone> {
        match timeout(PATIENCE, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Gone),
        }
    }

    async fn say(&mut self, text: String) -> Result<(), Gone> {
        self.send(Message::Text(text.into())).await
    }

    async fn hear(&mut self, message: Message) -> Result<(), Gone> {
        let text = match &message {
            Message::Text(text) => text.as_str(),
            Message::Binary(_) => "",
            Message::Close(_) => return Err(Gone),
            Message::Ping(_) | Message::Pong(_) => return Ok(()),
        };
        let command = match Command::parse(text) {
            Ok(Command::Next(wish)) => {
                self.wish = Some(wish);
                self.shared.want_frame();
                return self.grant().await;
            }
            Ok(command) => command,
            Err(problem) => {
                let notice = serde_json::json!({
                    "type": "notice", "level": "error", "text": problem,
                });
                return self.say(notice.to_string()).await;
            }
        };
        let reply = self.reply.clone();
        self.shared.order(Order { command, reply });
        Ok(())
    }

    async fn tell_scene(&mut self) -> Result<(), Gone> {
        let scene = Arc::clone(&self.scene.borrow_and_update());
        let plants = self.shared.history().plants().to_vec();
        match scene.message(&plants) {
            Ok(text) => self.say(text).await,
            Err(_) => Err(Gone),
        }
    }

    async fn tell_rows(&mut self) -> Result<(), Gone> {
        self.rows_changed.borrow_and_update();
        let message = {
            let rows = self.shared.rows();
            let (is_new, missing, seen) = rows.since(self.rows_seen);
            self.rows_seen = seen;
            (is_new || !missing.is_empty())
                .then(|| protocol::rows(is_new, crate::view::rows::Rows::width(), missing))
        };
        self.rows_due = Some(Instant::now() + ROWS_INTERVAL);
        match message {
            Some(message) => self.send(Message::Binary(message.into())).await,
            None => Ok(()),
        }
    }

    /// Send the newest frame, if it is asked for and the page has it not.
    async fn grant(&mut self) -> Result<(), Gone> {
        let Some(wish) = self.wish else {
            return Ok(());
        };
        let frame = Arc::clone(&self.frames.borrow_and_update());
        let scene = Arc::clone(&self.scene.borrow());
        let version = match wish.plane {
            Plane::Class => self.looker.version(),
            Plane::None | Plane::Age => 0,
        };
        let now = (frame.id, wish.sample, wish.plane, version);
        let is_of_scene = frame.program_len == scene.settings.language.program_len
            && frame.num_programs() == scene.settings.num_programs;
        if frame.id == 0 || !is_of_scene || now == self.sent {
            return Ok(());
        }
        self.wish = None;
        let has_bytes = (frame.id, wish.sample) == (self.sent.0, self.sent.1);
        let base = self.whole.take();
        let (looker, tile_width) = (Arc::clone(&self.looker), scene.tile().0);
        let shown = Arc::clone(&frame);
        let work = move || {
            let bytes = match wish.sample {
                0 => None,
                _ if has_bytes => None,
                1 => Some(whole_or_changes(base.as_ref(), &shown)),
                step => Some(protocol::sample(&shown, step.into(), tile_width).into()),
            };
            let plane = (wish.plane != Plane::None).then(|| {
                let values = looker.plane(wish.plane, &shown);
                Bytes::from(protocol::plane(wish.plane, &shown, &values))
            });
            (bytes, plane)
        };
        let made = tokio::task::spawn_blocking(work).await;
        let (bytes, plane) = made.map_err(|_| Gone)?;
        self.whole = (wish.sample == 1).then(|| Arc::clone(&frame));
        self.sent = now;
        // Planes first, so that the page draws both at once.
        for message in [plane, bytes].into_iter().flatten() {
            self.send(Message::Binary(message)).await?;
        }
        Ok(())
    }
}

/// The message that makes `frame` of `base`, or shows it whole, whichever is shorter.
fn whole_or_changes(base: Option<&Arc<Frame>>, frame: &Arc<Frame>) -> Bytes {
    struct Whole(Arc<Frame>);
    impl AsRef<[u8]> for Whole {
        fn as_ref(&self) -> &[u8] {
            self.0.message()
        }
    }
    match base.and_then(|base| protocol::changes(base, frame)) {
        Some(changes) => changes.into(),
        None => Bytes::from_owner(Whole(Arc::clone(frame))),
    }
}
