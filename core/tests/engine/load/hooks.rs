//! What a hook is told of batches.

use super::*;

/// What a hook was told.
#[derive(Default)]
struct Log {
    told: Vec<String>,
    refuses: bool,
}

impl Hook for Log {
    fn before_pipeline(&mut self, _: Instant, batch: &Batch) -> Result<(), Refusal> {
        if self.refuses {
            return Err(Refusal(1));
        }
        self.told.push(format!("batch of {}, {} bytes", batch.commands, batch.bytes));
        Ok(())
    }

    fn after_pipeline(&mut self, _: Instant, _: &Batch, end: &BatchEnd) {
        let tally = end.tally;
        self.told
            .push(format!("{} answered, {} errors, {} failed", tally.answered, tally.errors, tally.failed));
    }

    fn before_command(&mut self, _: Instant, attempt: &Attempt<'_>) -> Result<(), Refusal> {
        if attempt.command.words.is_empty() {
            return Err(Refusal(2));
        }
        self.told.push(format!("{:?} {} of {}", attempt.command.words, attempt.number, attempt.most));
        Ok(())
    }

    fn after_command(&mut self, _: Instant, attempt: &Attempt<'_>, end: &End<'_>) {
        let name = respire_core::hook::Kind::from(end.outcome).name();
        self.told.push(format!("{:?} {name}, {} bytes", attempt.command.words, end.bytes));
    }
}

/// S1-HOOK-02: a hook stands around each batch, and around each item of it that it lets pass.
#[test]
fn a_hook_stands_around_batches() {
    let mut load = loading(Net::with_hook(HEAP, &config(), Log::default()), TENS);
    load.push(&set("k", "v"));
    load.push(&incr("k"));
    load.push(&raw("DEL").key("k"));
    load.loader.flush();
    load.turn();
    assert_eq!((load.results[&0].as_str(), load.results[&2].as_str()), ("Answered", NOT_SENT));
    let told = std::mem::take(&mut load.net.engine.hook_mut().told);
    assert_eq!(
        told,
        [
            "batch of 3, 68 bytes",
            r#"["SET"] 1 of 4"#,
            r#"["INCR"] 1 of 4"#,
            r#"["SET"] answered, 5 bytes"#,
            r#"["INCR"] server, 46 bytes"#,
            "1 answered, 1 errors, 1 failed",
        ]
    );
    load.net.engine.hook_mut().refuses = true;
    load.push(&set("k", "w"));
    load.loader.flush();
    load.turn();
    assert_eq!((load.results[&3].as_str(), load.loader.bulk().stats().retries), (NOT_SENT, 0));
    load.net.engine.hook_mut().refuses = false;
    // Twenty items, of which sixteen are written: all are told of, those that were written twice.
    load.loader.set_config(
        load.net.now,
        bulk::Config { batch_size: 20, max_retries: 0, ..TENS },
        LoadConfig::DEFAULT,
    );
    load.net.silent = true;
    for _ in 0..20 {
        load.push(&incr("n"));
    }
    load.turn();
    load.net.cut();
    load.ms(10);
    assert_eq!((load.count(UNKNOWN), load.count(NOT_SENT)), (16, 6));
    let told = &load.net.engine.hook().told;
    let of = |what: &str| told.iter().filter(|line| line.contains(what)).count();
    assert_eq!((of("1 of 1"), of("INCR\"] unknown"), told.len()), (17, 16, 2 + 17 * 2), "{told:#?}");
    assert_eq!(told.last().unwrap(), "0 answered, 0 errors, 20 failed");
}
