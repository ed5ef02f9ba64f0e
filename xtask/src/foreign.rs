//! Other people's programs, which the tests set beside ours: Mosquitto, curl, paho-mqtt and others from PyPI, what npm brings,
//! Chromium, a C++ compiler, and Paho's C library. It installs them and says where they are; the tests know what to do with them.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::apt::Apt;
use crate::cache::{Cache, remove};
use crate::fingerprint::Fingerprint;
use crate::npm;
use crate::paho_c;
use crate::programs::{on_path, output, version_of};
use crate::project::Project;
use crate::steps::{Step, Steps};

/// Where the programs are. What could not be had is absent.
#[derive(Default)]
pub(crate) struct Foreign {
    mosquitto: Option<PathBuf>,
    python: Option<PathBuf>,
    node_modules: Option<PathBuf>,
    cxx: Option<PathBuf>,
    paho_c: Option<PathBuf>,
    curl: Option<PathBuf>,
    chromium: Option<Chromium>,
    emulator: Option<PathBuf>,
}

/// Which browser the tests drive.
enum Chromium {
    At(PathBuf),
    /// Playwright finds its own by itself.
    OfPlaywright,
}

impl Foreign {
    /// What the tests with foreign programs need.
    pub(crate) fn has_programs(&self) -> bool {
        let folders =
            [&self.mosquitto, &self.python, &self.node_modules, &self.cxx, &self.paho_c, &self.curl];
        // One of them measures the page.
        folders.iter().all(|place| place.is_some()) && self.chromium.is_some()
    }

    /// What the tests in a browser need, in which boards take part.
    pub(crate) fn has_browser(&self) -> bool {
        self.has_board() && self.has_browser_alone()
    }

    /// A browser and what drives it.
    pub(crate) fn has_browser_alone(&self) -> bool {
        self.node_modules.is_some() && self.chromium.is_some()
    }

    /// What the tests of the firmware need.
    pub(crate) fn has_board(&self) -> bool {
        self.mosquitto.is_some() && self.emulator.is_some()
    }

    /// Tells whoever drives a browser which one.
    pub(crate) fn apply_browser(&self, command: &mut Command) {
        match &self.chromium {
            Some(Chromium::At(path)) => command.env("LUXWIRE_CHROMIUM", path),
            Some(Chromium::OfPlaywright) | None => command.env_remove("LUXWIRE_CHROMIUM"),
        };
    }

    /// Tells tests where everything is.
    pub(crate) fn apply(&self, project: &Project, command: &mut Command) {
        command.env("LUXWIRE_BIN", project.luxwire());
        self.apply_browser(command);
        let places = [
            ("LUXWIRE_MOSQUITTO_DIR", self.mosquitto.as_ref()),
            ("LUXWIRE_PYTHON", self.python.as_ref()),
            ("LUXWIRE_NODE_MODULES", self.node_modules.as_ref()),
            ("LUXWIRE_CXX", self.cxx.as_ref()),
            ("LUXWIRE_PAHO_C", self.paho_c.as_ref()),
        ];
        for (name, place) in places {
            match place {
                Some(path) => command.env(name, path),
                None => command.env_remove(name),
            };
        }
    }
}

/// Installs what drives the page in a browser, and nothing else.
pub(crate) fn install_browser(project: &Project, steps: &Steps) -> Foreign {
    let node_modules =
        steps.run("npm packages", |step| npm::install_locked(step, &project.playwright())).ok();
    let chromium = steps
        .run("Chromium", |step| {
            ensure!(node_modules.is_some(), "the npm packages are missing, Playwright among them");
            chromium(project, step)
        })
        .ok();
    Foreign { node_modules, chromium, ..Foreign::default() }
}

/// Installs everything; each piece that fails is a failed step.
pub(crate) fn install(project: &Project, steps: &Steps) -> Result<Foreign> {
    let cache = Cache::of_user()?;
    let Foreign { node_modules, chromium, .. } = install_browser(project, steps);
    let cxx = steps.run("C++ compiler", |step| cxx(step, &cache)).ok();
    let paho_c = steps.run("Paho C", |step| {
        paho_c::install(step, &cache, cxx.as_deref().context("a compiler is missing")?)
    });
    Ok(Foreign {
        mosquitto: steps.run("Mosquitto", |step| mosquitto(project, step, &cache)).ok(),
        python: steps.run("Python packages", |step| python(project, step, &cache)).ok(),
        emulator: steps.run("board emulator", |step| npm::install_locked(step, &project.emulator())).ok(),
        cxx,
        paho_c: paho_c.ok(),
        curl: steps.run("curl", curl).ok(),
        node_modules,
        chromium,
    })
}

