//! The firmware of the boards: a workspace of its own, for a processor of its own. It is built for every board, and the
//! very file that one drags onto a board is run on an emulated one, beside real brokers. What a board does is in
//! `devices/firmware/`.

use std::process::Command;

use anyhow::Result;

use crate::foreign::Foreign;
use crate::programs::cargo;
use crate::project::Project;
use crate::steps::{Step, Steps};
use crate::target::{BARE_METAL, Compiler};

/// What is built for a board.
struct Board {
    /// Its program.
    name: &'static str,
    features: &'static [&'static str],
}

const BOARDS: [Board; 2] = [
    Board { name: "luxwire-w5500", features: &[] },
    Board { name: "luxwire-pico-w", features: &["--no-default-features", "--features", "pico-w"] },
];

pub(crate) fn check_format(project: &Project, step: &mut Step) -> Result<()> {
    step.command(cargo().current_dir(project.firmware()).args(["fmt", "--all", "--check"]))
}

pub(crate) fn build(project: &Project, steps: &Steps, compiler: &Compiler) -> Result<()> {
    steps.run("firmware", |step| {
        for board in &BOARDS {
            let mut build = for_board(project, "build", board);
            compiler.apply(BARE_METAL, &mut build)?;
            step.command(&mut build)?;
        }
        Ok(())
    })
}

pub(crate) fn lint(project: &Project, steps: &Steps, compiler: &Compiler) {
    let _ = steps.run("firmware's clippy", |step| {
        if !compiler.has_clippy() {
            step.skip("Debian's compiler came without it");
            return Ok(());
        }
        for board in &BOARDS {
            step.command(for_board(project, "clippy", board).args(["--", "--deny", "warnings"]))?;
        }
        Ok(())
    });
}

/// Boots the file that a maker would drag onto the board.
pub(crate) fn test(project: &Project, step: &mut Step, foreign: &Foreign) -> Result<()> {
    let mut tests = npm(project, &["test"]);
    foreign.apply(project, &mut tests);
    apply(project, &mut tests);
    step.command(&mut tests)
}

/// Tells tests where the images are.
pub(crate) fn apply(project: &Project, command: &mut Command) {
    command.env("LUXWIRE_FIRMWARE", project.firmware_target().join(BARE_METAL.triple).join("release"));
}

/// Builds the firmware with deliberate mistakes, each of which those tests must notice.
pub(crate) fn test_the_tests(
    project: &Project,
    step: &mut Step,
    compiler: &Compiler,
    foreign: &Foreign,
) -> Result<()> {
    let mut mistakes = npm(project, &["run", "mutants", "--", "--few"]);
    mistakes.env("CARGO_TARGET_DIR", project.firmware_target());
    compiler.apply(BARE_METAL, &mut mistakes)?;
    foreign.apply(project, &mut mistakes);
    step.command(&mut mistakes)
}

fn npm(project: &Project, words: &[&str]) -> Command {
    let mut npm = Command::new("npm");
    npm.current_dir(project.emulator()).args(words);
    npm
}

fn for_board(project: &Project, subcommand: &str, board: &Board) -> Command {
    let mut command = cargo();
    command.current_dir(project.firmware()).arg(subcommand);
    command.args(["--release", "--locked", "--target", BARE_METAL.triple, "--bin", board.name]);
    command.args(board.features).arg("--target-dir").arg(project.firmware_target());
    command
}
