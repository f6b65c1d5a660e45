//! Every attack against the machine alone: windows of several sizes, in virtual time.

use std::fmt;

use respire_core::conn::{CloseReason, Config, Connection, Failure, Protocol, Token};
use respire_core::resp::ProtocolError;
use respire_core::time::Duration;
use respire_tests::hostile::{Ask, Attack, Cut, Found, Manner, Outcome, Spoken, attacks, find};

use crate::memory::peak;
use crate::play::{Fixed, Play};
use crate::within::each;

/// The windows that everything is tried with, up to one that holds any reply of the table that is
/// meant to be read.
const WINDOWS: [usize; 3] = [64, 1500, 4 << 20];

/// What a connection in fixed memory may need besides: nothing of its own, but a reader's words.
const BESIDES: usize = 64 << 10;

#[test]
fn every_attack_ends_as_it_must() {
    each(attacks(), |attack| {
        for window in WINDOWS {
            let (mut receive, mut transmit) = (vec![0; window], vec![0; 1024]);
            let config = Config { limits: attack.room.limits(), grace: Duration::ZERO, ..Config::default() };
            let mut connection: Fixed<'_> = Connection::new(&mut receive, &mut transmit, config);
            for case in cases(attack, window) {
                case.run(&mut connection);
            }
        }
    });
}

/// Where the window ends just behind an answer, or just before its last byte.
#[test]
fn a_window_that_just_fits_and_one_that_does_not() {
    let short = |attack: &&Attack| matches!(attack.outcome, Outcome::Reads(_)) && attack.says.len() <= 4096;
    each(attacks().filter(short), |attack| {
        let len = attack.says.len() as usize;
        for window in [len, len - 1].into_iter().filter(|&window| window >= 64) {
            let (mut receive, mut transmit) = (vec![0; window], vec![0; 1024]);
            let config = Config { limits: attack.room.limits(), grace: Duration::ZERO, ..Config::default() };
            let mut connection: Fixed<'_> = Connection::new(&mut receive, &mut transmit, config);
            cases(attack, window).into_iter().for_each(|case| case.run(&mut connection));
        }
    });
}

/// In the handshake nobody else is there to be harmed; but it must not seem done.
#[test]
fn the_answer_to_hello_is_the_attack() {
    let later = |attack: &&Attack| !matches!(attack.manner, Manner::Greeting | Manner::Abandoned);
    each(attacks().filter(later), |attack| {
        let (mut receive, mut transmit) = ([0; 256], [0; 1024]);
        let config = Config { limits: attack.room.limits(), grace: Duration::ZERO, ..Config::default() };
        let mut connection: Fixed<'_> = Connection::new(&mut receive, &mut transmit, config);
        for cut in &Cut::ALL[..if attack.says.len() < 10_000 { 4 } else { 1 }] {
            let mut play = Play::new(&mut connection, attack, Spoken::Resp3, *cut).at_once();
            play.settle();
            let wanted = match attack.outcome {
                Outcome::Fatal(error) => CloseReason::Protocol(error).to_string(),
                Outcome::Stalls => CloseReason::HandshakeTimeout.to_string(),
                Outcome::Ends => CloseReason::Eof.to_string(),
                _ => continue,
            };
            assert_eq!((play.closed, play.ready), (Some(wanted), None), "{cut:?}");
        }
    });
}

/// Whoever is told an answer in parts may be told half of it; nobody else may notice.
#[test]
fn an_answer_in_parts_is_the_attack() {
    let later = |attack: &&Attack| !matches!(attack.manner, Manner::Greeting | Manner::Abandoned);
    each(attacks().filter(later), |attack| {
        for window in [64, 1500] {
            let (mut receive, mut transmit) = (vec![0; window], vec![0; 1024]);
            let config = Config { limits: attack.room.limits(), grace: Duration::ZERO, ..Config::default() };
            let mut connection: Fixed<'_> = Connection::new(&mut receive, &mut transmit, config);
            cases(attack, window).into_iter().for_each(|case| case.in_parts(&mut connection));
        }
    });
}

/// What is long is not cut into very many pieces very many times.
fn cases(attack: &'static Attack, window: usize) -> Vec<Case> {
    let endless = attack.says.len() == u64::MAX;
    let over = |len| attack.says.len() > len && !endless;
    let [tiny, .., large] = WINDOWS;
    let mut cases = Vec::new();
    for spoken in attack.protocols() {
        for cut in Cut::ALL {
            let pieces = cut == Cut::Whole || !over(400_000) && (!over(10_000) || spoken == Spoken::Resp3);
            if pieces && (!over(16 << 20) || window == large) {
                cases.push(Case { attack, window, spoken, cut, before: 2 });
                let first = window == tiny && !over(10_000);
                cases.extend(first.then_some(Case { attack, window, spoken, cut, before: 0 }));
            }
        }
    }
    cases
}

#[derive(Clone, Copy)]
struct Case {
    attack: &'static Attack,
    window: usize,
    spoken: Spoken,
    cut: Cut,
    before: u64,
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { window, spoken, cut, before, .. } = self;
        write!(f, "{spoken:?}, cut {cut:?}, {before} before, a window of {window}")
    }
}

