//! The tree of a reply as a list of steps, with all that a format must know about each place.
//!
//! Formats are loops over [`Walk`], so none of them recurses, and only this file keeps a stack.

use std::fmt;

use respire_core::resp::{Kind, Preorder, Reply, Visit};

/// How many aggregates may stand inside each other. Servers nest a handful; each level widens
/// the indentation of all lines below it.
pub(crate) const MAX_DEPTH: usize = 1024;

/// The reply is nested deeper than [`MAX_DEPTH`], and nothing of it was printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct TooDeep;

impl fmt::Display for TooDeep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the reply is nested deeper than {MAX_DEPTH} levels")
    }
}

impl std::error::Error for TooDeep {}

/// Where a value stands in the aggregate around it.
#[derive(Clone, Copy)]
pub(super) struct Slot {
    /// What the aggregate is.
    pub(super) parent: Kind,
    /// How many values stand before this one; in a map keys and values count alike.
    pub(super) index: u64,
    /// How many values the aggregate has.
    pub(super) len: u64,
}

impl Slot {
    /// Whether it is the key of a pair.
    pub(super) fn is_key(self) -> bool {
        self.parent == Kind::Map && self.index.is_multiple_of(2)
    }

    /// Whether it is the value that belongs to a key.
    pub(super) fn is_paired(self) -> bool {
        self.parent == Kind::Map && !self.index.is_multiple_of(2)
    }
}

/// What is known of an aggregate before its values are seen.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    /// How many values it has; a map twice as many as pairs.
    pub(super) len: u64,
    /// Whether the terminal format needs several lines for it: it has several elements or pairs,
    /// or else the last value in it does.
    pub(super) tall: bool,
}

/// One step through the tree. The slot of the top-level reply is `None`.
pub(super) enum Step<'a> {
    /// A value without others inside.
    Leaf(Reply<'a>, Option<Slot>),
    /// An aggregate of this kind, whose values follow.
    Open(Kind, Shape, Option<Slot>),
    /// The end of the aggregate opened last, also of an empty one; its kind and slot again.
    Close(Kind, Option<Slot>),
}

impl Step<'_> {
    /// The slot that begins here, if this is not an end.
    pub(super) fn begins(&self) -> Option<Slot> {
        match *self {
            Self::Leaf(_, slot) | Self::Open(_, _, slot) => slot,
            Self::Close(..) => None,
        }
    }
}

/// The steps through one reply.
pub(super) struct Walk<'a> {
    visits: Preorder<'a>,
    /// Of the aggregates that are still to come.
    shapes: std::vec::IntoIter<Shape>,
    open: Vec<Open>,
}

/// An aggregate whose end was not yet reached.
struct Open {
    /// Where its next value will stand.
    next: Slot,
    /// Where it stands itself.
    own: Option<Slot>,
}

impl<'a> Walk<'a> {
    /// Starts at `reply`, having looked through it once.
    pub(super) fn new(reply: Reply<'a>) -> Result<Self, TooDeep> {
        let shapes = shapes(reply)?.into_iter();
        Ok(Self { visits: reply.preorder(), shapes, open: Vec::new() })
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = Step<'a>;

    fn next(&mut self) -> Option<Step<'a>> {
        if let Some(done) = self.open.pop_if(|open| open.next.index >= open.next.len) {
            return Some(Step::Close(done.next.parent, done.own));
        }
        // The lengths are known, so the markers say nothing new.
        let value = self.visits.find_map(|visit| match visit {
            Visit::Value(value) => Some(value),
            Visit::End => None,
        })?;
        let slot = self.open.last().map(|open| open.next);
        if let Some(open) = self.open.last_mut() {
            open.next.index += 1;
        }
        let parent = value.kind();
        if !parent.is_aggregate() {
            return Some(Step::Leaf(value, slot));
        }
        // The first look at the reply met the same aggregates.
        let shape = self.shapes.next()?;
        self.open.push(Open { next: Slot { parent, index: 0, len: shape.len }, own: slot });
        Some(Step::Open(parent, shape, slot))
    }
}

/// The shapes of all aggregates in `reply`, in the order of their headers.
fn shapes(reply: Reply<'_>) -> Result<Vec<Shape>, TooDeep> {
    let mut shapes = Vec::new();
    let mut around: Vec<Around> = Vec::new();
    for visit in reply.preorder() {
        let Visit::Value(value) = visit else {
            // Full aggregates never stay on the stack, so this is the streamed one.
            close(&mut around, &mut shapes);
            close_full(&mut around, &mut shapes);
            continue;
        };
        if let Some(parent) = around.last_mut() {
            parent.seen += 1;
            parent.last_tall = false;
        }
        if let Some(elements) = value.elements() {
            if around.len() == MAX_DEPTH {
                return Err(TooDeep);
            }
            around.push(Around {
                kind: value.kind(),
                announced: elements.remaining(),
                seen: 0,
                last_tall: false,
                place: shapes.len(),
            });
            shapes.push(Shape { len: 0, tall: false });
        }
        close_full(&mut around, &mut shapes);
    }
    Ok(shapes)
}

