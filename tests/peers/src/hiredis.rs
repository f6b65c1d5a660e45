//! hiredis, if there is one: found and loaded at run time.

use std::env;
use std::ffi::{CStr, c_char, c_int, c_longlong, c_void};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use libloading::Library;

use crate::counting;

/// The functions that are measured.
pub(crate) struct Hiredis {
    library: &'static Library,
    /// Which one it is.
    pub(crate) version: String,
    /// `redisReaderCreateWithFunctions`: with none, the reader makes no objects.
    pub(crate) reader_without_objects: unsafe extern "C" fn(*mut c_void) -> *mut c_void,
    /// `redisReaderCreate`
    pub(crate) reader: unsafe extern "C" fn() -> *mut c_void,
    /// `redisReaderFeed`
    pub(crate) feed: unsafe extern "C" fn(*mut c_void, *const c_char, usize) -> c_int,
    /// `redisReaderGetReply`
    pub(crate) get_reply: unsafe extern "C" fn(*mut c_void, *mut *mut c_void) -> c_int,
    /// `freeReplyObject`
    pub(crate) free_reply: unsafe extern "C" fn(*mut c_void),
    /// `redisFormatCommandArgv`
    pub(crate) format:
        unsafe extern "C" fn(*mut *mut c_char, c_int, *const *const c_char, *const usize) -> c_longlong,
    /// `redisFreeCommand`
    pub(crate) free_command: unsafe extern "C" fn(*mut c_char),
    /// `hiredisSetAllocators`, since 1.0, which is also when replies got their present layout and RESP3.
    set_allocators: Option<unsafe extern "C" fn(*const Allocators) -> Allocators>,
}

/// The library, or why there is none.
pub(crate) fn hiredis() -> Result<&'static Hiredis, &'static str> {
    static LIBRARY: OnceLock<Option<Hiredis>> = OnceLock::new();
    LIBRARY
        .get_or_init(|| candidates().into_iter().find_map(|path| load(&path)))
        .as_ref()
        .ok_or("not installed")
}

impl Hiredis {
    /// Whether it understands RESP3, and tells when it allocates.
    pub(crate) fn is_modern(&self) -> bool {
        self.set_allocators.is_some()
    }

    /// Another function.
    ///
    /// # Safety
    /// `T` is its type.
    pub(crate) unsafe fn function<T: Copy>(&self, name: &str) -> Option<T> {
        unsafe { symbol(self.library, name) }
    }
}

/// Named by `RESPIRE_HIREDIS`; built by `./check` beside the folder of this program; the system's, newest first.
fn candidates() -> Vec<PathBuf> {
    let named = env::var_os("RESPIRE_HIREDIS").map(PathBuf::from);
    let program = env::current_exe().unwrap_or_default();
    // The folder of a test lies deeper.
    let built = program.ancestors().skip(2).take(2).map(|folder| folder.join("hiredis/libhiredis.so"));
    let system = ["so.1.3.0", "so.1.2.0", "so.1.1.0", "so.1.0.0", "so.0.14", "so"];
    let system = system.map(|end| PathBuf::from(format!("libhiredis.{end}")));
    named.into_iter().chain(built).chain(system).collect()
}

/// # Safety
/// `T` is the type of that symbol.
unsafe fn symbol<T: Copy>(library: &Library, name: &str) -> Option<T> {
    unsafe { library.get::<T>(name).ok().map(|symbol| *symbol) }
}

fn load(path: &Path) -> Option<Hiredis> {
    // SAFETY: the signatures are those of hiredis.h and read.h, the same from 0.14 to 1.5; the library
    // stays loaded.
    unsafe {
        let library = Box::leak(Box::new(Library::new(path).ok()?));
        let hiredis = Hiredis {
            library,
            version: version(path),
            reader_without_objects: symbol(library, "redisReaderCreateWithFunctions")?,
            reader: symbol(library, "redisReaderCreate")?,
            feed: symbol(library, "redisReaderFeed")?,
            get_reply: symbol(library, "redisReaderGetReply")?,
            free_reply: symbol(library, "freeReplyObject")?,
            format: symbol(library, "redisFormatCommandArgv")?,
            free_command: symbol(library, "redisFreeCommand")?,
            set_allocators: symbol(library, "hiredisSetAllocators"),
        };
        if let Some(set) = hiredis.set_allocators {
            set(&COUNTED);
        }
        Some(hiredis)
    }
}

/// The library does not tell: a file beside it does, or its name.
fn version(path: &Path) -> String {
    let told = fs::read_to_string(path.with_file_name("version")).ok();
    let name = path.to_string_lossy();
    told.map(|text| text.trim().to_owned()).unwrap_or_else(|| match name.split_once(".so.") {
        Some((_, version)) => version.to_owned(),
        None => "of unknown version".to_owned(),
    })
}

