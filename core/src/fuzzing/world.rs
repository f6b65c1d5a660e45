//! A server that answers each request with the token it carries, and what the client must be told.

use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::oracle::{self, Tree};
use crate::conn::{Event, Failure};

/// How a request wants to be answered.
pub(super) const STYLES: u8 = 10;
/// The style whose answer has 300 bytes.
pub(super) const LARGE: u8 = 4;
const SUBSCRIBE: u8 = 8;
const UNSUBSCRIBE: u8 = 9;

/// A request that was taken.
pub(super) struct Asked {
    pub(super) token: u64,
    style: u8,
    /// Its first and last byte in all that is transmitted.
    start: u64,
    end: u64,
    abandoned: bool,
    /// Where its answer ends in all that the server sends, once there is one.
    answered: Option<u64>,
}

/// One life of a connection, seen from outside.
#[derive(Default)]
pub(super) struct World {
    pub(super) resp3: bool,
    /// The server knows no HELLO.
    pub(super) old: bool,
    /// Replies of 300 bytes do not fit.
    pub(super) small: bool,
    /// Requests are taken.
    pub(super) ready: bool,
    announced: bool,
    pub(super) closed: bool,
    /// Not resolved, oldest first.
    asked: VecDeque<Asked>,
    submitted: u64,
    transmitted: u64,
    /// What the server has received and not understood yet.
    inbox: Vec<u8>,
    /// What it has understood and not answered.
    todo: VecDeque<(String, u8)>,
    /// What it sends.
    pub(super) outbox: VecDeque<u8>,
    sent: u64,
    subscriptions: u32,
    /// Pushes that must come, in order.
    pushes: VecDeque<String>,
}

impl World {
    pub(super) fn new(resp3: bool, old: bool, small: bool) -> Self {
        Self { resp3, old, small, ..Self::default() }
    }

    pub(super) fn words(token: u64, style: u8) -> Vec<String> {
        let name = format!("t{token}e");
        match style {
            SUBSCRIBE => ["SUBSCRIBE".into(), name].into(),
            UNSUBSCRIBE => ["UNSUBSCRIBE".into(), name].into(),
            _ => ["ECHO".into(), name, format!("{style}")].into(),
        }
    }

    /// A request of `len` bytes was taken.
    pub(super) fn submitted(&mut self, token: u64, style: u8, len: usize) {
        let start = self.submitted;
        self.submitted += len as u64;
        let end = self.submitted;
        self.asked.push_back(Asked { token, style, start, end, abandoned: false, answered: None });
    }

    /// Marks the request and says whether it can be abandoned.
    pub(super) fn abandon(&mut self, token: u64) {
        for asked in &mut self.asked {
            asked.abandoned |= asked.token == token;
        }
    }

    /// A request that is not resolved and not abandoned.
    pub(super) fn nth(&self, n: usize) -> Option<u64> {
        let waiting = || self.asked.iter().filter(|asked| !asked.abandoned);
        waiting().nth(n % waiting().count().max(1)).map(|asked| asked.token)
    }

    /// Bytes reached the server. The handshake's are not counted: they are over before the first request.
    pub(super) fn transmitted(&mut self, bytes: &[u8]) {
        if self.ready {
            self.transmitted += bytes.len() as u64;
        }
        self.inbox.extend_from_slice(bytes);
        while let Ok((Tree::Array(words), len)) = oracle::parse(&self.inbox) {
            self.inbox.drain(..len);
            let word = |at: usize| match words.get(at) {
                Some(Tree::Bulk(word)) => String::from_utf8_lossy(word).into_owned(),
                _ => String::new(),
            };
            let style = match word(0).as_str() {
                "SUBSCRIBE" => SUBSCRIBE,
                "UNSUBSCRIBE" => UNSUBSCRIBE,
                "ECHO" => word(2).parse().unwrap_or(0),
                _ => u8::MAX,
            };
            let text = if style == u8::MAX { word(0) } else { word(1) };
            self.todo.push_back((text, style));
        }
    }

