//! Eclipse Paho's client library in C and the programs that test it, compiled from the sources that the crate
//! `paho-mqtt-sys` carries. Those programs are told where a broker is, and so judge it, too. What each of them does is known
//! to the tests that run them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::cache::{Cache, remove};
use crate::programs::cargo;
use crate::project::read;
use crate::steps::Step;

/// Which of the crate.
const VERSION: &str = "0.11.0";

/// Which of the library; that is for its user to say.
const OF_LIBRARY: [&str; 3] = ["1", "3", "16"];

/// The programs that want nothing but a broker and, some of them, a proxy in front of it; and whether they are made with
/// the asynchronous half of the library or with the other one.
const PROGRAMS: [(&str, Half); 10] = [
    ("test1", Half::Synchronous),
    ("test2", Half::Synchronous),
    ("test10", Half::Synchronous),
    ("test15", Half::Synchronous),
    ("test4", Half::Asynchronous),
    ("test8", Half::Asynchronous),
    ("test9", Half::Asynchronous),
    ("test11", Half::Asynchronous),
    ("test45", Half::Asynchronous),
    ("test95", Half::Asynchronous),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Half {
    Synchronous,
    Asynchronous,
}

/// Compiles everything into the cache, and hands back the folder with the programs.
pub(crate) fn install(step: &mut Step, cache: &Cache, compiler: &Path) -> Result<PathBuf> {
    let name = format!("paho-c-{}", OF_LIBRARY.join("."));
    cache.install(&name, |folder| {
        let sources = Sources::download(step, folder)?;
        sources.compile(step, compiler, folder)?;
        remove(&sources.downloaded)
    })
}

/// Where the sources are, and objects are put.
struct Sources {
    downloaded: PathBuf,
    library: PathBuf,
    programs: PathBuf,
}

impl Sources {
    /// Lets cargo fetch the crate and check it, as it does with every other.
    fn download(step: &mut Step, folder: &Path) -> Result<Self> {
        let downloaded = folder.join("sources");
        fs::create_dir(&downloaded)?;
        let manifest = downloaded.join("Cargo.toml");
        let wanted = format!(
            "[package]\nname = \"wants\"\n[lib]\npath = \"lib.rs\"\n[workspace]\n\
             [dependencies]\npaho-mqtt-sys = {{ version = \"={VERSION}\", default-features = false }}\n"
        );
        fs::write(&manifest, wanted)?;
        fs::write(downloaded.join("lib.rs"), "")?;
        let crates = downloaded.join("crates");
        // It prints how its result is used in a manifest, which nobody wants to know here.
        step.command(cargo().args(["vendor", "--quiet", "--manifest-path"]).arg(&manifest).arg(&crates))?;
        let root = crates.join("paho-mqtt-sys/paho.mqtt.c");
        let sources = Self { library: root.join("src"), programs: root.join("test"), downloaded };
        sources.name_version()?;
        Ok(sources)
    }

    /// CMake would fill in this file; nothing else needs CMake.
    fn name_version(&self) -> Result<()> {
        let [major, minor, patch] = OF_LIBRARY;
        let text = read(&self.library.join("VersionInfo.h.in"))?
            .replace("@PROJECT_VERSION@", &OF_LIBRARY.join("."))
            .replace("@PROJECT_VERSION_MAJOR@", major)
            .replace("@PROJECT_VERSION_MINOR@", minor)
            .replace("@PROJECT_VERSION_PATCH@", patch);
        fs::write(self.library.join("VersionInfo.h"), text).context("cannot write VersionInfo.h")
    }

    fn compile(&self, step: &mut Step, compiler: &Path, folder: &Path) -> Result<()> {
        let mut shared = Vec::new();
        let (mut synchronous, mut asynchronous) = (Vec::new(), Vec::new());
        for entry in fs::read_dir(&self.library)? {
            let source = entry?.path();
            if source.extension().is_none_or(|extension| extension != "c") {
                continue;
            }
            let name = source.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let object = self.downloaded.join(&name).with_extension("o");
            match name.as_str() {
                // TLS, for which OpenSSL would be needed, and a program of its own.
                "SSLSocket" | "MQTTVersion" => continue,
                "MQTTClient" => synchronous.push(object.clone()),
                "MQTTAsync" | "MQTTAsyncUtils" => asynchronous.push(object.clone()),
                _ => shared.push(object.clone()),
            }
            step.command(self.c(compiler).arg("-c").arg(&source).arg("-o").arg(&object))?;
        }
        for (program, half) in PROGRAMS {
            let half = if half == Half::Synchronous { &synchronous } else { &asynchronous };
            let mut link = self.c(compiler);
            link.arg(self.programs.join(program).with_extension("c"));
            // The objects are no C.
            link.args(["-x", "none"]).args(half).args(&shared).arg("-lpthread");
            step.command(link.arg("-o").arg(folder.join(program)))?;
        }
        Ok(())
    }

    /// The compiler for C++ also takes C, if told.
    fn c(&self, compiler: &Path) -> Command {
        let mut command = Command::new(compiler);
        command.args(["-x", "c", "-w", "-D_GNU_SOURCE", "-DPAHO_MQTT_STATIC=1"]);
        command.arg("-I").arg(&self.library);
        command
    }
}