/// `hiredisAllocFuncs`
#[repr(C)]
struct Allocators {
    malloc: unsafe extern "C" fn(usize) -> *mut c_void,
    calloc: unsafe extern "C" fn(usize, usize) -> *mut c_void,
    realloc: unsafe extern "C" fn(*mut c_void, usize) -> *mut c_void,
    strdup: unsafe extern "C" fn(*const c_char) -> *mut c_char,
    free: unsafe extern "C" fn(*mut c_void),
}

/// What it uses anyhow, counted as Rust's allocations are.
static COUNTED: Allocators = Allocators { malloc, calloc, realloc, strdup, free: libc::free };

unsafe extern "C" fn malloc(size: usize) -> *mut c_void {
    counting::count();
    unsafe { libc::malloc(size) }
}

unsafe extern "C" fn calloc(count: usize, size: usize) -> *mut c_void {
    counting::count();
    unsafe { libc::calloc(count, size) }
}

unsafe extern "C" fn realloc(at: *mut c_void, size: usize) -> *mut c_void {
    counting::count();
    unsafe { libc::realloc(at, size) }
}

unsafe extern "C" fn strdup(text: *const c_char) -> *mut c_char {
    counting::count();
    unsafe { libc::strdup(text) }
}

/// Pointers and lengths of the words of a command, in memory that is used again.
#[derive(Default)]
pub(crate) struct Arguments {
    pointers: Vec<*const c_char>,
    lens: Vec<usize>,
}

impl Arguments {
    /// Starts again.
    #[inline(always)]
    pub(crate) fn clear(&mut self) {
        self.pointers.clear();
        self.lens.clear();
    }

    /// One word more. It must live until the command is made.
    #[inline(always)]
    pub(crate) fn push(&mut self, word: impl AsRef<[u8]>) {
        let word = word.as_ref();
        self.pointers.push(word.as_ptr().cast());
        self.lens.push(word.len());
    }

    /// Many words more.
    #[inline(always)]
    pub(crate) fn all(&mut self, words: &[impl AsRef<[u8]>]) {
        words.iter().for_each(|word| self.push(word));
    }

    /// `argc`, `argv` and `argvlen`.
    #[inline(always)]
    pub(crate) fn parts(&self) -> (c_int, *const *const c_char, *const usize) {
        (self.lens.len() as c_int, self.pointers.as_ptr(), self.lens.as_ptr())
    }
}

/// `redisReply` since 1.0.
#[repr(C)]
pub(crate) struct Reply {
    /// `REDIS_REPLY_…`
    pub(crate) kind: c_int,
    /// The value of an integer.
    pub(crate) integer: c_longlong,
    double: f64,
    /// How long the text is.
    pub(crate) len: usize,
    /// The text.
    pub(crate) text: *const u8,
    format: [c_char; 4],
    /// How many elements there are; for a map, keys and values.
    pub(crate) elements: usize,
    /// The elements.
    pub(crate) element: *const *const Self,
}

/// `redisReply` before.
#[repr(C)]
pub(crate) struct OldReply {
    /// `REDIS_REPLY_…`
    pub(crate) kind: c_int,
    /// The value of an integer.
    pub(crate) integer: c_longlong,
    /// How long the text is.
    pub(crate) len: usize,
    /// The text.
    pub(crate) text: *const u8,
    /// How many elements there are.
    pub(crate) elements: usize,
    /// The elements.
    pub(crate) element: *const *const Self,
}

/// A reader, and what it says when it meets an error.
pub(crate) struct Reader {
    library: &'static Hiredis,
    at: *mut c_void,
    objects: bool,
}

impl Reader {
    /// A reader that makes objects, or one that does not.
    pub(crate) fn new(library: &'static Hiredis, objects: bool) -> Self {
        // SAFETY: no functions at all is an argument that the library knows.
        let at = unsafe {
            if objects { (library.reader)() } else { (library.reader_without_objects)(std::ptr::null_mut()) }
        };
        assert!(!at.is_null(), "hiredis gives no reader");
        Self { library, at, objects }
    }

    /// Gives it bytes; each reply that they complete is shown to `each` and then freed.
    #[inline]
    pub(crate) fn feed(&mut self, bytes: &[u8], mut each: impl FnMut(*mut c_void)) {
        // SAFETY: the reader lives as long as this value; it copies the bytes; a reply is freed once,
        // and is only a number where no objects are made.
        unsafe {
            assert_eq!((self.library.feed)(self.at, bytes.as_ptr().cast(), bytes.len()), 0);
            loop {
                let mut reply = std::ptr::null_mut();
                assert_eq!((self.library.get_reply)(self.at, &raw mut reply), 0, "{}", self.error());
                if reply.is_null() {
                    return;
                }
                each(reply);
                if self.objects {
                    (self.library.free_reply)(reply);
                }
            }
        }
    }

    /// `errstr` stands behind `err`, a number of four bytes.
    fn error(&self) -> String {
        // SAFETY: the reader starts with these two in every version.
        unsafe { CStr::from_ptr(self.at.cast::<c_char>().add(4)).to_string_lossy().into_owned() }
    }
}
