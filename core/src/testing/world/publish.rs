//! What the server sends to subscribers.

use super::line::{Did, Line, Owner};
use super::net::Net;
use super::server::Say;
use super::trace::Who;
use crate::command::Subscription;
use crate::resp::Kind;

impl Net {
    /// Somebody publishes: in a topic of all, or of shards.
    pub(super) fn publish(&mut self, topic: u8, shards: bool, payload: &[u8]) {
        let kinds: &[Subscription] =
            if shards { &[Subscription::Shard] } else { &[Subscription::Channel, Subscription::Pattern] };
        let name = [b'c', b'0' + topic];
        for id in 0..self.lines.len() {
            for &kind in kinds {
                let Some(line) = self.lines.get(id).filter(|line| !line.is_done()) else { break };
                if line.session.topics(kind) & 1 << topic == 0 {
                    continue;
                }
                self.scratch.clear();
                let mut say = Say::new(&mut self.scratch, line.session.resp3);
                let (word, words): (&[u8], _) = match kind {
                    Subscription::Channel => (b"message", 3),
                    Subscription::Pattern => (b"pmessage", 4),
                    Subscription::Shard => (b"smessage", 3),
                };
                say.open(Kind::Push, words);
                say.bulk(word);
                say.bulk(&name);
                if kind == Subscription::Pattern {
                    say.bulk(&name);
                }
                say.bulk(payload);
                let digest = say.digest.finish();
                self.trace.say(self.now, Who::Line(id), format_args!("  {kind:?} {topic} {payload:?}"));
                self.send(id, Owner::Push, Did::Ran, digest);
            }
            // A client that does not read loses its connection.
            self.lines.get_mut(id).filter(|line| line.down.len() > 1 << 14).map(Line::finish);
        }
    }

    /// The server ends a subscription to shards by itself.
    pub(super) fn drop_shard(&mut self, id: usize) {
        let Some(line) = self.lines.get_mut(id).filter(|line| !line.is_done()) else { return };
        let topics = line.session.topics(Subscription::Shard);
        if topics != 0 {
            self.scratch.clear();
            let mut say = Say::new(&mut self.scratch, line.session.resp3);
            line.session.confirm(Subscription::Shard, topics.trailing_zeros() as u8, false, &mut say);
            let digest = say.digest.finish();
            self.trace.say(self.now, Who::Line(id), format_args!("  drops a shard of {topics:#b}"));
            self.send(id, Owner::Push, Did::Ran, digest);
        }
    }
}
