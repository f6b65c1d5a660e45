//! Answers on their way back, with the keys in them as the program knows them.

use super::{KeyError, Policy, Shard, Survey, UnmapError};
use crate::command::{Request, Returned, Spread};
use crate::resp::{Digits, Limits, Scanner, copy};

impl Survey {
    /// Whether the answer has something that [`unmap`](Self::unmap) would change.
    pub fn unmaps(&self, policy: &Policy<'_>) -> bool {
        let keys = policy.is_hashed() || !policy.prefix().is_empty();
        self.returned() != Returned::Nowhere && (keys || self.joins_cursors(policy))
    }

    /// Writes `frame`, the bytes of one whole answer to `request` by `shard`, to `out` with the keys in it as they were
    /// before the policy; how many bytes that is.
    ///
    /// - A key that the request named (`BLPOP`, `XREAD`) comes back as it was named there, hashed or not. Others (`KEYS`, `SCAN`,
    ///   `RANDOMKEY`) lose their prefix.
    /// - The cursor of a `SCAN` over several databases says in which of them it goes on.
    /// - Errors and nulls stay as they are, and so does `QUEUED`; but the answers inside that of an `EXEC` are not looked at.
    ///
    /// As much room as `frame` has is enough where keys only lose their prefix; two bytes more for a cursor; and for a hashed
    /// key as much as its name in the request is longer. On an error nothing is lost but what is in `out`.
    pub fn unmap<R: Request + ?Sized>(
        &self,
        policy: &Policy<'_>,
        request: &R,
        shard: Shard,
        frame: &[u8],
        out: &mut [u8],
    ) -> Result<usize, UnmapError> {
        let named = &mut |wire: &[u8], out: &mut Out<'_>| self.name(policy, request, wire, out);
        let mut walk = Walk { policy, named, out: Out { room: out, at: 0 } };
        let rest = match self.returned() {
            Returned::Nowhere => frame,
            Returned::Whole => walk.key(frame, false)?,
            Returned::Each => walk.each(frame)?,
            Returned::First => walk.first(frame)?,
            Returned::FirstOfEach => walk.first_of_each(frame)?,
            Returned::EachOfSecond => {
                let cursors = self.joins_cursors(policy).then_some(shard);
                walk.each_of_second(frame, cursors)?
            }
        };
        walk.out.put(rest)?;
        Ok(walk.out.at)
    }

    fn joins_cursors(&self, policy: &Policy<'_>) -> bool {
        self.roles.spread() == Spread::ByCursor && policy.databases().count() > 1
    }

    /// Writes the key of the request that is called `wire` when it is sent; whether there is one.
    fn name<R: Request + ?Sized>(
        &self,
        policy: &Policy<'_>,
        request: &R,
        wire: &[u8],
        out: &mut Out<'_>,
    ) -> Result<bool, UnmapError> {
        let mut found = Ok(false);
        self.each_key(policy, request, |_, key| {
            if found == Ok(false) {
                // What is not written yet is room to see what the key is called.
                found = match policy.wire(key, out.left()) {
                    Ok(sent) if sent == wire => out.string(key).map(|()| true),
                    Err(KeyError::NoRoom { .. }) => Err(UnmapError::NoRoom),
                    _ => Ok(false),
                };
            }
        });
        found
    }
}

/// On the way through an answer. Each step takes what is before it, writes it, and gives what follows.
struct Walk<'a, 'o> {
    policy: &'a Policy<'a>,
    named: &'a mut Named<'a>,
    out: Out<'o>,
}

/// Writes the name that a request has for a key; whether it has one.
type Named<'a> = dyn FnMut(&[u8], &mut Out<'_>) -> Result<bool, UnmapError> + 'a;

/// What was written, and room for more.
struct Out<'o> {
    room: &'o mut [u8],
    at: usize,
}

