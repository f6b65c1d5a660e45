//! What a reader who trusts nothing has asked of the engine.

use std::time::Duration;

use respire_core::client::{Client, Endpoint, Transact, Url};
use respire_core::command::{Later, StringCommands, get, incr, ping, raw, set, watch};
use respire_core::conn::{
    self, Event as ConnEvent, Failure, Protocol, Settings, SubmitError, Tracking, TrackingMode,
};
use respire_core::engine::{Action, Config, Event, Heap, Options, Refused};
use respire_core::error::{Full, Misuse};
use respire_core::pool::{self, DialCode, Refusal};
use respire_core::resp::Value;
use respire_core::retry::{self, BudgetConfig};
use respire_core::testing::Local;

use crate::alone::{alone, exchange, open};
use crate::net::{HEAP, Net, Told, failed, token};
use crate::{NONE, config, ready};

/// What the server has said is replaced by this.
fn answer(net: &mut Net, text: &[u8]) {
    net.silent = true;
    net.turn();
    for (id, client) in net.sockets.values().copied().collect::<Vec<_>>() {
        let said = net.server.output(client).len();
        if said > 0 {
            net.server.sent(client, said);
            net.engine.recv_space(id).unwrap()[..text.len()].copy_from_slice(text);
            net.engine.handle_received(id, text.len());
        }
    }
    net.silent = false;
    net.turn();
}

/// A server that goes on telling a monitor, or is about to close, is nothing for the next one.
#[test]
fn a_connection_that_monitors_or_was_told_to_quit_is_not_lent_again() {
    for command in ["MONITOR", "QUIT"] {
        let mut net = ready(&config());
        net.engine.lease(net.now, token(1)).unwrap();
        net.turn();
        let (lease, now) = (net.leased(), net.now);
        net.engine.leased(lease).unwrap().submit(now, token(2), &raw(command)).unwrap();
        answer(&mut net, b"+OK\r\n");
        assert!(matches!(net.engine.leased(lease).unwrap().poll_event(), Some(ConnEvent::Reply { .. })));
        net.engine.release(net.now, lease);
        net.turn();
        assert_eq!((net.engine.pool_stats().idle, net.sockets.len()), (0, 1), "{command}");
    }
}

/// A confirmation is told twice: as what was pushed, and as its request's answer. Who gives the connection back in
/// between leaves an answer behind, with a token of his own choice.
#[test]
fn an_answer_that_a_lessee_has_left_behind_is_nobodys() {
    let mut net = ready(&config());
    net.engine.lease(net.now, token(1)).unwrap();
    net.turn();
    let (lease, now) = (net.leased(), net.now);
    net.silent = true;
    net.engine.submit(now, token(7), &get("k"), &NONE).unwrap();
    net.turn();
    // The name of that request on its connection: the first place, taken for the second time.
    let same = token(1 << 16);
    net.engine.leased(lease).unwrap().submit(now, same, &raw("UNSUBSCRIBE").arg("c")).unwrap();
    net.turn();
    let confirmed = b">3\r\n$11\r\nunsubscribe\r\n$1\r\nc\r\n:0\r\n";
    net.engine.recv_space(lease.id()).unwrap()[..confirmed.len()].copy_from_slice(confirmed);
    net.engine.handle_received(lease.id(), confirmed.len());
    assert!(matches!(net.engine.leased(lease).unwrap().poll_event(), Some(ConnEvent::Push(_))));
    net.engine.release(net.now, lease);
    net.turn();
    assert_eq!((net.told(), net.engine.pool_stats().idle), (vec![], 0));
}

fn tracked() -> Settings<'static> {
    Settings { tracking: Some(Tracking { mode: TrackingMode::Broadcast, no_loop: false }), ..Settings::NONE }
}

/// All its connections are told which keys have changed: that is no reason to close them.
#[test]
fn what_the_settings_ask_for_is_no_change() {
    let (mut engine, now) = alone(&Config { lanes: 0, ..config() });
    engine.submit(now, token(1), &get("k"), &NONE).unwrap();
    let Some(Action::Open { id, .. }) = engine.poll_action(now) else { panic!("{engine:?}") };
    engine.handle_connected(now, id, &tracked()).unwrap();
    exchange(&mut engine, now, id, b"%1\r\n$5\r\nproto\r\n:3\r\n+OK\r\n");
    assert_eq!(exchange(&mut engine, now, id, b"$1\r\nv\r\n"), [1]);
    assert_eq!((engine.poll_action(now), engine.pool_stats().idle), (None, 1));
}

