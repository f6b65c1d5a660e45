//! A stream that encrypts, over one that does not. It never blocks, and has the contract of the others: a read or a write
//! goes on until the socket would block, for that is told by edges.

use std::fmt;
use std::io::{self, BufReader, IoSlice, Read, Write};
use std::sync::Arc;

use mio::event::Source;
use mio::{Interest, Registry, Token};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};

use super::refusal::{broken, cut, ended, late, refusal};
use crate::socket::Stream;

/// rustls asks for 4 KiB at a time; the kernel is asked for more.
const READ: usize = 32 << 10;

/// A stream with TLS.
pub(crate) struct Secured {
    raw: BufReader<Stream>,
    session: ClientConnection,
    stage: Stage,
    /// The kernel gave all that was asked for: there may be more.
    is_flowing: bool,
    /// Why nothing more can be read. What was decrypted before comes first.
    refused: Option<rustls::Error>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    Connecting,
    ShakingHands,
    Open,
}

impl Secured {
    pub(super) fn new(raw: Stream, config: Arc<ClientConfig>, name: ServerName<'static>) -> io::Result<Self> {
        let session = ClientConnection::new(config, name).map_err(refusal)?;
        let raw = BufReader::with_capacity(READ, raw);
        Ok(Self { raw, session, stage: Stage::Connecting, is_flowing: false, refused: None })
    }

    /// Connects and shakes hands, as far as it goes now. Whether both are done: then the server was verified.
    pub(crate) fn connect(&mut self) -> io::Result<bool> {
        if self.stage == Stage::Connecting && self.raw.get_mut().connect()? {
            self.stage = Stage::ShakingHands;
        }
        if self.stage == Stage::ShakingHands && self.shake_hands().map_err(broken)? {
            self.stage = Stage::Open;
        }
        Ok(self.stage == Stage::Open)
    }

    fn shake_hands(&mut self) -> io::Result<bool> {
        loop {
            let pushed = self.push();
            if pushed.is_ok() && !self.session.is_handshaking() {
                return Ok(true);
            }
            // Also if nothing can be written any more: the peer may have said why.
            let fetched = self.fetch();
            if let Some(error) = &self.refused {
                return Err(refusal(error.clone()));
            }
            match (fetched, pushed) {
                (Ok(0), _) => return Err(ended()),
                (Ok(_), _) => {}
                (Err(error), _) if error.kind() == io::ErrorKind::Interrupted => {}
                (Err(error), _) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
                (_, Err(error)) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
                _ => return Ok(false),
            }
        }
    }

    pub(crate) fn is_late(&self) -> io::Error {
        match self.stage {
            Stage::Connecting => self.raw.get_ref().is_late(),
            _ => late(),
        }
    }

    /// Writes what is encrypted. [`WouldBlock`](io::ErrorKind::WouldBlock): not all of it.
    pub(crate) fn push(&mut self) -> io::Result<()> {
        while self.session.wants_write() {
            match self.session.write_tls(self.raw.get_mut()) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// What is decrypted; if there is none, reads until there is. If it is not `needed`, only as long as more is likely.
    fn read_record(&mut self, room: &mut [u8], needed: bool) -> io::Result<usize> {
        loop {
            match self.session.reader().read(room) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(cut()),
                read => return read,
            }
            if let Some(error) = &self.refused {
                return Err(refusal(error.clone()));
            }
            if !needed && self.raw.buffer().is_empty() && !self.is_flowing {
                return Ok(0);
            }
            self.fetch()?;
        }
    }

    /// Whether it has something to write still.
    pub(crate) fn owes(&self) -> bool {
        self.session.wants_write()
    }

    /// Reads what is encrypted, once, and decrypts it.
    fn fetch(&mut self) -> io::Result<usize> {
        let is_new = self.raw.buffer().is_empty();
        let read = self.session.read_tls(&mut self.raw)?;
        if is_new {
            self.is_flowing = read + self.raw.buffer().len() == READ;
        }
        if let Err(error) = self.session.process_new_packets() {
            self.refused = Some(error);
            // The peer is told why, if it still listens.
            let _ = self.push();
        }
        Ok(read)
    }

    pub(crate) fn set_buffers(&self, size: usize) -> io::Result<()> {
        self.raw.get_ref().set_buffers(size)
    }
}

impl Read for Secured {
    /// Record after record, as long as there is room and something has come. What ends it is told by the next call.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // Nobody else may be about to write. Why it failed is found by reading, behind the peer's last words.
        let _ = self.push();
        let mut read = 0;
        while let Some(room) = buffer.get_mut(read..).filter(|room| !room.is_empty()) {
            match self.read_record(room, read == 0) {
                Ok(0) => break,
                Ok(n) => read += n,
                Err(error) if read == 0 => return Err(error),
                Err(_) => break,
            }
        }
        Ok(read)
    }
}

impl Write for Secured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.push()?;
        let mut taken = 0;
        while let Some(rest) = bytes.get(taken..).filter(|rest| !rest.is_empty()) {
            taken += self.session.writer().write(rest)?;
            // What was taken counts as written. An error comes again with the next call.
            if self.push().is_err() {
                break;
            }
        }
        Ok(taken)
    }

    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        self.push()?;
        let mut parts = parts.to_vec();
        let mut rest = parts.as_mut_slice();
        let mut taken = 0;
        while !rest.is_empty() {
            let n = self.session.writer().write_vectored(rest)?;
            taken += n;
            IoSlice::advance_slices(&mut rest, n);
            if self.push().is_err() {
                break;
            }
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.push()
    }
}

impl Source for Secured {
    fn register(&mut self, registry: &Registry, token: Token, interests: Interest) -> io::Result<()> {
        self.raw.get_mut().register(registry, token, interests)
    }

    fn reregister(&mut self, registry: &Registry, token: Token, interests: Interest) -> io::Result<()> {
        self.raw.get_mut().reregister(registry, token, interests)
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        self.raw.get_mut().deregister(registry)
    }
}

/// Announces the end, so that nobody else can make one up.
impl Drop for Secured {
    fn drop(&mut self) {
        if self.stage != Stage::Connecting {
            self.session.send_close_notify();
            let _ = self.push();
        }
    }
}

impl fmt::Debug for Secured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = self.session.protocol_version();
        f.debug_struct("Secured")
            .field("raw", self.raw.get_ref())
            .field("version", &version)
            .finish_non_exhaustive()
    }
}