impl Walk<'_, '_> {
    /// A key that the request named, or one that has a prefix.
    fn key<'f>(&mut self, frame: &'f [u8], named: bool) -> Result<&'f [u8], UnmapError> {
        let Some((key, rest)) = string(frame)? else { return self.whole(frame) };
        if !(named && (self.named)(key, &mut self.out)?) {
            self.out.string(self.policy.strip(key)?)?;
        }
        Ok(rest)
    }

    fn each<'f>(&mut self, frame: &'f [u8]) -> Result<&'f [u8], UnmapError> {
        let Some((count, mut rest)) = self.open(frame)? else { return Ok(frame) };
        for _ in 0..count {
            rest = self.key(rest, false)?;
        }
        Ok(rest)
    }

    fn first<'f>(&mut self, frame: &'f [u8]) -> Result<&'f [u8], UnmapError> {
        match self.open(frame)? {
            Some((1.., rest)) => self.key(rest, true),
            Some((_, rest)) => Ok(rest),
            None => Ok(frame),
        }
    }

    /// A map, or an array of pairs.
    fn first_of_each<'f>(&mut self, frame: &'f [u8]) -> Result<&'f [u8], UnmapError> {
        let is_map = frame.first() == Some(&b'%');
        let Some((count, mut rest)) = self.open(frame)? else { return Ok(frame) };
        for _ in 0..count {
            if !is_map {
                let Some((2, pair)) = self.open(rest)? else { return Err(UnmapError::Unexpected) };
                rest = pair;
            }
            rest = self.key(rest, true)?;
            rest = self.whole(rest)?;
        }
        Ok(rest)
    }

    fn each_of_second<'f>(
        &mut self,
        frame: &'f [u8],
        cursors: Option<Shard>,
    ) -> Result<&'f [u8], UnmapError> {
        let Some((2.., rest)) = self.open(frame)? else { return Ok(frame) };
        let rest = match cursors {
            None => self.whole(rest)?,
            Some(shard) => {
                let (cursor, rest) = string(rest)?.ok_or(UnmapError::Unexpected)?;
                let cursor =
                    number(cursor).and_then(|cursor| self.policy.databases().join_cursor(shard, cursor));
                let cursor = cursor.ok_or(UnmapError::Unexpected)?;
                self.out.string(Digits::unsigned(cursor).as_bytes())?;
                rest
            }
        };
        self.each(rest)
    }

    /// The head of an aggregate, and how many values or pairs are in it. `None` for anything else, of which nothing is
    /// written.
    fn open<'f>(&mut self, frame: &'f [u8]) -> Result<Option<(u64, &'f [u8])>, UnmapError> {
        let (line, rest) = line(frame)?;
        match line.split_first() {
            Some((b'*' | b'~' | b'%', count)) => {
                // Without a count it is a null, or streamed, as no server does.
                let Some(count) = number(count) else { return Ok(None) };
                let head = frame.get(..frame.len().saturating_sub(rest.len())).unwrap_or_default();
                self.out.put(head)?;
                Ok(Some((count, rest)))
            }
            // What is in front of an answer is not looked through.
            Some((b'|', _)) => Err(UnmapError::Unexpected),
            _ => Ok(None),
        }
    }

    /// A whole value, as it is.
    fn whole<'f>(&mut self, frame: &'f [u8]) -> Result<&'f [u8], UnmapError> {
        let found = Scanner::new(Limits::SERVER).scan(frame);
        let Ok(Some(value)) = found else { return Err(UnmapError::Unexpected) };
        let (value, rest) = frame.split_at_checked(value.len).ok_or(UnmapError::Unexpected)?;
        self.out.put(value)?;
        Ok(rest)
    }
}

impl Out<'_> {
    fn left(&mut self) -> &mut [u8] {
        self.room.get_mut(self.at..).unwrap_or_default()
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), UnmapError> {
        let room = self.left();
        if room.len() < bytes.len() {
            return Err(UnmapError::NoRoom);
        }
        copy(room, bytes);
        self.at = self.at.saturating_add(bytes.len());
        Ok(())
    }

    /// A bulk string.
    fn string(&mut self, bytes: &[u8]) -> Result<(), UnmapError> {
        self.put(b"$")?;
        self.put(Digits::unsigned(bytes.len() as u64).as_bytes())?;
        self.put(b"\r\n")?;
        self.put(bytes)?;
        self.put(b"\r\n")
    }
}

/// The first line without its end, and what follows it.
fn line(frame: &[u8]) -> Result<Cut<'_>, UnmapError> {
    let end = frame.iter().position(|&byte| byte == b'\r').ok_or(UnmapError::Unexpected)?;
    match frame.split_at_checked(end) {
        Some((line, [b'\r', b'\n', rest @ ..])) => Ok((line, rest)),
        _ => Err(UnmapError::Unexpected),
    }
}

/// What was cut off the front, and what follows it.
type Cut<'f> = (&'f [u8], &'f [u8]);

/// The bytes of a bulk string, and what follows it; `None` for another value.
fn string(frame: &[u8]) -> Result<Option<Cut<'_>>, UnmapError> {
    let (line, rest) = line(frame)?;
    let Some(len) = line.strip_prefix(b"$").and_then(number) else { return Ok(None) };
    let cut = usize::try_from(len).ok().and_then(|len| rest.split_at_checked(len));
    match cut {
        Some((bytes, [b'\r', b'\n', rest @ ..])) => Ok(Some((bytes, rest))),
        _ => Err(UnmapError::Unexpected),
    }
}

/// A plain number; `None` for anything else.
pub(super) fn number(text: &[u8]) -> Option<u64> {
    let digit = |n: u64, byte: &u8| {
        let digit = byte.checked_sub(b'0').filter(|&digit| digit < 10)?;
        n.checked_mul(10)?.checked_add(digit.into())
    };
    text.iter().try_fold(0, digit).filter(|_| !text.is_empty())
}
