//! From requests to bytes: written whole, and only then given a slot.

use super::connection::{Connection, Phase};
use super::deadline::Wait;
use super::express;
use super::handshake::{StepRequest, Steps};
use super::in_flight::{Answer, Slot};
use super::settings::Settings;
use super::state;
use super::{SubmitError, Token};
use crate::buffer::Storage;
use crate::command::{AnyRequest, Args, Command, Effect};
use crate::error::{Full, Misuse};
use crate::flaw::flaw;
use crate::resp::{Encoded, Encoder, Teller};
use crate::time::Instant;

impl<S: Storage, const IN_FLIGHT: usize> Connection<S, IN_FLIGHT> {
    /// Takes a request: encodes it whole and gives it a slot, or refuses it and changes nothing.
    /// Its answer will carry `token`, which is the caller's choice. A value that it leaves for
    /// [`Later`](crate::command::Later) is [supplied](Self::supply) next.
    ///
    /// # Errors
    /// See [`SubmitError`].
    pub fn submit(
        &mut self,
        now: Instant,
        token: Token,
        request: &dyn AnyRequest,
    ) -> Result<(), SubmitError> {
        self.submit_as(Wait::Usual(now), token, request, Rest::Supplied)
    }

    /// [`submit`](Self::submit) with the request's own deadline, or none.
    ///
    /// # Errors
    /// See [`SubmitError`].
    pub fn submit_until(
        &mut self,
        deadline: Option<Instant>,
        token: Token,
        request: &dyn AnyRequest,
    ) -> Result<(), SubmitError> {
        self.submit_as(Wait::Until(deadline), token, request, Rest::Supplied)
    }

    /// [`submit_until`](Self::submit_until) for callers who wait and do nothing else: nobody would
    /// supply a value that is left for later. But they can show the request again: its first argument
    /// of at least `lends_from` bytes is [owed](Self::owed), and not written into the transmit buffer.
    /// Without feature `alloc` none is.
    pub(crate) fn submit_whole(
        &mut self,
        patience: Wait,
        token: Token,
        request: &dyn AnyRequest,
        lends_from: usize,
    ) -> Result<(), SubmitError> {
        self.submit_as(patience, token, request, Rest::Lent { from: lends_from })
    }

    /// The same for callers to whom a copy into room that is there already is as good.
    pub(crate) fn submit_spare(
        &mut self,
        patience: Wait,
        token: Token,
        request: &dyn AnyRequest,
        lends_from: usize,
    ) -> Result<(), SubmitError> {
        self.submit_as(patience, token, request, Rest::Spare { from: lends_from })
    }

    #[cfg_attr(target_pointer_width = "64", inline(always))]
    fn submit_as(
        &mut self,
        patience: Wait,
        token: Token,
        request: &dyn AnyRequest,
        rest: Rest,
    ) -> Result<(), SubmitError> {
        let command = request.row();
        if express::OPEN
            && !matches!(rest, Rest::Lent { .. })
            && self.submit_plain(patience, token, request, command)
        {
            return Ok(());
        }
        self.submit_any(patience, token, request, rest, command)
    }

    #[cfg_attr(target_pointer_width = "64", inline(never))]
    fn submit_any(
        &mut self,
        patience: Wait,
        token: Token,
        request: &dyn AnyRequest,
        rest: Rest,
        command: &'static Command,
    ) -> Result<(), SubmitError> {
        self.admit(command)?;
        let (encoded, teller) = self.encode(request, rest)?;
        let permitted = self.permit(command, encoded, rest);
        permitted.inspect_err(|_| self.forget_secret(encoded))?;
        let slot = Slot {
            token,
            deadline: self.deadline(patience, command, encoded.len()),
            start: self.submitted,
            effect: command.effect,
            left: match command.effect {
                Effect::Subscribe(_) | Effect::Unsubscribe(_) => {
                    u32::try_from(encoded.args().saturating_sub(1)).unwrap_or(u32::MAX)
                }
                Effect::Select | Effect::Tracking => {
                    let frame = self.transmit.spare().get(..encoded.len()).unwrap_or_default();
                    state::detail(command.effect, Args::new(frame))
                }
                _ => 0,
            },
            discard: false,
            // What answers HELLO decides about all that follows, so it is judged whole.
            answer: if teller.is_some() && command.effect != Effect::Hello {
                Answer::Parts
            } else {
                Answer::Whole(command.expects)
            },
        };
        self.teller = teller.or(self.teller);
        self.take(encoded, slot);
        if let Some(every) = self.config.verify_every {
            self.count_unverified(every, slot.deadline);
        }
        Ok(())
    }

    /// Writes a request behind what is waiting. It counts once it is [taken](Self::take).
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    pub(super) fn encode(
        &mut self,
        request: &dyn AnyRequest,
        rest: Rest,
    ) -> Result<(Encoded, Option<Teller>), SubmitError> {
        let mut before = None;
        loop {
            let mut encoder = rest.encoder(self.transmit.spare());
            let teller = request.encode(&mut encoder);
            let encoded = encoder.finish();
            let settled = self.settle(encoded, before);
            if settled.inspect_err(|_| self.forget_secret(encoded))? {
                return Ok((encoded, teller));
            }
            before = Some(encoded);
        }
    }

