//! The way of one request as a table: what happens to it, and what its caller is told then.

use std::time::Duration;

use respire_core::command::{Retry, incr};
use respire_core::conn::{self, Failure, Protocol, Settings};
use respire_core::engine::{Action, Config, Engine, Event, Options};
use respire_core::pool::{DialCode, Id, Refusal};
use respire_core::resp::{Limits, Value};
use respire_core::retry::{self, Why};
use respire_core::time::Instant;

use crate::net::{HEAP, TestEngine, token};
use crate::{NONE, config};

/// What happens to an attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fate {
    /// The server says this, and does not execute it.
    Said(&'static str),
    /// It is executed, and the answer is longer than it may be.
    TooLarge,
    /// It is executed, and the answer comes when nobody waits any more.
    Late,
    /// The connection is lost before anything is sent,
    LostUnsent,
    /// when half is sent,
    LostHalf,
    /// before the server has read it,
    LostSent,
    /// or before its answer is there.
    LostExecuted,
    /// Nobody listens.
    Nobody,
    /// Somebody listens, but is not connected before its caller has no more time.
    Waits,
}

/// What its caller is told.
#[derive(Clone, Copy, PartialEq, Debug)]
enum End {
    /// How often it was executed.
    Answer(i64),
    /// An error of the server with this code.
    Error(&'static str),
    Failed(Failure, Option<Why>),
    Unavailable,
}

/// What it is told, how often it was executed, and in how many attempts something was sent.
type Row = (End, i64, u32);

const MOVED: Fate = Fate::Said("-MOVED 1 127.0.0.1:7001\r\n");
const ASK: Fate = Fate::Said("-ASK 1 127.0.0.1:7001\r\n");
const WRONG: Fate = Fate::Said("-WRONGTYPE Operation against a key holding the wrong kind of value\r\n");
const FULL: Fate = Fate::Said("-OOM command not allowed when used memory > 'maxmemory'.\r\n");
const LOADING: Fate = Fate::Said("-LOADING Redis is loading the dataset in memory\r\n");
const TRY_AGAIN: Fate = Fate::Said("-TRYAGAIN Multiple keys request during rehashing of slot\r\n");

const fn failed(failure: Failure, why: Why) -> End {
    End::Failed(failure, Some(why))
}

const FOUR: Why = Why::Exhausted { attempts: 4 };
const ERROR_IS_THE_ANSWER: [(Fate, &str); 4] =
    [(MOVED, "MOVED"), (ASK, "ASK"), (WRONG, "WRONGTYPE"), (FULL, "OOM")];

/// It happens once, and then all is well: of what may be executed twice, and of what may not.
const ONCE: [(Fate, [Row; 2]); 10] = [
    (LOADING, [(End::Answer(1), 1, 2); 2]),
    (TRY_AGAIN, [(End::Answer(1), 1, 2); 2]),
    (Fate::TooLarge, [(failed(Failure::TooLarge, Why::Answered), 1, 1); 2]),
    (Fate::Late, [(End::Answer(2), 2, 2), (failed(Failure::TimedOut, Why::Unknown), 1, 1)]),
    (Fate::LostUnsent, [(End::Answer(1), 1, 1); 2]),
    (Fate::LostHalf, [(End::Answer(1), 1, 2), (failed(Failure::Unknown, Why::Unknown), 0, 1)]),
    (Fate::LostSent, [(End::Answer(1), 1, 2), (failed(Failure::Unknown, Why::Unknown), 0, 1)]),
    (Fate::LostExecuted, [(End::Answer(2), 2, 2), (failed(Failure::Unknown, Why::Unknown), 1, 1)]),
    (Fate::Nobody, [(End::Answer(1), 1, 1); 2]),
    (Fate::Waits, [(End::Failed(Failure::Expired, None), 0, 0); 2]),
];

/// It happens again and again.
const ALWAYS: [(Fate, [Row; 2]); 8] = [
    (LOADING, [(End::Error("LOADING"), 0, 4); 2]),
    (TRY_AGAIN, [(End::Error("TRYAGAIN"), 0, 4); 2]),
    (Fate::Late, [(failed(Failure::TimedOut, FOUR), 4, 4), (failed(Failure::TimedOut, Why::Unknown), 1, 1)]),
    (Fate::LostUnsent, [(failed(Failure::NotSent, FOUR), 0, 0); 2]),
    (
        Fate::LostHalf,
        [(failed(Failure::Unknown, FOUR), 0, 4), (failed(Failure::Unknown, Why::Unknown), 0, 1)],
    ),
    (
        Fate::LostSent,
        [(failed(Failure::Unknown, FOUR), 0, 4), (failed(Failure::Unknown, Why::Unknown), 0, 1)],
    ),
    (
        Fate::LostExecuted,
        [(failed(Failure::Unknown, FOUR), 4, 4), (failed(Failure::Unknown, Why::Unknown), 1, 1)],
    ),
    (Fate::Nobody, [(End::Unavailable, 0, 0); 2]),
];

const CLASSES: [Retry; 7] = [
    Retry::Always,
    Retry::ReadOnly,
    Retry::CheckedWrite,
    Retry::LastWriteWins,
    Retry::Accumulating,
    Retry::ServerAdmin,
    Retry::Never,
];

/// S1-CLI-02: whatever happens to a request, and whatever sort of request it is: it is executed as often as
/// it may be, and its caller is told the truth.
#[test]
fn execution() {
    let ceilings = [Retry::ReadOnly, Retry::LastWriteWins, Retry::ServerAdmin];
    for (lanes, ceiling) in [0, 1].into_iter().flat_map(|lanes| ceilings.map(|ceiling| (lanes, ceiling))) {
        for class in CLASSES {
            let may = class <= ceiling && class != Retry::Never;
            let row = |rows: [Row; 2]| rows[usize::from(!may)];
            let play = |fate, times| Play::new(lanes, ceiling, fate, times).run(class);
            let what = |fate| format!("{fate:?}, {class:?} below {ceiling:?}, {lanes} lanes");
            for (fate, code) in ERROR_IS_THE_ANSWER {
                assert_eq!(play(fate, u32::MAX), (End::Error(code), 0, 1), "{}", what(fate));
            }
            for (fate, rows) in ONCE {
                assert_eq!(play(fate, 1), row(rows), "once {}", what(fate));
            }
            for (fate, rows) in ALWAYS {
                assert_eq!(play(fate, u32::MAX), row(rows), "always {}", what(fate));
            }
        }
    }
}

/// An engine with one request, and all that happens to it.
struct Play {
    engine: TestEngine,
    now: Instant,
    open: Vec<Connection>,
    fate: Fate,
    /// How many attempts it still happens to.
    times: u32,
    executed: i64,
    sent: u32,
}

struct Connection {
    id: Id,
    /// An answer that was held back: it comes before the next one.
    late: Vec<u8>,
}

impl Play {
    fn new(lanes: u8, ceiling: Retry, fate: Fate, times: u32) -> Self {
        let base = config();
        let config = Config {
            lanes,
            retry: retry::Policy { ceiling, ..base.retry },
            connection: conn::Config {
                reply_timeout: Some(Duration::from_millis(300)),
                limits: Limits { bulk: 10, ..Limits::SERVER },
                ..base.connection
            },
            ..base
        };
        let now = Instant::from_millis(1000);
        let engine = Engine::new(HEAP, &config, now);
        Self { engine, now, open: Vec::new(), fate, times, executed: 0, sent: 0 }
    }

