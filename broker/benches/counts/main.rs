//! The key paths of a message, to be counted rather than timed: `cargo xtask counts` runs each of them under valgrind and
//! compares instructions and allocations with `baseline.tsv`.
//!
//! A path is prepared, run warm, and then run again between [`count_begins`] and [`count_ends`], which is all that is
//! counted. What a turn did is checked here, so that a path that stopped working cannot look like one that became fast.
//! Times are not taken.
//!
//! ```text
//! counts              runs every path, and says how many units it counted of each
//! counts --list       names them, and what is counted of each
//! counts PATH         runs one of them
//! ```

mod bytes_of;
mod codec;
mod connections;
mod edge;
mod messages;
mod retained;
mod wildcards;

use std::{env, hint::black_box, process::ExitCode};

/// One way through the code.
struct Path {
    name: &'static str,
    /// What is counted, in one word.
    unit: &'static str,
    /// Turns that are counted; as many go before them, so that buffers have their size.
    turns: u64,
    /// How many units a turn has.
    units_per_turn: u64,
    prepare: fn() -> Turn,
}

/// Goes the way once or a few times, and says how many units that were.
type Turn = Box<dyn FnMut() -> u64>;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let paths =
        || [codec::PATHS, messages::PATHS, wildcards::PATHS, retained::PATHS, connections::PATHS].concat();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => paths().iter().for_each(run),
        ["--list"] => paths().iter().for_each(|path| println!("{}\t{}", path.name, path.unit)),
        [name] => match paths().iter().find(|path| path.name == name) {
            Some(path) => run(path),
            None => {
                eprintln!("there is no path {name}; --list names them");
                return ExitCode::FAILURE;
            }
        },
        _ => {
            eprintln!("usage: counts [--list | PATH]");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

fn run(path: &&Path) {
    let mut turn = (path.prepare)();
    let expected = path.turns * path.units_per_turn;
    for _ in 0..path.turns {
        assert_eq!(turn(), path.units_per_turn, "{}: a turn before the count", path.name);
    }
    count_begins(black_box(path.name));
    let mut units = 0;
    for _ in 0..path.turns {
        units += turn();
    }
    count_ends(black_box(path.name));
    assert_eq!(units, expected, "{}: the turns that are counted", path.name);
    println!("{}\t{units}", path.name);
}

/// Here callgrind forgets what came before; it is told so by this name.
#[inline(never)]
fn count_begins(path: &str) {
    black_box((path, "begins"));
}

/// Here callgrind writes down what came since; it is told so by this name.
#[inline(never)]
fn count_ends(path: &str) {
    black_box((path, "ends"));
}
