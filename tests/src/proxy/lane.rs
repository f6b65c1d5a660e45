//! One direction of one connection: from bytes that came, by a script, to bytes that go on.
//!
//! It has no socket and no clock, and knows where frames end in what came. Places are those of the stream
//! before anything was done to it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use respire_core::resp::{Limits, Scanner};

use super::log::What;
use super::script::{Act, At, Step, Way};

/// What comes in is read up to here while nothing goes on.
const AHEAD: usize = 256 << 10;

pub(super) struct Lane {
    way: Way,
    steps: VecDeque<Step>,
    marks: Marks,
    /// What came and was not looked at, and in it: which frame, and how many bytes of that are gone.
    input: VecDeque<u8>,
    frame: u64,
    byte: usize,
    /// What goes on, and how much of it is gone.
    output: Vec<u8>,
    gone: usize,
    /// What of this frame is passed on again behind it.
    copy: Option<Vec<u8>>,
    dropping: bool,
    flip: Option<u8>,
    pace: Option<(usize, Duration)>,
    rest: Rest,
    ended: bool,
    wanted: bool,
    /// What is to be logged.
    pub(super) notes: Vec<What>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Rest {
    None,
    Until(Instant),
    Always,
}

/// What is to be done next.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Deed<'a> {
    /// Write these bytes, then say [`Lane::written`].
    Write(&'a [u8]),
    /// Wait for bytes.
    Listen,
    /// Wait for the time, or for nothing.
    Rest(Option<Instant>),
    /// All was passed on, and nothing will come.
    End,
    Cut,
    Reset,
}

impl Lane {
    pub(super) fn new(way: Way, steps: Vec<Step>) -> Self {
        Self {
            way,
            steps: steps.into(),
            marks: Marks::new(),
            input: VecDeque::new(),
            frame: 0,
            byte: 0,
            output: Vec::new(),
            gone: 0,
            copy: None,
            dropping: false,
            flip: None,
            pace: None,
            rest: Rest::None,
            ended: false,
            wanted: true,
            notes: Vec::new(),
        }
    }

    /// Whether more should be read.
    pub(super) fn wants_input(&self) -> bool {
        !self.ended && self.input.len() + self.output.len() < AHEAD
    }

    /// Bytes came.
    pub(super) fn receive(&mut self, bytes: &[u8]) {
        if !self.wanted {
            return;
        }
        self.marks.look(bytes);
        self.input.extend(bytes);
    }

    /// Nobody takes what goes on: what is here and what will come is thrown away.
    pub(super) fn give_up(&mut self) {
        self.wanted = false;
        self.steps.clear();
        self.rest = Rest::None;
        let mut left = std::mem::take(&mut self.output).split_off(std::mem::take(&mut self.gone));
        left.extend(self.input.drain(..));
        self.notes.push(What::Dropped(self.way, left));
    }

    /// Nothing more will come.
    pub(super) fn end(&mut self) {
        self.ended = true;
    }

    /// What to do. Spurious calls are harmless.
    pub(super) fn next(&mut self, now: Instant) -> Deed<'_> {
        while self.rested(now) && self.output.is_empty() {
            if let Some(step) = self.due() {
                match step.act {
                    Act::Cut => return Deed::Cut,
                    Act::Reset => return Deed::Reset,
                    act => self.act(act, now),
                }
            } else if self.input.is_empty() {
                return if self.ended { Deed::End } else { Deed::Listen };
            } else {
                self.pass();
            }
        }
        match self.rest {
            Rest::Until(time) => Deed::Rest(Some(time)),
            Rest::Always => Deed::Rest(None),
            Rest::None => {
                let most = self.pace.map_or(usize::MAX, |(size, _)| size.max(1));
                let rest = &self.output[self.gone..];
                Deed::Write(&rest[..rest.len().min(most)])
            }
        }
    }

    /// So many bytes were written.
    pub(super) fn written(&mut self, n: usize, now: Instant) {
        let bytes = self.output[self.gone..self.gone + n].to_vec();
        self.notes.push(What::Passed(self.way, bytes));
        self.gone += n;
        if self.gone == self.output.len() {
            self.output.clear();
            self.gone = 0;
        }
        if let Some((_, pause)) = self.pace
            && !pause.is_zero()
        {
            self.rest = Rest::Until(now + pause);
        }
    }

    fn rested(&mut self, now: Instant) -> bool {
        if matches!(self.rest, Rest::Until(time) if now >= time) {
            self.rest = Rest::None;
        }
        self.rest == Rest::None
    }