    /// Whether a request is written; if not there is room for it now.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    fn settle(&mut self, encoded: Encoded, before: Option<Encoded>) -> Result<bool, SubmitError> {
        let len = encoded.len();
        match before {
            None if encoded.is_written() => return Ok(true),
            None => {}
            Some(before) if encoded.is_written() && encoded.is_like(before) => return Ok(true),
            Some(_) => return Err(Misuse::Inconsistent.into()),
        }
        // Waiting makes no room in a buffer that is empty: the memory is not to be had.
        let never = len > self.transmit.limit() || self.transmit.is_empty();
        match self.transmit.reserve(len) {
            Some(_) => Ok(false),
            None => Err(if never { Full::TooLarge } else { Full::Transmit }.into()),
        }
    }

    /// A request that is refused leaves what was written of it where it was written.
    fn forget_secret(&mut self, encoded: Encoded) {
        if encoded.is_secret() {
            self.transmit.spare().fill(0);
        }
    }

    /// Whether a request may be submitted now at all.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    fn admit(&mut self, command: &Command) -> Result<(), SubmitError> {
        match self.phase {
            Phase::Ready { .. } if self.owed > 0 => return Err(SubmitError::Owed),
            Phase::Ready { .. } => {}
            Phase::Closed { .. } => return Err(SubmitError::Closed),
            Phase::Idle | Phase::Handshake { .. } => return Err(SubmitError::NotReady),
        }
        if self.queueing && matches!(command.effect, Effect::Subscribe(_) | Effect::Unsubscribe(_)) {
            return Err(Misuse::SubscribeInMulti.into());
        }
        // The last slot is kept for a number that is due; of one slot only there is none to spare.
        let kept =
            IN_FLIGHT > 1 && self.config.verify_every.is_some_and(|every| self.unverified >= every.get());
        if !self.in_flight.has_room(1 + usize::from(kept)) {
            return Err(Full::InFlight.into());
        }
        Ok(())
    }

    /// Whether a request that was written may be sent.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    fn permit(&mut self, command: &Command, encoded: Encoded, rest: Rest) -> Result<(), Misuse> {
        if encoded.is_empty() {
            return Err(Misuse::Empty);
        }
        if rest.refuses(encoded) {
            return Err(Misuse::Streamed);
        }
        // Without a row nobody knows whether the second word is part of the name.
        let words = if command.words.is_empty() { 2 } else { command.words.len() };
        if encoded.later_arg().is_some_and(|arg| arg < words) {
            return Err(Misuse::Later);
        }
        let frame = self.transmit.spare().get(..encoded.len()).unwrap_or_default();
        if command.effect == Effect::ReplyMode && !turns_replies_on(frame) {
            return Err(Misuse::ReplyOff);
        }
        Ok(())
    }

    /// A request that was written gets its slot.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    pub(super) fn take(&mut self, encoded: Encoded, slot: Slot) {
        match slot.effect {
            Effect::Multi => self.queueing = true,
            Effect::EndMulti | Effect::Reset => self.queueing = false,
            _ => {}
        }
        if self.in_flight.is_empty() {
            self.wake = Instant::MAX;
        }
        self.wake = self.wake.min(slot.deadline);
        // Who has no timer may never say that it is late, and until it is said nothing is written.
        self.late |= self.now >= self.wake;
        flaw!(Replayed => crate::flaw::keep_frame(slot.start, self.transmit.spare().get(..encoded.len())));
        self.in_flight.push(slot);
        flaw!(TooEarly => self.hasten());
        self.append(encoded);
        if self.write_by == Instant::MAX {
            self.watch_writing();
        }
    }

    /// What was written counts from here on.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    fn append(&mut self, encoded: Encoded) {
        let len = encoded.len();
        self.transmit.append(len);
        self.submitted = self.submitted.saturating_add(len as u64);
        if encoded.owed() > 0 {
            self.transmit.hold(encoded.tail());
            self.owed = encoded.owed();
            self.lending = encoded.is_lent();
        }
    }

    pub(super) fn put_steps(&mut self, steps: Steps, settings: &Settings<'_>) -> Result<(), Full> {
        for step in steps.iter() {
            match self.encode(&StepRequest { step, settings }, Rest::Supplied) {
                Ok((encoded, _)) => self.append(encoded),
                Err(error) => {
                    self.transmit.wipe();
                    return Err(match error {
                        SubmitError::Full(full) => full,
                        _ => Full::TooLarge,
                    });
                }
            }
        }
        Ok(())
    }
}

/// What comes of bytes that are left for later.
#[derive(Clone, Copy)]
pub(super) enum Rest {
    /// The application supplies them.
    Supplied,
    /// Nobody would. But the driver has the bytes of an argument that is as long as this.
    Lent { from: usize },
    /// The same, if the request finds no room as it is.
    Spare { from: usize },
}

impl Rest {
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    const fn encoder(self, out: &mut [u8]) -> Encoder<'_> {
        match self {
            Self::Supplied => Encoder::new(out),
            Self::Lent { from } | Self::Spare { from } => Encoder::lending(out, from),
        }
    }

    #[cfg_attr(target_pointer_width = "64", inline(always))]
    fn refuses(self, encoded: Encoded) -> bool {
        match self {
            Self::Supplied => false,
            Self::Lent { .. } | Self::Spare { .. } => encoded.owed() > 0 && !encoded.is_lent(),
        }
    }
}

/// Whether the frame of a CLIENT REPLY request says ON.
fn turns_replies_on(frame: &[u8]) -> bool {
    const ON: &[u8] = b"\r\n$2\r\nON\r\n";
    let end = frame.len().checked_sub(ON.len()).and_then(|at| frame.get(at..));
    frame.starts_with(b"*3\r\n") && end.is_some_and(|end| end.eq_ignore_ascii_case(ON))
}
