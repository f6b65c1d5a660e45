//! Long arguments that are written from where they lie, feature `alloc`.

use super::call::{NIL, Ticket};
use super::event::Refused;
use super::machine::Engine;
use super::{Memory, Options};
use crate::command::{AnyRequest, Retry};
use crate::conn::Token;
use crate::hook::Hook;
use crate::pool::Id;
use crate::resp::Encoder;
use crate::time::Instant;

impl<M: Memory<F>, const F: usize, H: Hook> Engine<M, F, H> {
    /// [`submit`](Self::submit) for a driver that can write at once. The request's first argument of at least `from` bytes is not
    /// copied, if it goes over a connection now and there is no room for it as it is: `write` is given what is to be
    /// written to the connection, the argument in the middle, and says how many bytes its socket took. What that leaves is
    /// copied, to follow as all else.
    ///
    /// A request that may be executed twice is [kept](super::Config::retry) for another attempt, and so it is always copied. One that
    /// may not is kept if nothing of the argument was taken at once.
    ///
    /// # Errors
    /// See [`Refused`].
    pub fn submit_lending(
        &mut self,
        now: Instant,
        token: Token,
        request: &dyn AnyRequest,
        options: &Options,
        from: usize,
        write: &mut dyn FnMut(Id, [&[u8]; 3]) -> usize,
    ) -> Result<Ticket, Refused> {
        self.clock(now);
        if options.class.is_none() && self.config.retry.ceiling <= Retry::ReadOnly {
            self.lends_from = from;
        }
        let taken = self.take(token, request, options, None);
        self.lends_from = usize::MAX;
        if let Ok(ticket) = taken
            && self.owing != NIL
        {
            self.lend(ticket.index, request, from, write);
        }
        taken
    }

    #[cold]
    fn lend(
        &mut self,
        index: u16,
        request: &dyn AnyRequest,
        from: usize,
        write: &mut dyn FnMut(Id, [&[u8]; 3]) -> usize,
    ) {
        let at = core::mem::replace(&mut self.owing, NIL);
        let Some(link) = self.links.as_mut().get_mut(usize::from(at)) else { return };
        let Some(id) = link.id else { return };
        let connection = &mut link.connection;
        let mut is_begun = false;
        request.encode(&mut Encoder::show(from, &mut |argument| {
            // Of another length it is another argument than before, and nothing of it is sent.
            let is_same = argument.len() as u64 == connection.owed();
            let mut rest = if is_same { argument } else { &[] };
            while !rest.is_empty() {
                let parts = connection.poll_transmit_lent(rest);
                let wanted = parts.iter().map(|part| part.len()).sum();
                let written = if wanted > 0 { write(id, parts).min(wanted) } else { 0 };
                let gone = connection.handle_transmitted_lent(written);
                is_begun |= gone > 0;
                rest = rest.get(gone..).unwrap_or_default();
                if written < wanted || wanted == 0 {
                    break;
                }
            }
            connection.supply_all(rest);
        }));
        if connection.owed() > 0 {
            // Half a request is no use, and all others would wait behind it.
            connection.close();
            self.list_news(at);
        }
        if !is_begun && self.config.retry.retries > 0 && self.keep(index, request).is_err() {
            // It may never be sent there: then it goes again, if there was room to keep it.
            self.stats.unkept = self.stats.unkept.wrapping_add(1);
        }
        self.watch(at);
        self.make_use_of(at);
    }
}
