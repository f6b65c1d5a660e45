//! Where a reply ends: values still owed, level by level, no recursion, no allocation.
//!
//! The scanner is given the bytes from the start of a frame again and again as more arrive, and
//! remembers how far it came: text and payload are looked at once, the digits of a header at most
//! as often as there are digits. Once a reply is over a limit its levels are no longer told apart:
//! all that it owes is one number, so that it can be skipped whatever it is.

use super::Kind;
use super::express;
use super::head::Step;
use super::level::{Form, Level, Outer};
use super::limits::{Limits, Over};
use super::part::Telling;
use crate::error::ProtocolError;

/// One whole reply at the front of the bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Frame {
    /// How many bytes it takes, attributes in front of it included.
    pub len: usize,
    /// Where the value itself starts, behind its attributes.
    pub body: usize,
    /// What it is.
    pub kind: Kind,
    /// The first limit that it is over. Its bytes are right all the same.
    pub over: Option<Over>,
}

/// Finds and validates one reply, over as many calls as its bytes take to arrive.
// What is used most comes first: small processors reach it with shorter instructions.
#[derive(Clone, Debug)]
#[repr(C)]
pub struct Scanner {
    /// A frame may have begun.
    pub(super) begun: bool,
    pub(super) kind: Option<Kind>,
    pub(super) over: Option<Over>,
    pub(super) stage: Stage,
    pub(super) telling: Telling,
    /// Everything before this is settled, relative to the start of what is given.
    pub(super) pos: usize,
    /// Where the value proper starts, once its kind is known.
    pub(super) body: usize,
    /// What is open innermost, and around that.
    pub(super) level: Level,
    /// Values that were announced, all levels together.
    total: u32,
    /// Bytes that a payload still has, or that a line of text may have.
    pub(super) rest: u64,
    /// How many bytes of the frame are gone.
    forgot: u64,
    pub(super) limits: Limits,
    pub(super) outer: Outer,
}

/// What the next byte is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    /// The type byte of a value.
    Value,
    /// Inside a line of text.
    Text,
    /// Inside the bytes of a string, or at the CRLF behind them.
    Payload,
    /// At the `;` of a streamed string.
    Chunk,
    /// The same as `Payload`, of a streamed string.
    ChunkPayload,
}

/// What stands behind a payload.
const LINE_END: u64 = 2;

/// The level that holds nothing but the reply.
const TOP: Level = Level { left: 1, form: Form::Counted };

impl Scanner {
    /// A scanner at the start of a frame.
    pub const fn new(mut limits: Limits) -> Self {
        if limits.elements > Limits::MAX_ELEMENTS {
            limits.elements = Limits::MAX_ELEMENTS;
        }
        Self {
            limits,
            pos: 0,
            begun: false,
            forgot: 0,
            body: 0,
            kind: None,
            stage: Stage::Value,
            rest: 0,
            level: TOP,
            outer: Outer::NONE,
            total: 0,
            over: None,
            telling: Telling::Off,
        }
    }

    /// Lines may have so many bytes from the next frame on.
    pub(crate) const fn set_line(&mut self, most: u32) {
        self.limits.line = most;
    }

    /// Looks at `bytes`, which start where the frame starts and continue what was given before.
    /// `None` asks for more. A frame found leaves the scanner ready for the next one.
    ///
    /// # Errors
    /// The peer broke RESP; nothing behind this point can be trusted.
    // Inlined, or moving the answer costs as much as finding it.
    #[inline(always)]
    pub fn scan(&mut self, bytes: &[u8]) -> Result<Option<Frame>, ProtocolError> {
        if express::OPEN
            && !self.begun
            && let Some((rest, kind)) = express::reply(bytes, &self.limits)
        {
            return Ok(Some(Frame { len: bytes.len() - rest.len(), body: 0, kind, over: None }));
        }
        if express::OPEN { self.scan_payload(bytes) } else { self.scan_on(bytes) }
    }

    /// The frame that starts here, if it is whole and plain.
    #[inline(always)]
    pub(crate) fn whole(&self, bytes: &[u8]) -> Option<express::Whole> {
        if self.begun { None } else { express::whole(bytes, &self.limits) }
    }

    /// The rest of a string may come in many pieces.
    #[inline(never)]
    fn scan_payload(&mut self, bytes: &[u8]) -> Result<Option<Frame>, ProtocolError> {
        if self.begun && self.pass_payload(bytes) { Ok(None) } else { self.scan_on(bytes) }
    }