/// An aggregate in the middle of being looked through.
struct Around {
    kind: Kind,
    /// How many values its header announced; `None` if a marker ends it.
    announced: Option<u64>,
    /// How many came.
    seen: u64,
    /// Whether the last of them needs several lines.
    last_tall: bool,
    /// Where its shape goes.
    place: usize,
}

/// Closes the aggregates that have all their values.
fn close_full(around: &mut Vec<Around>, shapes: &mut [Shape]) {
    while around.last().is_some_and(|inner| inner.announced == Some(inner.seen)) {
        close(around, shapes);
    }
}

/// Writes down the shape of the innermost aggregate.
fn close(around: &mut Vec<Around>, shapes: &mut [Shape]) {
    let Some(done) = around.pop() else { return };
    let one = if done.kind == Kind::Map { 2 } else { 1 };
    let shape = Shape { len: done.seen, tall: done.seen > one || done.last_tall };
    if let Some(place) = shapes.get_mut(done.place) {
        *place = shape;
    }
    if let Some(parent) = around.last_mut() {
        parent.last_tall = shape.tall;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The steps in short: text of leaves, `(len`, `!` if tall, and `)`.
    fn steps(bytes: &[u8]) -> String {
        let reply = Reply::parse(bytes).unwrap();
        let mut out = String::new();
        for step in Walk::new(reply).unwrap() {
            match step {
                Step::Leaf(leaf, _) => out += std::str::from_utf8(leaf.as_bytes().unwrap_or(b"-")).unwrap(),
                Step::Open(_, shape, _) => {
                    out += &format!("({}{} ", shape.len, if shape.tall { "!" } else { "" });
                }
                Step::Close(..) => out += ")",
            }
        }
        out
    }

    #[test]
    fn aggregates_open_and_close() {
        assert_eq!(steps(b":1\r\n"), "1");
        assert_eq!(steps(b"*0\r\n"), "(0 )");
        assert_eq!(steps(b"*2\r\n*2\r\n:1\r\n~0\r\n:2\r\n"), "(2! (2! 1(0 ))2)");
        assert_eq!(steps(b"%1\r\n+k\r\n%0\r\n"), "(2 k(0 ))");
    }

    #[test]
    fn streamed_aggregates_know_their_length() {
        assert_eq!(steps(b"*?\r\n.\r\n"), "(0 )");
        assert_eq!(
            steps(b"*?\r\n:1\r\n*1\r\n~?\r\n:2\r\n.\r\n%?\r\n+k\r\n+v\r\n.\r\n.\r\n"),
            "(3! 1(1 (1 2))(2 kv))"
        );
    }

    #[test]
    fn tall_is_what_has_several_lines() {
        assert_eq!(steps(b"*1\r\n~1\r\n%1\r\n+k\r\n*2\r\n:1\r\n:2\r\n"), "(1! (1! (2! k(2! 12))))");
        assert_eq!(steps(b"%1\r\n*2\r\n:1\r\n:2\r\n+v\r\n"), "(2 (2! 12)v)");
        assert_eq!(steps(b"%2\r\n:1\r\n:2\r\n:3\r\n:4\r\n"), "(4! 1234)");
        assert_eq!(steps(b"*1\r\n*?\r\n:1\r\n:2\r\n.\r\n"), "(1! (2! 12))");
    }

    fn nested(depth: usize) -> Vec<u8> {
        let mut bytes = b"*1\r\n".repeat(depth - 1);
        bytes.extend_from_slice(b"*0\r\n");
        bytes
    }

    #[test]
    fn depth_is_bounded() {
        let fits = nested(MAX_DEPTH);
        assert_eq!(Walk::new(Reply::parse(&fits).unwrap()).unwrap().count(), 2 * MAX_DEPTH);
        let deep = nested(MAX_DEPTH + 1);
        assert!(Walk::new(Reply::parse(&deep).unwrap()).is_err());
        // Side by side is not inside each other.
        let mut wide = b"*3000\r\n".to_vec();
        wide.extend_from_slice(&b"*1\r\n*0\r\n".repeat(3000));
        assert_eq!(Walk::new(Reply::parse(&wide).unwrap()).unwrap().count(), 2 + 4 * 3000);
    }
}
