//! The replies that are decoded.

use crate::tree::Tree;

/// Replies, and how they come.
pub(crate) struct Workload {
    /// Its name in the output.
    pub(crate) name: &'static str,
    /// The Rust type of a reply.
    pub(crate) typed: Typed,
    /// The replies, in order.
    pub(crate) replies: Vec<Tree>,
    /// Their bytes, one behind the other.
    pub(crate) bytes: &'static [u8],
    /// Where each of them ends.
    pub(crate) ends: &'static [usize],
    /// How many bytes come at once; all of them, if not said.
    pub(crate) piece: Option<usize>,
    /// What one figure is for: a reply, or an element of the only one.
    pub(crate) units: usize,
}

/// What a caller asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Typed {
    /// That it is done.
    Status,
    /// A number of 64 bits.
    Integer,
    /// Bytes.
    Bytes,
    /// A list of bytes.
    List,
    /// A list of lists of bytes.
    Nested,
    /// Pairs of bytes.
    Map,
    /// A message: its kind, its channel and its bytes.
    Message,
}

/// How much there is of everything.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    /// How many bytes of replies are decoded in one run, if one reply is not larger.
    pub(crate) batch: usize,
    /// Elements of the array that comes in pieces.
    pub(crate) elements: usize,
    /// The same for those who start again with each piece, in large pieces and byte by byte.
    pub(crate) again: [usize; 2],
}

impl Scale {
    /// For time. As much as a socket gives at once.
    pub(crate) const TIME: Self = Self { batch: 64 << 10, elements: 20_000, again: [5_000, 100] };
    /// For instructions, which are the same each time.
    pub(crate) const COUNT: Self = Self { batch: 4 << 10, elements: 5_000, again: [5_000, 100] };
    /// To see that everything works.
    pub(crate) const QUICK: Self = Self { batch: 4 << 10, elements: 1_000, again: [1_000, 100] };
}

