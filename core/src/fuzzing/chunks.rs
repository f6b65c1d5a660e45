//! Bytes cut anywhere: a scanner finds the same frames, a connection tells the same events.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::pieces::{self, Dice};
use crate::buffer::Growing;
use crate::command::{chunked, echo};
use crate::conn::{Config, Connection, Event, Failure, Part, Protocol, Settings, Token};
use crate::resp::{Frame, Limits, Reply};
use crate::testing::Parts;
use crate::time::Instant;

/// The least memory that a connection with chunks is tried with.
const SMALL: usize = 64;

/// Limits that most replies are over.
const TIGHT: Limits =
    Limits { line: 200, bulk: 40, elements: 6, total: 12, depth: 3, frame: 150, skip: 3000 };

/// Any split of any bytes is as good as the whole: the same frames, the same events of a connection
/// that asked for chunks now and then; and in little memory what fits is told as before.
///
/// # Panics
/// If any of that is not so.
pub fn chunks(data: &[u8]) {
    for limits in [Limits::SERVER, TIGHT] {
        cut(data, limits);
    }
}

fn cut(data: &[u8], limits: Limits) {
    let whole = pieces::frames(data, limits, pieces::whole);
    let dice = Dice::of(data);
    let (mut sizes, mut again) = (dice.clone(), dice.clone());
    assert_eq!(whole, pieces::frames(data, limits, |_| sizes.size()), "in pieces");
    assert_eq!(whole, pieces::frames(data, limits, |_| 1), "byte by byte");
    let everywhere = if cfg!(miri) { 8 } else { 48 };
    if data.len() <= everywhere {
        for cut in 1..data.len() {
            let cut = |rest| if rest == data.len() { cut } else { rest };
            assert_eq!(whole, pieces::frames(data, limits, cut), "cut");
        }
    }

    let all = data.len() + SMALL;
    let told = Ear::listen(data, limits, Growing::new(all, all), pieces::whole);
    told.same(&Ear::listen(data, limits, Growing::new(SMALL, all), |_| again.size()));
    told.same(&Ear::listen(data, limits, Growing::new(SMALL, all), |_| 1));
    let little = Ear::listen(data, limits, Growing::new(SMALL, SMALL), |_| again.size());
    told.fits(&little, &whole.0);
    little.same(&Ear::listen(data, limits, Growing::new(SMALL, SMALL), |_| 1));
}

/// Something that a connection told, of parts the whole.
#[derive(PartialEq, Debug)]
enum Told {
    Reply(Token, String),
    Parts(Token, String),
    Push(String),
    Failed(Token, Failure),
    Other(String),
}

/// Listens to a connection.
#[derive(Default)]
struct Ear {
    told: Vec<Told>,
    /// A reply of which not all parts have come, and these parts as text.
    begun: Option<(Parts, String)>,
    /// The same, once it is known that no more will come.
    broken: Vec<(Token, String)>,
}

impl Ear {
    /// Feeds `data` to a connection with requests in flight at any time, and then the end.
    fn listen(data: &[u8], limits: Limits, memory: Growing, mut size: impl FnMut(usize) -> usize) -> Self {
        let config = Config { limits, ..Config::default() };
        let mut connection = Connection::<_, 4>::new(memory, Growing::new(256, 256), config);
        let settings = Settings { protocol: Some(Protocol::Resp3), ..Settings::default() };
        assert!(connection.start(Instant::ZERO, &settings).is_ok());
        connection.handle_transmitted(usize::MAX);
        receive(&mut connection, b"%0\r\n");
        assert!(matches!(connection.poll_event(), Some(Event::Ready { .. })));

        let (mut ear, mut token, mut kinds) = (Self::default(), 0, Dice::of(data));
        let mut rest = data;
        loop {
            while connection.in_flight() < 4 && !connection.is_closed() {
                let request = echo("k");
                let taken = if kinds.roll() % 2 == 0 {
                    connection.submit(Instant::ZERO, Token(token), &chunked(request))
                } else {
                    connection.submit(Instant::ZERO, Token(token), &request)
                };
                assert_eq!(taken, Ok(()));
                connection.handle_transmitted(usize::MAX);
                token += 1;
            }
            if let Some(event) = connection.poll_event() {
                ear.hear(&event);
            } else if connection.is_closed() {
                return ear;
            } else if rest.is_empty() {
                connection.handle_eof();
            } else {
                let now = rest.get(..size(rest.len())).unwrap_or(rest);
                let taken = receive(&mut connection, now);
                rest = rest.get(taken..).unwrap_or_default();
            }
        }
    }

    fn hear(&mut self, event: &Event<'_>) {
        if let Event::Part { token, part, last } = *event {
            let (parts, text) = self.begun.get_or_insert_with(|| (Parts::new(token), String::new()));
            match part {
                Part::Chunk { bytes, left, .. } => {
                    let end = if left == Some(0) { ";" } else { "" };
                    text.push_str(&format!("{}{end}", bytes.escape_ascii()));
                }
                part => text.push_str(&format!("{part:?};")),
            }
            match parts.add(token, part, last) {
                Ok(None) => {}
                Ok(Some(whole)) => {
                    self.told.push(Told::Parts(token, whole));
                    self.begun = None;
                }
                Err(wrong) => unreachable!("{wrong}"),
            }
            return;
        }
        if let Some((parts, text)) = self.begun.take() {
            let failed = matches!(event, Event::Failed { token, .. } if *token == parts.token);
            assert!(failed, "in the middle of a reply: {event:?}");
            self.broken.push((parts.token, text));
        }
        self.told.push(match *event {
            Event::Reply { token, reply } => Told::Reply(token, show(reply)),
            Event::Push(reply) => Told::Push(show(reply)),
            Event::Failed { token, failure } => Told::Failed(token, failure),
            ref other => Told::Other(format!("{other:?}")),
        });
    }

    /// The same events. How much of a broken reply was told depends on the pieces.
    fn same(&self, other: &Self) {
        assert_eq!(self.told, other.told);
        for (token, some) in &self.broken {
            for (_, more) in other.broken.iter().filter(|(other, _)| other == token) {
                assert!(some.starts_with(more) || more.starts_with(some), "{some} and {more}");
            }
        }
    }

    /// The same events in little memory: only what is too large for it may be missing. Each of the
    /// frames is one event.
    fn fits(&self, little: &Self, frames: &[Frame]) {
        assert_eq!(self.told.len(), little.told.len());
        let lens = frames.iter().map(|frame| frame.len).chain([0].into_iter().cycle());
        for ((all, little), len) in self.told.iter().zip(&little.told).zip(lens) {
            let skipped = match (all, little) {
                (Told::Reply(a, _) | Told::Failed(a, _), Told::Failed(b, _)) => a == b,
                (Told::Push(_), Told::Other(_)) => true,
                _ => false,
            };
            assert!(all == little || skipped && len > SMALL, "{all:?} became {little:?}");
        }
    }
}

/// Everything that is known of a reply.
fn show(reply: Reply<'_>) -> String {
    format!("{:?} {:?} {reply:?}", reply.kind(), reply.format())
}

/// Hands over as much as there is room for.
fn receive(connection: &mut Connection<Growing, 4>, bytes: &[u8]) -> usize {
    let Some(space) = connection.recv_space() else { return 0 };
    let n = space.len().min(bytes.len());
    for (place, byte) in space.iter_mut().zip(bytes) {
        *place = *byte;
    }
    connection.handle_received(n);
    n
}
