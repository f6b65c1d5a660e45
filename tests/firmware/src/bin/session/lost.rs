//! The connection is lost in the middle of everything, and another takes its place.

use respire_core::command::{del, get, quit};
use respire_core::conn::{CloseReason, Event, Token};
use respire_core::time::Duration;
use respire_firmware::board::host;

use crate::parts::{KEY, Tally, VALUE, is};
use crate::{Failure, Session, check};

/// Counted up until the end.
const DOOMED: &str = "respire:session:doomed";

/// How long somebody may take to kill the connection.
const GRACE: Duration = Duration::from_secs(5);

/// How often we try to come back, and how long we wait before the second attempt: before each of the
/// others it is twice as long.
const ATTEMPTS: u32 = 7;
const PAUSE: Duration = Duration::from_millis(50);

impl Session<'_, '_> {
    pub(crate) fn lose(&mut self) -> Result<(), Failure> {
        self.server.call(&del(DOOMED), |_| (), |_| {})?;
        host::print(c"counting until somebody says CLIENT KILL TYPE normal\n");
        let tally = self.count_until_the_end()?;
        host::report(c"requests answered: ", tally.answered as u32);
        host::report(c"requests that may have been executed: ", tally.unknown as u32);
        host::report(c"requests not sent: ", tally.not_sent as u32);
        self.come_back()?;
        self.ask(&get(KEY), |reply| is(reply, VALUE))?;

        // Whatever was answered was executed, and nothing that was not sent.
        let executed = self.server.call(&get(DOOMED), |reply| reply.get::<i64>().ok(), |_| {})?;
        check(
            executed.is_some_and(|n| {
                (tally.answered..=tally.answered + tally.unknown).contains(&n.cast_unsigned())
            }),
        )
    }

    /// Sends requests until the connection ends. Each is resolved, once.
    fn count_until_the_end(&mut self) -> Result<Tally, Failure> {
        let (mut asked, mut tally) = (0, Tally::new());
        let (end, mut leaving) = (self.server.now().saturating_add(GRACE), false);
        while !self.server.connection().is_closed() {
            if self.server.now() < end {
                asked += self.fill(DOOMED, asked, u64::MAX)?;
            } else if !leaving && self.server.submit(LEAVE, &quit()).is_ok() {
                host::print(c"nobody did: leaving\n");
                leaving = true;
            }
            self.turn(None, &mut |event| match event {
                Event::Reply { token: LEAVE, .. } => {}
                event => tally.take(event, |n, reply| is(reply, n as i64 + 1)),
            });
        }
        let expected = match self.server.connection().close_reason() {
            Some(CloseReason::Eof | CloseReason::Transport) => !leaving,
            Some(CloseReason::Quit) => leaving,
            _ => return Err(Failure::Lost),
        };
        check(expected && tally.right && tally.answered + tally.unknown + tally.not_sent == asked)?;
        Ok(tally)
    }

    /// Connects again, in the same memory, with longer and longer pauses.
    fn come_back(&mut self) -> Result<(), Failure> {
        let mut pause = PAUSE;
        for attempt in 1..=ATTEMPTS {
            match self.connect() {
                Ok(()) => {
                    host::report(c"attempts to come back: ", attempt);
                    return Ok(());
                }
                Err(Failure::Rejected) => return Err(Failure::Rejected),
                Err(_) if attempt < ATTEMPTS => self.server.transport_mut().pause(pause),
                Err(_) => {}
            }
            pause *= 2;
        }
        Err(Failure::NotBack)
    }
}

/// The token of the request that ends the connection.
const LEAVE: Token = Token(u64::MAX);
