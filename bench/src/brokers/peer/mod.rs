//! Who is measured: ours, the limit, and other people's brokers, each started afresh for each cell of the table, or
//! found running.
//!
//! Each is given what makes it fast and comparable: no log, no storage, room for everything that it is asked.

mod luxwire;
mod mosquitto;
mod nats;
mod relay;
mod rumqttd;

use super::{
    cores::Cores,
    load::{Link, Over},
    stop,
    usage::Process,
};
use anyhow::{Context as _, Result, bail, ensure};
use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        atomic::{AtomicU32, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

/// A broker that can be started, or is running somewhere.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    /// As the table calls it.
    pub(super) name: String,
    pub(super) kind: Kind,
}

/// What it is.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    Luxwire(PathBuf),
    Relay,
    Mosquitto(PathBuf),
    Rumqttd(PathBuf),
    Nats(PathBuf),
    /// Somebody else started it, and nobody ends it.
    Running {
        mqtt: SocketAddr,
        process: Option<Process>,
    },
}

/// One that runs, until it is dropped.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) tcp: Over,
    /// Where it speaks MQTT over WebSocket, if it does.
    pub(super) websocket: Option<Over>,
    pub(super) process: Option<Process>,
    /// From its start until it has welcomed a client.
    pub(super) ready_after: Duration,
    _program: Option<Program>,
    _folder: Option<Folder>,
}

impl Peer {
    /// Starts it, and waits until it welcomes a client.
    pub(super) fn start(&self, cores: &Cores) -> Result<Running> {
        let began = Instant::now();
        let started = match &self.kind {
            Kind::Luxwire(program) => luxwire::start(program, cores),
            Kind::Relay => relay::start(cores),
            Kind::Mosquitto(program) => mosquitto::start(program, cores),
            Kind::Rumqttd(program) => rumqttd::start(program, cores),
            Kind::Nats(program) => nats::start(program, cores),
            Kind::Running { mqtt, process } => {
                Ok(Started { tcp: *mqtt, websocket: None, program: None, folder: None, process: *process })
            }
        };
        let mut started = started.with_context(|| format!("{} does not start", self.name))?;
        let tcp = Over::Tcp(started.tcp);
        while let Err(error) = Link::open(&tcp, "0-s0") {
            stop::check()?;
            if let Some(program) = &mut started.program {
                let ended = program.0.try_wait().context("cannot see whether it runs")?;
                ensure!(ended.is_none(), "{} ended at once: {}", self.name, ended.unwrap_or_default());
            }
            if began.elapsed() > READY_WITHIN {
                return Err(error.context(format!("{} is not ready", self.name)));
            }
            thread::sleep(ASK_EVERY);
        }
        Ok(Running {
            tcp,
            websocket: started.websocket.map(|(address, path)| Over::WebSocket(address, path)),
            process: started.process.or(started.program.as_ref().map(|program| Process(program.0.id()))),
            ready_after: began.elapsed(),
            _program: started.program,
            _folder: started.folder,
        })
    }

    /// What it says of its version.
    pub(super) fn version(&self) -> String {
        let (program, argument) = match &self.kind {
            Kind::Luxwire(program) | Kind::Rumqttd(program) | Kind::Nats(program) => (program, "--version"),
            Kind::Mosquitto(program) => (program, "-h"),
            Kind::Relay => return "copies bytes: the limit".into(),
            Kind::Running { mqtt, .. } => return format!("found running at {mqtt}"),
        };
        let output = Command::new(program).arg(argument).stdin(Stdio::null()).output();
        let text = output.map(|output| output.stdout).unwrap_or_default();
        String::from_utf8_lossy(&text).lines().next().unwrap_or("unknown").trim().to_owned()
    }
}

const READY_WITHIN: Duration = Duration::from_secs(20);
const ASK_EVERY: Duration = Duration::from_millis(1);

/// A broker that was started and may not be ready.
struct Started {
    tcp: SocketAddr,
    websocket: Option<(SocketAddr, &'static str)>,
    program: Option<Program>,
    folder: Option<Folder>,
    process: Option<Process>,
}

/// A program that ends when this is dropped.
#[derive(Debug)]
struct Program(Child);

impl Program {
    /// Starts it on the broker's core. What it says is not looked at.
    fn start(command: &mut Command, cores: &Cores) -> Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = cores.as_broker(|| command.spawn().context("it cannot be executed"))?;
        Ok(Self(child))
    }

    /// Starts one that says `listening NAME ADDRESS` for each listener and then `ready`. Returns the addresses.
    fn start_telling(command: &mut Command, cores: &Cores) -> Result<(Self, Vec<(String, SocketAddr)>)> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = cores.as_broker(|| command.spawn().context("it cannot be executed"))?;
        let output = child.stdout.take().context("standard output is piped")?;
        let program = Self(child);
        let (sender, lines) = mpsc::channel();
        // Goes on reading, so that the program can go on saying.
        thread::spawn(move || {
            BufReader::new(output).lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        let mut listeners = Vec::new();
        loop {
            let line = lines.recv_timeout(READY_WITHIN).context("it does not say that it is ready")?;
            let mut words = line.split_whitespace();
            match (words.next(), words.next(), words.next().map(str::parse)) {
                (Some("ready"), ..) => return Ok((program, listeners)),
                (Some("listening"), Some(name), Some(Ok(address))) => {
                    listeners.push((name.to_owned(), address))
                }
                _ => {}
            }
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn address_of(listeners: &[(String, SocketAddr)], name: &str) -> Result<SocketAddr> {
    let found = listeners.iter().find(|(listener, _)| listener == name);
    found.map(|(_, address)| *address).with_context(|| format!("it has no listener {name}"))
}

/// A folder for a broker's configuration, which goes away with it.
#[derive(Debug)]
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("luxwire-bench-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
        Ok(Self(folder))
    }

    fn write(&self, name: &str, text: &str) -> Result<PathBuf> {
        let file = self.0.join(name);
        fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
        Ok(file)
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Ports that nobody listens on: for brokers that cannot choose one themselves and say which.
fn free_ports<const COUNT: usize>() -> Result<[SocketAddr; COUNT]> {
    let mut listeners = Vec::new();
    for _ in 0..COUNT {
        listeners.push(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("there is no free port")?);
    }
    let addresses: std::io::Result<Vec<_>> = listeners.iter().map(TcpListener::local_addr).collect();
    let Ok(addresses) = <[SocketAddr; COUNT]>::try_from(addresses?) else { bail!("there is no free port") };
    Ok(addresses)
}
