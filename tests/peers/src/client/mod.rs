//! Whole clients beside each other: the same requests to one server, over a socket.
//!
//! Clients take turns ([`compare`]); a turn is a process of its own ([`Turn`]), so that its CPU time and
//! memory are those of one client.

mod blocking;
mod compare;
mod count;
mod epoll;
mod fred;
mod hiredis;
mod hiredis_async;
mod histogram;
mod meter;
mod proxy;
mod raw;
mod redis;
mod report;
mod respire;
mod rustis;
mod tokio;
mod turn;
mod workload;

use std::error::Error;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};

pub(crate) use compare::{Options, compare};
pub(crate) use turn::{TURN, Turn};

use meter::Meter;
use workload::{Work, Workload};

/// What may go wrong goes wrong for the whole turn.
pub(crate) type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

/// A client that is compared.
pub(crate) trait Client {
    /// What it is called.
    fn name(&self) -> &'static str;

    /// Why it cannot be measured here.
    fn missing(&self) -> Option<&'static str> {
        None
    }

    /// Whether its interface has a way to do this work.
    fn does(&self, workload: &Workload) -> bool;

    /// Connects, and works until the lanes of the meter say that it is time to stop.
    fn run(&self, work: &'static Work, target: Target, meter: &'static Meter) -> Outcome;
}

/// All of them. What nobody could be faster than comes first.
fn clients() -> Vec<Box<dyn Client>> {
    [
        raw::clients(),
        respire::clients(),
        redis::clients(),
        fred::clients(),
        rustis::clients(),
        hiredis::clients(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Where to connect to: a port of the loopback.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    port: u16,
}

impl Target {
    fn url(self) -> String {
        format!("redis://{}", self.address())
    }

    fn address(self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    fn connect(self) -> io::Result<TcpStream> {
        let stream = TcpStream::connect(self.address())?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}