    #[inline(never)]
    fn scan_on(&mut self, bytes: &[u8]) -> Result<Option<Frame>, ProtocolError> {
        self.begun = true;
        // Its parts may have been told up to the last.
        let mut whole = self.is_at_value() && self.level.left == 0 && self.close();
        loop {
            self.check_size()?;
            if whole || express::OPEN && self.pass_leaves(bytes) {
                return Ok(Some(self.finish()));
            }
            let step = self.step(bytes)?;
            whole = step == Step::Leaf && self.leave();
            if step == Step::Short {
                self.begun = self.is_inside();
                return self.check_size().map(|()| None);
            }
        }
    }

    /// Steps over more of a string. Says whether that is all there is to do.
    #[inline(always)]
    fn pass_payload(&mut self, bytes: &[u8]) -> bool {
        let here = bytes.len().saturating_sub(self.pos);
        if !self.is_in_payload() || here as u64 >= self.rest {
            return false;
        }
        self.rest -= here as u64;
        self.pos += here;
        self.over.is_none() && self.size() <= self.limits.frame
    }

    /// Steps over plain values. Says whether the reply is whole.
    #[inline(always)]
    fn pass_leaves(&mut self, bytes: &[u8]) -> bool {
        // The reply itself must be named.
        let last = u32::from(self.outer.depth() == 0);
        // Not once the size of the reply matters.
        let end = self.forgot.saturating_add(bytes.len() as u64);
        // Nearly all that is plain has four bytes at least.
        let few = bytes.len().saturating_sub(self.pos) < 4;
        let is_plain = self.is_at_value() && self.over.is_none() && end <= self.limits.frame;
        !few && is_plain && self.level.left > last && self.pass_some(bytes, last)
    }

    #[inline(never)]
    fn pass_some(&mut self, bytes: &[u8], last: u32) -> bool {
        let rest = bytes.get(self.pos..).unwrap_or_default();
        let (rest, left) = express::leaves(rest, &self.limits, self.level.left, last);
        self.pos = bytes.len() - rest.len();
        self.level.left = left;
        left == 0 && self.close()
    }

    #[cfg_attr(target_pointer_width = "64", inline)]
    pub(super) fn step(&mut self, bytes: &[u8]) -> Result<Step, ProtocolError> {
        if self.is_at_value() { self.value(bytes) } else { self.resume(bytes) }
    }

    #[cfg_attr(target_pointer_width = "64", inline)]
    pub(super) const fn is_at_value(&self) -> bool {
        matches!(self.stage, Stage::Value)
    }

    #[cfg_attr(target_pointer_width = "64", inline)]
    pub(crate) const fn is_in_payload(&self) -> bool {
        matches!(self.stage, Stage::Payload | Stage::ChunkPayload)
    }

    /// How many bytes from the start of the frame will not be looked at again.
    pub const fn settled(&self) -> usize {
        self.pos
    }

    /// How many bytes are still to come of a reply that is one string of at least `long` bytes. `here` are there.
    #[inline(never)]
    pub(crate) fn missing(&self, here: usize, long: usize) -> Option<usize> {
        let is_string = self.stage == Stage::Payload && self.outer.depth() == 0;
        if !is_string || self.size() < long as u64 || self.over.is_some() || self.is_telling() {
            return None;
        }
        let left = self.rest.saturating_add(LINE_END).checked_sub(here.checked_sub(self.pos)? as u64)?;
        usize::try_from(left).ok().filter(|left| *left > 0)
    }

    /// Whether a frame has begun and not ended.
    pub const fn is_inside(&self) -> bool {
        self.pos > 0 || self.forgot > 0
    }

    /// The limit that the frame which has begun is over: it need not be kept.
    pub fn over(&self) -> Option<Over> {
        self.over.or(if self.is_long() { Some(Over::Frame) } else { None })
    }

    /// Whether it is over a limit whatever follows: so much has passed, or was announced.
    fn is_long(&self) -> bool {
        // Nearly always, and small processors add 64 bits slowly.
        let is_short = self.forgot == 0 && !self.is_in_payload() && self.pos as u64 <= self.limits.frame;
        !is_short && self.size() > self.limits.frame && !self.is_telling()
    }

    /// How many bytes of the frame are settled or gone, or belong to the string that has begun.
    const fn size(&self) -> u64 {
        let payload = if self.is_in_payload() { self.rest } else { 0 };
        self.forgot + self.pos as u64 + payload
    }

    /// The bytes up to [`settled`](Self::settled) are gone: the next call starts behind them. The
    /// frame can be counted to its end, no longer read.
    pub const fn forget(&mut self) {
        self.forgot += self.pos as u64;
        self.pos = 0;
        self.body = 0;
    }