/// The folder with Mosquitto's programs. Where they are not installed they are unpacked into the cache rather than
/// installed, because installing starts a broker on port 1883, for good.
pub(crate) fn mosquitto(project: &Project, step: &mut Step, cache: &Cache) -> Result<PathBuf> {
    let has_all = |folder: &Path| MOSQUITTO.iter().all(|name| folder.join(name).is_file());
    if let Some(programs) = installed_mosquitto() {
        return link_all(&programs, &project.target.join("xtask-mosquitto"));
    }
    if let Some(folder) = cache.find_all("mosquitto-").into_iter().rfind(|folder| has_all(folder)) {
        return Ok(folder);
    }
    let apt = Apt::of_this_machine()
        .with_context(|| format!("please install Mosquitto 2: {}", MOSQUITTO.join(", ")))?;
    apt.with_fresh_lists(step, |step| {
        let broker = apt.newest("mosquitto")?;
        let name = format!("mosquitto-{}", broker.version);
        // Even those that are installed: whoever installed them may remove them.
        let mut packages = vec![broker, apt.newest("mosquitto-clients")?, apt.newest("libmosquitto1")?];
        apt.add_missing(&mut packages, &["mosquitto", "mosquitto-clients"])?;
        cache.install(&name, |folder| {
            apt.unpack(step, &packages, folder, &MOSQUITTO)?;
            // It prints its usage, and fails with that.
            let usage = Command::new(folder.join("mosquitto")).arg("-h").output()?;
            ensure!(usage.stdout.starts_with(b"mosquitto version 2"), "the unpacked Mosquitto does not run");
            Ok(())
        })
    })
}

const MOSQUITTO: [&str; 5] =
    ["mosquitto", "mosquitto_pub", "mosquitto_sub", "mosquitto_rr", "mosquitto_passwd"];

/// All of Mosquitto's programs, or none. Debian keeps the broker where only root's PATH leads.
fn installed_mosquitto() -> Option<Vec<PathBuf>> {
    let for_root = |name| Some(Path::new("/usr/sbin").join(name)).filter(|path| path.is_file());
    MOSQUITTO.iter().map(|name| on_path(name).or_else(|| for_root(name))).collect()
}

/// A folder of links, since the programs lie in several.
fn link_all(programs: &[PathBuf], folder: &Path) -> Result<PathBuf> {
    remove(folder)?;
    fs::create_dir(folder)?;
    for program in programs {
        let name = program.file_name().context("a program has a name")?;
        symlink(program, folder.join(name))?;
    }
    Ok(folder.to_path_buf())
}

/// A Python that has the packages which `requirements.txt` names, and no others.
fn python(project: &Project, step: &mut Step, cache: &Cache) -> Result<PathBuf> {
    let mut fingerprint = Fingerprint::default();
    fingerprint.add_path(&project.root, REQUIREMENTS)?;
    let name = format!("python-{}", fingerprint.finish().get(..16).unwrap_or_default());
    let program = "bin/python";
    if let Some(folder) = cache.find(&name) {
        if version_of(&folder.join(program)).is_some() {
            return Ok(folder.join(program));
        }
        // The Python that it was made from is gone.
        remove(&folder)?;
    }
    if !has_venv() {
        let apt = Apt::of_this_machine().context("please install Python 3 with its venv module")?;
        apt.install(step, &["python3-venv"])?;
    }
    let folder = cache.install(&name, |folder| {
        step.command(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
        let mut pip = Command::new(folder.join(program));
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]);
        step.command(pip.arg(project.root.join(REQUIREMENTS)))
    })?;
    Ok(folder.join(program))
}

const REQUIREMENTS: &str = "xtask/requirements.txt";

/// Debian splits Python: `venv` may be there and yet lack what it installs pip from.
fn has_venv() -> bool {
    output(Command::new("python3").args(["-c", "import venv, ensurepip"])).is_ok()
}

