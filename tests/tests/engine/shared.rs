//! A connection that one user keeps, and one that several share: what they learn when it is lost.

use respire_core::command::{AnyRequest, incr, multi, ping, raw};
use respire_core::conn::{CloseReason, Event};
use respire_core::engine::Lease;
use respire_core::pool::{BadConn, Returned, Shared, Single, SingleError, Sticky, StickyError};
use respire_core::resp::Value;

use crate::support::{Admin, App, LIMIT, each_its_own, ms, redis, status};

/// Waits until a connection that is lent has ended. Whether the server has ended it.
fn end_of(app: &mut App, lease: Lease) -> bool {
    let mut end = None;
    app.until("the end of a connection", |app| {
        while let Some(event) = app.engine.leased(lease).expect("a lease").poll_event() {
            if let Event::Closed(reason) = event {
                end = Some(matches!(reason, CloseReason::Eof | CloseReason::Transport));
            }
        }
        end.is_some()
    });
    end == Some(true)
}

/// S1-POOL-14: where a transaction was lost nothing goes on by itself: every use says the same, until the user has
/// taken note.
#[test]
fn single() {
    let Some(server) = redis() else { return };
    let admin = Admin::of(&server);
    let mut app = App::new(server.addr(), &each_its_own(2));
    let mut single = Single::new();
    assert_eq!(single.get(), Err(SingleError::Empty));
    let lease = app.lease();
    single.hold(lease.id()).expect("it is empty");
    app.talk(lease, &[&multi(), &incr("n")]);
    assert_eq!(admin.kill_all(), 1);
    assert!(end_of(&mut app, lease));
    assert!(single.fail(lease.id(), "the server has ended it"));
    for _ in 0..3 {
        let bad = BadConn { cause: "the server has ended it" };
        assert_eq!(single.get(), Err(SingleError::Bad(bad)));
    }
    assert_eq!(single.reset(), Some((lease.id(), Returned::Broken)));
    app.release(lease);
    let other = app.lease();
    single.hold(other.id()).expect("it is empty again");
    assert_eq!(single.get(), Ok(other.id()));
    assert_eq!(app.talk(other, &[&incr("n"), &ping()]), [Value::Integer(1), status("PONG")]);
    app.release(other);
    assert!(app.close(LIMIT));
}

/// S1-POOL-15: several use one connection; when it is lost the next user takes another, and behind the end there is
/// none.
#[test]
fn sticky() {
    let Some(server) = redis() else { return };
    let admin = Admin::of(&server);
    let mut app = App::new(server.addr(), &each_its_own(2));
    let mut sticky = Sticky::new();
    let id = raw("CLIENT ID");
    let mut ids = Vec::new();
    for round in 0..3 {
        assert_eq!(sticky.get(), Ok(Shared::Take));
        assert_eq!(sticky.get(), Ok(Shared::Taking));
        let lease = app.lease();
        sticky.handle_taken(lease.id()).expect("it was to be taken");
        for _ in 0..4 {
            assert_eq!(sticky.get(), Ok(Shared::Ready(lease.id())));
            let request: &dyn AnyRequest = &id;
            ids.extend(app.talk(lease, &[request]));
        }
        assert_eq!((sticky.users(), admin.count()), (5, 1), "{round}");
        if round < 2 {
            admin.kill_all();
            assert!(end_of(&mut app, lease));
            assert_eq!(sticky.fail(lease.id(), "lost"), Some((lease.id(), Returned::Broken)));
            assert_eq!((sticky.bad(), sticky.users()), (Some(BadConn { cause: "lost" }), 0));
            app.release(lease);
        } else {
            assert_eq!(sticky.close(), None, "it is in use");
            assert_eq!(sticky.get(), Err(StickyError::Closed));
            let last = (0..5).filter_map(|_| sticky.put(lease.id())).collect::<Vec<_>>();
            assert_eq!(last, [(lease.id(), Returned::NeedsReset)]);
            app.release(lease);
        }
    }
    ids.dedup();
    assert_eq!(ids.len(), 3, "{ids:?}");
    assert!(app.close(ms(5000)));
}