/// Name, replies and type of each workload whose replies come whole.
type Row = (&'static str, Typed, Vec<Tree>);

/// All workloads in the order of the tables.
pub(crate) fn workloads(scale: Scale) -> Vec<Workload> {
    let mut all: Vec<_> = rows().into_iter().map(|row| whole(row, scale.batch)).collect();
    all.push(pieces("pieces-1448", 1448, scale.elements));
    all.push(pieces("pieces-1", 1, scale.elements));
    all
}

/// The array of `elements` that comes in pieces of so many bytes.
pub(crate) fn pieces(name: &'static str, piece: usize, elements: usize) -> Workload {
    let row = (name, Typed::List, vec![Tree::Array(small(elements))]);
    Workload { piece: Some(piece), units: elements, ..whole(row, 0) }
}

fn rows() -> Vec<Row> {
    let map = (0..1000).map(|n| (Tree::bulk(format!("field:{n:04}")), Tree::bulk(format!("value:{n:06}"))));
    let nested = (0..500).map(|_| Tree::Array(small(10))).collect();
    let message = vec![Tree::bulk("message"), Tree::bulk("news"), text(64)];
    // Lengths as of values that people store: few are alike.
    let answers = (0..1000).map(|n| text(3 + n * 7919 % 198)).collect();
    vec![
        ("ok", Typed::Status, vec![Tree::Status(b"OK".to_vec())]),
        ("int-2", Typed::Integer, vec![Tree::Integer(42)]),
        ("int-19", Typed::Integer, vec![Tree::Integer(1_234_567_890_123_456_789)]),
        ("bulk-3", Typed::Bytes, vec![text(3)]),
        ("bulk-64", Typed::Bytes, vec![text(64)]),
        ("bulk-1k", Typed::Bytes, vec![text(1 << 10)]),
        ("bulk-64k", Typed::Bytes, vec![text(64 << 10)]),
        ("bulk-1m", Typed::Bytes, vec![text(1 << 20)]),
        ("array-100", Typed::List, vec![Tree::Array(small(100))]),
        ("array-5000", Typed::List, vec![Tree::Array(small(5000))]),
        ("nested-500x10", Typed::Nested, vec![Tree::Array(nested)]),
        ("map-1000", Typed::Map, vec![Tree::Map(map.collect())]),
        ("push", Typed::Message, vec![Tree::Push(message)]),
        ("pipeline-1000", Typed::Bytes, answers),
    ]
}

/// Strings of twelve bytes.
fn small(count: usize) -> Vec<Tree> {
    (0..count).map(|n| Tree::bulk(format!("item-{n:07}"))).collect()
}

fn text(len: usize) -> Tree {
    Tree::Bulk((0..len).map(|at| b"abcdefghijklmnopqrstuvwxyz"[at % 26]).collect())
}

/// The replies, again and again until they fill a batch.
fn whole((name, typed, once): Row, batch: usize) -> Workload {
    let mut lap = Vec::new();
    once.iter().for_each(|reply| reply.write(&mut lap));
    let laps = (batch / lap.len()).max(1);
    let replies = once.iter().cycle().take(laps * once.len()).cloned().collect::<Vec<_>>();
    let (mut bytes, mut ends) = (Vec::new(), Vec::new());
    for reply in &replies {
        reply.write(&mut bytes);
        ends.push(bytes.len());
    }
    let units = replies.len();
    Workload { name, typed, replies, bytes: bytes.leak(), ends: ends.leak(), piece: None, units }
}

impl Workload {
    /// Bytes on the wire, for one unit.
    pub(crate) fn wire(&self) -> f64 {
        self.bytes.len() as f64 / self.units as f64
    }

    /// Bytes of strings, for one unit.
    pub(crate) fn payload(&self) -> f64 {
        self.replies.iter().map(Tree::payload).sum::<usize>() as f64 / self.units as f64
    }

    /// Whether a reader of RESP2 understands it.
    pub(crate) fn is_resp2(&self) -> bool {
        !matches!(self.typed, Typed::Map | Typed::Message)
    }

    /// The only reply, cut into its pieces.
    pub(crate) fn cut(&self) -> Option<Vec<&'static [u8]>> {
        self.piece.map(|piece| self.bytes.chunks(piece).collect())
    }

    /// The replies, each by itself.
    pub(crate) fn each(&self) -> impl Iterator<Item = &'static [u8]> + Clone + use<> {
        let (bytes, ends) = (self.bytes, self.ends);
        ends.iter().scan(0, |start, &end| Some(&bytes[std::mem::replace(start, end)..end]))
    }

    /// Checks trees that were decoded, each of one reply in order. Those who forget the order of
    /// pairs give them sorted.
    ///
    /// # Panics
    /// They are not what was encoded.
    pub(crate) fn check_trees(&self, by: &str, decoded: Vec<Tree>) {
        assert_eq!(decoded.len(), self.replies.len(), "{}: {by}", self.name);
        for (decoded, reply) in decoded.into_iter().zip(&self.replies) {
            assert_eq!(decoded, *reply, "{}: {by}", self.name);
        }
    }

    /// Checks what stands at the ends of all replies, in order.
    ///
    /// # Panics
    /// It is not what was encoded.
    pub(crate) fn check_leaves(&self, by: &str, decoded: &[Vec<u8>]) {
        let mut leaves = Vec::new();
        self.replies.iter().for_each(|reply| reply.leaves(&mut leaves));
        assert!(leaves == decoded, "{}: {by} has decoded something else", self.name);
    }

    /// Checks where frames were found to end.
    ///
    /// # Panics
    /// They end elsewhere.
    pub(crate) fn check_ends(&self, by: &str, ends: &[usize]) {
        assert!(ends == self.ends, "{}: {by} finds other ends", self.name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_are_full_and_whole() {
        for workload in workloads(Scale::QUICK) {
            assert_eq!(workload.ends.last(), Some(&workload.bytes.len()), "{}", workload.name);
            assert_eq!(workload.ends.len(), workload.replies.len());
            let mut first = Vec::new();
            workload.replies[0].write(&mut first);
            assert_eq!(workload.each().next(), Some(&first[..]));
        }
    }
}
