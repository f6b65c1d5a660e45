//! Requests that go together, in order.

use core::fmt;

use super::call::{Call, Calls, Group, NIL, Stage, Ticket};
use super::event::Refused;
use super::machine::Engine;
use super::{Memory, Options};
use crate::command::AnyRequest;
use crate::conn::{SubmitError, Token};
use crate::error::Full;
use crate::hook::{Batch, BatchEnd, Hook, Outcome, Tally};
use crate::time::Instant;

/// Requests that go to one connection, one behind the other and with nothing of anybody else's before they are
/// in line, as [`Engine::pipeline`] began it. Its end is when it is dropped.
///
/// - All that finds room is written at once; the rest follows as room is made.
/// - Each request has its own outcome, as if it had been [submitted](Engine::submit) by itself, and is told by itself.
/// - If the connection is lost, those that may go again do so on another one, in their order, from the first that was
///   not answered; those that may not fail, each by itself. While one of them waits for its time, those behind it
///   wait, too.
/// - An error is the answer, whatever it says: to send a request again behind those that were behind it would be
///   another order. So it is with one that took too long while those behind it are waited for: it fails.
pub struct Pipeline<'e, M: Memory<F>, const F: usize, H: Hook = ()> {
    engine: &'e mut Engine<M, F, H>,
    options: Options,
    group: u16,
    left: u16,
}

impl<M: Memory<F>, const F: usize, H: Hook> Engine<M, F, H> {
    /// Begins a pipeline of so many requests at most, which all have these options. All of them find room among the
    /// calls, or none is taken.
    ///
    /// With [`Options::own`], or if its first request blocks, it has a connection for itself. Another one that blocks is
    /// [refused](Refused::NeedsLease) on a shared one.
    ///
    /// ```
    /// use respire_core::command::{get, set};
    /// use respire_core::conn::Token;
    /// use respire_core::engine::{Config, Engine, Fixed, Options};
    /// use respire_core::time::Instant;
    ///
    /// let now = Instant::ZERO;
    /// let mut engine: Engine<Fixed<2, 512, 8, 1024>, 4> = Engine::new(Fixed, &Config::DEFAULT, now);
    /// let mut pipeline = engine.pipeline(now, 2, &Options::default())?;
    /// pipeline.push(Token(1), &set("k", "v"))?;
    /// pipeline.push(Token(2), &get("k"))?;
    /// # Ok::<(), respire_core::engine::Refused>(())
    /// ```
    ///
    /// # Errors
    /// See [`Refused`]: there is no room for so many, the engine was closed, or a hook said no.
    pub fn pipeline(
        &mut self,
        now: Instant,
        requests: usize,
        options: &Options,
    ) -> Result<Pipeline<'_, M, F, H>, Refused> {
        self.clock(now);
        if self.closing {
            return Err(Refused::Closed);
        }
        let told = self.hook.is_active();
        if !self.has_room(requests) {
            return Err(SubmitError::from(Full::InFlight).into());
        }
        let left = u16::try_from(requests).unwrap_or(u16::MAX);
        let group = if told { self.form_group(u32::from(left), options.label)? } else { NIL };
        self.tail = NIL;
        Ok(Pipeline { engine: self, options: *options, group, left })
    }

    /// Whether there is room for a [pipeline](Self::pipeline) of so many requests.
    pub fn has_room(&self, requests: usize) -> bool {
        requests.saturating_add(usize::from(self.hook.is_active())) <= usize::from(self.calls.room())
    }

    /// A slot for what becomes of the pipeline, unless the hook refuses.
    fn form_group(&mut self, commands: u32, label: Option<&'static str>) -> Result<u16, Refused> {
        let batch = Batch { commands, bytes: 0, label };
        self.hook.before_pipeline(self.now, &batch).map_err(Refused::Hook)?;
        let taken = self.calls.take(Call { since: self.now, label, ..Call::EMPTY });
        let group = taken.map_or(NIL, |ticket| ticket.index);
        let begun = Group { open: true, left: 0, commands: 0, bytes: 0, tally: Tally::default() };
        self.calls.go(group, Stage::Group(begun));
        Ok(group)
    }

    /// A call is new in its pipeline, and the last.
    pub(super) fn join(&mut self, index: u16) {
        self.tail = index;
        let Some(&Call { before, group, .. }) = self.calls.at(index) else { return };
        if let Some(before) = self.calls.at_mut(before) {
            before.behind = index;
        }
        if let Some(group) = self.calls.group(group) {
            group.left = group.left.saturating_add(1);
        }
    }

    /// A call is over, or was none: its neighbours are each other's.
    #[inline]
    pub(super) fn part(&mut self, index: u16) {
        if let Some(call) = self.calls.at_mut(index)
            && (call.before != NIL || call.behind != NIL || call.group != NIL || self.tail == index)
        {
            self.leave_pipeline(index);
        }
    }

    #[inline(never)]
    fn leave_pipeline(&mut self, index: u16) {
        let Some(call) = self.calls.at_mut(index) else { return };
        let before = core::mem::replace(&mut call.before, NIL);
        let behind = core::mem::replace(&mut call.behind, NIL);
        let group = core::mem::replace(&mut call.group, NIL);
        if let Some(before) = self.calls.at_mut(before) {
            before.behind = behind;
        }
        if self.tail == index {
            self.tail = before;
        }
        if let Some(next) = self.calls.at_mut(behind) {
            next.before = before;
            if matches!(next.stage, Stage::Following) {
                self.calls.go(behind, Stage::Released);
                self.stirred = true;
            }
        }
        if let Some(members) = self.calls.group(group) {
            members.left = members.left.saturating_sub(1);
            self.finish_group(group);
        }
    }

    /// How one of a pipeline's calls has ended, without an answer.
    #[inline]
    pub(super) fn count(&mut self, index: u16, outcome: Outcome<'_>) {
        if self.calls.at(index).is_some_and(|call| call.group != NIL) {
            count(&mut self.calls, index, outcome, 0);
        }
    }

    /// The hook is told of a pipeline of which nothing is left.
    fn finish_group(&mut self, at: u16) {
        let Some(&Call { stage: Stage::Group(group), since, label, .. }) = self.calls.at(at) else { return };
        if !group.open && group.left == 0 {
            let Group { commands, bytes, tally, .. } = group;
            let batch = Batch { commands, bytes, label };
            self.hook.after_pipeline(self.now, &batch, &BatchEnd { tally, started: since });
            self.calls.free(at);
        }
    }
}