    /// The next step, if this is its place.
    fn due(&mut self) -> Option<Step> {
        let has_next = !self.input.is_empty();
        let is_due = match self.steps.front()?.at {
            At::Start => true,
            At::Before(frame) => self.frame > frame || self.frame == frame && has_next,
            At::Within(frame, 0) => self.frame > frame || self.frame == frame && has_next,
            At::Within(frame, byte) => self.frame > frame || self.frame == frame && self.byte >= byte,
            At::After(frame) => self.frame > frame,
        };
        let step = if is_due { self.steps.pop_front()? } else { return None };
        self.notes.push(What::Did(step.clone()));
        Some(step)
    }

    fn act(&mut self, act: Act, now: Instant) {
        match act {
            Act::Wait(time) => self.rest = Rest::Until(now + time),
            Act::Stall => self.rest = Rest::Always,
            Act::Pace(size, pause) => self.pace = Some((size, pause)),
            Act::Inject(bytes) => self.output.extend(bytes),
            Act::Drop => self.dropping = true,
            Act::Repeat => self.copy = Some(Vec::new()),
            Act::Flip(bit) => self.flip = Some(bit),
            Act::Cut | Act::Reset => {}
        }
    }

    /// Moves input to output, up to the place of the next step.
    fn pass(&mut self) {
        let mut dropped = Vec::new();
        while !self.input.is_empty() && !self.is_at_step() {
            let left = self.marks.frames.front().map(|len| len - self.byte);
            let step = self.steps.front().and_then(|step| match step.at {
                At::Within(frame, byte) if frame == self.frame => Some(byte - self.byte),
                _ => None,
            });
            let n = self.input.len().min(left.unwrap_or(usize::MAX)).min(step.unwrap_or(usize::MAX));
            let mut bytes: Vec<u8> = self.input.drain(..n).collect();
            if let Some(bit) = self.flip.take() {
                bytes[0] ^= 1 << bit;
            }
            if let Some(copy) = &mut self.copy {
                copy.extend(&bytes);
            }
            if self.dropping { &mut dropped } else { &mut self.output }.extend(bytes);
            self.byte += n;
            if left == Some(n) {
                self.marks.frames.pop_front();
                self.frame += 1;
                self.byte = 0;
                self.dropping = false;
                self.output.extend(self.copy.take().unwrap_or_default());
            }
        }
        if !dropped.is_empty() {
            self.notes.push(What::Dropped(self.way, dropped));
        }
    }

    /// Whether the next step comes before the next byte.
    fn is_at_step(&self) -> bool {
        self.steps.front().is_some_and(|step| match step.at {
            At::Start => true,
            At::Before(frame) => self.frame >= frame,
            At::Within(frame, byte) => self.frame > frame || self.frame == frame && self.byte >= byte,
            At::After(frame) => self.frame > frame,
        })
    }
}

/// Where frames end.
struct Marks {
    scanner: Scanner,
    /// The frame that has begun.
    begun: Vec<u8>,
    /// The lengths of the frames that have come whole, from the one at the front of the input.
    frames: VecDeque<usize>,
    /// Something was no RESP: all that follows counts as one frame without an end.
    lost: bool,
}

impl Marks {
    fn new() -> Self {
        let scanner = Scanner::new(Limits::SERVER);
        Self { scanner, begun: Vec::new(), frames: VecDeque::new(), lost: false }
    }

    fn look(&mut self, bytes: &[u8]) {
        if self.lost {
            return;
        }
        self.begun.extend(bytes);
        let mut seen = 0;
        loop {
            match self.scanner.scan(&self.begun[seen..]) {
                Ok(Some(frame)) => {
                    self.frames.push_back(frame.len);
                    seen += frame.len;
                }
                Ok(None) => break,
                Err(_) => {
                    self.lost = true;
                    break;
                }
            }
        }
        self.begun.drain(..seen);
    }
}

#[cfg(test)]
mod tests {
    use super::super::Script;
    use super::*;

    const STREAM: &[u8] = b"+one\r\n$3\r\ntwo\r\n:3\r\n";