    /// Whether the next value is the reply itself: it is the last to come, and was not met yet.
    #[cfg_attr(target_pointer_width = "64", inline)]
    pub(super) const fn is_top(&self) -> bool {
        self.outer.depth() == 0 && self.level.left == 1 && self.kind.is_none()
    }

    /// The value that starts here has this kind, which matters at the top only.
    #[cfg_attr(target_pointer_width = "64", inline)]
    pub(super) const fn name(&mut self, kind: Kind) {
        if self.is_top() {
            self.kind = Some(kind);
            self.body = self.pos;
        }
    }

    /// A value is whole, and with it all that it was the last of. Says whether the reply is.
    #[cfg_attr(target_pointer_width = "64", inline)]
    pub(super) fn leave(&mut self) -> bool {
        self.level.left = self.level.left.saturating_sub(1);
        self.level.left == 0 && self.close()
    }

    pub(super) fn close(&mut self) -> bool {
        while self.level.left == 0 {
            match self.level.form {
                Form::Counted => {}
                Form::Attributes => return !self.reopen(),
                Form::Stream | Form::Pairs | Form::HalfPair => return false,
            }
            if !self.reopen() {
                return true;
            }
            self.level.left = self.level.left.saturating_sub(1);
        }
        false
    }

    /// Goes on around what was innermost. Says whether there is anything.
    #[cfg_attr(target_pointer_width = "64", inline)]
    pub(super) fn reopen(&mut self) -> bool {
        let level = self.outer.pop();
        self.level = level.unwrap_or(self.level);
        level.is_some()
    }

    /// Goes into an aggregate of `count` values, which are to come.
    #[cfg_attr(target_pointer_width = "64", inline)]
    pub(super) fn enter(&mut self, count: u32, form: Form) -> Result<(), ProtocolError> {
        self.announce(count);
        if count > self.limits.elements {
            self.exceed(Over::Elements);
        }
        if self.outer.depth() >= self.limits.depth.into() {
            self.exceed(Over::Depth);
        }
        if self.over.is_none() && self.outer.push(self.level) {
            self.level = Level { left: count, form };
            return Ok(());
        }
        self.exceed(Over::Depth);
        let itself = u32::from(form != Form::Attributes);
        let owed = self.level.left.saturating_sub(itself).checked_add(count);
        self.level.left = owed.ok_or(ProtocolError::TooLarge)?;
        Ok(())
    }

    /// Goes into an aggregate that an end marker will end.
    pub(super) fn enter_stream(&mut self, form: Form) -> Result<(), ProtocolError> {
        // Only levels know which marker ends what.
        let deep = self.outer.depth() >= self.limits.depth.into();
        if deep || self.over.is_some() || !self.outer.push(self.level) {
            return Err(ProtocolError::StreamTooDeep);
        }
        self.level = Level { left: 0, form };
        Ok(())
    }

    /// So many more values will come.
    #[cfg_attr(target_pointer_width = "64", inline)]
    pub(super) const fn announce(&mut self, count: u32) {
        self.total = self.total.saturating_add(count);
        if self.total > self.limits.total {
            self.exceed(Over::Total);
        }
    }

    #[cfg_attr(target_pointer_width = "64", inline)]
    pub(super) const fn exceed(&mut self, over: Over) {
        if self.over.is_none() {
            self.over = Some(over);
        }
    }

    /// The frame is whole; ready for the next.
    fn finish(&mut self) -> Frame {
        let kind = self.kind.unwrap_or(Kind::Null);
        let frame = Frame { len: self.pos, body: self.body, kind, over: self.over() };
        self.restart();
        frame
    }

    /// A reply over a limit may not go on for ever.
    pub(super) fn check_size(&self) -> Result<(), ProtocolError> {
        if self.over.is_some() || self.is_long() { self.check_skip() } else { Ok(()) }
    }

    #[cold]
    fn check_skip(&self) -> Result<(), ProtocolError> {
        // The shortest value has three bytes; of one that has begun the line end is still to come.
        let begun = u64::from(!self.is_at_value());
        let least = (u64::from(self.level.left) * 3).saturating_sub(begun);
        if self.size() + least > self.limits.skip { Err(ProtocolError::TooLarge) } else { Ok(()) }
    }

    /// At the start of a frame. Not by making a new one: the levels are large, and need no reset.
    pub(super) const fn restart(&mut self) {
        self.pos = 0;
        self.begun = false;
        self.forgot = 0;
        self.body = 0;
        self.kind = None;
        self.stage = Stage::Value;
        self.level = TOP;
        self.outer.clear();
        self.total = 0;
        self.over = None;
        self.telling = Telling::Off;
    }
}
