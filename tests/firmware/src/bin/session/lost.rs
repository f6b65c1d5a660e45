//! The connection is lost in the middle of everything, and another takes its place.

use respire_core::command::{get, quit, set};
use respire_core::conn::CloseReason;
use respire_core::time::Duration;
use respire_firmware::board::host;

use crate::answer::{ASIDE, DONE, Expect, Tally, number};
use crate::parts::{KEY, VALUE};
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
        self.ask(&set(DOOMED, 0), DONE)?;
        host::print(c"waiting for CLIENT KILL TYPE normal\n");
        let Tally { answered, unknown, not_sent, .. } = self.count_until_the_end()?;
        host::report(c"answered: ", answered);
        host::report(c"perhaps executed: ", unknown);
        host::report(c"not sent: ", not_sent);
        self.come_back()?;
        self.ask(&get(KEY), Expect::Bytes(VALUE))?;
        // Whatever was answered was executed, and nothing that was not sent.
        self.ask(&get(DOOMED), Expect::Number(answered, answered + unknown))
    }

    /// Sends requests until the connection ends. Each is resolved, once.
    fn count_until_the_end(&mut self) -> Result<Tally, Failure> {
        let (mut asked, mut tally) = (0, Tally::new(|n| number(n + 1)));
        let (end, mut leaving) = (self.server.transport().after(GRACE), false);
        while !self.server.connection().is_closed() {
            if self.server.now() < end {
                asked += self.fill(DOOMED, asked, u32::MAX)?;
            } else if !leaving && self.server.submit(ASIDE, &quit()).is_ok() {
                host::print(c"leaving\n");
                leaving = true;
            }
            self.turn(&mut |event| tally.take(event));
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
                    host::report(c"attempts: ", attempt);
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
