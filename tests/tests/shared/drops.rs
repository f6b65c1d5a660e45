//! Callers who turn away, at every stage of their request.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use respire::Error;
use respire::prelude::*;

use crate::support::{Admin, builder, open, redis, until, within};

/// Counts how often it was called.
#[derive(Default)]
struct Bell(AtomicUsize);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// S3-CONF-04: dropped before it is asked for, when it was sent, and when its answer is there: the next one has his own.
#[test]
fn whoever_turns_away_takes_no_answer_with_him() {
    let Some(server) = redis() else { return };
    // A place that was lost would be missed soon.
    let client = builder(&server).calls(4).connect().expect("a client");
    let mut admin = Admin::connect(server.addr());
    within(move || {
        for n in 0..200 {
            drop(client.incr("never"));
            {
                let sent = pin!(client.incr("sent"));
                assert!(sent.poll(&mut Context::from_waker(Waker::noop())).is_pending());
            }
            {
                let bell = Arc::new(Bell::default());
                let waker = Waker::from(Arc::clone(&bell));
                let answered = pin!(client.incr("answered"));
                assert!(answered.poll(&mut Context::from_waker(&waker)).is_pending());
                until("the answer", || bell.0.load(Ordering::SeqCst) > 0);
            }
            let word = n.to_string();
            let echo: String = client.echo(&word).wait().expect("an answer");
            assert_eq!(echo, word);
        }
        let never: Option<u32> = client.get("never").wait().expect("an answer");
        assert_eq!(never, None);
        // What was sent is executed or not; what was answered is.
        let sent: Option<u32> = client.get("sent").wait().expect("an answer");
        assert!(sent <= Some(200), "{sent:?}");
        let answered: Option<u32> = client.get("answered").wait().expect("an answer");
        assert_eq!(answered, Some(200));
        drop(client);
        admin.wait_until_alone();
    });
}

/// S3-CONF-04: a future that was looked at may be waited for as well, and one that has ended says so.
#[test]
fn a_future_may_be_waited_for() {
    let Some(server) = redis() else { return };
    let client = open(&server);
    within(move || {
        let mut call = client.echo("word");
        assert!(pin!(&mut call).poll(&mut Context::from_waker(Waker::noop())).is_pending());
        let echo: String = call.wait().expect("an answer");
        assert_eq!(echo, "word");

        let bell = Arc::new(Bell::default());
        let waker = Waker::from(Arc::clone(&bell));
        let mut context = Context::from_waker(&waker);
        let mut call = client.echo::<String>("once");
        assert!(pin!(&mut call).poll(&mut context).is_pending());
        until("the answer", || bell.0.load(Ordering::SeqCst) > 0);
        let Poll::Ready(first) = pin!(&mut call).poll(&mut context) else { panic!("it is there") };
        assert_eq!(first.expect("an answer"), "once");
        let Poll::Ready(second) = pin!(&mut call).poll(&mut context) else { panic!("it has ended") };
        assert!(matches!(second, Err(Error::Busy)), "{second:?}");
    });
}
