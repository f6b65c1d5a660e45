//! Requests to bytes: written into what room there is, and measured on the way.

use core::cell::Cell;
#[cfg(feature = "alloc")]
use core::fmt;

use super::number::{Digits, DoubleText, WIDE, line_len, put_line};

/// Receives the arguments of a request, one call each.
///
/// One definition of a request's arguments serves every reader: measuring, encoding, routing by
/// key, key prefixes, redaction. A sink overrides the calls whose meaning it cares about; the
/// others end in [`arg`](ArgSink::arg).
pub trait ArgSink {
    /// An argument as bytes.
    fn arg(&mut self, bytes: &[u8]);

    /// A word of the command itself: its name, an option.
    fn word(&mut self, word: &'static str) {
        self.arg(word.as_bytes());
    }

    /// A key: it decides the slot and takes the prefix.
    fn key(&mut self, key: &[u8]) {
        self.arg(key);
    }

    /// A password or the like: never to be shown.
    fn secret(&mut self, secret: &[u8]) {
        self.arg(secret);
    }

    /// An integer, in decimal.
    fn integer(&mut self, n: i64) {
        self.arg(Digits::signed(n).as_bytes());
    }

    /// An unsigned integer, in decimal.
    fn unsigned(&mut self, n: u64) {
        self.arg(Digits::unsigned(n).as_bytes());
    }

    /// An argument of `len` bytes that the connection is given later. Here it counts as empty, so
    /// that every argument keeps its position.
    fn later(&mut self, _len: u64) {
        self.arg(&[]);
    }

    /// A double: the shortest text that reads back as the same number.
    fn double(&mut self, n: f64) {
        self.arg(DoubleText::new(n).as_bytes());
    }
}

/// Writes a request as an array of bulk strings, and measures it.
///
/// What does not fit is counted and not written. So one visit is enough where there is room, and
/// tells how much room to make where there is none; then the request is visited again. One type for
/// both, since every request type has code of its own for every type that visits it.
///
/// ```
/// use respire_core::command::{Request, get};
/// use respire_core::resp::Encoder;
///
/// let mut measure = Encoder::new(&mut []);
/// get("k").visit(&mut measure);
/// let measured = measure.finish();
/// assert!(!measured.is_written());
///
/// let mut frame = vec![0; measured.len()];
/// let mut encoder = Encoder::new(&mut frame);
/// get("k").visit(&mut encoder);
/// assert!(encoder.finish().is_written());
/// assert_eq!(frame, b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n");
/// ```
#[derive(Debug)]
pub struct Encoder<'b> {
    out: &'b mut [u8],
    /// Bytes of the arguments behind a header for less than ten of them.
    at: usize,
    args: usize,
    later: Option<Later>,
    secret: bool,
    #[cfg(feature = "alloc")]
    lending: Lending<'b>,
}

/// What an [`Encoder`] has seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Encoded {
    len: usize,
    args: usize,
    later: Option<Later>,
    secret: bool,
    written: bool,
}

/// An argument whose bytes follow later.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Later {
    /// How many bytes.
    len: u64,
    /// Which argument it is, from 0. A second one is misplaced wherever it stands: 0, too. One that is
    /// [`LENT`] is well placed wherever it stands.
    arg: usize,
    /// How many bytes of the frame stand before it.
    at: usize,
}

/// The first argument of at least `from` bytes is left for later by itself, and shown.
#[cfg(feature = "alloc")]
struct Lending<'b> {
    from: usize,
    show: Option<&'b mut Show<'b>>,
}

/// Someone who is shown an argument.
#[cfg(feature = "alloc")]
type Show<'b> = dyn FnMut(&[u8]) + 'b;

/// Stands for the place of an argument that was not left for later by the request.
const LENT: usize = usize::MAX;

/// `*`, one digit, CRLF.
const HEADER: usize = 4;

impl<'b> Encoder<'b> {
    /// An encoder that writes into `out`, as far as that goes.
    pub const fn new(out: &'b mut [u8]) -> Self {
        Self::lending(out, usize::MAX)
    }

