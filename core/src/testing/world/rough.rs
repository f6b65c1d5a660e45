//! Any transport with faults in front of it, for programs that are tested as they are.

use alloc::rc::Rc;
use core::cell::RefCell;
use core::fmt;

use super::fault::Swarm;
use super::{Fault, Faults, Random};
use crate::client::{self, Dial, DialError, Endpoint};
use crate::io::{Socket, Transport};
use crate::time::{Duration, Instant};

/// A dialer whose connections are bad: they split and delay what passes, end, break, go silent, or are
/// not made at all. Which, and how often, is drawn from a seed.
///
/// Of [`Fault`] these can happen: [`Split`](Fault::Split), [`Delay`](Fault::Delay), [`Eof`](Fault::Eof),
/// [`Rst`](Fault::Rst), [`HalfOpen`](Fault::HalfOpen), [`CutAt`](Fault::CutAt) (a reset when the server has what
/// was written) and [`ConnectRefused`](Fault::ConnectRefused). Over [`Local`](crate::testing::Local) time is
/// virtual, so a test that waits for deadlines takes no time.
///
/// ```
/// use respire_core::client::{Client, Endpoint, Url};
/// use respire_core::command::*;
/// use respire_core::testing::world::{Faults, Rough};
/// use respire_core::testing::{Local, Responder};
///
/// let server = Local::new(Responder::new());
/// let rough = Rough::new(server.clone(), 7, Faults::ALL);
/// if let Ok(client) = Client::connect(rough.clone(), Url::new(Endpoint::default())) {
///     let result = client.incr("visits").wait();
///     rough.calm();
///     // It was executed once, or the error says that it may not have been.
///     let visits: Option<i64> = client.get("visits").wait()?;
///     assert!(visits == Some(1) || result.is_err());
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Rough<D> {
    dialer: D,
    chance: Rc<RefCell<Chance>>,
}

/// A connection of [`Rough`].
pub struct RoughSocket<T> {
    inner: T,
    chance: Rc<RefCell<Chance>>,
    state: State,
    /// Nothing arrives before.
    quiet: Instant,
}

/// How a rough connection fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RoughError<E> {
    /// On purpose.
    Fault(Fault),
    /// As the transport behind it does.
    Inner(E),
}

struct Chance {
    random: Random,
    swarm: Swarm,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Ended,
    Broken,
    Silent,
}

impl<D> Rough<D> {
    /// Faults of `seed`, some of those in `faults`, in front of what `dialer` opens.
    pub fn new(dialer: D, seed: u64, faults: Faults) -> Self {
        let mut random = Random::new(seed);
        let swarm = Swarm::draw(&mut random, faults);
        Self { dialer, chance: Rc::new(RefCell::new(Chance { random, swarm })) }
    }

    /// Nothing goes wrong from now on; what is broken stays so.
    pub fn calm(&self) {
        self.chance.borrow_mut().swarm.calm = true;
    }

    /// How often each fault happened, in the order of [`Fault::ALL`].
    pub fn faults(&self) -> [u32; Fault::ALL.len()] {
        self.chance.borrow().swarm.counts
    }
}

impl Chance {
    /// Rates are meant for the steps of a world, and here are few.
    fn hit(&mut self, fault: Fault) -> bool {
        (0..8).any(|_| self.swarm.hit(fault))
    }
}

impl<T: Transport> RoughSocket<T> {
    /// What befalls the connection now.
    fn befall(&mut self) {
        let mut chance = self.chance.borrow_mut();
        if self.state != State::Open {
            return;
        }
        if chance.hit(Fault::Eof) {
            self.state = State::Ended;
        } else if chance.hit(Fault::Rst) {
            self.state = State::Broken;
        } else if chance.hit(Fault::HalfOpen) {
            self.state = State::Silent;
        } else if chance.hit(Fault::Delay) {
            let delay = Duration::from_micros(chance.random.below(200_000));
            self.quiet = self.inner.now().saturating_add(delay);
        }
    }

