//! From requests to bytes: measured, written whole, and only then given a slot.

use super::connection::{Connection, Phase};
use super::handshake::{StepRequest, Steps};
use super::in_flight::Slot;
use super::settings::Settings;
use super::{SubmitError, Token};
use crate::buffer::Storage;
use crate::command::{Command, Effect, Request};
use crate::error::{Full, Misuse};
use crate::resp::{ArgSink, Measure, Writer};
use crate::time::Instant;

impl<S: Storage, const IN_FLIGHT: usize> Connection<S, IN_FLIGHT> {
    /// Takes a request: encodes it whole and gives it a slot, or refuses it and changes nothing.
    /// Its answer will carry `token`, which is the caller's choice. A value that it leaves for
    /// [`Later`](crate::command::Later) is [supplied](Self::supply) next.
    ///
    /// # Errors
    /// See [`SubmitError`].
    pub fn submit(&mut self, now: Instant, token: Token, request: &impl Request) -> Result<(), SubmitError> {
        let deadline = self.config.reply_timeout.map(|timeout| now.saturating_add(timeout));
        self.submit_until(deadline, token, request)
    }

    /// [`submit`](Self::submit) with the request's own deadline, or none: blocking commands wait as
    /// long as they say and a little more.
    ///
    /// # Errors
    /// See [`SubmitError`].
    pub fn submit_until(
        &mut self,
        deadline: Option<Instant>,
        token: Token,
        request: &impl Request,
    ) -> Result<(), SubmitError> {
        match self.phase {
            Phase::Ready { .. } => {}
            Phase::Closed { .. } => return Err(SubmitError::Closed),
            Phase::Idle | Phase::Handshake { .. } => return Err(SubmitError::NotReady),
        }
        if self.owed > 0 {
            return Err(SubmitError::Owed);
        }
        let command = request.command();
        let effect = command.effect;
        let mut measure = Measure::new();
        request.visit(&mut measure);
        self.permit(command, measure, request)?;
        if self.in_flight.is_full() {
            return Err(Full::InFlight.into());
        }
        let start = self.submitted;
        self.put_measured(measure, request)?;
        let left = u32::try_from(measure.args().saturating_sub(1)).unwrap_or(u32::MAX);
        let deadline = deadline.unwrap_or(Instant::MAX);
        let chunks = request.in_chunks();
        self.in_flight.push(Slot { token, deadline, start, effect, left, discard: false, chunks });
        match effect {
            Effect::Multi => self.queueing = true,
            Effect::EndMulti | Effect::Reset => self.queueing = false,
            _ => {}
        }
        Ok(())
    }

    /// What may not be sent at all.
    fn permit(&self, command: &Command, measure: Measure, request: &impl Request) -> Result<(), Misuse> {
        if measure.args() == 0 {
            return Err(Misuse::Empty);
        }
        // Without a row nobody knows whether the second word is part of the name.
        let words = if command.words.is_empty() { 2 } else { command.words.len() };
        if measure.later().is_some_and(|later| later.at < words) {
            return Err(Misuse::Later);
        }
        match command.effect {
            Effect::ReplyMode if !turns_replies_on(request) => Err(Misuse::ReplyOff),
            Effect::Subscribe(_) | Effect::Unsubscribe(_) if self.queueing => Err(Misuse::SubscribeInMulti),
            _ => Ok(()),
        }
    }

    pub(super) fn put_steps(&mut self, steps: Steps, settings: &Settings<'_>) -> Result<(), Full> {
        for step in steps.iter() {
            let request = StepRequest { step, settings };
            let mut measure = Measure::new();
            request.visit(&mut measure);
            if let Err(error) = self.put_measured(measure, &request) {
                self.transmit.wipe();
                return Err(match error {
                    SubmitError::Full(full) => full,
                    _ => Full::TooLarge,
                });
            }
        }
        Ok(())
    }

    fn put_measured(&mut self, measure: Measure, request: &impl Request) -> Result<(), SubmitError> {
        let len = measure.frame_len();
        let Some(reservation) = self.transmit.reserve(len) else {
            // Waiting makes no room in a buffer that is empty: the memory is not to be had.
            let never = len > self.transmit.limit() || self.transmit.is_empty();
            return Err(if never { Full::TooLarge } else { Full::Transmit }.into());
        };
        let mut writer = Writer::new(self.transmit.reserved(&reservation), measure.args());
        request.visit(&mut writer);
        let (owed, later) = (measure.owed(), writer.later());
        if !writer.is_exact() || owed != later.map_or(0, |later| later.len) {
            return Err(Misuse::Inconsistent.into());
        }
        self.transmit.commit(reservation);
        self.submitted = self.submitted.saturating_add(len as u64);
        if let Some(later) = later.filter(|_| owed > 0) {
            self.transmit.hold(len.saturating_sub(later.at));
            self.owed = owed;
        }
        Ok(())
    }
}

/// Whether a CLIENT REPLY request says ON.
fn turns_replies_on(request: &impl Request) -> bool {
    struct Third(usize, bool);
    impl ArgSink for Third {
        fn arg(&mut self, bytes: &[u8]) {
            self.1 |= self.0 == 2 && bytes.eq_ignore_ascii_case(b"ON");
            self.0 += 1;
        }
    }
    let mut third = Third(0, false);
    request.visit(&mut third);
    third.1
}
