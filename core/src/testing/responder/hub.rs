//! Who is subscribed to what.

use super::ClientId;
use super::glob;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// The subscribers of all channels and patterns.
#[derive(Default)]
pub(crate) struct Hub {
    channels: Topics,
    patterns: Topics,
}

/// Names, each with its subscribers in the order they came.
type Topics = BTreeMap<Box<[u8]>, Vec<ClientId>>;

/// Which of the two kinds of subscription is meant.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Topic {
    /// A channel by its name.
    Channel,
    /// Every channel that a glob pattern matches.
    Pattern,
}

impl Hub {
    pub(crate) fn subscribe(&mut self, topic: Topic, name: &[u8], client: ClientId) {
        self.topics(topic).entry(name.into()).or_default().push(client);
    }

    pub(crate) fn unsubscribe(&mut self, topic: Topic, name: &[u8], client: ClientId) {
        let topics = self.topics(topic);
        if let Some(subscribers) = topics.get_mut(name) {
            subscribers.retain(|&subscriber| subscriber != client);
            if subscribers.is_empty() {
                topics.remove(name);
            }
        }
    }

    /// Everyone a message on `channel` goes to, with the pattern it is for.
    pub(crate) fn receivers(&self, channel: &[u8]) -> Vec<(ClientId, Option<Box<[u8]>>)> {
        let mut receivers = Vec::new();
        for &client in self.subscribers(channel) {
            receivers.push((client, None));
        }
        for (pattern, clients) in &self.patterns {
            if glob::matches(pattern, channel) {
                let named = clients.iter().map(|&client| (client, Some(pattern.clone())));
                receivers.extend(named);
            }
        }
        receivers
    }

    /// The subscribers of a channel itself.
    pub(crate) fn subscribers(&self, channel: &[u8]) -> &[ClientId] {
        self.channels.get(channel).map_or(&[], Vec::as_slice)
    }

    /// The channels that have subscribers, and match if there is a pattern.
    pub(crate) fn active(&self, pattern: Option<&[u8]>) -> Vec<&[u8]> {
        self.channels
            .keys()
            .map(|name| &**name)
            .filter(|name| pattern.is_none_or(|pattern| glob::matches(pattern, name)))
            .collect()
    }

    pub(crate) fn channel_count(&self) -> usize {
        self.channels.len()
    }

    /// How many different patterns there are.
    pub(crate) fn pattern_count(&self) -> usize {
        self.patterns.len()
    }

    fn topics(&mut self, topic: Topic) -> &mut Topics {
        match topic {
            Topic::Channel => &mut self.channels,
            Topic::Pattern => &mut self.patterns,
        }
    }
}
