//! A server that answers each request with the token it carries, and what the client must be told.

use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::oracle::{self, Tree};
use crate::conn::{CloseReason, Event, Failure, Part, Token};
use crate::resp::Kind;
use crate::testing::Parts;

/// How a request wants to be answered.
pub(super) const STYLES: u8 = 10;
/// The style whose answer has 300 bytes.
pub(super) const LARGE: u8 = 4;
const SUBSCRIBE: u8 = 8;
const UNSUBSCRIBE: u8 = 9;

/// A request as it is submitted.
#[derive(Clone, Copy)]
pub(super) struct Wish {
    pub(super) style: u8,
    /// To be answered in parts.
    pub(super) chunked: bool,
    /// Carries so many bytes that are supplied later.
    pub(super) later: Option<u8>,
}

/// A request that was taken.
pub(super) struct Asked {
    pub(super) token: u64,
    style: u8,
    chunked: bool,
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
    /// The oldest answer, as far as it was told.
    parts: Option<Parts>,
    /// The server has answered a request before it was whole, and does nothing more.
    objected: bool,
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
    pub(super) fn submitted(&mut self, token: u64, wish: Wish, len: usize) {
        let start = self.submitted;
        self.submitted += len as u64;
        let end = self.submitted;
        let Wish { style, chunked, .. } = wish;
        self.asked.push_back(Asked { token, style, chunked, start, end, abandoned: false, answered: None });
    }

    /// What the request of this token carries: no two bytes in a row are the same.
    pub(super) fn payload(token: u64, len: u8) -> Vec<u8> {
        (0..len).map(|at| (token as u8).wrapping_add(at)).collect()
    }

    /// The server answers the one request that there is before all of it has come, with an error.
    pub(super) fn object(&mut self) {
        let idle = self.fed() == self.sent && !self.objected;
        let [asked] = self.asked.make_contiguous() else { return };
        if idle && self.transmitted > asked.start && self.transmitted < asked.end {
            let answer = format!("-ERR t{}e\r\n", asked.token);
            self.objected = true;
            asked.answered = Some(self.sent + answer.len() as u64);
            self.send(answer.as_bytes());
        }
    }

    /// Marks the request and says whether it can be abandoned.
    pub(super) fn abandon(&mut self, token: u64) {
        for asked in &mut self.asked {
            asked.abandoned |= asked.token == token;
        }
        self.parts = self.parts.take().filter(|parts| parts.token != Token(token));
    }

    /// The request of this token will never be sent.
    pub(super) fn take_back(&mut self, token: u64) {
        let at = self.asked.iter().position(|asked| asked.token == token);
        let Some((at, asked)) = at.and_then(|at| Some((at, self.asked.remove(at)?))) else {
            unreachable!("token {token} was resolved before, or never submitted");
        };
        assert!(!asked.abandoned && self.transmitted <= asked.start, "{token} was sent");
        let len = asked.end - asked.start;
        self.submitted -= len;
        for behind in self.asked.iter_mut().skip(at) {
            behind.start -= len;
            behind.end -= len;
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
            if let [_, _, _, Tree::Bulk(payload), Tree::Bulk(tail)] = &words[..] {
                let token = word(1).trim_matches(|c: char| !c.is_ascii_digit()).parse().unwrap_or(0);
                let len = payload.len().try_into().unwrap_or(0);
                assert_eq!(*payload, Self::payload(token, len), "supplied bytes were changed");
                assert_eq!(tail, b"tail");
            }
            let text = if style == u8::MAX { word(0) } else { word(1) };
            self.todo.push_back((text, style));
        }
    }

