//! Subscribers: what they hear, and what they should have heard.

use std::collections::BTreeSet;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use respire::command::Subscription;
use respire::pubsub::Overflow;
use respire::{Client, Error, News, NewsOptions, Notice, Published};

use super::press::{CHANNELS, Fate, channel};
use super::round::Round;
use crate::proxy::Random;

/// What subscribers have heard.
#[derive(Clone, Default, Debug)]
pub struct Heard {
    /// Subscribers.
    pub subscribers: u64,
    /// Messages.
    pub messages: u64,
    /// Gaps that they were told of.
    pub gaps: u64,
    /// Messages for which they had no room, as they were told.
    pub dropped: u64,
    /// Numbers that were published and that they did not hear, where they were told that something may be
    /// missing.
    pub missing: u64,
    /// The same where they were not told.
    pub silent: u64,
    /// Heard twice, or behind one that was published later.
    pub disordered: u64,
    /// Heard, and not published, or not on a channel that they had asked for.
    pub strange: u64,
    /// How long nothing came around each gap.
    pub silences: Vec<Duration>,
    /// How long it took until something came once the fault was over.
    pub again: Vec<Duration>,
}

/// What came, in order.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Came {
    /// A number, on this channel, and so many messages were dropped in front of it.
    Number {
        number: usize,
        channel: Vec<u8>,
        dropped: u32,
    },
    /// Something that nobody has published.
    Nonsense,
    Gap,
}

/// One subscriber.
struct Listener {
    round: Arc<Round>,
    channels: BTreeSet<usize>,
    /// Numbers before this one may have been published before it was subscribed.
    first: usize,
    log: Vec<Came>,
    /// When the last message came, and whether there was a gap since.
    last: Option<(Instant, bool)>,
    /// Channels that have had nothing since the fault was over.
    unserved: BTreeSet<usize>,
    heard: Heard,
}

/// Subscribes, and listens until the round is over.
pub(super) async fn listen(round: Arc<Round>, client: Client, seed: u64) -> Heard {
    round.board.enter();
    let mut random = Random::new(seed);
    let mut heard = Heard { subscribers: 1, ..Heard::default() };
    while let Some(result) = until_over(&round, subscribe(&round, &client, &mut random)).await {
        match result {
            Ok((news, listener)) => {
                heard = listener.listen(news, random.once_in(4).then_some(random)).await;
                break;
            }
            // A server that has no time, or no room.
            Err(_) => {
                async_io::Timer::after(Duration::from_millis(5)).await;
            }
        }
    }
    heard
}

/// To half of the channels, or to all by a pattern.
async fn subscribe(
    round: &Arc<Round>,
    client: &Client,
    random: &mut Random,
) -> Result<(News, Listener), Error> {
    let by_pattern = random.once_in(3);
    let first = usize::try_from(random.below(2)).unwrap_or(0);
    let channels: BTreeSet<usize> =
        if by_pattern { (0..CHANNELS).collect() } else { (first..CHANNELS).step_by(2).collect() };
    let names: Vec<String> = channels.iter().map(|which| channel(round.number, *which)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let pattern = format!("news:{}:*", round.number);
    // Some have so little room that they miss what comes while they look elsewhere.
    let bytes = if random.once_in(3) { 256 } else { 1 << 20 };
    let options = NewsOptions { bytes, overflow: Overflow::DropOldest };
    let call = if by_pattern { client.psubscribe(&pattern) } else { client.subscribe(names.as_slice()) };
    let news = call.options(options).await?;
    let listener = Listener {
        round: Arc::clone(round),
        first: round.board.begun(),
        unserved: channels.clone(),
        channels,
        log: Vec::new(),
        last: None,
        heard: Heard { subscribers: 1, ..Heard::default() },
    };
    Ok((news, listener))
}

/// What comes of a future, unless the round is over before.
async fn until_over<F: Future>(round: &Round, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if round.is_over_or_wakes(context.waker()) => Poll::Ready(None),
        Poll::Pending => Poll::Pending,
    })
    .await
}

impl Listener {
    /// `rests`: it looks elsewhere now and then.
    async fn listen(mut self, mut news: News, mut rests: Option<Random>) -> Heard {
        let round = Arc::clone(&self.round);
        // `None` within: its client was closed.
        while let Some(Some(notice)) = until_over(&round, news.recv()).await {
            self.note(notice);
            if rests.as_mut().is_some_and(|random| random.once_in(50)) {
                async_io::Timer::after(Duration::from_millis(40)).await;
            }
        }
        self.judge()
    }

    fn note(&mut self, notice: Notice) {
        let now = Instant::now();
        let came = match notice {
            Notice::Gap => {
                self.last = self.last.map(|(since, _)| (since, true));
                Came::Gap
            }
            Notice::Message(message) => {
                if let Some((since, true)) = self.last {
                    self.heard.silences.push(now - since);
                }
                self.last = Some((now, false));
                Came::of(message)
            }
            // It is asked for again until the server agrees.
            Notice::Refused { .. } => return,
        };
        if let Came::Number { number, .. } = came
            && let Some(since) = self.round.board.since_mark(number)
            && self.unserved.remove(&(number % CHANNELS))
        {
            if self.unserved.is_empty() {
                self.round.board.served();
            }
            self.heard.again.push(now - since);
        }
        self.log.push(came);
    }

