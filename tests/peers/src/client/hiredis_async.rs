//! hiredis, its asynchronous connection on an event loop of `epoll`.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::ffi::{c_char, c_int, c_void};
use std::ptr;

use super::epoll::Epoll;
use super::hiredis::{Connect, Context, len, library};
use super::meter::{Lane, Meter, Ticket};
use super::workload::{Command, Threads, Work, Workload};
use super::{Client, Outcome, Target};
use crate::hiredis::{Arguments, Hiredis, Reply};

/// A loop on one thread; each reply begins the next request.
pub(crate) struct Asynchronous;

impl Client for Asynchronous {
    fn name(&self) -> &'static str {
        "hiredis-async"
    }

    fn missing(&self) -> Option<&'static str> {
        library().err()
    }

    fn does(&self, workload: &Workload) -> bool {
        workload.threads == Threads::One && workload.command != Command::Pipeline
    }

    fn run(&self, work: &'static Work, target: &Target, meter: &'static Meter) -> Outcome {
        let functions = Functions::load(library()?).ok_or("hiredis lacks a function")?;
        let context = functions.connect.to(target)?;
        // SAFETY: what is no null pointer is a context.
        let opened = unsafe { context.as_mut() }.ok_or("hiredis has no memory")?;
        if opened.context.error != 0 {
            return Err(opened.context.problem().into());
        }
        let wants = Wants::default();
        opened.hooks = Hooks {
            data: &raw const wants,
            add_read,
            del_read,
            add_write,
            del_write,
            cleanup: None,
            schedule_timer: None,
        };
        let socket = opened.context.fd;
        let run = Loop { functions, context, work, wants: &wants, flight: RefCell::new(Flight::new(meter)) };
        run.until_stopped(socket)
    }
}

/// What the callbacks know, all on one thread.
struct Loop<'a> {
    functions: Functions,
    context: *mut AsyncContext,
    work: &'a Work,
    wants: &'a Wants,
    flight: RefCell<Flight>,
}

/// What hiredis waits for.
#[derive(Default)]
struct Wants {
    read: Cell<bool>,
    write: Cell<bool>,
}

/// Requests on their way, the oldest first.
struct Flight {
    lane: Lane,
    tickets: VecDeque<Ticket>,
    arguments: Arguments,
    failed: Option<String>,
}

impl Flight {
    fn new(meter: &'static Meter) -> Self {
        Self { lane: meter.lane(1), tickets: VecDeque::new(), arguments: Arguments::default(), failed: None }
    }
}

impl Loop<'_> {
    fn until_stopped(&self, socket: c_int) -> Outcome {
        let mut epoll = Epoll::new(socket)?;
        for _ in 0..self.work.workload.in_flight {
            self.begin(&mut self.flight.borrow_mut());
        }
        while !self.flight.borrow().tickets.is_empty() {
            let ready = epoll.wait(self.wants.read.get(), self.wants.write.get())?;
            // SAFETY: the context is alive as long as no callback has failed; nothing is borrowed meanwhile.
            unsafe {
                if ready.read {
                    (self.functions.handle_read)(self.context);
                }
                if ready.write && self.flight.borrow().failed.is_none() {
                    (self.functions.handle_write)(self.context);
                }
            }
            if let Some(failed) = self.flight.borrow_mut().failed.take() {
                return Err(failed.into());
            }
        }
        // SAFETY: nothing has failed, and nobody uses it after this.
        unsafe { (self.functions.free)(self.context) };
        Ok(())
    }

    fn begin(&self, flight: &mut Flight) {
        let Some(ticket) = flight.lane.go() else { return };
        flight.tickets.push_back(ticket);
        let Work { workload, keys, value, .. } = self.work;
        let arguments = &mut flight.arguments;
        arguments.clear();
        match workload.command {
            Command::Get | Command::Pipeline => arguments.all(&["GET", &keys[0]]),
            Command::Set => arguments.all(&["SET".as_bytes(), keys[0].as_bytes(), value]),
            Command::MGet => {
                arguments.push("MGET");
                arguments.all(keys);
            }
        }
        let (count, pointers, lens) = arguments.parts();
        let told = ptr::from_ref(self).cast_mut().cast();
        // SAFETY: as many pointers as lengths, each to that many bytes, which are copied; this outlives the
        // context's last callback.
        let failed = unsafe { (self.functions.command)(self.context, replied, told, count, pointers, lens) };
        if failed != 0 {
            flight.failed = Some("hiredis takes no more commands".into());
        }
    }

    fn reply(&self, reply: Option<&Reply>) {
        let flight = &mut *self.flight.borrow_mut();
        let (Some(reply), Some(ticket)) = (reply, flight.tickets.pop_front()) else {
            flight.failed = Some("the connection is lost".into());
            return;
        };
        // SAFETY: the reply is whole.
        let len = unsafe { len(reply) };
        let is_set = self.work.workload.command == Command::Set;
        if let Err(error) = len.and_then(|len| if is_set { Ok(()) } else { self.work.check(len) }) {
            flight.failed = Some(error.to_string());
        }
        flight.lane.done(ticket);
        self.begin(flight);
    }
}

