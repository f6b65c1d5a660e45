//! What a pool takes: memory of a known size, and nothing that grows.

use respire_core::conn::Token;
use respire_core::pool::{Action, Config, Got, Id, Order, Pool, Put, Returned, Slot, Waiter};
use respire_core::time::Instant;

/// A config for a device is a constant.
const DEVICE: Config = Config { size: 2, min_idle: 1, max_dials: 1, order: Order::Fifo, ..Config::DEFAULT };

#[test]
fn memory_is_known_when_it_is_compiled() {
    const { assert!(size_of::<Slot>() <= 48 && size_of::<Waiter>() <= 32 && size_of::<Id>() == 8) }
    const FIXED: usize = 512;
    const { assert!(size_of::<Pool<[Slot; 8], [Waiter; 4]>>() <= 8 * 48 + 4 * 32 + FIXED) }
    const { assert!(size_of::<Pool<&mut [Slot], &mut [Waiter]>>() <= 4 * size_of::<usize>() + FIXED) }
}

/// Whatever the memory is, the pool is the same.
#[test]
fn any_memory_does() {
    fn use_it<S, W>(slots: S, line: W) -> usize
    where
        S: AsRef<[Slot]> + AsMut<[Slot]>,
        W: AsRef<[Waiter]> + AsMut<[Waiter]>,
    {
        let now = Instant::ZERO;
        let mut pool = Pool::new(slots, line, &DEVICE, 1, now);
        assert!(matches!(pool.get(now, Token(1)), Ok(Got::Waiting(_))));
        let Some(Action::Open(id)) = pool.poll(now) else { panic!() };
        assert_eq!(id.index(), 0);
        assert!(pool.handle_opened(now, id));
        let Some(Action::Serve { id, .. }) = pool.poll(now) else { panic!() };
        assert_eq!(pool.put(now, id, Returned::Clean), Put::Idle);
        let Ok(Got::Lent(again)) = pool.get(now, Token(2)) else { panic!() };
        assert!(again.is_same_connection(id), "{again:?}");
        pool.limit()
    }
    let mut used = [Slot::EMPTY; 2];
    assert_eq!(use_it(&mut used, [Waiter::EMPTY; 1]), 2);
    assert_eq!(use_it(&mut used[..1], &mut [Waiter::EMPTY; 1][..]), 1, "what was in it does not matter");
    assert_eq!(use_it(vec![Slot::EMPTY; 3].into_boxed_slice(), vec![Waiter::EMPTY; 1]), 2);
    assert_eq!(
        use_it(vec![Slot::default(); 70_000], vec![Waiter::default(); 70_000]),
        2,
        "more than can be named"
    );
}
