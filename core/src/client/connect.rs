//! From an endpoint to a connection that takes requests.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::net::SocketAddr;

use super::error::{Cause, ConnectError, Fault};
use super::url::Endpoint;
use crate::buffer::Growing;
use crate::conn::{CloseReason, Config, Connection, Protocol, Settings};
use crate::io::{Driver, StartError, Transport};
use crate::time::Duration;

/// Opens transports: what a frontend brings.
pub trait Dial {
    /// How dialling and the transport can fail.
    type Error: Fault;

    /// What is opened.
    type Transport: Transport<Error = Self::Error>;

    /// Connects to `endpoint`; every address of a name is tried, each for at most `timeout`.
    ///
    /// # Errors
    /// What was tried, and what ended it.
    fn dial(
        &mut self,
        endpoint: &Endpoint,
        timeout: Duration,
    ) -> Result<Self::Transport, DialError<Self::Error>>;
}

/// Why no transport came about.
#[derive(Debug)]
pub struct DialError<E> {
    /// Each address that was tried, and how it went. Empty if the name has no address.
    pub tried: Vec<(SocketAddr, E)>,
    /// What ended it: the last address' error, or the name service's.
    pub error: E,
}

impl<E> From<E> for DialError<E> {
    fn from(error: E) -> Self {
        Self { tried: Vec::new(), error }
    }
}

/// A driver over what a dialer opens, in memory that grows with what is sent and received.
pub type Link<D, const IN_FLIGHT: usize> = Driver<<D as Dial>::Transport, Growing, IN_FLIGHT>;

/// How long things may take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Patience {
    /// For dialling one address, and again for the handshake.
    pub connect: Duration,
    /// For the answer to one request; `None` waits for ever.
    pub reply: Option<Duration>,
}

/// What a buffer rests at, and what it may grow to: a value of 512 MiB and its frame.
const RESTING: usize = 64 << 10;
const LARGEST: usize = (512 << 20) + (64 << 10);

/// Dials, and waits until the handshake is done. At most `IN_FLIGHT` requests will wait for answers.
///
/// # Errors
/// What was tried and what ended it, the server's own words included.
pub fn connect<D: Dial, const IN_FLIGHT: usize>(
    dialer: &mut D,
    endpoint: &Endpoint,
    settings: &Settings<'_>,
    patience: Patience,
) -> Result<Box<Link<D, IN_FLIGHT>>, ConnectError<D::Error>> {
    let failed = |tried, cause| ConnectError { endpoint: endpoint.clone(), tried, cause };
    let transport = dialer
        .dial(endpoint, patience.connect)
        .map_err(|DialError { tried, error }| failed(tried, Cause::Transport(error)))?;
    let config = Config {
        handshake_timeout: patience.connect,
        reply_timeout: patience.reply,
        write_timeout: patience.reply,
        // A new connection answers sooner than one that hangs.
        grace: Duration::ZERO,
        ..Config::default()
    };
    let buffer = || Growing::new(RESTING, LARGEST);
    let mut driver = Box::new(Driver::new(Connection::new(buffer(), buffer(), config), transport));
    let mut settings = *settings;
    // The time is another one whenever a connection is made. Whoever asks for RESP2 may not be allowed to say
    // anything yet, and wants to hear that as an answer.
    if settings.protocol != Some(Protocol::Resp2) {
        settings.nonce = settings.nonce.or(Some(driver.now().as_micros()));
    }
    match driver.start(&settings) {
        Ok(()) => Ok(driver),
        // Only memory that is not to be had: the handshake is far below the limit.
        Err(StartError::Full(_)) => Err(failed(Vec::new(), Cause::Closed(CloseReason::Local))),
        // The server's own words say more than how the transport ended behind them.
        Err(StartError::Closed) => Err(failed(Vec::new(), Cause::of(&driver))),
    }
}
