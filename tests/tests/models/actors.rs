//! Who uses a client in a model.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use shuttle::sync::Mutex;
use shuttle::sync::atomic::{AtomicBool, Ordering};
use shuttle::thread::{self, Thread};

use super::block_on::block_on;
use super::{Client, Error};

/// What one thread does.
pub(super) type Run = Box<dyn FnOnce() + Send>;

/// What is asked for, one behind the other.
pub(super) type Words = &'static [&'static str];

/// Runs them at the same time, until all have ended.
pub(super) fn all<const N: usize>(runs: [Run; N]) {
    runs.map(thread::spawn).into_iter().for_each(|thread| thread.join().unwrap());
}

/// A thread that blocks.
pub(super) fn waits(client: &Arc<Client>, words: Words) -> Run {
    let client = Arc::clone(client);
    Box::new(move || {
        for word in words {
            assert_eq!(client.echo(word).wait().unwrap(), word.as_bytes());
        }
    })
}

/// A task in [`block_on`].
pub(super) fn blocks_on(client: &Arc<Client>, words: Words) -> Run {
    let client = Arc::clone(client);
    Box::new(move || block_on(ask(&client, words)))
}

/// A task of an executor that knows of no client.
pub(super) fn runs(client: &Arc<Client>, words: Words) -> Run {
    let client = Arc::clone(client);
    Box::new(move || execute(ask(&client, words)))
}

async fn ask(client: &Client, words: Words) {
    for word in words {
        assert_eq!(client.echo(word).await.unwrap(), word.as_bytes());
    }
}

/// A task that asks for all at once.
pub(super) fn runs_together(client: &Arc<Client>, words: Words) -> Run {
    let client = Arc::clone(client);
    Box::new(move || {
        let mut calls: Vec<_> = words.iter().map(|word| Some((word, client.echo(word)))).collect();
        execute(poll_fn(|context| {
            for place in &mut calls {
                if let Some((word, call)) = place
                    && let Poll::Ready(answer) = Pin::new(call).poll(context)
                {
                    assert_eq!(answer.unwrap(), word.as_bytes());
                    *place = None;
                }
            }
            if calls.iter().all(Option::is_none) { Poll::Ready(()) } else { Poll::Pending }
        }));
    })
}

/// A task that asks, and turns away at once.
pub(super) fn gives_up(client: &Arc<Client>, word: &'static str) -> Run {
    let client = Arc::clone(client);
    Box::new(move || glance(&mut client.echo(word), word, Waker::noop()))
}

/// The same in [`block_on`].
pub(super) fn gives_up_inside(client: &Arc<Client>, word: &'static str) -> Run {
    let client = Arc::clone(client);
    Box::new(move || {
        block_on(poll_fn(|context| {
            glance(&mut client.echo(word), word, context.waker());
            Poll::Ready(())
        }));
    })
}

fn glance(call: &mut (impl Future<Output = Result<Vec<u8>, Error>> + Unpin), word: &str, waker: &Waker) {
    if let Poll::Ready(answer) = Pin::new(call).poll(&mut Context::from_waker(waker)) {
        assert_eq!(answer.unwrap(), word.as_bytes());
    }
}

/// A task that begins in [`block_on`] and goes on elsewhere.
pub(super) fn moves(client: &Arc<Client>, word: &'static str) -> Run {
    let client = Arc::clone(client);
    Box::new(move || {
        let mut call = client.echo(word);
        let early = block_on(poll_fn(|context| match Pin::new(&mut call).poll(context) {
            Poll::Ready(answer) => Poll::Ready(Some(answer)),
            Poll::Pending => Poll::Ready(None),
        }));
        let answer = early.unwrap_or_else(|| execute(call));
        assert_eq!(answer.unwrap(), word.as_bytes());
    })
}

/// A thread whose request is never answered, and has so many milliseconds.
pub(super) fn waits_until(client: &Arc<Client>, timeout: u64) -> Run {
    let client = Arc::clone(client);
    Box::new(move || {
        let call = client.echo("silent").timeout(Duration::from_millis(timeout));
        assert!(call.wait().is_err());
    })
}

/// A task like that.
pub(super) fn runs_until(client: &Arc<Client>, timeout: u64) -> Run {
    let client = Arc::clone(client);
    Box::new(move || {
        let call = client.echo("silent").timeout(Duration::from_millis(timeout));
        assert!(execute(call).is_err());
    })
}

/// A thread that may be refused.
pub(super) fn may_be_refused(client: &Arc<Client>, word: &'static str) -> Run {
    may(client, word, |error| matches!(error, Error::Refused(_) | Error::NotTaken(_)))
}

/// A thread that the system may fail.
pub(super) fn may_fail(client: &Arc<Client>, word: &'static str) -> Run {
    may(client, word, |error| matches!(error, Error::System(_)))
}

fn may(client: &Arc<Client>, word: &'static str, is_expected: fn(&Error) -> bool) -> Run {
    let client = Arc::clone(client);
    Box::new(move || match client.echo(word).wait() {
        Ok(answer) => assert_eq!(answer, word.as_bytes()),
        Err(error) => assert!(is_expected(&error), "{error:?}"),
    })
}

/// A thread that has the core for a moment, and wants nothing.
pub(super) fn looks(client: &Arc<Client>) -> Run {
    let client = Arc::clone(client);
    Box::new(move || (0..3).for_each(|_| client.shared().enter(|_| ())))
}

/// The smallest executor: it polls when it is called, and only then.
pub(super) fn execute<F: Future>(future: F) -> F::Output {
    struct Parked(Thread, AtomicBool);

    impl Wake for Parked {
        fn wake(self: Arc<Self>) {
            self.1.store(true, Ordering::SeqCst);
            self.0.unpark();
        }
    }

    let parked = Arc::new(Parked(thread::current(), AtomicBool::new(false)));
    let waker = Waker::from(Arc::clone(&parked));
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        while !parked.1.swap(false, Ordering::SeqCst) {
            thread::park();
        }
    }
}

/// A bell that is rung once.
#[derive(Default)]
pub(super) struct Bell(Mutex<(bool, Option<Waker>)>);

impl Bell {
    pub(super) fn ring(&self) {
        let mut state = self.0.lock().unwrap();
        state.0 = true;
        let waker = state.1.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    pub(super) fn rung(&self) -> impl Future<Output = ()> {
        poll_fn(|context| {
            let mut state = self.0.lock().unwrap();
            state.1 = Some(context.waker().clone());
            if state.0 { Poll::Ready(()) } else { Poll::Pending }
        })
    }
}
