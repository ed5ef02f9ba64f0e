//! One program under valgrind's callgrind: how many instructions it executes, how often it asks for memory, and in which
//! functions. It knows nothing of what the program does.
//!
//! Instructions do not depend on what else the machine is doing. They do depend on the processor in one place: glibc picks
//! its `memcpy` by what valgrind says that the processor has. So the program is told to do without everything that not
//! every 64-bit processor has.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::programs::output;
use crate::project::read;

/// What was collected.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Profile {
    pub(crate) instructions: u64,
    /// Calls of `malloc` and its kin; freeing is not counted.
    pub(crate) allocations: u64,
    /// The costs of each function, with what was inlined into it.
    pub(crate) functions: HashMap<String, Cost>,
    /// Instructions of each source file, wherever they were inlined.
    pub(crate) files: HashMap<String, u64>,
}

/// What one function costs in instructions, unless it is said otherwise.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Cost {
    pub(crate) own: u64,
    /// With everything that it calls.
    pub(crate) inclusive: u64,
    /// How often it asks for memory itself.
    pub(crate) allocations: u64,
}

/// The functions of a program between whose calls everything is counted. Around a name stands whatever the compiler makes
/// of it; no other function may have it in its name, and each is called once.
pub(crate) struct Marks<'a> {
    pub(crate) begin: &'a str,
    pub(crate) end: &'a str,
}

/// Runs a program and counts between the marks. Gives what it printed, too; the profile stays in `file` for
/// `callgrind_annotate`.
pub(crate) fn run(
    valgrind: &Path,
    program: &mut Command,
    marks: &Marks<'_>,
    file: &Path,
) -> Result<(Profile, String)> {
    let rest = file.with_extension("rest");
    let mut command = Command::new(valgrind);
    // Not `--toggle-collect`, which counts instructions in one function, but calls everywhere.
    command.args(["--tool=callgrind", "--quiet"]);
    command.args([format!("--zero-before=*{}*", marks.begin), format!("--dump-before=*{}*", marks.end)]);
    command.arg(format!("--callgrind-out-file={}", rest.display()));
    command.arg(program.get_program()).args(program.get_args()).env("GLIBC_TUNABLES", PLAIN_PROCESSOR);
    let printed = output(&mut command)?;
    // What came after the end is in the file that was asked for, and what came before it in a first part.
    fs::rename(file.with_extension("rest.1"), file)
        .with_context(|| format!("nothing was counted: does the program still call {}?", marks.end))?;
    fs::remove_file(&rest)?;
    let profile = Profile::parse(&read(file)?).with_context(|| format!("cannot read {}", file.display()))?;
    ensure!(
        profile.functions.keys().any(|name| name.contains(marks.begin)),
        "all from the start was counted: does the program still call {}?",
        marks.begin
    );
    Ok((profile, printed))
}

/// Names of old and new glibcs; each passes over those that it does not know.
const PLAIN_PROCESSOR: &str = "glibc.cpu.hwcaps=-AVX_Usable,-AVX2_Usable,-AVX_Fast_Unaligned_Load,-AVX,-AVX2,\
-AVX512F,-AVX512VL,-AVX512BW,-BMI2,-ERMS,-FSRM,-SSSE3,-SSE4_1,-SSE4_2,-Fast_Unaligned_Copy";

const ALLOCATORS: [&str; 6] = ["malloc", "calloc", "realloc", "memalign", "aligned_alloc", "posix_memalign"];