impl<Q: AsRef<[Call]> + AsMut<[Call]>> Calls<Q> {
    fn group(&mut self, at: u16) -> Option<&mut Group> {
        match self.at_mut(at) {
            Some(Call { stage: Stage::Group(group), .. }) => Some(group),
            _ => None,
        }
    }
}

/// How one of a pipeline's calls has ended.
pub(super) fn count<Q: AsRef<[Call]> + AsMut<[Call]>>(
    calls: &mut Calls<Q>,
    index: u16,
    outcome: Outcome<'_>,
    bytes: u64,
) {
    if let Some(&Call { group, bytes: sent, .. }) = calls.at(index)
        && let Some(group) = calls.group(group)
    {
        group.tally.count(outcome, bytes);
        group.commands = group.commands.saturating_add(1);
        group.bytes = group.bytes.saturating_add(sent.into());
    }
}

impl<M: Memory<F>, const F: usize, H: Hook> Pipeline<'_, M, F, H> {
    /// The next request; see [`Engine::submit`]. One that is refused is not part of the pipeline, and the others are.
    ///
    /// # Errors
    /// See [`Refused`]. More requests than were announced find no room.
    pub fn push(&mut self, token: Token, request: &dyn AnyRequest) -> Result<Ticket, Refused> {
        self.left = self.left.checked_sub(1).ok_or(SubmitError::Full(Full::InFlight))?;
        self.engine.take(token, request, &self.options, Some((self.engine.tail, self.group)))
    }
}

impl<M: Memory<F>, const F: usize, H: Hook> Drop for Pipeline<'_, M, F, H> {
    fn drop(&mut self) {
        self.engine.tail = NIL;
        if let Some(group) = self.engine.calls.group(self.group) {
            group.open = false;
            self.engine.finish_group(self.group);
        }
    }
}

impl<M: Memory<F>, const F: usize, H: Hook> fmt::Debug for Pipeline<'_, M, F, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipeline").field("left", &self.left).finish_non_exhaustive()
    }
}
