//! The chip's Ethernet controller as a device of smoltcp.
//!
//! Frames go through two queues inside the controller, 32 bits at a time. Behind one data register both
//! look the same: a length of two bytes, then the frame, so that the headers of IP are aligned.
//!
//! ```text
//!    receive    | length of all | frame … | checksum | padding to 4 |      length: 2 + frame + 4
//!    transmit   | length        | frame … | padding to 4 |                 length: frame - 14
//! ```
//! The memory of a [`Frame`] is laid out in the same way, and is moved in whole words.

use smoltcp::phy::{Device, DeviceCapabilities, Medium};
use smoltcp::time::Instant;
use smoltcp::wire::EthernetAddress;

use super::Register;

/// The largest frame that we send or receive, without its checksum: headers and 536 bytes of TCP, the
/// least that every host must be able to send. Longer ones are dropped.
pub const LARGEST: usize = 14 + 40 + 536;

/// The controller's place in the vector table.
pub(super) const IRQ: usize = 42;

/// Our address on the wire: locally administered.
pub const ADDRESS: EthernetAddress = EthernetAddress([2, 0, 0, 0, 0, 1]);

const LENGTH: usize = 2;
const CHECKSUM: usize = 4;
const HEADER: usize = 14;

/// A frame as the controller's queues hold it.
pub type Frame = [u8; LENGTH + LARGEST + CHECKSUM];

/// Memory for one frame each way.
pub struct Frames {
    received: Frame,
    transmitted: Frame,
}

impl Frames {
    /// Without content.
    #[must_use]
    pub const fn new() -> Self {
        const EMPTY: Frame = [0; LENGTH + LARGEST + CHECKSUM];
        const { assert!(EMPTY.len().is_multiple_of(4), "moved in whole words") }
        Self { received: EMPTY, transmitted: EMPTY }
    }
}

impl Default for Frames {
    fn default() -> Self {
        Self::new()
    }
}

/// The controller, switched on.
pub struct Nic<'m> {
    frames: &'m mut Frames,
    /// Frames taken in until now.
    pub received: u32,
    /// Frames sent until now.
    pub transmitted: u32,
}

impl<'m> Nic<'m> {
    /// Switches the controller on; its interrupt wakes the processor from now on.
    pub fn start(frames: &'m mut Frames) -> Self {
        // The controller's two parts, MAC and PHY, get a clock; the first needs a moment.
        CLOCK_GATES.write(CLOCK_GATES.read() | 1 << 28 | 1 << 30);
        while CLOCK_GATES.read() & 1 << 28 == 0 {}

        let [a, b, c, d, e, f] = ADDRESS.0;
        ADDRESS_LOW.write(u32::from_le_bytes([a, b, c, d]));
        ADDRESS_HIGH.write(u32::from_le_bytes([e, f, 0, 0]));
        THRESHOLD.write(WHOLE_FRAMES);
        RECEIVE.write(RESET_QUEUE);
        RECEIVE.write(ENABLE | REJECT_BAD_CHECKSUM);
        TRANSMIT.write(ENABLE | PAD | ADD_CHECKSUM | FULL_DUPLEX);
        INTERRUPTS.write(!0);
        INTERRUPT_MASK.write(RECEIVED);
        ENABLE_HIGH.write(1 << (IRQ - 32));
        Self { frames, received: 0, transmitted: 0 }
    }

    /// Takes the next frame out of the queue. `None`: it was too long or no frame, and is dropped.
    fn take(&mut self) -> Option<usize> {
        let first = DATA.read();
        let total = (first & 0xffff) as usize;
        let words = total.div_ceil(4);
        let (head, rest) = self.frames.received.split_first_chunk_mut::<4>()?;
        *head = first.to_le_bytes();
        let mut rest = rest.chunks_exact_mut(4);
        for _ in 1..words {
            let word = DATA.read().to_le_bytes();
            if let Some(place) = rest.next() {
                place.copy_from_slice(&word);
            }
        }
        let len = total.checked_sub(LENGTH + CHECKSUM)?;
        (HEADER..=LARGEST).contains(&len).then_some(len)
    }
}