    /// The server answers one request.
    pub(super) fn answer(&mut self) {
        if self.objected {
            return;
        }
        let Some((text, style)) = self.todo.pop_front() else { return };
        let (len, push) = (text.len(), if self.resp3 { '>' } else { '*' });
        let large = 300 - len;
        let answer = match style {
            u8::MAX if text == "HELLO" && self.old => "-ERR unknown command `HELLO`\r\n".into(),
            u8::MAX if text == "HELLO" => "%1\r\n+proto\r\n:3\r\n".into(),
            u8::MAX => "+OK\r\n".into(),
            0 if self.resp3 => format!("={}\r\ntxt:{text}\r\n", len + 4),
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

    /// Checks a part of an answer, and the whole with the last.
    fn part(&mut self, token: Token, part: Part<'_>, last: bool) {
        let mut parts = self.parts.take().unwrap_or(Parts::new(token));
        let whole = match parts.add(token, part, last) {
            Ok(Some(whole)) => whole,
            Ok(None) => {
                self.parts = Some(parts);
                return;
            }
            Err(wrong) => unreachable!("{wrong}"),
        };
        let token = token.0;
        let asked = self.resolve(token, false);
        let text = format!("t{token}e");
        assert!(asked.chunked && whole.contains(&text), "{text} was answered by {whole}");
        assert!(asked.style != LARGE || whole.len() == 302);
        assert!(asked.answered.is_some_and(|end| end <= self.fed()) && self.transmitted >= asked.end);
    }

    /// Checks an event against what must have happened. Says whether the connection must be over.
    pub(super) fn told(&mut self, event: &Event<'_>) -> bool {
        assert!(!self.closed, "an event behind the last: {event:?}");
        if let Event::Part { token, part, last } = event {
            self.part(*token, *part, *last);
            return false;
        }
        if let Some(parts) = self.parts.take() {
            let failed = matches!(event, Event::Failed { token, failure: Failure::Unknown | Failure::TimedOut } if *token == parts.token);
            assert!(failed, "in the middle of an answer: {event:?}");
        }
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
                assert!(self.transmitted >= asked.end || self.objected);
                let is_told =
                    matches!(reply.kind(), Kind::Bulk | Kind::Verbatim) || reply.kind().is_aggregate();
                let confirmed = matches!(asked.style, SUBSCRIBE | UNSUBSCRIBE);
                let array = !self.resp3 && reply.kind().is_aggregate();
                assert!(!asked.chunked || !is_told || confirmed || array, "not in parts: {reply:?}");
            }
            Event::Push(reply) => {
                let wanted = self.pushes.pop_front().unwrap_or_default();
                assert!(format!("{reply:?}").contains(&wanted) && !wanted.is_empty(), "{wanted}: {reply:?}");
            }
            Event::PushTooLarge => assert_eq!(self.pushes.pop_front().as_deref(), Some("too large")),
            Event::Failed { token, failure: Failure::TooLarge } => {
                let asked = self.resolve(token.0, false);
                assert!(asked.style == LARGE && self.small && !asked.chunked);
            }
            Event::Failed { token, failure: Failure::Expired } => self.take_back(token.0),
            Event::Failed { token, failure: Failure::TimedOut } => {
                let mut asked = self.asked.iter().filter(|asked| asked.token == token.0 && !asked.abandoned);
                assert!(asked.all(|asked| self.transmitted > asked.start), "{} was not sent", token.0);
                self.abandon(token.0);
            }
            Event::Failed { token, failure } => {
                let asked = self.resolve(token.0, true);
                let begun = self.transmitted > asked.start;
                assert_eq!(*failure, if begun { Failure::Unknown } else { Failure::NotSent });
                return true;
            }
            Event::Part { .. } => {}
            Event::Closed(reason) => {
                let broken = matches!(reason, CloseReason::Protocol(_) | CloseReason::Unsolicited);
                let refused = matches!(reason, CloseReason::Refused(_));
                assert!(!broken && (self.objected || !refused), "an honest server: {reason}");
                self.closed = true;
                assert!(self.asked.iter().all(|asked| asked.abandoned), "a request was forgotten");
            }
        }
        self.closed
    }
}