impl Profile {
    /// Reads what callgrind writes: <https://valgrind.org/docs/manual/cl-format.html>.
    fn parse(text: &str) -> Result<Self> {
        let mut profile = Self::default();
        let mut names: HashMap<&str, &str> = HashMap::new();
        let mut file_names: HashMap<&str, &str> = HashMap::new();
        let (mut file, mut function, mut called) = ("", "", "");
        let mut is_cost_of_call = false;
        for line in text.lines() {
            if let Some(name) = line.strip_prefix("fn=") {
                function = resolve(name, &mut names);
            } else if let Some(name) = line.strip_prefix("cfn=") {
                called = resolve(name, &mut names);
            } else if let Some(name) = ["fl=", "fi=", "fe="].iter().find_map(|key| line.strip_prefix(key)) {
                file = resolve(name, &mut file_names);
            } else if let Some(name) = ["cfi=", "cfl="].iter().find_map(|key| line.strip_prefix(key)) {
                resolve(name, &mut file_names);
            } else if let Some(calls) = line.strip_prefix("calls=") {
                let count = calls.split(' ').next().and_then(|count| count.parse::<u64>().ok());
                let count = count.with_context(|| format!("a call without a count: {line}"))?;
                if is_allocator(called) {
                    profile.allocations += count;
                    profile.functions.entry(function.to_owned()).or_default().allocations += count;
                }
                is_cost_of_call = true;
            } else if let Some(total) = line.strip_prefix("totals: ") {
                profile.instructions = total.trim().parse().context("the total is no number")?;
            } else if line.starts_with(['+', '-', '*']) || line.starts_with(|c: char| c.is_ascii_digit()) {
                // A place, and what was spent there; nothing is said of nothing.
                let spent = line.split(' ').nth(1).map_or(Ok(0), str::parse::<u64>);
                let spent = spent.with_context(|| format!("a cost that is no number: {line}"))?;
                let cost = profile.functions.entry(function.to_owned()).or_default();
                cost.inclusive += spent;
                if !std::mem::take(&mut is_cost_of_call) {
                    cost.own += spent;
                    *profile.files.entry(file.to_owned()).or_default() += spent;
                }
            }
        }
        Ok(profile)
    }
}

/// A name is said with its number when it comes first, and by its number after that.
fn resolve<'a>(spoken: &'a str, names: &mut HashMap<&'a str, &'a str>) -> &'a str {
    match spoken.split_once(' ') {
        Some((number, name)) if number.starts_with('(') => {
            names.insert(number, name);
            name
        }
        _ => names.get(spoken).copied().unwrap_or(spoken),
    }
}

/// A symbol may be known by glibc's other name for it, with a version behind it.
fn is_allocator(function: &str) -> bool {
    let name = function.split('@').next().unwrap_or_default();
    ALLOCATORS.contains(&name.strip_prefix("__libc_").unwrap_or(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two calls of `handle` spend 100 of their own, 10 in `malloc` called directly and 20 in `realloc`.
    const PROFILE: &str = "\
# callgrind format
events: Ir
fl=(1) broker.rs
fn=(1) handle
16 60
fi=(4) queue.rs
+4 30
fe=(1)
-4 10
cob=(3) libc.so.6
cfi=(2) malloc.c
cfn=(2) malloc@@GLIBC_2.2.5
calls=2 300
+2 10
* 0
cfn=(3) __libc_realloc
calls=1 400
-3 20

fl=(2)
fn=(2)
300 10
fn=(3)
400 15
cfn=(4) _int_malloc
calls=1 500
400 5
fn=(4)
500 5

totals: 130
";

    #[test]
    fn instructions_are_told_apart_by_function() {
        let profile = Profile::parse(PROFILE).unwrap();
        assert_eq!(profile.instructions, 130);
        let cost = |name: &str| (profile.functions[name].own, profile.functions[name].inclusive);
        assert_eq!(cost("handle"), (100, 130));
        assert_eq!(cost("malloc@@GLIBC_2.2.5"), (10, 10));
        assert_eq!(cost("__libc_realloc"), (15, 20));
        let of_file = |name: &str| profile.files[name];
        assert_eq!((of_file("broker.rs"), of_file("queue.rs"), of_file("malloc.c")), (70, 30, 30));
    }

    #[test]
    fn allocations_are_calls_from_outside_the_allocator() {
        let profile = Profile::parse(PROFILE).unwrap();
        assert_eq!((profile.allocations, profile.functions["handle"].allocations), (3, 3));
        assert_eq!(profile.functions["__libc_realloc"].allocations, 0);
        assert!(!is_allocator("_int_malloc") && !is_allocator("malloc_consolidate") && !is_allocator("free"));
    }

    #[test]
    fn what_is_no_profile_is_not_taken_for_a_cheap_one() {
        assert!(Profile::parse("fn=(1) handle\n16 many\n").is_err());
        assert!(Profile::parse("fn=(1) handle\ncalls=often 7\n").is_err());
        assert!(Profile::parse("totals: \n").is_err());
    }
}
