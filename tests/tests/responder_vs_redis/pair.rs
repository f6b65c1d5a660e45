//! One script, two servers.

use crate::frame::Frame;
use crate::random::Commands;
use respire_core::testing::{ClientId, Responder};
use respire_tests::Server;
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, SystemTime};

/// How the commands of a script are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Resp2,
    Resp3,
    Inline,
}

/// A real server and a responder, with the same clients.
pub(crate) struct Pair {
    addr: SocketAddr,
    responder: Responder,
    form: Form,
    clients: Vec<Client>,
}

/// A client of both.
struct Client {
    name: char,
    stream: TcpStream,
    /// What came from the real server and was not compared yet.
    received: Vec<u8>,
    id: ClientId,
}

/// How long the real server may take for a reply.
const LIMIT: Duration = Duration::from_secs(10);
/// How far numbers that depend on the time may be apart.
const TOLERANCE: u64 = 2_000;

fn now() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a clock after 1970")
}

impl Pair {
    pub(crate) fn new(server: &Server, form: Form) -> Self {
        Self { addr: server.addr(), responder: Responder::new(), form, clients: Vec::new() }
    }

    pub(crate) fn with_password(server: &Server, password: &[u8]) -> Self {
        let mut pair = Self::new(server, Form::Resp2);
        pair.responder = Responder::new().with_password(password);
        pair
    }

    /// Sends every command of the script to both, and compares.
    pub(crate) fn run(&mut self, script: &str) {
        for line in script.lines() {
            if line.starts_with("# ") && line.ends_with('.') {
                continue;
            }
            if let Some(millis) = line.strip_prefix("sleep ") {
                let millis = millis.parse().expect("milliseconds");
                std::thread::sleep(Duration::from_millis(millis));
                continue;
            }
            let (name, line) = match line.split_at_checked(2) {
                Some(("b ", rest)) => ('b', rest),
                Some(("c ", rest)) => ('c', rest),
                _ => ('a', line),
            };
            let (mark, line) = match line.split_at_checked(2) {
                Some((mark @ ("~ " | "% " | "@ " | "# " | "= " | "? "), rest)) => (&mark[..1], rest),
                _ => ("", line),
            };
            let line = expand(line);
            let at = self.client(name);
            self.send(at, line.as_str(), mark);
        }
        // Nothing was left over, and the keys go for the next script.
        let at = self.client('z');
        self.send(at, "FLUSHALL", "");
        for at in 0..self.clients.len() {
            if !self.responder.wants_close(self.clients[at].id) {
                self.clients[at].check_quiet();
            }
        }
    }

    /// Sends `count` commands put together at random to both, and compares. The order of arrays is
    /// left out here, since one may come from a set.
    pub(crate) fn run_random(&mut self, seed: u64, count: usize) {
        let mut commands = Commands::new(seed);
        let at = self.client('a');
        self.send(at, "FLUSHALL", "");
        for _ in 0..count {
            self.send(at, &commands.next(), "random");
        }
        self.clients[at].check_quiet();
    }

    /// Sends these bytes as they are, and compares everything until the end.
    pub(crate) fn until_closed(&mut self, bytes: &[u8]) {
        let at = self.connect('a');
        let client = &mut self.clients[at];
        // The server may close before it has read everything.
        let _ = client.stream.write_all(bytes);
        self.responder.receive(now(), client.id, bytes);
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(60)]);
        assert!(self.responder.wants_close(client.id), "still open after {shown:?}");
        let mut real = Vec::new();
        // What was not read before the close may turn it into a reset.
        let _ = client.stream.read_to_end(&mut real);
        let ours = self.responder.output(client.id);
        if real.is_empty() && bytes.len() > 65_536 {
            return;
        }
        assert_eq!(String::from_utf8_lossy(ours), String::from_utf8_lossy(&real), "{shown:?}");
    }

    /// The client called `name`, connected when it is first used.
    fn client(&mut self, name: char) -> usize {
        let found = self
            .clients
            .iter()
            .position(|client| client.name == name && !self.responder.wants_close(client.id));
        if let Some(at) = found {
            return at;
        }
        let at = self.connect(name);
        if self.form == Form::Resp3 {
            self.send(at, "HELLO 3", "#");
        }
        at
    }

    fn connect(&mut self, name: char) -> usize {
        let stream = TcpStream::connect(self.addr).expect("a connection");
        stream.set_read_timeout(Some(LIMIT)).expect("a timeout");
        stream.set_nodelay(true).expect("no delay");
        let id = self.responder.connect(now());
        self.clients.push(Client { name, stream, received: Vec::new(), id });
        self.clients.len() - 1
    }

    /// Sends one command to both, and compares what every client gets.
    fn send(&mut self, at: usize, line: &str, mark: &str) {
        let bytes = match self.form {
            Form::Inline => [line.as_bytes(), b"\r\n"].concat(),
            _ => multibulk(line),
        };
        let client = &mut self.clients[at];
        client.stream.write_all(&bytes).expect("a write");
        self.responder.receive(now(), client.id, &bytes);
        for client in &mut self.clients {
            let ours = self.responder.output(client.id).to_vec();
            self.responder.sent(client.id, ours.len());
            let ours = Frame::read_all(&ours);
            let real = client.replies(ours.len(), line, &ours);
            for (mut ours, mut real) in ours.into_iter().zip(real) {
                let same = match mark {
                    "~" | "%" => {
                        let size = if mark == "%" { 2 } else { 1 };
                        ours.sort(size);
                        real.sort(size);
                        ours == real
                    }
                    "@" => ours.is_near(&real, Some(TOLERANCE)),
                    "#" => ours.is_near(&real, None),
                    "=" => {
                        let known = real.fields();
                        ours.is_like(&real) && ours.fields().iter().all(|it| known.contains(it))
                    }
                    "?" => ours.is_like(&real),
                    "random" => {
                        let near = ours.is_near(&real, Some(TOLERANCE));
                        ours.sort_all();
                        real.sort_all();
                        near || ours == real
                    }
                    _ => ours == real,
                };
                let (form, text) = (self.form, show(&ours, &real));
                assert!(same, "{form:?}, to {}, after {line:?}:{text}", client.name);
            }
        }
    }
}