    fn judge(mut self) -> Heard {
        let (fates, name) = (self.round.board.fates(), |number| channel(self.round.number, number));
        judge(&self.log, &fates, self.first, &self.channels, name, &mut self.heard);
        self.heard
    }
}

impl Came {
    fn of(message: Published) -> Self {
        let number = str::from_utf8(&message.payload).ok().and_then(|text| text.parse().ok());
        let of_its_kind = message.pattern.is_empty() == (message.kind == Subscription::Channel);
        match number.filter(|_| of_its_kind) {
            Some(number) => Self::Number { number, channel: message.channel, dropped: message.missed },
            None => Self::Nonsense,
        }
    }
}

/// Compares what one subscriber has heard with what was published, channel by channel, up to the last it has
/// heard there.
fn judge(
    log: &[Came],
    fates: &[Fate],
    first: usize,
    channels: &BTreeSet<usize>,
    name: impl Fn(usize) -> String,
    heard: &mut Heard,
) {
    // Per channel: what came last, and whether it was told since that something is missing.
    let mut last = [None; CHANNELS];
    let mut is_told = [false; CHANNELS];
    for came in log {
        let (number, dropped) = match came {
            Came::Gap => {
                heard.gaps += 1;
                is_told = [true; CHANNELS];
                continue;
            }
            Came::Nonsense => {
                heard.strange += 1;
                continue;
            }
            Came::Number { number, channel, dropped } => {
                let is_known = channels.contains(&(number % CHANNELS)) && name(*number).as_bytes() == channel;
                let fate = fates.get(*number).copied().unwrap_or(Fate::Refused);
                heard.strange += u64::from(!is_known || fate == Fate::Refused);
                (*number, *dropped)
            }
        };
        heard.messages += 1;
        heard.dropped += u64::from(dropped);
        if dropped > 0 {
            is_told = [true; CHANNELS];
        }
        let at = number % CHANNELS;
        heard.disordered += u64::from(last[at].is_some_and(|last| last >= number));
        // What was on its way when it subscribed may come or not.
        let from = last[at].map_or(first, |last: usize| first.max(last + 1));
        let missed = fates.iter().enumerate().take(number).skip(from);
        let missed = missed.filter(|(n, fate)| n % CHANNELS == at && **fate == Fate::Published).count();
        *(if is_told[at] { &mut heard.missing } else { &mut heard.silent }) += missed as u64;
        (last[at], is_told[at]) = (last[at].max(Some(number)), false);
    }
}

impl Heard {
    /// Adds what another has heard.
    pub(super) fn add(&mut self, other: Self) {
        self.subscribers += other.subscribers;
        self.messages += other.messages;
        self.gaps += other.gaps;
        self.dropped += other.dropped;
        self.missing += other.missing;
        self.silent += other.silent;
        self.disordered += other.disordered;
        self.strange += other.strange;
        self.silences.extend(other.silences);
        self.again.extend(other.again);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn came(number: usize) -> Came {
        Came::Number { number, channel: channel(7, number).into_bytes(), dropped: 0 }
    }

    /// What is wrong with what was heard on channels 0 and 1, where 12 was refused: silent, disordered,
    /// strange; and what is missing and was told.
    fn wrong(log: &[Came]) -> [u64; 4] {
        let mut fates = vec![Fate::Published; 20];
        fates[12] = Fate::Refused;
        let mut heard = Heard::default();
        judge(log, &fates, 4, &[0, 1].into(), |number| channel(7, number), &mut heard);
        [heard.silent, heard.disordered, heard.strange, heard.missing]
    }

    /// A checker that notices nothing proves nothing.
    #[test]
    fn every_silence_is_noticed() {
        let dropped = |number, dropped| match came(number) {
            Came::Number { number, channel, .. } => Came::Number { number, channel, dropped },
            other => other,
        };
        assert_eq!(wrong(&[4, 5, 8, 9, 13, 16].map(came)), [0; 4]);
        // On their way when it subscribed.
        assert_eq!(wrong(&[0, 1, 4, 5, 8].map(came)), [0; 4]);
        assert_eq!(wrong(&[4, 5, 13].map(came)), [1, 0, 0, 0]);
        assert_eq!(wrong(&[came(4), Came::Gap, came(13), came(16)]), [0, 0, 0, 3]);
        assert_eq!(wrong(&[came(4), came(5), dropped(13, 1)]), [0, 0, 0, 1]);
        // A gap in front of a message covers nothing behind it.
        assert_eq!(wrong(&[Came::Gap, came(4), came(16)]), [1, 0, 0, 0]);
        assert_eq!(wrong(&[4, 4].map(came)), [0, 1, 0, 0]);
        assert_eq!(wrong(&[4, 8, 4, 16].map(came)), [0, 1, 0, 0]);
        assert_eq!(wrong(&[4, 8, 12].map(came)), [0, 0, 1, 0]);
        assert_eq!(wrong(&[4, 6].map(came)), [0, 0, 1, 0]);
        assert_eq!(wrong(&[came(4), Came::Nonsense]), [0, 0, 1, 0]);
        let elsewhere = Came::Number { number: 4, channel: channel(7, 5).into_bytes(), dropped: 0 };
        assert_eq!(wrong(&[elsewhere]), [0, 0, 1, 0]);
    }
}
