//! What a peer may send in one reply.

/// What a peer may send in one reply, on every dimension that it chooses.
///
/// A reply over a limit is read to its end in constant memory and not kept: its request fails with
/// [`TooLarge`](crate::conn::Failure::TooLarge) or [`TooDeep`](crate::conn::Failure::TooDeep), and
/// the connection goes on in step. Two limits end the connection: `line`, because nothing says where
/// a line ends, and `skip`, because a peer could go on for ever. Nothing is ever allocated from a
/// header.
///
/// ```
/// use respire_core::resp::Limits;
/// const SMALL: Limits = Limits { bulk: 4096, depth: 4, ..Limits::DEVICE };
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Limits {
    /// Bytes of one line: simple strings, errors and big numbers. While commands of others are shown (`MONITOR`), each of
    /// which is a line, it is `bulk` if that is more.
    pub line: u32,
    /// Bytes of one string, or of one chunk of a streamed string.
    pub bulk: u64,
    /// Values directly inside one aggregate; a map of n pairs has 2n. At most
    /// [`MAX_ELEMENTS`](Self::MAX_ELEMENTS).
    pub elements: u32,
    /// Values inside a reply altogether, attributes included.
    pub total: u32,
    /// Aggregates inside one another, attributes included, empty ones only if they are told in parts. At most [`MAX_DEPTH`](Self::MAX_DEPTH).
    pub depth: u16,
    /// Bytes of a whole reply. One that is told in [parts](crate::command::chunked) may have more.
    pub frame: u64,
    /// Bytes that a reply over any other limit may have to be skipped, each value still to come counted
    /// as three. What was told in parts before counts, too. More than 2^32 values are never skipped.
    pub skip: u64,
}

impl Limits {
    /// The deepest that a reply can be read: the scanner remembers four bytes for each level. 128
    /// with feature `alloc`, where those behind the sixteenth are on the heap once a reply has them; else 16.
    pub const MAX_DEPTH: usize = if cfg!(feature = "alloc") { 128 } else { 16 };

    /// The most values that can stand directly inside one aggregate: 2^29 - 1.
    pub const MAX_ELEMENTS: u32 = (1 << 29) - 1;

    /// For servers and desktops: lines of 64 KiB, strings of 512 MiB (the server's own limit,
    /// `proto-max-bulk-len`), 2^28 elements, replies of 1 GiB, as many levels as there can be.
    pub const SERVER: Self = Self {
        line: 64 << 10,
        bulk: 512 << 20,
        elements: 1 << 28,
        total: 1 << 28,
        depth: Self::MAX_DEPTH as u16,
        frame: 1 << 30,
        skip: 2 << 30,
    };

    /// For devices: lines of 4 KiB, strings and replies of 1 MiB, 65 536 elements, 16 levels.
    pub const DEVICE: Self = Self {
        line: 4 << 10,
        bulk: 1 << 20,
        elements: 1 << 16,
        total: 1 << 16,
        depth: 16,
        frame: 1 << 20,
        skip: 4 << 20,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::SERVER
    }
}

/// The limit that a reply is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Over {
    /// [`Limits::bulk`].
    Bulk,
    /// [`Limits::elements`].
    Elements,
    /// [`Limits::total`].
    Total,
    /// [`Limits::depth`].
    Depth,
    /// [`Limits::frame`].
    Frame,
}
