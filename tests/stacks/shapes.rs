// shapes_rust N: as shapes.c, in Rust: closures, trait objects, iterators, sorting, panics that are caught, threads.
use std::panic;

extern "C" {
    fn dlopen(name: *const u8, flags: i32) -> *mut u8;
    fn dlsym(library: *mut u8, name: *const u8) -> *mut u8;
    fn write(fd: i32, bytes: *const usize, count: usize) -> isize;
}

type Take = extern "C" fn(*mut usize, i32) -> i32;
static mut TAKE: Option<Take> = None;

fn open_oracle() -> &'static str {
    unsafe {
        let library = dlopen(b"libunwind.so.8\0".as_ptr(), 2);
        let (place, name) = if library.is_null() {
            (dlsym(library, b"backtrace\0".as_ptr()), "libgcc")
        } else {
            (dlsym(library, b"unw_backtrace\0".as_ptr()), "libunwind")
        };
        TAKE = Some(std::mem::transmute::<*mut u8, Take>(place));
        name
    }
}

#[inline(never)]
fn report() {
    let mut frames = [0usize; 60];
    unsafe {
        let count = TAKE.unwrap()(frames.as_mut_ptr(), 60);
        write(9, frames.as_ptr(), count as usize * 8);
    }
    std::hint::black_box(&frames);
}

struct Numbers(u64);
impl Numbers {
    fn next(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) % below
    }
}

trait Shape {
    fn go(&self, deep: u64, numbers: &mut Numbers) -> u64;
}
struct Plain;
struct Closure;
struct Sorted;
struct Caught;

impl Shape for Plain {
    fn go(&self, deep: u64, numbers: &mut Numbers) -> u64 {
        down(deep, numbers) + 1
    }
}
impl Shape for Closure {
    fn go(&self, deep: u64, numbers: &mut Numbers) -> u64 {
        let text = "x".repeat(deep as usize + 3);
        (0..1).map(|n| down(deep, numbers) + n + text.len() as u64).sum()
    }
}
impl Shape for Sorted {
    fn go(&self, deep: u64, numbers: &mut Numbers) -> u64 {
        let (mut some, mut done) = (vec![3, 1, 2], false);
        some.sort_by(|a, b| {
            if !done {
                done = true;
                down(deep, numbers);
            }
            a.cmp(b)
        });
        some[0]
    }
}
impl Shape for Caught {
    fn go(&self, deep: u64, numbers: &mut Numbers) -> u64 {
        let result = panic::catch_unwind(panic::AssertUnwindSafe(|| {
            let found = down(deep, numbers);
            if found < 1000 {
                panic::resume_unwind(Box::new(found));
            }
            found
        }));
        report();
        result.unwrap_or(7)
    }
}

#[inline(never)]
fn down(deep: u64, numbers: &mut Numbers) -> u64 {
    if deep == 0 {
        report();
        return 0;
    }
    let shapes: [Box<dyn Shape>; 4] = [Box::new(Plain), Box::new(Closure), Box::new(Sorted), Box::new(Caught)];
    shapes[numbers.next(4) as usize].go(deep - 1, numbers) + 1
}

fn main() {
    let times: u64 = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(10);
    println!("{}", open_oracle());
    let go = |seed: u64, times: u64| {
        let mut numbers = Numbers(seed);
        for _ in 0..times {
            let deep = numbers.next(8);
            down(deep, &mut numbers);
        }
    };
    go(88172645463325252, times);
    std::thread::spawn(move || go(7, times / 4)).join().unwrap();
}
