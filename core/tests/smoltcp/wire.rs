//! A wire between two stacks that loses, repeats, delays and reorders frames by a seed.

use std::cell::RefCell;
use std::collections::BTreeMap;

use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::time::Instant;

/// Frames on their way: when and in which order, to which side.
pub(crate) struct Wire {
    pub(crate) now: i64,
    pub(crate) frames: BTreeMap<(i64, u64), (usize, Vec<u8>)>,
    pub(crate) count: u64,
    random: u64,
    /// In a hundred frames.
    lost: u64,
    repeated: u64,
    /// Microseconds at most, beyond the first hundred.
    jitter: u64,
}

impl Wire {
    pub(crate) fn new(seed: u64, lost: u64, repeated: u64, jitter: u64) -> RefCell<Self> {
        let random = (seed + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        RefCell::new(Self { now: 0, frames: BTreeMap::new(), count: 0, random, lost, repeated, jitter })
    }

    pub(crate) fn random(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }

    fn carry(&mut self, to: usize, frame: &[u8]) {
        let copies = 1 + u64::from(self.random() % 100 < self.repeated);
        for _ in 0..copies {
            if self.random() % 100 >= self.lost {
                let late = (self.random() % (self.jitter + 1)) as i64;
                self.count += 1;
                self.frames.insert((self.now + 100 + late, self.count), (to, frame.to_vec()));
            }
        }
    }

    fn deliver(&mut self, to: usize) -> Option<Vec<u8>> {
        let due = self.frames.range(..=(self.now, u64::MAX));
        let key = due.into_iter().find(|(_, frame)| frame.0 == to).map(|(key, _)| *key)?;
        self.frames.remove(&key).map(|(_, frame)| frame)
    }
}

/// The network interface of one side.
pub(crate) struct Port<'a>(pub(crate) &'a RefCell<Wire>, pub(crate) usize);

impl<'a> Device for Port<'a> {
    type RxToken<'t>
        = Received
    where
        Self: 't;
    type TxToken<'t>
        = Sender<'a>
    where
        Self: 't;

    fn receive(&mut self, _: Instant) -> Option<(Received, Sender<'a>)> {
        let frame = self.0.borrow_mut().deliver(self.1)?;
        Some((Received(frame), Sender(self.0, 1 - self.1)))
    }

    fn transmit(&mut self, _: Instant) -> Option<Sender<'a>> {
        Some(Sender(self.0, 1 - self.1))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = 590;
        capabilities
    }
}

pub(crate) struct Received(Vec<u8>);

impl RxToken for Received {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(&self.0)
    }
}

pub(crate) struct Sender<'a>(&'a RefCell<Wire>, usize);

impl TxToken for Sender<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, f: F) -> R {
        let mut frame = vec![0; len];
        let result = f(&mut frame);
        self.0.borrow_mut().carry(self.1, &frame);
        result
    }
}