/// Where a connection is at home is what it was told when it began.
#[test]
fn a_connection_comes_back_to_the_database_of_its_settings() {
    let (mut engine, now) = alone(&Config { lanes: 0, ..config() });
    engine.submit(now, token(1), &get("k"), &NONE).unwrap();
    let Some(Action::Open { id, .. }) = engine.poll_action(now) else { panic!("{engine:?}") };
    let third = Settings { protocol: Some(Protocol::Resp2), db: 3, ..Settings::NONE };
    engine.handle_connected(now, id, &third).unwrap();
    exchange(&mut engine, now, id, b"+OK\r\n");
    assert_eq!(exchange(&mut engine, now, id, b"$1\r\nv\r\n"), [1]);
    assert_eq!((engine.poll_transmit(id), engine.pool_stats().idle), (&b""[..], 1));
}

/// What it says is not less than what it knows.
#[test]
fn who_may_have_been_executed_reads_so_also_when_nobody_is_there() {
    let mut net = ready(&config());
    net.silent = true;
    net.engine.submit(net.now, token(1), &get("k"), &NONE).unwrap();
    net.turn();
    net.cut();
    net.down = true;
    net.ms(1000);
    let failed = failed(&net.told(), 1);
    assert_eq!(failed.failure, Failure::Unknown);
    let text = failed.to_string();
    assert!(text.contains("no connection could be opened"), "{text}");
    assert!(text.contains("its connection was lost before the answer"), "{text}");
}

/// A value that is left for later is nobody's to supply here: all that comes behind it would wait for ever.
#[test]
fn what_is_left_for_later_is_refused() {
    for lanes in [0, 1] {
        let mut net = ready(&Config { lanes, ..config() });
        net.engine.submit(net.now, token(0), &ping(), &NONE).unwrap();
        net.turn();
        let refused = net.engine.submit(net.now, token(1), &set("k", Later(10)), &NONE);
        assert_eq!(refused, Err(Refused::Submit(Misuse::Streamed.into())));
        net.engine.submit(net.now, token(2), &get("k"), &NONE).unwrap();
        net.turn();
        assert_eq!(net.told()[1..], [Told::Reply(2, Value::Null)]);
        assert_eq!(net.engine.pending(), 0);
    }
}

/// What is known by its words only is sent without being kept like all else, if its name says that it does not block.
#[test]
fn what_is_too_large_to_be_kept_is_sent_whoever_made_it() {
    let mut net = ready(&config());
    let huge = "x".repeat(5000);
    for n in 0..4 {
        net.engine.submit(net.now, token(n), &raw("SET").arg("k").arg(&huge), &NONE).unwrap();
        net.turn();
    }
    assert_eq!((net.told().len(), net.engine.stats().unkept), (4, 4));
    let blocks = raw("BLPOP").arg(&huge).arg(0);
    let refused = net.engine.submit(net.now, token(9), &blocks, &NONE);
    assert_eq!(refused, Err(Refused::Submit(SubmitError::Full(Full::TooLarge))));
}

/// An attempt takes no longer than an attempt may, also if all of them together have more time.
#[test]
fn an_attempt_on_a_connection_of_its_own_has_its_own_deadline() {
    let connection = conn::Config { reply_timeout: Some(Duration::from_millis(100)), ..config().connection };
    let timeout = Some(Duration::from_secs(60));
    let mut net = ready(&Config { lanes: 0, connection, timeout, ..config() });
    net.engine.submit(net.now, token(0), &ping(), &NONE).unwrap();
    net.turn();
    assert_eq!(net.told().len(), 1);
    net.silent = true;
    net.engine.submit(net.now, token(1), &get("k"), &NONE).unwrap();
    net.ms(150);
    assert_eq!(net.engine.stats().retries, 1, "the second attempt is on its way");
    net.silent = false;
    net.turn();
    assert_eq!(net.told(), [Told::Reply(1, Value::Null)]);
    // What blocks has as long as its caller says.
    net.silent = true;
    let patient = Options { timeout: Some(Duration::from_secs(10)), ..NONE };
    net.engine.submit(net.now, token(2), &raw("BLPOP").arg("q").arg(0), &patient).unwrap();
    net.ms(9999);
    assert_eq!(net.told(), []);
    net.ms(1);
    assert_eq!(failed(&net.told(), 2).failure, Failure::TimedOut);
}