/// curl, by which the examples of the documentation are executed as they stand: found on the PATH.
fn curl(step: &mut Step) -> Result<PathBuf> {
    if let Some(program) = on_path("curl") {
        return Ok(program);
    }
    let apt = Apt::of_this_machine().context("please install curl")?;
    apt.install(step, &["curl"])?;
    on_path("curl").context("Debian's curl is not on the PATH")
}

/// A C++ compiler for the Arduino sketches: the machine's own, else Debian's, unpacked into the cache.
fn cxx(step: &mut Step, cache: &Cache) -> Result<PathBuf> {
    if let Some(program) = CXX.iter().find_map(|name| on_path(name)) {
        return Ok(program);
    }
    for folder in cache.find_all("g++-") {
        let program = folder.join("g++");
        if compile_something(&program, &folder).is_ok() {
            return Ok(program);
        }
        // The C compiler that it was unpacked for has been replaced.
        remove(&folder)?;
    }
    let apt = Apt::of_this_machine().context("please install a C++ compiler, g++ for instance")?;
    apt.with_fresh_lists(step, |step| {
        let mut packages = vec![apt.newest("g++")?];
        apt.add_missing(&mut packages, &["g++"])?;
        let of_version = packages.iter().find_map(|package| package.name.strip_prefix("g++-"));
        let version = of_version.context("apt has no g++ of any version")?.to_owned();
        // It looks for its own parts beside itself, even for those that are installed elsewhere.
        for part in [format!("gcc-{version}"), format!("libgcc-{version}-dev")] {
            if packages.iter().all(|package| package.name != part) {
                packages.push(apt.newest(&part)?);
            }
        }
        let folder = cache.install(&format!("g++-{version}"), |folder| {
            apt.unpack(step, &packages, folder, &["g++"])?;
            compile_something(&folder.join("g++"), folder)
        })?;
        Ok(folder.join("g++"))
    })
}

const CXX: [&str; 3] = ["g++", "c++", "clang++"];

/// Compiles and links a program that needs the standard library, and runs it.
fn compile_something(compiler: &Path, folder: &Path) -> Result<()> {
    let source = folder.join("trial.cpp");
    let program = folder.join("trial");
    fs::write(
        &source,
        "#include <string>\nint main(int n, char **v) { return std::string(v[0], n).size() - 1; }\n",
    )?;
    output(Command::new(compiler).arg("-o").arg(&program).arg(&source))?;
    output(&mut Command::new(&program)).map(drop)
}

/// A browser: the one the user names, Debian's, or else Playwright's own.
fn chromium(project: &Project, step: &mut Step) -> Result<Chromium> {
    if let Some(path) = std::env::var_os("LUXWIRE_CHROMIUM").filter(|path| !path.is_empty()) {
        let path = PathBuf::from(path);
        ensure!(path.is_file(), "LUXWIRE_CHROMIUM names {}, which is not there", path.display());
        return Ok(Chromium::At(path));
    }
    if let Some(path) = on_path("chromium") {
        return Ok(Chromium::At(path));
    }
    if playwrights_own(project).is_some_and(|path| path.is_file()) {
        return Ok(Chromium::OfPlaywright);
    }
    if let Some(apt) = Apt::of_this_machine() {
        // Without recommended packages there would be no font, and pictures of the page would show boxes.
        match apt.install(step, &["chromium", "fonts-liberation"]) {
            Ok(()) => {
                return on_path("chromium").map(Chromium::At).context("Debian's Chromium is not on the PATH");
            }
            Err(error) => step.say(format!("{error:#}; fetching Playwright's own browser instead")),
        }
    }
    let mut playwright = Command::new("npx");
    step.command(playwright.current_dir(project.playwright()).args([
        "playwright",
        "install",
        "--with-deps",
        "chromium",
    ]))?;
    if playwrights_own(project).is_none() {
        bail!("Playwright says that it has installed a browser, but does not find it");
    }
    Ok(Chromium::OfPlaywright)
}

/// Where Playwright looks for its browser.
fn playwrights_own(project: &Project) -> Option<PathBuf> {
    let mut node = Command::new("node");
    node.args(["-p", "require('@playwright/test').chromium.executablePath()"]);
    output(node.current_dir(project.playwright())).ok().map(|path| PathBuf::from(path.trim()))
}