    fn run(mut self, class: Retry) -> Row {
        let timeout = (self.fate == Fate::Waits).then_some(Duration::from_millis(200));
        let options = Options { class: Some(class), timeout, ..NONE };
        self.engine.submit(self.now, token(1), &incr("n"), &options).unwrap();
        for _ in 0..1000 {
            if let Some(end) = self.hear() {
                assert_eq!((self.hear(), self.engine.pending()), (None, 0), "told once");
                return (end, self.executed, self.sent);
            }
            let mut idle = true;
            while let Some(action) = self.engine.poll_action(self.now) {
                idle = false;
                self.act(action);
            }
            for at in (0..self.open.len()).rev() {
                idle &= !self.serve(at);
            }
            if idle {
                self.now = self.now.max(self.engine.poll_timeout());
                assert_ne!(self.now, Instant::MAX, "nothing will ever happen: {:?}", self.engine);
                self.engine.handle_timeout(self.now);
            }
        }
        panic!("no end: {:?}", self.engine);
    }

    /// What its caller is told.
    fn hear(&mut self) -> Option<End> {
        Some(match self.engine.poll_event(self.now)? {
            Event::Reply { reply, .. } => match reply.get() {
                Ok(Value::Integer(n)) => End::Answer(n),
                other => {
                    let error = reply.error().unwrap_or_else(|| panic!("{other:?}"));
                    let codes = ["MOVED", "ASK", "WRONGTYPE", "OOM", "LOADING", "TRYAGAIN"];
                    End::Error(codes.into_iter().find(|code| code.as_bytes() == error.code()).unwrap())
                }
            },
            Event::Failed { failed, .. } => match failed.refused {
                Some(Refusal::Unavailable(_)) => End::Unavailable,
                None => {
                    if !matches!(failed.failure, Failure::NotSent | Failure::Expired) {
                        assert_eq!(u32::from(failed.attempts), self.sent, "{failed}");
                    }
                    End::Failed(failed.failure, failed.why)
                }
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        })
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Open { id, .. } if self.fate == Fate::Nobody && self.happens() => {
                self.engine.handle_connect_failed(self.now, id, DialCode(7));
            }
            Action::Open { .. } if self.fate == Fate::Waits => {}
            Action::Open { id, .. } => {
                let resp2 = Settings { protocol: Some(Protocol::Resp2), ..Settings::NONE };
                self.engine.handle_connected(self.now, id, &resp2).unwrap();
                self.open.push(Connection { id, late: Vec::new() });
            }
            Action::Close(id) => self.open.retain(|connection| !connection.id.is_same_connection(id)),
        }
    }

