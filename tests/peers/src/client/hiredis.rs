//! hiredis, its connection that blocks.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt as _;
use std::ptr;

use super::blocking::{Blocking, OneThread};
use super::hiredis_async::Asynchronous;
use super::meter::Meter;
use super::workload::{Work, Workload};
use super::{Client, Outcome, Target};
use crate::hiredis::{Arguments, Hiredis, Reply, hiredis};

pub(crate) fn clients() -> Vec<Box<dyn Client>> {
    vec![Box::new(Sync(OneThread::new("hiredis"))), Box::new(Asynchronous)]
}

/// Where there is a library.
struct Sync(OneThread<Connection>);

impl Client for Sync {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn missing(&self) -> Option<&'static str> {
        library().err()
    }

    fn does(&self, workload: &Workload) -> bool {
        self.0.does(workload)
    }

    fn run(&self, work: &'static Work, target: &Target, meter: &'static Meter) -> Outcome {
        self.0.run(work, target, meter)
    }
}

/// One connection.
struct Connection {
    functions: Functions,
    context: *mut Context,
    arguments: Arguments,
}

/// Of hiredis.h.
struct Functions {
    connect: Connect<Context>,
    free: unsafe extern "C" fn(*mut Context),
    append: unsafe extern "C" fn(*mut Context, c_int, *const *const c_char, *const usize) -> c_int,
    get_reply: unsafe extern "C" fn(*mut Context, *mut *mut c_void) -> c_int,
    free_reply: unsafe extern "C" fn(*mut c_void),
}

/// How to make a context: by address and port, or by path.
pub(crate) struct Connect<C> {
    tcp: unsafe extern "C" fn(*const c_char, c_int) -> *mut C,
    unix: unsafe extern "C" fn(*const c_char) -> *mut C,
}

impl<C> Connect<C> {
    /// # Safety
    /// The functions of these names make a `C`.
    pub(crate) unsafe fn load(library: &Hiredis, [tcp, unix]: [&str; 2]) -> Option<Self> {
        unsafe { Some(Self { tcp: library.function(tcp)?, unix: library.function(unix)? }) }
    }

    /// A context, or a null pointer.
    pub(crate) fn to(&self, target: &Target) -> Outcome<*mut C> {
        // SAFETY: addresses and paths end with a zero.
        Ok(unsafe {
            match target {
                Target::Tcp(address) => {
                    let ip = CString::new(address.ip().to_string())?;
                    (self.tcp)(ip.as_ptr(), address.port().into())
                }
                Target::Unix(path) => (self.unix)(CString::new(path.as_os_str().as_bytes())?.as_ptr()),
            }
        })
    }
}

/// `redisContext` since 1.0.
#[repr(C)]
pub(crate) struct Context {
    functions: *const c_void,
    /// Not 0: it is of no use any more.
    pub(crate) error: c_int,
    words: [c_char; 128],
    /// The socket.
    pub(crate) fd: c_int,
    flags: c_int,
    output: *mut c_char,
    reader: *mut c_void,
    kind: c_int,
    timeouts: [*mut c_void; 2],
    host: *mut c_char,
    source: *mut c_char,
    port: c_int,
    path: *mut c_char,
    address: *mut c_void,
    address_len: usize,
    private: [*mut c_void; 3],
    push: *mut c_void,
}

/// The library, if it is one that replies as [`Reply`] says.
pub(crate) fn library() -> Result<&'static Hiredis, &'static str> {
    hiredis().and_then(|library| if library.is_modern() { Ok(library) } else { Err("older than 1.0") })
}

impl Functions {
    fn load(library: &Hiredis) -> Option<Self> {
        // SAFETY: the signatures are those of hiredis.h.
        unsafe {
            Some(Self {
                connect: Connect::load(library, ["redisConnect", "redisConnectUnix"])?,
                free: library.function("redisFree")?,
                append: library.function("redisAppendCommandArgv")?,
                get_reply: library.function("redisGetReply")?,
                free_reply: library.free_reply,
            })
        }
    }
}

impl Blocking for Connection {
    fn open(target: &Target) -> Outcome<Self> {
        let functions = Functions::load(library()?).ok_or("hiredis lacks a function")?;
        let context = functions.connect.to(target)?;
        let connection = Self { functions, context, arguments: Arguments::default() };
        // SAFETY: what is no null pointer is a context.
        match unsafe { context.as_ref() } {
            Some(context) if context.error == 0 => Ok(connection),
            Some(context) => Err(context.problem().into()),
            None => Err("hiredis has no memory".into()),
        }
    }

    fn get(&mut self, key: &str) -> Outcome<usize> {
        self.append(&[b"GET", key.as_bytes()], &[])?;
        self.reply()
    }

    fn set(&mut self, key: &str, value: &[u8]) -> Outcome {
        self.append(&[b"SET", key.as_bytes(), value], &[])?;
        self.reply().map(drop)
    }

    fn mget(&mut self, keys: &[String]) -> Outcome<usize> {
        self.append(&[b"MGET"], keys)?;
        self.reply()
    }

    fn pipeline(&mut self, keys: &[String]) -> Outcome<usize> {
        for key in keys {
            self.append(&[b"GET", key.as_bytes()], &[])?;
        }
        keys.iter().map(|_| self.reply()).sum()
    }
}

impl Connection {
    fn append(&mut self, words: &[&[u8]], more: &[String]) -> Outcome {
        self.arguments.clear();
        self.arguments.all(words);
        self.arguments.all(more);
        let (count, pointers, lens) = self.arguments.parts();
        // SAFETY: as many pointers as lengths, each to that many bytes, which are copied.
        match unsafe { (self.functions.append)(self.context, count, pointers, lens) } {
            0 => Ok(()),
            _ => Err(self.problem().into()),
        }
    }

    fn reply(&mut self) -> Outcome<usize> {
        let mut reply = ptr::null_mut();
        // SAFETY: a reply is an object of hiredis, and freed once.
        unsafe {
            if (self.functions.get_reply)(self.context, &raw mut reply) != 0 {
                return Err(self.problem().into());
            }
            let len = len(&*reply.cast());
            (self.functions.free_reply)(reply);
            len
        }
    }

    fn problem(&self) -> String {
        // SAFETY: the context lives as long as this.
        unsafe { (*self.context).problem() }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // SAFETY: a null pointer is allowed, and nobody uses it after this.
        unsafe { (self.functions.free)(self.context) }
    }
}

impl Context {
    /// What went wrong, in words.
    pub(crate) fn problem(&self) -> String {
        // SAFETY: hiredis ends it with a zero.
        unsafe { CStr::from_ptr(self.words.as_ptr()).to_string_lossy().into_owned() }
    }
}

/// How long the values are in a reply that is no error.
///
/// # Safety
/// It is a whole reply of hiredis since 1.0.
pub(crate) unsafe fn len(reply: &Reply) -> Outcome<usize> {
    const STRING: c_int = 1;
    const ARRAY: c_int = 2;
    const STATUS: c_int = 5;
    // SAFETY: a reply has as many bytes, or elements, as it says.
    unsafe {
        match reply.kind {
            STRING | STATUS => Ok(reply.len),
            ARRAY => (0..reply.elements).map(|at| len(&**reply.element.add(at))).sum(),
            kind => Err(format!("hiredis replies with kind {kind}").into()),
        }
    }
}
