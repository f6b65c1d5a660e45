//! One TCP connection to the host, over smoltcp and the board's Ethernet controller.

use core::net::Ipv4Addr;

use respire_core::io::smoltcp::Closed;
use respire_core::io::{Socket, Transport};
use respire_core::time::{Duration, Instant};
use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet, SocketStorage};
use smoltcp::socket::tcp;
use smoltcp::wire::{HardwareAddress, IpAddress, IpCidr};

use crate::board::clock::Clock;
use crate::board::nic::{self, Frames, Nic};
use crate::board::{host, sleep_unless};

/// Our address in the emulator's network.
const OWN: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 15);
/// The emulator passes connections to this address on to 127.0.0.1 of its host.
const HOST: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 2);

/// The first of our ports; each connection has its own, so that packets of an old one cannot disturb.
const FIRST_PORT: u16 = 49_152;

/// How long [`Net::close`] waits for the peer to agree.
const FAREWELL: Duration = Duration::from_secs(1);

/// The buffers of the network: two frames, and what TCP keeps of each direction.
pub struct Memory {
    frames: Frames,
    /// One segment: the peer sends the next when this is read.
    receive: [u8; 536],
    /// Requests that are not acknowledged yet.
    transmit: [u8; 256],
}

/// Where smoltcp keeps the state of the socket, [`NO_SOCKET`] before. It is not in [`Memory`], which is
/// zero and so costs no flash as a static; this is not zero when it is empty.
pub type Sockets<'m> = [SocketStorage<'m>; 1];

/// No socket yet.
pub const NO_SOCKET: Sockets<'static> = [SocketStorage::EMPTY];

impl Memory {
    /// Without content.
    #[must_use]
    pub const fn new() -> Self {
        Self { frames: Frames::new(), receive: [0; 536], transmit: [0; 256] }
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

/// Why [`Net::connect`] made no connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ConnectError {
    /// Nobody listens there.
    Refused,
    /// Nobody answered in time.
    Silent,
}

/// The network with one connection at a time, by polling: nothing happens outside of these calls.
pub struct Net<'m> {
    clock: Clock,
    nic: Nic<'m>,
    interface: Interface,
    sockets: SocketSet<'m>,
    handle: SocketHandle,
    port: u16,
}

impl<'m> Net<'m> {
    /// Starts the network.
    pub fn start(clock: Clock, memory: &'m mut Memory, sockets: &'m mut Sockets<'m>) -> Self {
        let Memory { frames, receive, transmit } = memory;
        let mut nic = Nic::start(frames);
        let mut config = Config::new(HardwareAddress::Ethernet(nic::ADDRESS));
        // Sequence numbers should differ from boot to boot. Real hardware has noise; this has a clock.
        config.random_seed = u64::from(host::time());
        let mut interface = Interface::new(config, &mut nic, stack_time(clock.now()));
        interface.update_ip_addrs(|addresses| {
            // There is room for one, so this cannot fail.
            let _ = addresses.push(IpCidr::new(IpAddress::Ipv4(OWN), 24));
        });
        let mut socket = tcp::Socket::new(
            tcp::SocketBuffer::new(&mut receive[..]),
            tcp::SocketBuffer::new(&mut transmit[..]),
        );
        // A request should not wait for the acknowledgement of the one before.
        socket.set_nagle_enabled(false);
        let mut sockets = SocketSet::new(&mut sockets[..]);
        let handle = sockets.add(socket);
        Self { clock, nic, interface, sockets, handle, port: FIRST_PORT }
    }

    /// Connects to a port of the host, within `patience`. An older connection is given up.
    ///
    /// # Errors
    /// See [`ConnectError`].
    pub fn connect(&mut self, port: u16, patience: Duration) -> Result<(), ConnectError> {
        self.abort();
        self.port = self.port.checked_add(1).unwrap_or(FIRST_PORT);
        let socket = self.sockets.get_mut::<tcp::Socket<'_>>(self.handle);
        let context = self.interface.context();
        socket
            .connect(context, (IpAddress::Ipv4(HOST), port), self.port)
            .map_err(|_| ConnectError::Refused)?;
        let deadline = self.after(patience);
        loop {
            self.poll();
            match self.socket().state() {
                tcp::State::SynSent if self.now() < deadline => self.sleep(),
                tcp::State::SynSent => break,
                tcp::State::Closed => return Err(ConnectError::Refused),
                _ => return Ok(()),
            }
        }
        self.abort();
        Err(ConnectError::Silent)
    }

    /// Ends the connection in good order, so that what was written arrives; after a second, in any order.
    pub fn close(&mut self) {
        self.socket().close();
        let deadline = self.after(FAREWELL);
        self.poll();
        while self.socket().is_active() && self.now() < deadline {
            self.sleep();
            self.poll();
        }
        self.abort();
    }

    /// Passes `span`, without a connection.
    pub fn pause(&mut self, span: Duration) {
        let end = self.after(span);
        while self.now() < end {
            self.poll();
            self.sleep();
        }
    }

    /// Milliseconds since the start of the clock, for 70 minutes.
    #[must_use]
    pub fn uptime(&self) -> u32 {
        // Divided by 32 bits: the processor has no division of 64.
        self.clock.now().as_micros() as u32 / 1000
    }

    /// The time in a while. Apart, since the arithmetic of [`Duration`] is 60 bytes wherever it is.
    #[inline(never)]
    pub fn after(&self, span: Duration) -> Instant {
        self.clock.now().saturating_add(span)
    }

    /// Frames received and sent since the start.
    #[must_use]
    pub fn frames(&self) -> (u32, u32) {
        (self.nic.received, self.nic.transmitted)
    }

    fn socket(&mut self) -> &mut tcp::Socket<'m> {
        self.sockets.get_mut(self.handle)
    }

    /// Takes in what has come and sends what is due.
    fn poll(&mut self) {
        let now = stack_time(self.now());
        self.interface.poll(now, &mut self.nic, &mut self.sockets);
    }

    /// Until the next frame or the next millisecond: TCP's own timers need no finer clock.
    fn sleep(&mut self) {
        sleep_unless(nic::has_frame);
    }

    /// Forgets the connection, and tells the peer if it does not know.
    fn abort(&mut self) {
        self.socket().abort();
        self.poll();
    }
}

impl Socket for Net<'_> {
    type Error = Closed;

    fn try_read(&mut self, buffer: &mut [u8]) -> Result<Option<usize>, Closed> {
        // What came together is read in pieces first, and then acknowledged at once.
        if !self.socket().can_recv() {
            self.poll();
        }
        self.socket().try_read(buffer)
    }

    /// Only puts the bytes where TCP takes them from: the next poll sends them, in one segment with
    /// what else was written until then.
    fn try_write(&mut self, bytes: &[u8]) -> Result<Option<usize>, Closed> {
        self.socket().try_write(bytes)
    }
}

impl Transport for Net<'_> {
    /// The time since boot.
    fn now(&self) -> Instant {
        self.clock.now()
    }

    /// Sleeps until then. Never fails: a connection that is lost says so at the next read.
    fn wait(&mut self, writable: bool, until: Option<Instant>) -> Result<(), Closed> {
        let deadline = until.unwrap_or(Instant::MAX);
        loop {
            self.poll();
            let socket = self.socket();
            let ready = socket.can_recv() || !socket.may_recv() || writable && socket.can_send();
            if ready || self.now() >= deadline {
                return Ok(());
            }
            self.sleep();
        }
    }
}

/// Both count microseconds.
fn stack_time(now: Instant) -> smoltcp::time::Instant {
    smoltcp::time::Instant::from_micros(now.as_micros().cast_signed())
}
