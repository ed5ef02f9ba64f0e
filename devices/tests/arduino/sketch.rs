//! From a sketch to a program: as the Arduino IDE would compile it, but for this machine.

use anyhow::{Context as _, Result, ensure};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    },
};

/// The same strictness everywhere; undefined behaviour and stray memory accesses end the program.
const FLAGS: [&str; 8] = [
    "-std=gnu++17",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-O1",
    "-g1",
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=all",
];

/// The boards that the sketches name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Board {
    Esp8266,
    /// Board packages "esp32" from 3.0 on.
    Esp32,
    /// Board package "Arduino ESP32 Boards", which stands on version 2.
    NanoEsp32,
    UnoR4,
    Nano33Iot,
}

impl Board {
    pub(crate) const ALL: [Self; 5] =
        [Self::Esp8266, Self::Esp32, Self::NanoEsp32, Self::UnoR4, Self::Nano33Iot];

    /// What the Arduino IDE defines for it.
    fn definitions(self) -> &'static [&'static str] {
        match self {
            Self::Esp8266 => &["-DARDUINO_ARCH_ESP8266", "-DESP8266"],
            Self::Esp32 => &["-DARDUINO_ARCH_ESP32", "-DESP32", "-DESP_ARDUINO_VERSION_MAJOR=3"],
            Self::NanoEsp32 => &["-DARDUINO_ARCH_ESP32", "-DESP32", "-DESP_ARDUINO_VERSION_MAJOR=2"],
            Self::UnoR4 => &["-DARDUINO_ARCH_RENESAS", "-DARDUINO_UNOR4_WIFI"],
            Self::Nano33Iot => &["-DARDUINO_ARCH_SAMD", "-DARDUINO_SAMD_NANO_33_IOT"],
        }
    }

    /// The greatest count of its converter.
    pub(crate) fn adc_max(self) -> u16 {
        if self == Self::Esp8266 { 1_024 } else { 4_095 }
    }

    /// The bits of its PWM.
    pub(crate) fn pwm_bits(self) -> u8 {
        if self == Self::Esp8266 { 10 } else { 12 }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sketch {
    Dimmer,
    Lamp,
}

impl Sketch {
    fn name(self) -> &'static str {
        match self {
            Self::Dimmer => "dimmer",
            Self::Lamp => "lamp",
        }
    }

    /// As it stands in the repository.
    pub(crate) fn compile(self, board: Board) -> Program {
        self.compile_changed(board, &[]).unwrap()
    }

    /// With changes to the sketch or its `secrets.h`, as somebody would make them in the editor. What is replaced must be
    /// there exactly once.
    pub(crate) fn compile_changed(self, board: Board, changes: &[(&str, &str)]) -> Result<Program> {
        let folder = arduino().join(self.name());
        let mut sketch = fs::read_to_string(folder.join(format!("{}.ino", self.name())))?;
        let mut secrets = fs::read_to_string(folder.join("secrets.h"))?;
        for (from, to) in changes {
            let places = sketch.matches(from).count() + secrets.matches(from).count();
            ensure!(places == 1, "{from:?} is there {places} times in the {}", self.name());
            sketch = sketch.replace(from, to);
            secrets = secrets.replace(from, to);
        }
        let workshop = &*WORKSHOP;
        let place = workshop.new_folder(self.name())?;
        let source = place.join(format!("{}.cpp", self.name()));
        fs::write(&source, format!("#include <Arduino.h>\n#line 1 \"{}.ino\"\n{sketch}", self.name()))?;
        fs::write(place.join("secrets.h"), secrets)?;
        let program = place.join(self.name());
        let mut compiler = workshop.compiler();
        compiler.args(board.definitions()).arg(source).arg(host().join("board.cpp"));
        compiler.args(&workshop.objects).arg("-o").arg(&program);
        succeed(compiler).with_context(|| format!("the {} for {board:?}", self.name()))?;
        Ok(Program { path: program })
    }
}

/// A sketch that can be run.
pub(crate) struct Program {
    path: PathBuf,
}

impl Program {
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// Where programs are made, with the part of the shim that is the same for every board.
struct Workshop {
    cxx: PathBuf,
    folder: PathBuf,
    folders: AtomicU32,
    objects: Vec<PathBuf>,
}

static WORKSHOP: LazyLock<Workshop> = LazyLock::new(|| Workshop::new().unwrap());

impl Workshop {
    fn new() -> Result<Self> {
        let cxx = env::var_os("LUXWIRE_CXX").context(
            "a C++ compiler is needed, and LUXWIRE_CXX does not say where it is: run `cargo xtask test`, which finds it",
        )?;
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("arduino");
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        let mut workshop = Self { cxx: cxx.into(), folder, folders: AtomicU32::new(0), objects: Vec::new() };
        for part in ["main", "surroundings", "ArduinoMqttClient"] {
            let object = workshop.folder.join(format!("{part}.o"));
            let mut compiler = workshop.compiler();
            // Only board.cpp and the sketch differ from board to board.
            compiler.args(Board::Esp32.definitions()).arg("-c").arg(host().join(format!("{part}.cpp")));
            compiler.arg("-o").arg(&object);
            succeed(compiler)?;
            workshop.objects.push(object);
        }
        Ok(workshop)
    }

    fn compiler(&self) -> Command {
        let mut compiler = Command::new(&self.cxx);
        compiler.args(FLAGS).arg("-I").arg(host());
        compiler
    }

    fn new_folder(&self, name: &str) -> Result<PathBuf> {
        let number = self.folders.fetch_add(1, Ordering::Relaxed);
        let folder = self.folder.join(format!("{name}-{number}"));
        fs::create_dir(&folder)?;
        Ok(folder)
    }
}

fn succeed(mut compiler: Command) -> Result<()> {
    let output = compiler.output().with_context(|| format!("{compiler:?}"))?;
    ensure!(output.status.success(), "{compiler:?}\n{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

fn arduino() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("arduino")
}

fn host() -> PathBuf {
    arduino().join("host")
}
