//! A transcript against a connection.

use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::{Cut, Mismatch, Start, Step, Until};
use crate::buffer::Storage;
use crate::command::{self, words};
use crate::conn::{Connection, Event, Protocol, Settings, SubmitError, Token};
use crate::testing::Parts;
use crate::time::Instant;

/// What was wanted and what was there.
type Wrong = (String, String);

pub(super) struct Run<'c, S: Storage, const N: usize> {
    connection: &'c mut Connection<S, N>,
    now: Instant,
    cut: Cut,
    received: usize,
    /// Events that no line has named.
    events: VecDeque<String>,
    /// The answer of which the last part has not come.
    parts: Option<Parts>,
}

impl<'c, S: Storage, const N: usize> Run<'c, S, N> {
    pub(super) fn new(connection: &'c mut Connection<S, N>, cut: Cut) -> Self {
        Self { connection, now: Instant::ZERO, cut, received: 0, events: VecDeque::new(), parts: None }
    }

    pub(super) fn all(mut self, steps: &[(usize, Step)]) -> Result<(), Mismatch> {
        let cut = self.cut;
        let mismatch = |line, (wanted, found)| Mismatch { line, wanted, found, cut };
        let mut last = 0;
        for (line, step) in steps {
            self.step(step).map_err(|wrong| mismatch(*line, wrong))?;
            last = *line;
        }
        self.nothing_left().map_err(|wrong| mismatch(last, wrong))
    }

    fn step(&mut self, step: &Step) -> Result<(), Wrong> {
        if let Step::Event(wanted) = step {
            let found = self.events.pop_front().unwrap_or_else(|| "no event".into());
            return same(wanted, &found);
        }
        self.nothing_left()?;
        match step {
            Step::Time(now) => self.now = *now,
            Step::Start(start) => self.start(start)?,
            Step::Submit { token, words, until, chunked } => {
                let result = self.submit(*token, words, *until, *chunked);
                same(
                    "a request taken",
                    &result.map_or_else(|error| format!("{error:?}"), |()| "a request taken".into()),
                )?;
            }
            Step::Refused { token, words, error } => self.refused(*token, words, error)?,
            Step::Abandon(token, known) => {
                let found = self.connection.abandon(self.now, Token(*token));
                match (known, found) {
                    (None, Some(_)) => {}
                    (None, None) => same("a request in flight", "none")?,
                    (Some(known), found) => same(&format!("Some({known})"), &format!("{found:?}"))?,
                }
            }
            Step::Close => self.connection.close(),
            Step::Transmit(wanted) => {
                let ready = self.connection.poll_transmit();
                let found = ready.get(..wanted.len()).unwrap_or(ready);
                same(&escape(wanted), &escape(found))?;
                self.connection.handle_transmitted(wanted.len());
            }
            Step::Sent(n) => {
                let ready = self.connection.poll_transmit().len();
                let n = n.unwrap_or(ready);
                same(&format!("{n} bytes to write"), &format!("{} bytes to write", ready.min(n)))?;
                self.connection.handle_transmitted(n);
            }
            Step::Receive(bytes) => return self.receive(bytes),
            Step::Eof => self.connection.handle_eof(),
            Step::Error => self.connection.handle_transport_error(),
            Step::Timeout => self.connection.handle_timeout(self.now),
            Step::Deadline(wanted) => {
                same(
                    &format!("deadline {wanted:?}"),
                    &format!("deadline {:?}", self.connection.poll_timeout()),
                )?;
            }
            Step::InFlight(n) => {
                same(&format!("in-flight {n}"), &format!("in-flight {}", self.connection.in_flight()))?;
            }
            Step::State(wanted) => same(wanted, &self.state(wanted))?,
            Step::Event(_) => {}
        }
        self.poll();
        Ok(())
    }

    fn start(&mut self, start: &Start) -> Result<(), Wrong> {
        let settings = Settings {
            protocol: start.protocol,
            user: start.user.as_deref(),
            password: start.password.as_deref(),
            db: start.db,
            name: start.name.as_deref(),
            no_evict: start.no_evict,
            no_touch: start.no_touch,
            tracking: start.tracking,
            nonce: start.nonce,
            library: start.library.as_ref().map(|(name, version)| (name.as_str(), version.as_str())),
        };
        let result = self.connection.start(self.now, &settings);
        same("Ok(())", &format!("{result:?}"))
    }