/// Of async.h.
struct Functions {
    connect: Connect<AsyncContext>,
    free: unsafe extern "C" fn(*mut AsyncContext),
    handle_read: unsafe extern "C" fn(*mut AsyncContext),
    handle_write: unsafe extern "C" fn(*mut AsyncContext),
    command: unsafe extern "C" fn(
        *mut AsyncContext,
        Callback,
        *mut c_void,
        c_int,
        *const *const c_char,
        *const usize,
    ) -> c_int,
}

type Callback = unsafe extern "C" fn(*mut AsyncContext, *mut c_void, *mut c_void);
type Hook = unsafe extern "C" fn(*const Wants);

impl Functions {
    fn load(library: &Hiredis) -> Option<Self> {
        // SAFETY: the signatures are those of async.h.
        unsafe {
            Some(Self {
                connect: Connect::load(library, ["redisAsyncConnect", "redisAsyncConnectUnix"])?,
                free: library.function("redisAsyncFree")?,
                handle_read: library.function("redisAsyncHandleRead")?,
                handle_write: library.function("redisAsyncHandleWrite")?,
                command: library.function("redisAsyncCommandArgv")?,
            })
        }
    }
}

/// How `redisAsyncContext` begins since 1.0.
#[repr(C)]
struct AsyncContext {
    context: Context,
    error: c_int,
    words: *const c_char,
    data: *mut c_void,
    data_cleanup: *const c_void,
    hooks: Hooks,
}

/// As in async.h of hiredis 1.5.
#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<Context>() == 272 && std::mem::offset_of!(AsyncContext, hooks) == 304);

/// How an event loop learns what to wait for.
#[repr(C)]
struct Hooks {
    data: *const Wants,
    add_read: Hook,
    del_read: Hook,
    add_write: Hook,
    del_write: Hook,
    cleanup: Option<Hook>,
    schedule_timer: Option<unsafe extern "C" fn(*const Wants, libc::timeval)>,
}

unsafe extern "C" fn add_read(wants: *const Wants) {
    unsafe { (*wants).read.set(true) }
}

unsafe extern "C" fn del_read(wants: *const Wants) {
    unsafe { (*wants).read.set(false) }
}

unsafe extern "C" fn add_write(wants: *const Wants) {
    unsafe { (*wants).write.set(true) }
}

unsafe extern "C" fn del_write(wants: *const Wants) {
    unsafe { (*wants).write.set(false) }
}

/// A reply, or none when the connection is lost.
unsafe extern "C" fn replied(_: *mut AsyncContext, reply: *mut c_void, told: *mut c_void) {
    // SAFETY: the loop outlives its context, and hiredis frees the reply after this.
    unsafe { (*told.cast::<Loop<'_>>()).reply(reply.cast::<Reply>().as_ref()) }
}