    fn piece(&self, most: usize) -> usize {
        let mut chance = self.chance.borrow_mut();
        if chance.hit(Fault::Split) { chance.random.piece(most) } else { most }
    }
}

impl<D: Dial> Dial for Rough<D> {
    type Error = RoughError<D::Error>;
    type Transport = RoughSocket<D::Transport>;

    fn dial(
        &mut self,
        endpoint: &Endpoint,
        timeout: Duration,
    ) -> Result<Self::Transport, DialError<Self::Error>> {
        if self.chance.borrow_mut().hit(Fault::ConnectRefused) {
            return Err(RoughError::Fault(Fault::ConnectRefused).into());
        }
        let inner = self.dialer.dial(endpoint, timeout).map_err(|failed| {
            let tried = failed.tried.into_iter().map(|(at, error)| (at, RoughError::Inner(error)));
            DialError { tried: tried.collect(), error: RoughError::Inner(failed.error) }
        })?;
        Ok(RoughSocket { inner, chance: self.chance.clone(), state: State::Open, quiet: Instant::ZERO })
    }
}

impl<T: Transport> Socket for RoughSocket<T> {
    type Error = RoughError<T::Error>;

    fn try_read(&mut self, buffer: &mut [u8]) -> Result<Option<usize>, Self::Error> {
        self.befall();
        match self.state {
            State::Ended => return Ok(Some(0)),
            State::Broken => return Err(RoughError::Fault(Fault::Rst)),
            State::Silent => return Ok(None),
            State::Open if self.inner.now() < self.quiet => return Ok(None),
            State::Open => {}
        }
        let n = self.piece(buffer.len());
        self.inner.try_read(buffer.get_mut(..n).unwrap_or_default()).map_err(RoughError::Inner)
    }

    fn try_write(&mut self, bytes: &[u8]) -> Result<Option<usize>, Self::Error> {
        self.befall();
        match self.state {
            State::Broken => return Err(RoughError::Fault(Fault::Rst)),
            State::Silent | State::Ended => return Ok(Some(bytes.len())),
            State::Open => {}
        }
        let n = self.piece(bytes.len());
        let written = self.inner.try_write(bytes.get(..n).unwrap_or_default());
        // What was written will be executed, and nobody will hear of it.
        if self.chance.borrow_mut().hit(Fault::CutAt) {
            self.state = State::Broken;
        }
        written.map_err(RoughError::Inner)
    }
}

impl<T: Transport> Transport for RoughSocket<T> {
    fn now(&self) -> Instant {
        self.inner.now()
    }

    fn wait(&mut self, writable: bool, until: Option<Instant>) -> Result<(), Self::Error> {
        let delayed = self.state == State::Open && self.inner.now() < self.quiet;
        let until = if delayed { Some(until.map_or(self.quiet, |at| at.min(self.quiet))) } else { until };
        self.inner.wait(writable, until).map_err(RoughError::Inner)
    }
}

impl<E: client::Fault> client::Fault for RoughError<E> {
    fn copy(&self) -> Self {
        match self {
            Self::Fault(fault) => Self::Fault(*fault),
            Self::Inner(error) => Self::Inner(error.copy()),
        }
    }

    fn words(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fault(fault) => f.write_str(fault.name()),
            Self::Inner(error) => error.words(f),
        }
    }

    fn hint(&self, named: bool) -> &'static str {
        match self {
            Self::Fault(_) => "nothing: it is a test",
            Self::Inner(error) => error.hint(named),
        }
    }
}

impl<D: Clone> Clone for Rough<D> {
    fn clone(&self) -> Self {
        Self { dialer: self.dialer.clone(), chance: self.chance.clone() }
    }
}

impl<D> fmt::Debug for Rough<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rough").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for RoughSocket<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RoughSocket").finish_non_exhaustive()
    }
}