impl Case {
    fn run(self, connection: &mut Fixed<'_>) {
        let Self { attack, window, spoken, cut, .. } = self;
        if attack.manner == Manner::Greeting {
            return self.greet(connection);
        }
        let mut play = Play::new(connection, attack, spoken, cut);
        let (memory, ()) = peak(|| self.attack(&mut play));
        if !matches!(attack.ask, Ask::Tree) {
            assert!(memory <= window + BESIDES, "{self:?}: {memory} bytes");
        }
        assert!(play.calls <= 4 * play.pieces + 2 * play.pushes + 64, "{self:?}: {} calls", play.calls);
        self.next(connection);
    }

    /// The attack amid others, and what must come of all.
    fn attack(self, play: &mut Play<'_, '_>) {
        let Self { attack, before, .. } = self;
        let surplus = matches!(attack.outcome, Outcome::Surplus(..));
        let after = if surplus { 0 } else { 2 };
        play.settle();
        let version = if self.spoken == Spoken::Resp2 { Protocol::Resp2 } else { Protocol::Resp3 };
        assert_eq!(play.ready, Some(version), "{self:?}: {:?}", play.closed);
        let attacked = Token(before);
        (0..before).for_each(|n| play.ask(Token(n)));
        play.provoke(attacked);
        (before + 1..=before + after).for_each(|n| play.ask(Token(n)));
        play.settle();

        let fits = attack.says.len() <= self.window as u64;
        let (wanted, end) = attack.expected(fits);
        let found = |token| play.found.iter().find(|found| found.0 == token).map(|found| &found.1);
        assert_eq!(found(attacked).unwrap_or(&Found::Nothing), &wanted, "{self:?}: {:?}", play.closed);
        let (closed, words) = (play.closed.as_deref(), end.as_deref());
        let same = closed.is_some() == words.is_some()
            && closed.unwrap_or_default().contains(words.unwrap_or_default());
        assert!(same, "{self:?}: {closed:?}, not {words:?}");
        for token in (0..=before + after).map(Token).filter(|&token| token != attacked) {
            let answered = token < attacked || end.is_none();
            let wanted = if answered { Found::Read(String::new()) } else { Found::Failed(Failure::Unknown) };
            assert_eq!(found(token), Some(&wanted), "{self:?}: {token:?}");
        }
        if let Outcome::Pushes(pushes, _) = attack.outcome {
            assert_eq!(play.pushes, pushes, "{self:?}");
        }
        if end.is_none() {
            play.found.clear();
            play.ask(Token(100));
            play.settle();
            assert_eq!(play.found, [(Token(100), Found::Read(String::new()))], "{self:?}: out of step");
        }
    }

    fn in_parts(self, connection: &mut Fixed<'_>) {
        let Self { attack, spoken, cut, before, .. } = self;
        let mut play = Play::new(connection, attack, spoken, cut);
        let attacked = Token(before);
        let surplus = matches!(attack.outcome, Outcome::Surplus(..));
        let last = if surplus { before } else { before + 2 };
        let (memory, ()) = peak(|| {
            play.settle();
            (0..before).for_each(|n| play.ask(Token(n)));
            play.provoke_in_parts(attacked);
            (before + 1..=last).for_each(|n| play.ask(Token(n)));
            play.settle();
        });
        assert!(memory <= BESIDES, "{self:?}: {memory} bytes");
        let mut tokens: Vec<_> = play.found.iter().map(|found| found.0).collect();
        tokens.sort();
        assert!(tokens.into_iter().eq((0..=last).map(Token)), "{self:?}: {:?}", play.found);
        let lost = Found::Failed(Failure::Unknown);
        for (token, found) in &play.found {
            let answered = *token < attacked || play.closed.is_none();
            let right = *token == attacked || (*found != lost) == answered;
            assert!(right, "{self:?}: {token:?}: {found:?}, {:?}", play.closed);
        }
        match attack.outcome {
            // In parts more may come than at once, and more is asked than fits.
            Outcome::Fatal(ProtocolError::TooLarge) => {}
            Outcome::Reads(_) | Outcome::Decode(_) | Outcome::Pushes(..) => {
                assert_eq!(play.closed, None, "{self:?}");
            }
            Outcome::Fatal(error) => {
                let wanted = CloseReason::Protocol(error).to_string();
                assert_eq!(play.closed, Some(wanted), "{self:?}: {} parts", play.parts);
            }
            _ => {}
        }
        self.next(connection);
    }

    /// A peer that speaks first: there is no connection, whoever was faster.
    fn greet(self, connection: &mut Fixed<'_>) {
        let Self { attack, spoken, cut, .. } = self;
        let (_, Some(words)) = attack.expected(true) else { panic!("{self:?}") };
        // See `known`.
        for first in [true, false] {
            let mut play = Play::new(connection, attack, spoken, cut);
            if first {
                play.be_greeted();
            }
            play.settle();
            let closed = play.closed.as_deref().unwrap_or_default();
            assert!(closed.contains(&words), "{self:?}, {first}: {closed}, ready {:?}", play.ready);
            assert_eq!(play.ready, None, "{self:?}, {first}");
        }
        self.next(connection);
    }

    /// The same memory serves the next connection.
    fn next(self, connection: &mut Fixed<'_>) {
        let harmless = find("null-bulk").expect("an attack that is none");
        let mut play = Play::new(connection, harmless, self.spoken, self.cut);
        play.settle();
        play.ask(Token(7));
        play.settle();
        assert_eq!(play.found, [(Token(7), Found::Read(String::new()))], "{self:?}: the next connection");
        assert_eq!(play.closed, None, "{self:?}: the next connection");
    }
}