    /// An encoder that leaves the first argument of at least `from` bytes for later, unless the
    /// request itself has left one: these bytes can be had again with [`show`](Self::show). Without
    /// feature `alloc` it leaves none; short ones, of which it writes the length without a loop, neither.
    pub(crate) const fn lending(out: &'b mut [u8], from: usize) -> Self {
        let _ = from;
        Self {
            out,
            at: HEADER,
            args: 0,
            later: None,
            secret: false,
            #[cfg(feature = "alloc")]
            lending: Lending { from, show: None },
        }
    }

    /// An encoder that writes nothing, and shows the bytes of the argument that was
    /// [left for later](Self::lending).
    #[cfg(feature = "alloc")]
    pub(crate) const fn show(from: usize, show: &'b mut Show<'b>) -> Self {
        Self { lending: Lending { from, show: Some(show) }, ..Self::new(&mut []) }
    }

    /// Puts the header in front, now that the number of arguments is known.
    #[inline]
    pub fn finish(self) -> Encoded {
        let wider = match self.args {
            n @ 0..=9 if WIDE => {
                if let Some(front) = self.out.first_chunk_mut() {
                    *front = [b'*', b'0' + n as u8, b'\r', b'\n'];
                }
                0
            }
            n => put_header(self.out, self.at, n),
        };
        let len = self.at.saturating_add(wider);
        let written = len <= self.out.len();
        let later = self.later.map(|later| Later { at: later.at.saturating_add(wider), ..later });
        Encoded { len, args: self.args, later, secret: self.secret, written }
    }

    /// A bulk string of any length; compiled once. With a `len` of its own it is the start of a longer one.
    #[inline(never)]
    fn frame(&mut self, len: u64, bytes: &[u8]) {
        #[cfg(feature = "alloc")]
        if bytes.len() >= self.lending.from && self.later.is_none() {
            return self.lend(bytes);
        }
        let header = line_len(len);
        if let Some(room) = self.room(header, bytes) {
            end(copy(put_line(room, header, b'$', len), bytes));
        }
    }

    /// The frame of a bulk string, whose bytes are shown.
    #[cfg(feature = "alloc")]
    #[cold]
    fn lend(&mut self, bytes: &[u8]) {
        let len = bytes.len() as u64;
        self.later = Some(Later { len, arg: LENT, at: 0 });
        self.frame(len, b"");
        self.later = Some(Later { len, arg: LENT, at: self.at.saturating_sub(2) });
        if let Some(show) = &mut self.lending.show {
            show(bytes);
        }
    }

    /// A bulk string behind a header that is made already.
    #[inline]
    fn bulk<const H: usize>(&mut self, header: [u8; H], bytes: &[u8]) {
        if let Some(room) = self.room(H, bytes)
            && let Some((front, room)) = room.split_first_chunk_mut()
        {
            *front = header;
            end(copy(room, bytes));
        }
    }

    /// Counts a bulk string, and gives the room for all of it: one look for header, bytes and end.
    #[inline]
    fn room(&mut self, header: usize, bytes: &[u8]) -> Option<&mut [u8]> {
        // A header is short, and no slice takes more than half of all addresses.
        let len = bytes.len().wrapping_add(header).wrapping_add(2);
        let start = self.at;
        let end = start.checked_add(len);
        self.at = end.unwrap_or(usize::MAX);
        self.out.get_mut(start..end?)
    }
}

/// CRLF.
#[inline]
fn end(room: &mut [u8]) {
    if let Some(room) = room.first_chunk_mut() {
        *room = *b"\r\n";
    }
}

/// Puts the header in front of the arguments, which end `at`, if there is room for it; how many bytes
/// more it takes than one for less than ten of them.
#[inline(never)]
fn put_header(out: &mut [u8], at: usize, args: usize) -> usize {
    let header = line_len(args as u64);
    let wider = header.saturating_sub(HEADER);
    if let Some(frame) = out.get_mut(..at.saturating_add(wider)) {
        if let Some(args) = frame.get_mut(HEADER..)
            && wider > 0
        {
            move_back(args, wider);
        }
        put_line(frame, header, b'*', args as u64);
    }
    wider
}