    /// What a lane makes of the stream, given in pieces; and how it ended, if not by itself.
    fn run(script: Script, piece: usize) -> (Vec<Vec<u8>>, Option<&'static str>) {
        let mut lane = Lane::new(Way::Replies, script.of(0, Way::Replies));
        let mut pieces = STREAM.chunks(piece);
        let (mut now, mut writes) = (Instant::now(), Vec::new());
        let how = loop {
            let n = match lane.next(now) {
                Deed::Write(bytes) => {
                    writes.push(bytes.to_vec());
                    bytes.len()
                }
                Deed::Listen => {
                    match pieces.next() {
                        Some(piece) => lane.receive(piece),
                        None => lane.end(),
                    }
                    continue;
                }
                Deed::Rest(Some(until)) => {
                    assert!(until > now);
                    now = until;
                    continue;
                }
                Deed::Rest(None) => break Some("stalled"),
                Deed::End => break None,
                Deed::Cut => break Some("cut"),
                Deed::Reset => break Some("reset"),
            };
            lane.written(n, now);
        };
        (writes, how)
    }

    /// The same however the bytes come: what went on, and how it ended.
    fn all(at: At, act: Act) -> (String, Option<&'static str>) {
        let script = Script::new().replies(at, act);
        let (whole, how) = run(script.clone(), STREAM.len());
        for piece in 1..STREAM.len() {
            let (writes, end) = run(script.clone(), piece);
            assert_eq!((writes.concat(), end), (whole.concat(), how), "in pieces of {piece}: {script}");
        }
        (whole.concat().escape_ascii().to_string(), how)
    }

    #[test]
    fn without_a_step_nothing_is_done() {
        let text = STREAM.escape_ascii().to_string();
        assert_eq!(all(At::Before(9), Act::Cut), (text, None));
    }

    #[test]
    fn every_place_is_where_it_says() {
        let up_to = |n: usize| STREAM[..n].escape_ascii().to_string();
        for (at, n) in [
            (At::Start, 0),
            (At::Before(0), 0),
            (At::Within(0, 0), 0),
            (At::Within(0, 1), 1),
            (At::Within(0, 5), 5),
            (At::Within(0, 6), 6),
            (At::Within(0, 60), 6),
            (At::After(0), 6),
            (At::Before(1), 6),
            (At::Within(1, 8), 14),
            (At::After(1), 15),
            (At::After(2), 19),
        ] {
            assert_eq!(all(at, Act::Cut), (up_to(n), Some("cut")), "{at}");
            assert_eq!(all(at, Act::Stall), (up_to(n), Some("stalled")), "{at}");
            assert_eq!(all(at, Act::Reset), (up_to(n), Some("reset")), "{at}");
        }
    }

    #[test]
    fn acts_do_what_they_say() {
        let text = |at, act| all(at, act).0;
        assert_eq!(text(At::Before(1), Act::Drop), r"+one\r\n:3\r\n");
        assert_eq!(text(At::Within(1, 4), Act::Drop), r"+one\r\n$3\r\n:3\r\n");
        assert_eq!(text(At::Before(1), Act::Repeat), r"+one\r\n$3\r\ntwo\r\n$3\r\ntwo\r\n:3\r\n");
        assert_eq!(text(At::After(1), Act::Repeat), r"+one\r\n$3\r\ntwo\r\n:3\r\n:3\r\n");
        assert_eq!(text(At::Within(0, 1), Act::Flip(0)), r"+nne\r\n$3\r\ntwo\r\n:3\r\n");
        assert_eq!(text(At::Before(2), Act::Flip(1)), r"+one\r\n$3\r\ntwo\r\n83\r\n");
        let push = Act::Inject(b">0\r\n".to_vec());
        assert_eq!(text(At::Start, push.clone()), r">0\r\n+one\r\n$3\r\ntwo\r\n:3\r\n");
        assert_eq!(text(At::After(0), push.clone()), r"+one\r\n>0\r\n$3\r\ntwo\r\n:3\r\n");
        assert_eq!(text(At::After(2), push), r"+one\r\n$3\r\ntwo\r\n:3\r\n>0\r\n");
        let (whole, _) = run(Script::new(), STREAM.len());
        for pause in [0, 5] {
            let pace = Act::Pace(4, Duration::from_millis(pause));
            let (writes, _) = run(Script::new().replies(At::After(0), pace), STREAM.len());
            let lens: Vec<usize> = writes.iter().map(Vec::len).collect();
            assert_eq!(lens, [6, 4, 4, 4, 1]);
            assert_eq!(writes.concat(), whole.concat());
        }
    }

    #[test]
    fn what_is_no_resp_is_passed_on() {
        let mut lane = Lane::new(Way::Requests, Vec::new());
        lane.receive(b"+one\r\nPING\r\n");
        lane.receive(b"*1\r\n");
        let now = Instant::now();
        assert_eq!(lane.next(now), Deed::Write(b"+one\r\nPING\r\n*1\r\n"));
    }
}