    fn submit(
        &mut self,
        token: u64,
        args: &[Vec<u8>],
        until: Until,
        chunked: bool,
    ) -> Result<(), SubmitError> {
        let (token, words) = (Token(token), words(args));
        match until {
            Until::Own(deadline) => self.connection.submit_until(deadline, token, &words),
            Until::Configured if chunked => self.connection.submit(self.now, token, &command::chunked(words)),
            Until::Configured => self.connection.submit(self.now, token, &words),
        }
    }

    /// A refusal changes nothing that can be seen.
    fn refused(&mut self, token: u64, args: &[Vec<u8>], error: &str) -> Result<(), Wrong> {
        let before = (self.connection.poll_transmit().to_vec(), self.connection.in_flight());
        let result = self.submit(token, args, Until::Configured, false);
        same(&format!("Err({error})"), &format!("{result:?}"))?;
        let after = (self.connection.poll_transmit().to_vec(), self.connection.in_flight());
        same(&format!("no change: {before:?}"), &format!("no change: {after:?}"))
    }

    fn receive(&mut self, mut bytes: &[u8]) -> Result<(), Wrong> {
        while !bytes.is_empty() {
            let piece = match self.cut {
                Cut::At(at) if at > self.received => bytes.len().min(at - self.received),
                Cut::Every(n) => bytes.len().min(n.max(1)),
                _ => bytes.len(),
            };
            let Some(space) = self.connection.recv_space() else {
                // What comes after the end is read by nobody.
                let closed = self.connection.is_closed();
                self.poll();
                return if closed { Ok(()) } else { same("room for the next read", "none") };
            };
            let taken = piece.min(space.len());
            let (now, later) = bytes.split_at(taken);
            if let Some(space) = space.get_mut(..taken) {
                space.copy_from_slice(now);
            }
            self.connection.handle_received(taken);
            self.received += taken;
            bytes = later;
            self.poll();
        }
        Ok(())
    }

    fn state(&self, wanted: &str) -> String {
        let protocol = self.connection.protocol();
        match wanted {
            "quiet" if self.connection.poll_transmit().is_empty() => "quiet".into(),
            "quiet" => format!("to write: {}", escape(self.connection.poll_transmit())),
            "subscribed" | "unsubscribed" => {
                if self.connection.is_subscribed() { "subscribed" } else { "unsubscribed" }.into()
            }
            _ => format!("protocol {}", version(protocol)),
        }
    }

    fn poll(&mut self) {
        while let Some(event) = self.connection.poll_event() {
            if let Event::Part { token, part, last } = event {
                let mut parts = self.parts.take().unwrap_or(Parts::new(token));
                match parts.add(token, part, last) {
                    Ok(None) => self.parts = Some(parts),
                    Ok(Some(whole)) => self.events.push_back(format!("parts {} {whole}", token.0)),
                    Err(wrong) => self.events.push_back(wrong),
                }
                continue;
            }
            // An answer may break off, and nothing may come between its parts.
            let broken = self.parts.take().is_some() && !matches!(event, Event::Failed { .. });
            self.events.extend(broken.then(|| "half an answer".into()));
            self.events.push_back(describe(&event));
        }
    }

    fn nothing_left(&self) -> Result<(), Wrong> {
        self.events.front().map_or(Ok(()), |event| same("no event", event))
    }
}

fn describe(event: &Event<'_>) -> String {
    match event {
        Event::Ready { protocol } => format!("ready {}", version(*protocol)),
        Event::Reply { token, reply } => format!("reply {} {reply:?}", token.0),
        Event::Part { token, part, .. } => format!("part {} {part:?}", token.0),
        Event::Push(reply) => format!("push {reply:?}"),
        Event::PushTooLarge => "push too large".into(),
        Event::Failed { token, failure } => format!("failed {} {failure:?}", token.0),
        Event::Closed(reason) => format!("closed {reason:?}"),
    }
}

const fn version(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Resp2 => "resp2",
        Protocol::Resp3 => "resp3",
    }
}

fn escape(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

fn same(wanted: &str, found: &str) -> Result<(), Wrong> {
    if wanted == found { Ok(()) } else { Err((wanted.into(), found.into())) }
}
