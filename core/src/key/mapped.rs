//! Arguments on their way, with their keys changed.

use super::unmap::number;
use super::{KeyError, Policy, Shard, Survey};
use crate::command::{ArgRole, Roles};
use crate::resp::ArgSink;

/// An [`ArgSink`] in front of another, which is told the keys as they are sent. [`Survey::mapped`] makes it.
///
/// Nothing goes on after an error, so what the other has seen is no request then: [`finish`](Self::finish) says.
#[derive(Debug)]
pub struct Mapped<'a, S: ?Sized> {
    policy: &'a Policy<'a>,
    scratch: &'a mut [u8],
    inner: &'a mut S,
    roles: Roles,
    /// The command's first word was told.
    named: bool,
    /// The only database whose keys are wanted.
    only: Option<Shard>,
    /// The last key was not wanted; nor is what belongs to it.
    dropping: bool,
    /// A scan without a pattern is to get one.
    unbound: bool,
    error: Option<KeyError>,
}

impl<'a, S: ArgSink + ?Sized> Mapped<'a, S> {
    pub(super) fn new(
        survey: &Survey,
        policy: &'a Policy<'a>,
        only: Option<Shard>,
        scratch: &'a mut [u8],
        inner: &'a mut S,
    ) -> Self {
        let unbound = survey.roles.is_scan() && !policy.prefix().is_empty();
        let roles = survey.roles;
        Self { policy, scratch, inner, roles, named: false, only, dropping: false, unbound, error: None }
    }

    /// The end of the request.
    ///
    /// Fails only if the request told other arguments than the survey was told.
    pub fn finish(self) -> Result<(), KeyError> {
        match self.error {
            Some(error) => Err(error),
            None if self.unbound => {
                self.inner.word("MATCH");
                self.inner.arg(pattern(self.policy, b"*", self.scratch)?);
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Takes an argument that is not simply passed on; whether it is.
    fn passes(&mut self, bytes: &[u8], marked: bool) -> bool {
        if self.error.is_some() {
            return false;
        }
        if !core::mem::replace(&mut self.named, true) {
            return true;
        }
        let role = match self.roles.next(bytes) {
            ArgRole::Plain if marked => ArgRole::Key,
            role => role,
        };
        let done = match role {
            ArgRole::Key => self.key_of(bytes),
            ArgRole::Pattern => {
                self.unbound = false;
                pattern(self.policy, bytes, self.scratch).map(|pattern| self.inner.arg(pattern))
            }
            ArgRole::Lookup => lookup(self.policy, bytes, self.scratch).map(|key| self.inner.arg(key)),
            ArgRole::Cursor if self.policy.databases().count() > 1 => {
                cursor(self.policy, bytes).map(|(_, cursor)| self.inner.unsigned(cursor))
            }
            _ => return !self.dropping,
        };
        self.error = done.err();
        false
    }

    #[inline]
    fn key_of(&mut self, bytes: &[u8]) -> Result<(), KeyError> {
        if let Some(only) = self.only {
            self.dropping = self.policy.shard(bytes)? != only;
        }
        if !self.dropping {
            self.inner.key(self.policy.wire(bytes, self.scratch)?);
        }
        Ok(())
    }
}

impl<S: ArgSink + ?Sized> ArgSink for Mapped<'_, S> {
    fn arg(&mut self, bytes: &[u8]) {
        if self.passes(bytes, false) {
            self.inner.arg(bytes);
        }
    }

    fn word(&mut self, word: &'static str) {
        if self.passes(word.as_bytes(), false) {
            self.inner.word(word);
        }
    }

    fn key(&mut self, key: &[u8]) {
        if self.passes(key, true) {
            self.inner.arg(key);
        }
    }

    fn secret(&mut self, secret: &[u8]) {
        if self.passes(secret, false) {
            self.inner.secret(secret);
        }
    }

    fn later(&mut self, len: u64) {
        if self.passes(b"", false) {
            self.inner.later(len);
        }
    }
}

/// The pattern under the prefix, which stands for itself there.
pub(super) fn pattern<'a>(
    policy: &Policy<'_>,
    bytes: &'a [u8],
    scratch: &'a mut [u8],
) -> Result<&'a [u8], KeyError> {
    let prefix = policy.prefix();
    if policy.is_hashed() && bytes != b"*" {
        return Err(KeyError::HashedKeys);
    }
    if prefix.is_empty() {
        return Ok(bytes);
    }
    let special = |byte: &u8| b"*?[]\\^-".contains(byte);
    let escaped = prefix.iter().flat_map(|byte| special(byte).then_some(&b'\\').into_iter().chain([byte]));
    fill(escaped.chain(bytes), scratch)
}

/// What `SORT` looks up, under the prefix. Without a `*` it is a word that means something else.
pub(super) fn lookup<'a>(
    policy: &Policy<'_>,
    bytes: &'a [u8],
    scratch: &'a mut [u8],
) -> Result<&'a [u8], KeyError> {
    let prefix = policy.prefix();
    match () {
        () if !bytes.contains(&b'*') => Ok(bytes),
        () if policy.is_hashed() => Err(KeyError::HashedKeys),
        // The element decides the database, and the server looks in this one.
        () if policy.databases().count() > 1 => Err(KeyError::CrossShard { keys: 2 }),
        () if prefix.is_empty() => Ok(bytes),
        () if prefix.contains(&b'*') => Err(KeyError::Prefix),
        () => fill(prefix.iter().chain(bytes), scratch),
    }
}

/// The database of a cursor, and the cursor there.
pub(super) fn cursor(policy: &Policy<'_>, bytes: &[u8]) -> Result<(Shard, u64), KeyError> {
    let cursor = number(bytes).and_then(|cursor| policy.databases().split_cursor(cursor));
    cursor.ok_or(KeyError::Cursor)
}

fn fill<'a, 'b>(
    bytes: impl Iterator<Item = &'b u8> + Clone,
    scratch: &'a mut [u8],
) -> Result<&'a [u8], KeyError> {
    let needed = bytes.clone().count();
    let room = scratch.get_mut(..needed).ok_or(KeyError::NoRoom { needed })?;
    room.iter_mut().zip(bytes).for_each(|(to, byte)| *to = *byte);
    Ok(room)
}
