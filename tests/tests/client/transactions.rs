//! Transactions: all or nothing, who won, and what the server refused.

use std::thread;

use respire::conn::{Failure, SubmitError};
use respire::errors::Misuse;
use respire::prelude::*;
use respire::{Error, Single};

use crate::support::{everywhere, in_step, open, redis, within};

/// The error behind it, if the transaction did not come to be for this reason.
fn failed<T>(result: Result<T, TransactionError<Error>>) -> Error {
    match result {
        Err(TransactionError::Failed(error)) => error,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("there are results"),
    }
}

#[test]
fn each_request_has_its_own_result() {
    everywhere(|_, client| {
        let transaction = (set("k", "word"), incr("k"), get("k").typed::<String>(), incr("n"));
        let (set, error, get, n) = client.transaction(transaction).wait().unwrap();
        assert!(set?.is_some());
        assert!(error.unwrap_err().to_string().contains("not an integer"), "an error inside is data");
        assert_eq!((get?.as_str(), n?), ("word", 1), "and undoes nothing");

        let numbers = client.transaction(vec![incr("n"); 1000]).wait().unwrap();
        assert!(numbers.into_iter().map(Result::unwrap).eq(2..=1001));
        assert!(client.transaction(Vec::<Get<'_>>::new()).wait().unwrap().is_empty());
        in_step(client);
        Ok(())
    });
}

#[test]
fn what_the_server_does_not_queue_keeps_all_from_being_executed() {
    everywhere(|_, client| {
        let refused = client.transaction((incr("n"), raw("NO-SUCH").arg(1), raw("GET"), incr("n"))).wait();
        match refused {
            Err(TransactionError::Refused { index: 1, error }) => {
                assert!(error.to_string().contains("unknown command"), "the first: {error}");
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(client.get::<Option<i64>>("n").wait()?, None);
        in_step(client);
        Ok(())
    });
}

#[test]
fn a_transaction_that_is_not_begun_says_so() {
    let Some(server) = redis() else { return };
    let admin = open(&server.url());
    admin.send(raw("ACL SETUSER plain on >secret ~* +@all -multi")).wait().unwrap();
    let client = open(&server.url().replace("redis://", "redis://plain:secret@"));
    match client.transaction((incr("n"), incr("n"))).wait() {
        Err(TransactionError::NotBegun(error)) => assert!(error.to_string().starts_with("NOPERM")),
        other => panic!("{other:?}"),
    }
    assert_eq!(admin.get::<i64>("n").wait().unwrap(), 2, "each by itself");
    in_step(&client);
}

#[test]
fn what_cannot_be_sent_takes_the_transaction_with_it() {
    everywhere(|_, client| {
        let nothing: &[&str] = &[];
        let error = failed(client.transaction((incr("n"), words(nothing), incr("n"))).wait());
        assert!(matches!(error, Error::Refused(SubmitError::Misuse(Misuse::Empty))), "{error:?}");
        assert_eq!(client.get::<Option<i64>>("n").wait()?, None);
        in_step(client);
        Ok(())
    });
}

#[test]
fn a_lost_connection_says_what_became_of_it() {
    let Some(server) = redis() else { return };
    let client = open(&server.url());
    // The request in the middle kills the connection before EXEC is read.
    let kill = raw("CLIENT KILL TYPE normal SKIPME no");
    let error = failed(client.transaction((incr("n"), kill, incr("n"))).wait());
    assert!(matches!(error, Error::Lost { failure: Failure::Unknown, .. }), "{error:?}");
    in_step(&client);
}

#[test]
fn of_two_who_change_one_key_one_wins() {
    everywhere(|server, client| {
        let other = open(&server.url());
        client.set("n", 1).wait()?;
        let mut seen = Vec::new();
        let result = client.check_and_set("n", 2, |client| {
            let n: i64 = client.get("n").wait()?;
            seen.push(n);
            if n == 1 {
                other.set("n", 10).wait()?;
            }
            Ok(Some((set("n", n + 1), get("n").typed::<i64>())))
        });
        let (done, n) = result.unwrap().unwrap();
        assert!(done?.is_some());
        assert_eq!((n?, seen), (11, vec![1, 10]));

        let mut tries = 0;
        let lost = client.check_and_set("n", 3, |_| {
            tries += 1;
            other.incr("n").wait()?;
            Ok(Some([incr("n")]))
        });
        assert!(matches!(lost, Err(TransactionError::Aborted)), "{lost:?}");
        assert_eq!((tries, client.get::<i64>("n").wait()?), (3, 14));
        let none = client.check_and_set("n", 0, |_| Ok(Some([incr("n")])));
        assert!(matches!(none, Err(TransactionError::Aborted)), "{none:?}");
        Ok(())
    });
}

#[test]
fn who_changes_nothing_watches_nothing() {
    everywhere(|server, client| {
        let other = open(&server.url());
        let nothing = client.check_and_set("k", 5, |_| Ok(None::<[Incr<'_>; 1]>)).unwrap();
        assert!(nothing.is_none());
        let error = failed(client.check_and_set("k", 5, |client| {
            client.get::<i64>("no such number").wait()?;
            Ok(Some([incr("k")]))
        }));
        assert!(matches!(error, Error::Decode(_)), "{error:?}");
        // Nothing is watched: what others do does not matter.
        other.incr("k").wait()?;
        let [n] = client.transaction([incr("k")]).wait().unwrap().try_into().unwrap();
        assert_eq!(n?, 2);
        Ok(())
    });
}

#[test]
fn threads_that_share_a_client_count_every_change() {
    let Some(server) = redis() else { return };
    let (clients, each) = (2, 50);
    let add = |client: &Single| {
        let added = client.check_and_set("n", 1000, |client| {
            let n: Option<i64> = client.get("n").wait()?;
            Ok(Some([set("n", n.unwrap_or(0) + 1)]))
        });
        assert!(added.unwrap().is_some());
    };
    within(crate::support::ms(30_000), move || {
        thread::scope(|scope| {
            for _ in 0..clients {
                let client = open(&server.url());
                scope.spawn(move || {
                    thread::scope(|scope| {
                        for _ in 0..2 {
                            scope.spawn(|| (0..each).for_each(|_| add(&client)));
                        }
                    });
                });
            }
        });
        assert_eq!(open(&server.url()).get::<i64>("n").wait().unwrap(), 2 * clients * each);
    });
}

#[test]
fn a_connection_lost_between_watch_and_exec_executes_nothing() {
    let Some(server) = redis() else { return };
    let (client, other) = (open(&server.url()), open(&server.url()));
    let error = failed(client.check_and_set("n", 5, |_| {
        other.send(raw("CLIENT KILL TYPE normal SKIPME yes")).wait()?;
        Ok(Some([incr("n")]))
    }));
    let unsent = matches!(error, Error::SessionLost | Error::Lost { failure: Failure::NotSent, .. });
    assert!(unsent || matches!(error, Error::Lost { failure: Failure::Unknown, .. }), "{error:?}");
    assert_eq!(other.get::<Option<i64>>("n").wait().unwrap(), None);
    in_step(&client);
}

#[test]
fn what_is_watched_no_more_is_not_missed() {
    let Some(server) = redis() else { return };
    let (client, other) = (open(&server.url()), open(&server.url()));
    client.check_and_set("n", 5, |_| Ok(Some([incr("n")]))).unwrap();
    client.check_and_set("n", 5, |_| Ok(None::<[Incr<'_>; 1]>)).unwrap();
    other.send(raw("CLIENT KILL TYPE normal SKIPME yes")).wait().unwrap();
    assert_eq!(client.get::<i64>("n").wait().unwrap(), 1, "nothing was lost with the connection");
    client.watch("n").wait().unwrap();
    other.send(raw("CLIENT KILL TYPE normal SKIPME yes")).wait().unwrap();
    assert!(matches!(client.get::<i64>("n").wait(), Err(Error::SessionLost)));
}
