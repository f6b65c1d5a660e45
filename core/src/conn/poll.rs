//! From received bytes to events.

use super::close::Reason;
use super::connection::{Connection, Phase};
use super::express;
use super::in_flight::{Answer, Slot};
use super::judge::Verdict;
use super::{Event, Failure, Part};
use crate::buffer::Storage;
use crate::error::ProtocolError;
use crate::flaw::flaw;
use crate::resp::{Found, Piece, Reply, Teller, Wanted};

impl<S: Storage, const IN_FLIGHT: usize> Connection<S, IN_FLIGHT> {
    /// What happened next. What the event lends is valid until the next call; poll until `None`.
    #[must_use = "an event is told once"]
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    pub fn poll_event(&mut self) -> Option<Event<'_>> {
        if let Some(token) = self.lent.answers.take() {
            return Some(Event::Reply { token, reply: self.lend(self.lent.len) });
        }
        if express::OPEN {
            self.release();
            if let Some((token, found)) = self.answer_plain() {
                return Some(Event::Reply { token, reply: Reply::whole(self.receive.unread(), found) });
            }
            if self.is_quiet() {
                self.drained = true;
                self.receive.relax();
                return None;
            }
        }
        self.poll_any()
    }

    #[cfg_attr(target_pointer_width = "64", inline(never))]
    fn poll_any(&mut self) -> Option<Event<'_>> {
        loop {
            self.release();
            match &mut self.phase {
                Phase::Idle => return None,
                Phase::Ready { announced } if !*announced => {
                    *announced = true;
                    return Some(Event::Ready { protocol: self.protocol });
                }
                Phase::Closed { .. } => return self.poll_closed(),
                Phase::Ready { .. } | Phase::Handshake { .. } => {}
            }
            let mut piece = Piece::NONE;
            let found = match self.teller {
                Some(teller) if self.is_chunked() => self.find_piece(teller, &mut piece),
                _ => Ok(Found::Whole),
            };
            let scanned = match found {
                Ok(Found::Whole) => self.scanner.scan(self.receive.unread()),
                Ok(Found::Piece) => {
                    self.lent.len = piece.len;
                    let Some(token) = self.judge_piece(&piece) else { continue };
                    let bytes = self.receive.unread().get(piece.start..piece.end).unwrap_or_default();
                    return Some(Event::Part { token, part: Part::new(piece, bytes), last: piece.last });
                }
                // A line fills the buffer.
                Ok(Found::Short) if self.receive.space().is_none() && self.scanner.spill() => continue,
                Ok(Found::Short) => Ok(None),
                Err(error) => Err(error),
            };
            let frame = match scanned {
                Ok(Some(frame)) => frame,
                Ok(None) => {
                    self.starve();
                    match self.ended {
                        Some(Reason::Eof) if self.quitting => self.fail(Reason::Quit),
                        Some(reason) => self.fail(reason),
                        None if self.late => {
                            if let Some((token, failure)) = self.poll_late() {
                                return Some(Event::Failed { token, failure });
                            }
                        }
                        None => return None,
                    }
                    continue;
                }
                Err(error) => {
                    self.fail(Reason::Protocol(error));
                    continue;
                }
            };
            self.lent.len = frame.len;
            let verdict = if core::mem::take(&mut self.skipping) || frame.over.is_some() {
                self.judge_skipped(frame.kind, frame.over)
            } else {
                self.judge(frame.kind)
            };
            self.early = false;
            return Some(match verdict {
                Verdict::Consumed => continue,
                Verdict::Reply(token) => Event::Reply { token, reply: self.lend(frame.len) },
                Verdict::Push(confirmed) => {
                    self.lent.answers = confirmed;
                    Event::Push(self.lend(frame.len))
                }
                Verdict::PushTooLarge => Event::PushTooLarge,
                Verdict::Failed(token, failure) => Event::Failed { token, failure },
            });
        }
    }

    /// Whether the oldest request asked for parts: its slot stays until the last is told.
    fn is_chunked(&self) -> bool {
        self.in_flight.head().is_some_and(|slot| slot.answer == Answer::Parts)
    }

    #[inline(never)]
    fn find_piece(&mut self, teller: Teller, piece: &mut Piece) -> Result<Found, ProtocolError> {
        let wanted = match self.asked() {
            Some(slot) if !self.answers_in_chunks(slot) => Wanted::Nothing,
            Some(_) if self.hears_arrays() => Wanted::Strings,
            Some(_) => Wanted::Aggregates,
            None => Wanted::Nothing,
        };
        teller.find(&mut self.scanner, self.receive.unread(), wanted, piece)
    }

    /// Gives back the frame that the last event lent.
    pub(super) fn release(&mut self) {
        self.receive.consume(core::mem::take(&mut self.lent.len));
    }

    /// The answer or push that the last event lent, once more. It means nothing behind another event.
    pub fn lent(&self) -> Reply<'_> {
        self.lend(self.lent.len)
    }

    /// How many bytes that is, with all that stands around it.
    pub const fn lent_len(&self) -> usize {
        self.lent.len
    }

    /// The frame of so many bytes.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    pub(super) fn lend(&self, len: usize) -> Reply<'_> {
        flaw!(InnerError => if let Some(error) = crate::flaw::inner_error(self.receive.unread().get(..len)) { return error });
        Reply::parsed(self.receive.unread().get(..len).unwrap_or_default())
    }

    /// Ends the connection. Nothing is read any more, and the reason may be the text of the frame.
    #[cold]
    pub(super) fn end(&mut self, reason: Reason) -> Verdict {
        self.lent.len = 0;
        self.fail(reason);
        Verdict::Consumed
    }

    /// All that was received has been looked at.
    fn starve(&mut self) {
        self.drained = true;
        let begun = self.scanner.is_inside() || !self.receive.unread().is_empty();
        self.early |= begun && self.asked().is_none();
        self.skipping |= self.scanner.over().is_some();
        // A line that is told is told with its start.
        if self.skipping && !self.scanner.is_in_told_line() {
            self.receive.consume(self.scanner.settled());
            self.scanner.forget();
        } else if !self.scanner.is_inside() {
            self.receive.relax();
        }
    }

    #[cold]
    fn poll_closed(&mut self) -> Option<Event<'_>> {
        while let Some(&Slot { start, .. }) = self.in_flight.head() {
            if let Some(token) = self.in_flight.pop() {
                flaw!(EofIsAnswer => return Some(Event::Reply { token, reply: Reply::parsed(b"_\r\n") }));
                flaw!(SaysNotSent => return Some(Event::Failed { token, failure: Failure::NotSent }));
                let failure = if self.sent > start { Failure::Unknown } else { Failure::NotSent };
                return Some(Event::Failed { token, failure });
            }
        }
        match &mut self.phase {
            Phase::Closed { reason, announced } if !*announced => {
                *announced = true;
                Some(Event::Closed(reason.lend(self.receive.unread())))
            }
            _ => None,
        }
    }
}