    /// The server answers one request.
    pub(super) fn answer(&mut self) {
        let Some((text, style)) = self.todo.pop_front() else { return };
        let (len, push) = (text.len(), if self.resp3 { '>' } else { '*' });
        let large = 300 - len;
        let answer = match style {
            u8::MAX if text == "HELLO" && self.old => "-ERR unknown command `HELLO`\r\n".into(),
            u8::MAX if text == "HELLO" => "%1\r\n+proto\r\n:3\r\n".into(),
            u8::MAX => "+OK\r\n".into(),
            1 => format!("+{text}\r\n"),
            2 => format!("-ERR {text}\r\n"),
            3 => format!("*2\r\n${len}\r\n{text}\r\n*1\r\n$-1\r\n"),
            LARGE => format!("$300\r\n{text}{}\r\n", "x".repeat(large)),
            5 => format!("|1\r\n+a\r\n:1\r\n${len}\r\n{text}\r\n"),
            6 => format!("$?\r\n;{len}\r\n{text}\r\n;0\r\n"),
            7 => format!("%1\r\n+{text}\r\n_\r\n"),
            SUBSCRIBE => {
                self.subscriptions += 1;
                self.pushes.push_back(text.clone());
                format!("{push}3\r\n+subscribe\r\n+{text}\r\n:{}\r\n", self.subscriptions)
            }
            UNSUBSCRIBE => {
                self.subscriptions = self.subscriptions.saturating_sub(1);
                self.pushes.push_back(text.clone());
                format!("{push}3\r\n+unsubscribe\r\n+{text}\r\n:{}\r\n", self.subscriptions)
            }
            _ => format!("${len}\r\n{text}\r\n"),
        };
        self.send(answer.as_bytes());
        let end = self.sent;
        let mut waiting = self.asked.iter_mut().filter(|asked| asked.answered.is_none());
        if style != u8::MAX
            && let Some(asked) = waiting.next()
        {
            asked.answered = Some(end);
        }
    }

    /// The server sends a message of its own.
    pub(super) fn push(&mut self, number: u64, large: bool) {
        if !self.ready || !self.resp3 && self.subscriptions == 0 {
            return;
        }
        let (tag, text) = (if self.resp3 { '>' } else { '*' }, format!("p{number}e"));
        let body = if large { "y".repeat(200) } else { text.clone() };
        let body = format!("{tag}3\r\n+message\r\n+{text}\r\n${}\r\n{body}\r\n", body.len());
        self.pushes.push_back(if large && self.small { "too large".into() } else { text });
        self.send(body.as_bytes());
    }

    fn send(&mut self, bytes: &[u8]) {
        self.sent += bytes.len() as u64;
        self.outbox.extend(bytes);
    }

    /// Where the client has come in what the server sent.
    fn fed(&self) -> u64 {
        self.sent - self.outbox.len() as u64
    }

    /// Takes out the request that the next event must resolve.
    fn resolve(&mut self, token: u64, over: bool) -> Asked {
        let fed = self.fed();
        loop {
            let Some(asked) = self.asked.pop_front() else {
                unreachable!("token {token} was resolved before, or never submitted");
            };
            if asked.token == token {
                assert!(!asked.abandoned, "an abandoned request was resolved");
                return asked;
            }
            // Abandoned requests disappear in silence, but not before their answer, or the end.
            assert!(asked.abandoned, "{} was passed over", asked.token);
            assert!(over || asked.answered.is_some_and(|end| end <= fed), "{} too soon", asked.token);
        }
    }

    /// Checks an event against what must have happened. Says whether the connection must be over.
    pub(super) fn told(&mut self, event: &Event<'_>) -> bool {
        assert!(!self.closed, "an event behind the last: {event:?}");
        match event {
            Event::Ready { .. } => {
                assert!(!self.announced, "ready twice");
                self.announced = true;
                self.ready = true;
            }
            Event::Reply { token, reply } => {
                let asked = self.resolve(token.0, false);
                let text = format!("t{}e", token.0);
                assert!(format!("{reply:?}").contains(&text), "{text} was answered by {reply:?}");
                assert!(asked.answered.is_some_and(|end| end <= self.fed()), "{text} was answered too soon");
                assert!(self.transmitted >= asked.end);
            }
            Event::Push(reply) => {
                let wanted = self.pushes.pop_front().unwrap_or_default();
                assert!(format!("{reply:?}").contains(&wanted) && !wanted.is_empty(), "{wanted}: {reply:?}");
            }
            Event::PushTooLarge => assert_eq!(self.pushes.pop_front().as_deref(), Some("too large")),
            Event::Failed { token, failure: Failure::TooLarge } => {
                let asked = self.resolve(token.0, false);
                assert!(asked.style == LARGE && self.small);
            }
            Event::Failed { token, failure } => {
                let asked = self.resolve(token.0, true);
                let begun = self.transmitted > asked.start;
                assert_eq!(*failure, if begun { Failure::Unknown } else { Failure::NotSent });
                return true;
            }
            Event::Closed(_) => {
                self.closed = true;
                assert!(self.asked.iter().all(|asked| asked.abandoned), "a request was forgotten");
            }
        }
        self.closed
    }
}
