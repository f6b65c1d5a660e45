//! A language in which short inputs say large values: nested thousands deep, as long as the limits
//! allow and a byte longer, in every spelling, with attributes and streams anywhere.
//!
//! A program is a header and instructions. Whatever an instruction leaves open is filled at the end, so
//! every program writes whole values, unless what it writes ends a connection. The writer keeps no tree:
//! depth costs it no stack.

mod leaf;

use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;

use super::oracle::Tree;
use super::seeds::Seeds;
use crate::resp::{Kind, Limits, Over};

/// What a program wrote.
pub(super) struct Written {
    pub(super) bytes: Vec<u8>,
    pub(super) limits: Limits,
    pub(super) values: Vec<Value>,
    /// What stands behind the values ends the connection.
    pub(super) fatal: Option<Fatal>,
}

/// A whole value.
pub(super) struct Value {
    /// Where it ends, attributes in front of it counted in.
    pub(super) end: usize,
    /// The first limit that it is over.
    pub(super) over: Option<Over>,
    /// It and all inside it, in order.
    pub(super) visits: Vec<Wanted>,
}

/// What a visit must find.
pub(super) enum Wanted {
    Leaf(Tree),
    /// An aggregate, and how many values are inside, if that is said.
    Head(Kind, Option<u64>),
    End,
}

/// What cannot be stepped over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fatal {
    /// A line over the limit.
    Line,
    /// A stream where levels are not told apart: too deep, or in a value over a limit.
    Stream,
}

/// Runs a program.
pub(super) fn run(data: &[u8]) -> Written {
    let mut seeds = Seeds(data);
    let header = seeds.byte();
    let limits = match header % 4 {
        1 => Limits { depth: u16::from(seeds.byte()) % 12, total: 200, ..Limits::SERVER },
        2 => Limits { line: 20 + u32::from(seeds.byte()), bulk: 60, ..Limits::SERVER },
        3 => Limits { line: 300, elements: seeds.byte().into(), ..Limits::SERVER },
        _ => Limits::SERVER,
    };
    // Most programs stay small, for the sake of speed.
    let large = header / 4 % 4 == 0 && !cfg!(miri);
    let (room, budget) = if large { (1 << 17, 1 << 14) } else { (1 << 11, 1 << 8) };
    let mut writer = Writer {
        seeds,
        limits,
        room,
        budget,
        out: Vec::new(),
        open: Vec::new(),
        pending: false,
        visits: Vec::new(),
        values: Vec::new(),
        start: 0,
        total: 0,
        over: None,
        fatal: None,
    };
    while !writer.seeds.is_empty() && writer.fatal.is_none() && writer.out.len() < room {
        writer.instruction();
    }
    writer.close_all();
    Written { bytes: writer.out, limits, values: writer.values, fatal: writer.fatal }
}

struct Writer<'a> {
    seeds: Seeds<'a>,
    limits: Limits,
    /// Bytes of strings, and values, that may still be written.
    room: usize,
    budget: u64,
    out: Vec<u8>,
    open: Vec<Open>,
    /// Attributes wait for the value they belong to.
    pending: bool,
    visits: Vec<Wanted>,
    values: Vec<Value>,
    /// Where the value that is being written starts, the values announced in it, and the first limit
    /// that it is over.
    start: usize,
    total: u64,
    over: Option<Over>,
    fatal: Option<Fatal>,
}

/// An aggregate, or attributes, whose values are still coming.
struct Open {
    /// `None`: until the end marker.
    left: Option<u64>,
    map: bool,
    odd: bool,
    /// In a stream: attributes of the next element are written.
    begun: bool,
    attributes: bool,
    /// It is, or stands inside of, attributes.
    hidden: bool,
}

