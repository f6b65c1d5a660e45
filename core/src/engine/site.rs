//! Where subscriptions are.

use super::Config;
use crate::pool::Place;
use crate::pubsub::{self, Registry};
use crate::random::Random;
use crate::time::Instant;

/// What is wanted and what is confirmed, and the connection of that.
pub(super) struct Subscriptions<B, E> {
    pub(super) registry: Registry<B, E>,
    pub(super) site: Site,
    /// There may be something to do.
    pub(super) stirred: bool,
    /// The connection had no room for what is to be asked.
    pub(super) blocked: bool,
    /// When the connection is to show that it lives.
    pub(super) beat_at: Instant,
}

/// Where subscriptions are.
#[derive(Clone, Copy, Debug)]
pub(super) enum Site {
    None,
    /// In the pool's line, for a connection of their own.
    Asked(Place),
    /// At this place among the links: on a shared connection, or on their own.
    At(u16),
}

impl<B, E> Subscriptions<B, E>
where
    B: AsRef<[u8]> + AsMut<[u8]>,
    E: AsRef<[pubsub::Entry]> + AsMut<[pubsub::Entry]>,
{
    /// None yet. A connection can write requests of so many bytes.
    pub(super) fn new(bytes: B, entries: E, config: &Config, room: usize, random: &mut Random) -> Self {
        let pubsub::Config { batch, batch_bytes, seed, .. } = config.pubsub;
        // Half of the room is for names, and half for what stands around them.
        let half = u32::try_from(room / 2).unwrap_or(u32::MAX);
        let config = pubsub::Config {
            batch: batch.min(u16::try_from(half / 16).unwrap_or(u16::MAX)),
            batch_bytes: batch_bytes.min(half),
            seed: seed ^ random.bits(),
            ..config.pubsub
        };
        let registry = Registry::new(bytes, entries, config);
        Self { registry, site: Site::None, stirred: false, blocked: false, beat_at: Instant::MAX }
    }

    /// Whether they are on this connection.
    pub(super) const fn is_at(&self, at: u16) -> bool {
        matches!(self.site, Site::At(site) if site == at)
    }

    pub(super) const fn stir(&mut self) {
        self.stirred = true;
    }

    pub(super) fn settle(&mut self, at: u16, beat_at: Instant) {
        (self.site, self.blocked, self.beat_at) = (Site::At(at), false, beat_at);
    }
}
