//! What waits for the [`World`], in the place of mio.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::sync::Arc;

use respire_core::time::Duration;

use super::machine::Sockets;
use super::world::World;

pub(super) struct Poller {
    world: Arc<World>,
    is_readable: bool,
}

pub(super) struct Waker(Arc<World>);

#[derive(Debug)]
pub(super) struct Registry;

impl Poller {
    pub(super) fn new(world: &Arc<World>) -> Self {
        Self { world: Arc::clone(world), is_readable: false }
    }

    pub(super) fn waker(&self) -> io::Result<Waker> {
        Ok(Waker(Arc::clone(&self.world)))
    }

    pub(super) fn registry(&self) -> io::Result<Registry> {
        Ok(Registry)
    }

    pub(super) fn wait(&mut self, patience: Option<Duration>) -> io::Result<()> {
        if self.world.change(|state| std::mem::take(&mut state.fails)) {
            return Err(io::ErrorKind::Other.into());
        }
        let until = patience.map(World::end);
        self.is_readable |= self.world.until(|state| {
            let (is_readable, is_woken) = (state.readable, state.woken);
            if !is_readable && !is_woken && until.is_none_or(|until| World::now() < until) {
                return None;
            }
            (state.readable, state.woken) = (false, false);
            Some(is_readable)
        });
        Ok(())
    }

    /// The model's sockets are more than one.
    pub(super) fn wait_for_answer(&mut self, patience: Option<Duration>) -> io::Result<()> {
        self.wait(patience)
    }

    pub(super) fn tell(&mut self, sockets: &mut Sockets) {
        if std::mem::take(&mut self.is_readable) {
            sockets.note(());
        }
    }

    pub(super) const fn aim(&mut self, _: Option<&Sockets>) {}
}

impl Waker {
    pub(super) fn wake(&self) -> io::Result<()> {
        self.0.change(|state| state.woken = true);
        Ok(())
    }
}

impl Registry {
    pub(super) fn try_clone(&self) -> io::Result<Self> {
        Ok(Self)
    }
}

// Nobody looks at it: the model's reactor knows the world.
impl AsFd for Registry {
    fn as_fd(&self) -> BorrowedFd<'_> {
        unreachable!()
    }
}

impl AsRawFd for Registry {
    fn as_raw_fd(&self) -> RawFd {
        unreachable!()
    }
}
