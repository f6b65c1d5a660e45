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
mod idle;
mod kept;
mod meter;
mod pool;
mod proxy;
mod raw;
mod redis;
mod report;
mod respire;
mod rustis;
mod soak;
mod tokio;
mod turn;
mod workload;

use std::error::Error;
use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

pub(crate) use compare::{Options, compare};
pub(crate) use idle::{IDLE, Idle};
pub(crate) use turn::{TURN, Turn};

use meter::Meter;
use workload::{Group, Work, Workload};

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
    fn run(&self, work: &'static Work, target: &Target, meter: &'static Meter) -> Outcome;
}

/// All that do this. What nobody could be faster than comes first.
fn clients(workload: &Workload) -> Vec<Box<dyn Client>> {
    if workload.group == Group::Pools {
        return pool::clients(workload);
    }
    let all = [
        raw::clients(),
        respire::clients(),
        redis::clients(),
        fred::clients(),
        rustis::clients(),
        hiredis::clients(),
    ];
    all.into_iter().flatten().filter(|client| client.does(workload)).collect()
}

/// Where to connect to.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    /// A port of the loopback.
    Tcp(SocketAddr),
    /// A Unix socket.
    Unix(PathBuf),
}

impl Target {
    /// What [`Display`](fmt::Display) shows.
    fn read(word: &str) -> Self {
        word.parse().map_or_else(|_| Self::Unix(word.into()), Self::Tcp)
    }

    fn url(&self) -> String {
        match self {
            Self::Tcp(_) => format!("redis://{self}"),
            Self::Unix(_) => format!("unix://{self}"),
        }
    }

    /// A socket: the same calls of the kernel serve both kinds.
    fn connect(&self) -> io::Result<TcpStream> {
        match self {
            Self::Tcp(address) => {
                let stream = TcpStream::connect(address)?;
                stream.set_nodelay(true)?;
                Ok(stream)
            }
            Self::Unix(path) => Ok(OwnedFd::from(UnixStream::connect(path)?).into()),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => path.display().fmt(f),
        }
    }
}
