//! The attacks that need narrow limits, or somebody who turns away, against a driver over a socket.

use respire::command::words;
use respire::conn::{Config, Connection, Event, Failure, Settings, Token};
use respire::{Dialer, Socket, Url};
use respire_core::buffer::Growing;
use respire_core::client::Dial;
use respire_core::io::Driver;
use respire_core::time::Duration;
use respire_tests::hostile::{Attack, Cut, Found, Manner, Outcome, Room, attacks};

use crate::case::Case;
use crate::memory::peak;
use crate::within::{each, sockets};

/// Larger than any reply that is allowed.
const WINDOW: usize = 5000;

/// Both buffers, and words.
const BOUND: usize = 2 * WINDOW + (64 << 10);

const BEFORE: u64 = 2;
const ALL: u64 = 5;

#[test]
fn the_third_answer_of_five_is_the_attack() {
    let _sockets = sockets();
    let ours = |attack: &&Attack| attack.room == Room::Tight || attack.manner == Manner::Abandoned;
    each(attacks().filter(ours), |attack| {
        for spoken in attack.protocols() {
            let long = attack.says.len() > 10_000 && attack.says.len() < u64::MAX;
            for &cut in if long { &Cut::ALL[..1] } else { &Cut::ALL[..4] } {
                Case { attack, spoken, cut }.run();
            }
        }
    });
}

impl Case {
    fn run(self) {
        let (attack, peer) = (self.attack, self.peer());
        let stalls = attack.outcome == Outcome::Stalls;
        let patience = Duration::from_millis(if stalls { 300 } else { 60_000 });
        let limits = attack.room.limits();
        let config =
            Config { limits, reply_timeout: Some(patience), grace: Duration::ZERO, ..Config::default() };
        let window = || Growing::new(WINDOW, WINDOW);
        let url: Url = peer.url().parse().expect("a URL");
        let dial = || Dialer::default().dial(&url.endpoint, Duration::from_secs(20)).expect("a connection");
        let (memory, mut driver) = peak(|| {
            let mut driver = Driver::new(Connection::new(window(), window(), config), dial());
            driver.start(&Settings::default()).expect("a handshake");
            self.attack(&mut driver);
            driver
        });
        assert!(memory <= BOUND, "{self:?}: {memory} bytes");

        if driver.connection().is_closed() {
            *driver.transport_mut() = dial();
            driver.start(&Settings::default()).expect("a handshake");
        }
        driver.submit(Token(7), &words(&["ECHO", "own-7"])).expect("room");
        let mut found = Vec::new();
        while found.is_empty() {
            driver.turn(None, |event| found.extend(self.tell(event)));
        }
        assert_eq!(found, [(7, Found::Read("own-7".to_owned()))], "{self:?}: out of step");
    }

    fn attack(&self, driver: &mut Driver<Socket, Growing, 8>) {
        for n in 0..ALL {
            let text = format!("own-{n}");
            let asked = if n == BEFORE { vec!["ATTACK"] } else { vec!["ECHO", &text] };
            driver.submit(Token(n), &words(&asked)).expect("room");
        }
        let abandoned = self.attack.manner == Manner::Abandoned;
        if abandoned {
            let now = driver.now();
            assert!(driver.connection_mut().abandon(now, Token(BEFORE)).is_some());
        }
        let (mut found, mut pushes) = (Vec::new(), 0);
        while driver.connection().in_flight() > 0 || found.len() + usize::from(abandoned) < ALL as usize {
            driver.turn(None, |event| {
                pushes += u64::from(matches!(event, Event::Push(_) | Event::PushTooLarge));
                found.extend(self.tell(event));
            });
        }
        let (wanted, end) = self.attack.expected(true);
        let mut expected: Vec<_> = (0..ALL).map(|n| (n, Found::Read(format!("own-{n}")))).collect();
        if end.is_some() {
            let lost = |(n, _)| (n, Found::Failed(Failure::Unknown));
            expected = expected.into_iter().map(|own| if own.0 > BEFORE { lost(own) } else { own }).collect();
        }
        expected[BEFORE as usize].1 = wanted;
        expected.retain(|(_, found)| *found != Found::Nothing);
        let reason = driver.connection().close_reason().map(|reason| reason.to_string());
        assert_eq!(found, expected, "{self:?}: {reason:?}");
        assert_eq!(reason, end, "{self:?}");
        if let Outcome::Pushes(wanted, _) = self.attack.outcome {
            assert_eq!(pushes, wanted, "{self:?}");
        }
    }

    /// What an event says about a request.
    fn tell(&self, event: Event<'_>) -> Option<(u64, Found)> {
        match event {
            Event::Reply { token: Token(BEFORE), reply } => Some((
                BEFORE,
                match self.attack.ask.read(reply) {
                    Ok(text) => Found::Read(text),
                    Err(error) => Found::Undecodable(error),
                },
            )),
            Event::Reply { token, reply } => {
                let text = reply.as_bytes().unwrap_or_default();
                Some((token.0, Found::Read(String::from_utf8_lossy(text).into_owned())))
            }
            Event::Failed { token, failure } => Some((token.0, Found::Failed(failure))),
            _ => None,
        }
    }
}