/// Moves bytes back by so many, over the last ones.
fn move_back(bytes: &mut [u8], by: usize) {
    let Some(count) = bytes.len().checked_sub(by) else { return };
    if WIDE { bytes.copy_within(..count, by) } else { move_each(bytes, count) }
}

/// Moves the first `count` to the end, one by one: as with [`copy_words`], about `copy_within`.
fn move_each(bytes: &mut [u8], count: usize) {
    let cells = Cell::from_mut(bytes).as_slice_of_cells();
    let from = cells.get(..count).unwrap_or_default().iter().rev();
    from.zip(cells.iter().rev()).for_each(|(from, to)| to.set(from.get()));
}

/// Copies `from` to the front of `to`; what is left of that. Nothing, if it is too short.
#[inline]
pub(crate) fn copy<'t>(to: &'t mut [u8], from: &[u8]) -> &'t mut [u8] {
    let Some((to, rest)) = to.split_at_mut_checked(from.len()) else { return &mut [] };
    if WIDE {
        // Compilers make this a call of `memcpy`, and know that it cannot panic.
        to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
    } else {
        copy_words(to, from);
    }
    rest
}

/// Word by word, for those who compile for size: their compiler leaves a loop a loop, and does not see
/// that `copy_from_slice` cannot panic.
fn copy_words(to: &mut [u8], from: &[u8]) {
    let (to, to_end) = to.as_chunks_mut::<4>();
    let (from, from_end) = from.as_chunks::<4>();
    to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
    to_end.iter_mut().zip(from_end).for_each(|(to, from)| *to = *from);
}

impl ArgSink for Encoder<'_> {
    #[inline]
    fn arg(&mut self, bytes: &[u8]) {
        self.args += 1;
        match bytes.len() {
            // One or two digits are the common case. Where code need not be small, they take no loop.
            len @ 0..=9 if WIDE => self.bulk([b'$', b'0' + len as u8, b'\r', b'\n'], bytes),
            len @ 10..=99 if WIDE => {
                let (ten, one) = (len as u8 / 10, len as u8 % 10);
                self.bulk([b'$', b'0' + ten, b'0' + one, b'\r', b'\n'], bytes);
            }
            len => self.frame(len as u64, bytes),
        }
    }

    fn secret(&mut self, secret: &[u8]) {
        self.secret = true;
        self.arg(secret);
    }

    fn later(&mut self, len: u64) {
        self.frame(len, b"");
        let arg = if self.later.is_some() { 0 } else { self.args };
        self.later = Some(Later { len, arg, at: self.at.saturating_sub(2) });
        self.args += 1;
    }
}

impl Encoded {
    /// The length of the whole frame. Bytes that are left for [`later`](ArgSink::later) are not
    /// counted in.
    pub const fn len(self) -> usize {
        self.len
    }

    /// Whether there are no arguments at all.
    pub const fn is_empty(self) -> bool {
        self.args == 0
    }

    /// How many arguments there are.
    pub const fn args(self) -> usize {
        self.args
    }

    /// Whether there is a password or the like in it.
    pub(crate) const fn is_secret(self) -> bool {
        self.secret
    }

    /// Whether all of it was written.
    pub const fn is_written(self) -> bool {
        self.written
    }

    /// Whether that is all of it, and there is something.
    #[inline(always)]
    pub(crate) const fn is_whole(self) -> bool {
        self.written && self.later.is_none() && self.args > 0
    }

    /// Whether both saw the same, one of them perhaps without room.
    pub(crate) fn is_like(self, other: Self) -> bool {
        Self { written: true, ..self } == Self { written: true, ..other }
    }

    /// How many bytes are left for [`later`](ArgSink::later).
    pub const fn owed(self) -> u64 {
        match self.later {
            Some(later) => later.len,
            None => 0,
        }
    }

    /// Whether what is left for later is an argument that the encoder [lends](Encoder::lending).
    pub(crate) fn is_lent(self) -> bool {
        cfg!(feature = "alloc") && self.later_arg() == Some(LENT)
    }