/// However many retries there may be, they come to an end.
#[test]
fn retries_are_counted_to_the_end() {
    let retry = retry::Policy { retries: 1000, ..config().retry };
    let budget = BudgetConfig { percent: 100, burst: u16::MAX, floor: 0 };
    let (mut engine, mut now) = alone(&Config { retry, budget, ..config() });
    let id = open(&mut engine, now);
    engine.submit(now, token(1), &get("k"), &NONE).unwrap();
    let mut attempts = 0;
    while exchange(&mut engine, now, id, b"-LOADING soon\r\n") != [1] {
        attempts += 1;
        assert!(attempts <= 1001);
        now = now.saturating_add(Duration::from_millis(200));
        engine.handle_timeout(now);
        assert_eq!(engine.poll_event(now), None);
    }
    assert!(attempts >= 255, "{attempts}");
}

/// Also where requests may wait for ever.
#[test]
fn a_check_and_a_reset_come_to_an_end_without_a_deadline_for_answers() {
    let connection = conn::Config { reply_timeout: None, ..config().connection };
    let health_interval = Duration::from_secs(1);
    let pool = pool::Config { min_idle: 1, health_interval, ..config().pool };
    let mut net = Net::new(&Config { lanes: 0, connection, pool, ..config() });
    net.turn();
    assert_eq!(net.engine.pool_stats().idle, 1);
    net.silent = true;
    net.ms(1500);
    assert_eq!(net.engine.pool_stats().checking, 1);
    net.ms(5000);
    assert!(net.engine.pool_stats().stale > 0, "{:?}", net.engine.pool_stats());
    // What is to be undone is not undone.
    net.silent = false;
    net.ms(10_000);
    net.engine.lease(net.now, token(1)).unwrap();
    net.turn();
    let (lease, now) = (net.leased(), net.now);
    net.engine.leased(lease).unwrap().submit(now, token(2), &watch("k")).unwrap();
    net.turn();
    assert!(net.engine.leased(lease).unwrap().poll_event().is_some());
    net.silent = true;
    net.engine.release(net.now, lease);
    net.ms(100);
    assert_eq!(net.engine.pool_stats().resetting, 1);
    net.ms(5000);
    assert_eq!(net.engine.pool_stats().resetting, 0);
}

/// Its lessee has asked, and nobody has looked for longer than the answer may take.
#[test]
fn the_deadline_of_a_lessee_is_kept_although_it_was_seen_too_late() {
    let mut net = ready(&config());
    net.engine.lease(net.now, token(1)).unwrap();
    // Nothing else is due, as it would be soon after dials.
    net.ms(60_000);
    let (lease, now) = (net.leased(), net.now);
    net.silent = true;
    net.engine.leased(lease).unwrap().submit(now, token(2), &ping()).unwrap();
    net.now = net.now.saturating_add(Duration::from_secs(6));
    net.ms(1);
    let told = net.engine.leased(lease).unwrap().poll_event();
    assert!(matches!(told, Some(ConnEvent::Failed { .. })), "{told:?}");
}

/// The last of all places has a deadline like all others.
#[test]
fn the_last_of_65_535_requests_expires() {
    let memory = Heap { calls: 65_535, bytes: 4 << 20, ..HEAP };
    let mut net = Net::with(memory, &config());
    let soon = Options { timeout: Some(Duration::from_millis(100)), ..NONE };
    let mut taken = 0;
    while net.engine.submit(net.now, token(taken), &get("k"), &soon).is_ok() {
        taken += 1;
    }
    assert_eq!(taken, 65_535);
    net.now = net.now.saturating_add(Duration::from_millis(100));
    net.engine.handle_timeout(net.now);
    let mut told = 0;
    while let Some(event) = net.engine.poll_event(net.now) {
        assert!(matches!(event, Event::Failed { .. }));
        told += 1;
    }
    assert_eq!((told, net.engine.pending()), (65_535, 0));
}