/// Whether a received frame waits. The controller has an interrupt for it, too.
#[must_use]
pub fn has_frame() -> bool {
    WAITING.read() & 0x3f != 0
}

/// Whether the last frame is still being sent.
fn is_sending() -> bool {
    START.read() & 1 != 0
}

/// Acknowledges; whoever was woken looks for frames.
pub(super) extern "C" fn interrupt() {
    INTERRUPTS.write(RECEIVED);
}

impl Device for Nic<'_> {
    type RxToken<'a>
        = Received<'a>
    where
        Self: 'a;
    type TxToken<'a>
        = Transmit<'a>
    where
        Self: 'a;

    fn receive(&mut self, _: Instant) -> Option<(Received<'_>, Transmit<'_>)> {
        while has_frame() && !is_sending() {
            if let Some(len) = self.take() {
                self.received += 1;
                let frame = &self.frames.received[LENGTH..LENGTH + len];
                let transmit = Transmit { frame: &mut self.frames.transmitted, count: &mut self.transmitted };
                return Some((Received(frame), transmit));
            }
        }
        None
    }

    fn transmit(&mut self, _: Instant) -> Option<Transmit<'_>> {
        (!is_sending())
            .then_some(Transmit { frame: &mut self.frames.transmitted, count: &mut self.transmitted })
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = LARGEST;
        // A burst would bound the window that TCP offers, and the controller's queue holds several frames.
        capabilities.max_burst_size = None;
        capabilities
    }
}

/// A received frame.
pub struct Received<'a>(&'a [u8]);

impl smoltcp::phy::RxToken for Received<'_> {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(self.0)
    }
}

/// Room for a frame to send.
pub struct Transmit<'a> {
    frame: &'a mut Frame,
    count: &'a mut u32,
}

impl smoltcp::phy::TxToken for Transmit<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, f: F) -> R {
        let result = f(&mut self.frame[LENGTH..LENGTH + len]);
        let length = (len - HEADER) as u16;
        self.frame[..LENGTH].copy_from_slice(&length.to_le_bytes());
        for word in self.frame[..(LENGTH + len).next_multiple_of(4)].chunks_exact(4) {
            DATA.write(u32::from_le_bytes([word[0], word[1], word[2], word[3]]));
        }
        START.write(1);
        *self.count += 1;
        result
    }
}

// Registers, by what they do here, and their bits.

const CLOCK_GATES: Register = Register(0x400f_e108);
/// Interrupts 32 and above.
const ENABLE_HIGH: Register = Register(0xe000_e104);

const BASE: usize = 0x4004_8000;
/// Read: which interrupts are asked for. Write: which are done with.
const INTERRUPTS: Register = Register(BASE);
const INTERRUPT_MASK: Register = Register(BASE + 0x04);
const RECEIVE: Register = Register(BASE + 0x08);
const TRANSMIT: Register = Register(BASE + 0x0c);
const DATA: Register = Register(BASE + 0x10);
const ADDRESS_LOW: Register = Register(BASE + 0x14);
const ADDRESS_HIGH: Register = Register(BASE + 0x18);
const THRESHOLD: Register = Register(BASE + 0x1c);
const WAITING: Register = Register(BASE + 0x34);
const START: Register = Register(BASE + 0x38);

const RECEIVED: u32 = 1;
const ENABLE: u32 = 1;
const PAD: u32 = 1 << 1;
const ADD_CHECKSUM: u32 = 1 << 2;
const REJECT_BAD_CHECKSUM: u32 = 1 << 3;
const RESET_QUEUE: u32 = 1 << 4;
const FULL_DUPLEX: u32 = 1 << 4;
/// Nothing is sent before the whole frame is there.
const WHOLE_FRAMES: u32 = 0x3f;