    /// Which argument is left for later, from 0.
    pub(crate) fn later_arg(self) -> Option<usize> {
        self.later.map(|later| later.arg)
    }

    /// How many bytes of the frame stand behind what is left for later.
    pub(crate) fn tail(self) -> usize {
        self.later.map_or(0, |later| self.len.saturating_sub(later.at))
    }
}

#[cfg(feature = "alloc")]
impl fmt::Debug for Lending<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lending").field("from", &self.from).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    extern crate std;
    use std::{format, string::String, vec, vec::Vec};

    /// So many arguments, one of them so long.
    fn frame(args: usize, len: usize) -> (Vec<u8>, String) {
        let arg = "x".repeat(len);
        let mut expected = format!("*{args}\r\n${len}\r\n{arg}\r\n");
        for _ in 1..args {
            expected += "$2\r\nab\r\n";
        }
        (arg.into(), expected)
    }

    #[test]
    fn every_width_of_header_in_any_room() {
        // An interpreter takes its time.
        let few = if cfg!(miri) { 5 } else { usize::MAX };
        for args in [1, 2, 9, 10, 11, 99, 100, 999, 1000, 1001].into_iter().take(few) {
            for len in [0, 1, 9, 10, 11, 99, 100, 101, 999, 1000, 65536].into_iter().take(few) {
                let (arg, expected) = frame(args, len);
                for room in [expected.len() + 9, expected.len(), expected.len() - 1, expected.len() / 2, 5, 0]
                {
                    let mut out = vec![b'-'; room];
                    let mut encoder = Encoder::new(&mut out);
                    encoder.arg(&arg);
                    (1..args).for_each(|_| encoder.word("ab"));
                    let encoded = encoder.finish();
                    assert_eq!(encoded.len(), expected.len());
                    assert_eq!(encoded.args(), args);
                    assert_eq!(encoded.is_written(), room >= expected.len(), "{args} {len} {room}");
                    if encoded.is_written() {
                        let (frame, behind) = out.split_at(expected.len());
                        assert!(frame == expected.as_bytes(), "{args} {len} {room}");
                        assert!(behind.iter().all(|&byte| byte == b'-'));
                    }
                }
            }
        }
    }

    #[test]
    fn an_encoder_says_what_it_has_seen() {
        let empty = Encoder::new(&mut []).finish();
        assert!(empty.is_empty() && empty.args() == 0);
        let seen = |room: usize| {
            let mut out = [0; 64];
            let mut encoder = Encoder::new(&mut out[..room]);
            encoder.word("A");
            encoder.later(5);
            encoder.arg(b"bc");
            encoder.finish()
        };
        let (whole, measured) = (seen(64), seen(0));
        assert!(whole.is_written() && !measured.is_written() && whole != measured);
        assert!(whole.is_like(measured) && !whole.is_empty() && !whole.is_secret());
        assert_eq!((whole.args(), whole.owed(), whole.later_arg()), (3, 5, Some(1)));
        assert_eq!(whole.tail(), b"\r\n$2\r\nbc\r\n".len());
        let mut encoder = Encoder::new(&mut []);
        encoder.secret(b"p");
        let secret = encoder.finish();
        assert!(secret.is_secret() && !secret.is_like(whole));
        assert_eq!((secret.owed(), secret.later_arg(), secret.tail()), (0, None, 0));
    }

    #[test]
    fn bytes_are_moved_and_copied_in_parts() {
        let bytes: [u8; 19] = core::array::from_fn(|n| n as u8);
        for len in 0..=bytes.len() {
            let mut copied = [99; 19];
            copy_words(&mut copied[..len], &bytes[..len]);
            assert_eq!(copied[..len], bytes[..len]);
            assert!(copied[len..].iter().all(|&byte| byte == 99));
            let mut moved = bytes;
            move_each(&mut moved, len);
            assert_eq!(moved[bytes.len() - len..], bytes[..len]);
            assert_eq!(moved[..(bytes.len() - len).min(len)], bytes[..(bytes.len() - len).min(len)]);
        }
    }
}
