//! What stands in front of a value: the attributes of RESP3.

use core::iter::FusedIterator;

use super::number;
use super::{Kind, Reply, Seq};

/// Keys and values that a server put in front of a value, in its order, duplicates kept.
///
/// Read lazily from checked bytes. Several blocks in a row read as one. A key or a value may have
/// attributes of its own: ask it.
///
/// ```
/// use respire_core::resp::Reply;
/// let reply = Reply::parse(b"|1\r\n+ttl\r\n:3600\r\n$5\r\nhello\r\n").unwrap();
/// assert_eq!(reply.get::<&str>(), Ok("hello"));
/// let (key, value) = reply.attributes().next().unwrap();
/// assert_eq!((key.get::<&str>(), value.get::<u32>()), (Ok("ttl"), Ok(3600)));
/// ```
#[derive(Clone, Debug)]
pub struct Attributes<'a> {
    /// What is left of the current block; before the first one, nothing, with all blocks behind it.
    block: Seq<'a>,
}

impl<'a> Attributes<'a> {
    pub(super) const fn new(blocks: &'a [u8]) -> Self {
        Self { block: Seq::new(Kind::Map, blocks, Some(0)) }
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = (Reply<'a>, Reply<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(key) = self.block.advance() {
                return Some((key, self.block.advance()?));
            }
            let (pairs, behind) = number::checked_length(self.block.behind().strip_prefix(b"|")?);
            self.block = Seq::new(Kind::Map, behind, Some(pairs.checked_mul(2)?));
        }
    }
}

impl FusedIterator for Attributes<'_> {}