    /// Whether it happens this time, too.
    fn happens(&mut self) -> bool {
        let happens = self.times > 0;
        self.times = self.times.saturating_sub(1);
        happens
    }

    /// One attempt arrives on a connection, if there is one.
    fn serve(&mut self, at: usize) -> bool {
        let id = self.open[at].id;
        let bytes = self.engine.poll_transmit(id).len();
        if bytes == 0 {
            return false;
        }
        let fate = self.happens().then_some(self.fate);
        if fate == Some(Fate::LostUnsent) {
            return self.lose(at);
        }
        self.sent += 1;
        let taken = if fate == Some(Fate::LostHalf) { bytes / 2 } else { bytes };
        self.engine.handle_transmitted(id, taken);
        if let Some(Fate::LostHalf | Fate::LostSent) = fate {
            return self.lose(at);
        }
        if let Some(Fate::Said(error)) = fate {
            return self.answer(at, error.as_bytes());
        }
        self.executed += 1;
        let answer = format!(":{}\r\n", self.executed);
        match fate {
            Some(Fate::LostExecuted) => self.lose(at),
            Some(Fate::TooLarge) => self.answer(at, b"$20\r\naaaaaaaaaabbbbbbbbbb\r\n"),
            Some(Fate::Late) => {
                self.open[at].late.extend_from_slice(answer.as_bytes());
                true
            }
            _ => self.answer(at, answer.as_bytes()),
        }
    }

    fn answer(&mut self, at: usize, answer: &[u8]) -> bool {
        let Connection { id, late } = &mut self.open[at];
        late.extend_from_slice(answer);
        self.engine.recv_space(*id).unwrap()[..late.len()].copy_from_slice(late);
        self.engine.handle_received(*id, late.len());
        late.clear();
        true
    }

    fn lose(&mut self, at: usize) -> bool {
        let id = self.open.swap_remove(at).id;
        self.engine.handle_transport_error(id);
        true
    }
}