fn show(ours: &Frame, real: &Frame) -> String {
    let mut text = String::new();
    for (who, frame) in [("responder", ours), ("redis", real)] {
        write!(text, "\n{who}:").expect("a string grows");
        show_frame(&mut text, frame);
    }
    text
}

fn show_frame(text: &mut String, frame: &Frame) {
    write!(text, " {:?}", String::from_utf8_lossy(&frame.text)).expect("a string grows");
    for part in &frame.parts {
        show_frame(text, part);
    }
}

impl Client {
    /// The next `count` replies of the real server.
    fn replies(&mut self, count: usize, line: &str, ours: &[Frame]) -> Vec<Frame> {
        let mut frames = Vec::new();
        while frames.len() < count {
            if let Some((frame, len)) = Frame::read(&self.received) {
                self.received.drain(..len);
                frames.push(frame);
                continue;
            }
            let mut more = [0; 65_536];
            let read = self.stream.read(&mut more);
            let read = read
                .unwrap_or_else(|error| panic!("{error} after {line:?}, expecting {ours:?}, got {frames:?}"));
            assert!(read > 0, "closed after {line:?}, expecting {ours:?}");
            self.received.extend_from_slice(&more[..read]);
        }
        frames
    }

    /// That the real server has sent nothing more.
    fn check_quiet(&mut self) {
        let short = Duration::from_millis(20);
        self.stream.set_read_timeout(Some(short)).expect("a timeout");
        let mut more = [0; 4096];
        if let Ok(read @ 1..) = self.stream.read(&mut more) {
            self.received.extend_from_slice(&more[..read]);
        }
        let left = String::from_utf8_lossy(&self.received);
        assert_eq!(left, "", "left for client {}", self.name);
    }
}

/// Replaces `<x9>` by nine letters, `<i9>` by nine integers, `<p9>` by nine fields with values and
/// `<z9>` by nine scores with members.
fn expand(line: &str) -> String {
    let mut words = Vec::new();
    for word in line.split(' ') {
        let inner = word.strip_prefix('<').and_then(|word| word.strip_suffix('>'));
        let made = inner.and_then(|inner| {
            let (kind, count) = inner.split_at_checked(1)?;
            let count: usize = count.parse().ok()?;
            let list = |item: &dyn Fn(usize) -> String| (0..count).map(item).collect::<Vec<_>>().join(" ");
            Some(match kind {
                "x" => "x".repeat(count),
                "i" => list(&|n| n.to_string()),
                "p" => list(&|n| format!("f{n} v{n}")),
                _ => list(&|n| format!("{n} m{n}")),
            })
        });
        words.push(made.unwrap_or_else(|| word.to_owned()));
    }
    words.join(" ")
}

/// A line as an array of bulk strings; `"` quotes, with `\r`, `\n` and `\xHH`.
fn multibulk(line: &str) -> Vec<u8> {
    let mut words: Vec<Vec<u8>> = Vec::new();
    let mut letters = line.chars().peekable();
    while letters.peek().is_some() {
        let mut word = Vec::new();
        let quoted = letters.next_if_eq(&'"').is_some();
        while let Some(letter) = letters.next() {
            match letter {
                ' ' if !quoted => break,
                '"' if quoted => {
                    letters.next();
                    break;
                }
                '\\' if quoted => match letters.next() {
                    Some('x') => {
                        let hex: String = letters.by_ref().take(2).collect();
                        word.push(u8::from_str_radix(&hex, 16).expect("two hex digits"));
                    }
                    Some('r') => word.push(b'\r'),
                    Some('n') => word.push(b'\n'),
                    other => panic!("no escape {other:?}"),
                },
                letter => word.extend(letter.to_string().bytes()),
            }
        }
        words.push(word);
    }
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        bytes.extend(format!("${}\r\n", word.len()).bytes());
        bytes.extend(word);
        bytes.extend(b"\r\n");
    }
    bytes
}