impl Writer<'_> {
    fn instruction(&mut self) {
        match self.seeds.byte() % 22 {
            kind @ 0..10 => {
                let text = self.seeds.bytes().to_vec();
                self.leaf(kind, text);
            }
            10 => {
                let (kind, len, fill) = (self.seeds.byte(), self.seeds.long(), self.seeds.byte());
                self.long(kind, len, fill);
            }
            11 => self.around_the_limit(),
            12 => {
                let (kind, count) = (self.seeds.byte(), self.seeds.byte() % 8);
                self.aggregate(kind, count.into());
            }
            13 => {
                let kind = self.seeds.byte();
                self.stream(kind);
            }
            14 => {
                let (how, depth) = (self.seeds.byte(), self.seeds.long());
                (0..depth).for_each(|_| self.nest(how));
            }
            15 => {
                let (kind, count, leaf) = (self.seeds.byte(), self.seeds.long() as u64, self.seeds.byte());
                if self.aggregate(kind, count) {
                    let values = if kind % 4 == 1 { 2 * count } else { count };
                    (0..values).for_each(|_| self.leaf(leaf % 10, vec![b'7']));
                }
            }
            16 => {
                let count = self.seeds.byte() % 4;
                self.attributes(count.into());
            }
            17 => self.close(),
            18 => self.close_all(),
            _ => self.leaf(3, vec![b'1']),
        }
    }

    /// One level deeper.
    fn nest(&mut self, how: u8) {
        match how % 8 {
            0 => self.aggregate(0, 1),
            1 => self.aggregate(2, 1),
            2 => self.aggregate(0, 2),
            // In the key, and in the value.
            3 => self.aggregate(1, 1),
            4 => {
                self.attributes(0);
                self.aggregate(0, 1)
            }
            5 => self.attributes(1),
            6 => {
                self.aggregate(1, 1);
                self.leaf(3, vec![b'1']);
                true
            }
            _ => {
                self.attributes(1);
                self.leaf(3, vec![b'1']);
                true
            }
        };
    }

    /// A string whose length is about what is allowed.
    fn around_the_limit(&mut self) {
        let (kind, more) = (self.seeds.byte(), usize::from(self.seeds.byte() % 5));
        let limit = match kind % 10 {
            1 | 2 | 7 => self.limits.line as usize,
            // 512 MiB are not written.
            _ => usize::try_from(self.limits.bulk).unwrap_or(usize::MAX).min(1 << 16),
        };
        self.long(kind, limit.saturating_sub(2) + more, b'x');
    }

    fn long(&mut self, kind: u8, len: usize, fill: u8) {
        let len = len.min(self.room);
        self.room -= len;
        let kind = if matches!(kind % 10, 1 | 2 | 4 | 7 | 8 | 9) { kind % 10 } else { 4 };
        self.leaf(kind, vec![fill; len]);
    }

    /// Opens an aggregate, if there is budget for what must follow.
    fn aggregate(&mut self, kind: u8, count: u64) -> bool {
        let (kind, tag, factor) = self.kind(kind);
        self.counted(tag, count, factor, Some(kind))
    }

    fn attributes(&mut self, count: u64) -> bool {
        self.counted(b"|", count, 2, None)
    }

    /// `kind`: that of an aggregate, `None` for attributes.
    fn counted(&mut self, tag: &[u8], count: u64, factor: u64, kind: Option<Kind>) -> bool {
        let values = count * factor;
        if self.fatal.is_some() || values >= self.budget {
            return false;
        }
        self.budget -= values + 1;
        self.line(Some(&tag), count.to_string().as_bytes());
        if kind.is_none() {
            self.begin();
        }
        let depth = self.open.len();
        let hidden = kind.is_none() || self.is_hidden();
        if let Some(kind) = kind {
            self.place();
            self.note(Wanted::Head(kind, Some(values)));
        }
        self.announce(values);
        if values > self.limits.elements.into() {
            self.exceed(Over::Elements);
        }
        if values > 0 && depth >= self.limits.depth.into() {
            self.exceed(Over::Depth);
        }
        let (map, attributes) = (kind == Some(Kind::Map), kind.is_none());
        self.open.push(Open { left: Some(values), map, odd: false, begun: false, attributes, hidden });
        self.settle();
        true
    }

    /// Opens an aggregate without a count. Where it may not stand, only some programs do it.
    fn stream(&mut self, dice: u8) {
        let (kind, tag, _) = self.kind(dice);
        let depth = self.open.len();
        if self.fatal.is_some() || kind == Kind::Push || self.budget == 0 {
            return;
        }
        self.begin();
        if self.over.is_some() || depth >= self.limits.depth.into() {
            if dice < 192 {
                return self.leaf(3, vec![dice]);
            }
            self.fatal = Some(Fatal::Stream);
        }
        self.budget -= 1;
        self.line(Some(&tag), b"?");
        let hidden = self.is_hidden();
        self.place();
        self.note(Wanted::Head(kind, None));
        let map = kind == Kind::Map;
        self.open.push(Open { left: None, map, odd: false, begun: false, attributes: false, hidden });
    }

    /// A push stands at the top only.
    fn kind(&self, kind: u8) -> (Kind, &'static [u8], u64) {
        match kind % 4 {
            1 => (Kind::Map, b"%", 2),
            2 => (Kind::Set, b"~", 1),
            3 if self.open.is_empty() => (Kind::Push, b">", 1),
            _ => (Kind::Array, b"*", 1),
        }
    }

    /// A value begins, or attributes in front of it: in a stream that announces it.
    fn begin(&mut self) {
        if let Some(open) = self.open.last_mut()
            && open.left.is_none()
            && !core::mem::replace(&mut open.begun, true)
        {
            self.announce(1);
        }
    }

    /// A value begins, and what it stands in has one less to come.
    fn place(&mut self) {
        self.begin();
        self.pending = false;
        match self.open.last_mut() {
            Some(Open { left: Some(left), .. }) => *left -= 1,
            Some(open) => {
                open.odd = !open.odd;
                open.begun = false;
            }
            None => {}
        }
    }

    fn announce(&mut self, values: u64) {
        self.total += values;
        if self.total > self.limits.total.into() {
            self.exceed(Over::Total);
        }
    }

    fn exceed(&mut self, over: Over) {
        self.over.get_or_insert(over);
    }

    /// A value is written, and with it perhaps those around it.
    fn settle(&mut self) {
        while let Some(open) = self.open.pop_if(|open| open.left == Some(0)) {
            self.pending |= open.attributes;
        }
        if self.open.is_empty() && !self.pending && self.fatal.is_none() {
            let end = self.out.len();
            if (end - self.start) as u64 > self.limits.frame {
                self.exceed(Over::Frame);
            }
            let (visits, over) = (core::mem::take(&mut self.visits), self.over.take());
            self.values.push(Value { end, over, visits });
            (self.start, self.total) = (end, 0);
        }
    }

    fn note(&mut self, wanted: Wanted) {
        if !self.is_hidden() {
            self.visits.push(wanted);
        }
    }

    fn is_hidden(&self) -> bool {
        self.open.last().is_some_and(|open| open.hidden)
    }

    /// Ends the innermost aggregate.
    fn close(&mut self) {
        let depth = self.open.len();
        while self.fatal.is_none() && (self.pending || depth > 0 && self.open.len() >= depth) {
            match self.open.last() {
                Some(open) if open.left.is_none() && !self.pending && !(open.map && open.odd) => {
                    self.line(Some(&b"."), &[]);
                    self.note(Wanted::End);
                    self.open.pop();
                    self.settle();
                }
                _ => self.leaf(3, vec![b'1']),
            }
        }
    }

    fn close_all(&mut self) {
        while self.fatal.is_none() && (self.pending || !self.open.is_empty()) {
            self.close();
        }
    }
}