/// Who goes again while nobody is there is told so at once, as is who comes anew.
#[test]
fn who_goes_again_to_a_server_that_is_down_is_told_at_once() {
    let pool = pool::Config {
        backoff_base: Duration::from_secs(3600),
        backoff_cap: Duration::from_secs(3600),
        fail_after: 1,
        ..config().pool
    };
    let mut net = ready(&Config { pool, ..config() });
    net.silent = true;
    net.engine.submit(net.now, token(1), &get("k"), &NONE).unwrap();
    net.turn();
    net.cut();
    net.down = true;
    net.ms(1000);
    assert!(matches!(failed(&net.told(), 1).refused, Some(Refusal::Unavailable(_))));
}

/// A driver that says it twice, or too late.
#[test]
fn what_a_driver_says_of_a_connection_that_is_not_dialled_changes_nothing() {
    let (mut engine, now) = alone(&config());
    let id = open(&mut engine, now);
    engine.submit(now, token(1), &get("k"), &NONE).unwrap();
    engine.handle_connected(now, id, &Settings::NONE).unwrap();
    engine.handle_connect_failed(now, id, DialCode(1));
    assert_eq!(engine.poll_transmit(id), b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n");
    assert_eq!(exchange(&mut engine, now, id, b"$1\r\nv\r\n"), [1]);
    engine.close(now);
    let closed = engine.poll_action(now);
    assert!(matches!(closed, Some(Action::Close(same)) if same.is_same_connection(id)), "{closed:?}");
    assert_eq!(engine.poll_action(now), None);
}

/// A handshake that does not fit: the socket is closed, once, and who waits is told.
#[test]
fn a_handshake_that_does_not_fit_is_a_dial_that_failed() {
    let pool = pool::Config { fail_after: 2, ..config().pool };
    let mut net = Net::with(Heap { buffer: (32, 32), ..HEAP }, &Config { pool, ..config() });
    net.engine.submit(net.now, token(1), &get("k"), &NONE).unwrap();
    let (mut opened, mut closed) = (0, 0);
    for _ in 0..10 {
        while let Some(action) = net.engine.poll_action(net.now) {
            match action {
                Action::Open { id, .. } => {
                    opened += 1;
                    let password = Settings { password: Some("a rather long password"), ..Settings::NONE };
                    assert!(net.engine.handle_connected(net.now, id, &password).is_err());
                    assert!(net.engine.poll_transmit(id).is_empty());
                }
                Action::Close(_) => closed += 1,
            }
        }
        net.now = net.now.saturating_add(Duration::from_millis(100));
        net.engine.handle_timeout(net.now);
        if let Some(Event::Failed { failed, .. }) = net.engine.poll_event(net.now) {
            assert!(matches!(failed.refused, Some(Refusal::Unavailable(_))), "{failed:?}");
            assert_eq!((opened, closed), (2, 2));
            return;
        }
    }
    panic!("{:?}", net.engine);
}

/// A change on condition whose requests cannot be sent leaves nothing watched.
#[test]
fn what_was_watched_for_a_change_that_was_refused_is_forgotten() {
    let client = Client::connect(Local::default(), Url::new(Endpoint::default())).unwrap();
    let refused = client.check_and_set("k", 1, |_| Ok(Some([raw("SUBSCRIBE").arg("c")])));
    assert!(refused.is_err());
    client.set("k", 1).wait().unwrap();
    let done = client.transaction([get("k")]).wait();
    assert!(done.is_ok(), "{done:?}");
}

/// Nobody stands in the line for what can never be.
#[test]
fn shared_connections_beyond_the_size_of_the_pool_are_not_waited_for() {
    let pool = pool::Config { size: 2, ..config().pool };
    let mut net = ready(&Config { lanes: 8, pool, ..config() });
    for n in 0..20 {
        net.engine.submit(net.now, token(n), &incr("n"), &NONE).unwrap();
    }
    net.ms(5000);
    let stats = net.engine.pool_stats();
    assert_eq!((net.told().len(), stats.waiting, stats.timeouts), (20, 0, 0));
}
