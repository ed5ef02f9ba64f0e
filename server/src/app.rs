//! `luxwire serve` from start to end: open everything, say so, run, stop in order.

use crate::{
    auth::{Files, FromElsewhere, OWN_USER, SignIn},
    cli::Serve,
    clock::Clock,
    config::{Config, Layers},
    demo::Demo,
    descriptors, heap,
    http::{self, Hosts, LargeAnswers, Origins, Proxies, Uploads, Web},
    hue::{self, HueService},
    limits,
    listen::{self, Listener, Speaks},
    log, record,
    shard::{Door, Room, Shard},
    storage::DataDir,
};
use anyhow::{Context as _, anyhow, bail};
use luxwire_devices::{
    connection::{Address, Scheme},
    stop::{StopSignal, StopSignals},
};
use std::{
    io::Write as _,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    process,
    sync::Arc,
    time::Duration,
};
use tokio::{
    runtime, select,
    task::{JoinSet, LocalSet, spawn_local},
    time::timeout,
};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// Runs until it is told to stop.
pub(crate) fn serve(serve: &Serve) -> anyhow::Result<()> {
    let mut layers = Layers::gather(&serve.settings)?;
    layers.add_flags(serve)?;
    let config = layers.finish()?;
    log::start();
    heap::keep_what_is_free();
    let auth = Files::read(&config.auth)?;
    let _data_dir = config.storage.dir.as_deref().map(DataDir::claim).transpose()?;
    if config.storage.dir.is_some() {
        warn!("sessions and retained values live in memory: this version keeps nothing across a restart");
    } else {
        info!("sessions and retained values live in memory and end with this process");
    }
    descriptors::raise_limit(config.limits.connections);
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("the system refuses what the program needs to run")?;
    let data_dir = config.storage.dir.as_deref();
    // A demo keeps nothing, not even a key.
    let keeps_nothing = serve.ephemeral || serve.demo;
    let places = Places {
        hue: hue::state_dir(data_dir, keeps_nothing),
        history: record::file(data_dir, keeps_nothing),
    };
    LocalSet::new().block_on(&runtime, run(config, auth, places, serve.demo))
}

/// Where the clients that the server hosts keep what they keep; `None` is in memory.
struct Places {
    hue: Option<PathBuf>,
    history: Option<PathBuf>,
}

async fn run(config: Config, auth: Files, places: Places, with_demo: bool) -> anyhow::Result<()> {
    // Before the ready lines: whoever reads those may stop us right away.
    let mut signals = StopSignals::listen().context("signals cannot be received")?;
    let mut listeners = Vec::new();
    for (addresses, speaks) in [(&config.http.listen, Speaks::Http), (&config.mqtt.listen, Speaks::Mqtt)] {
        for address in addresses {
            listeners.extend(Listener::open(address, speaks).await?);
        }
    }
    let mechanisms = auth.mechanisms()?;
    let permissions = auth.permissions();
    let sign_in = Arc::new(auth.sign_in(config.auth.anonymous)?);
    for listener in listeners.iter().filter(|listener| !listener.address.ip().is_loopback()) {
        say_who_may_come(listener, &sign_in);
    }
    let hue = HueService::new(config.hue.enabled);
    let way_in = way_in(&listeners, &sign_in);
    let demo = match &way_in {
        Some(broker) if with_demo => Some(Demo::open(broker.clone()).await?),
        Some(_) | None => None,
    };
    let ready = ready_lines(&listeners, demo.as_ref());

    let clock = Clock::start();
    let stop = CancellationToken::new();
    // When every client was told, and nothing more can come.
    let last = CancellationToken::new();
    let hash_seed = getrandom::u64().map_err(|error| anyhow!("the system gives no randomness: {error}"))?;
    // What the whole program depends on. None of it ever ends by itself.
    let mut essential = JoinSet::new();
    let broker = luxwire_broker::Config {
        limits: config.limits.for_broker(),
        hash_seed,
        mechanisms,
        passwords: true,
        permissions,
        sys_interval: config.sys.interval(),
    };
    let shard = Shard::start(&mut essential, &config, broker, Arc::clone(&sign_in), clock)
        .context("the system refuses what it takes to watch over connections")?;
    let mqtt_room = Arc::new(Room::new("MQTT", config.limits.connections as usize, clock));
    let http_room = Arc::new(Room::new("HTTP", limits::HTTP_CONNECTIONS, clock));
    let router = http::router(Web {
        door: Door::of(&mut essential, shard.clone(), Arc::clone(&mqtt_room)),
        sign_in,
        hosts: Arc::new(Hosts::new(&machine_name(), &config.http.allowed_hosts)),
        origins: Arc::new(Origins::new(&config.http.allowed_origins)),
        proxies: Arc::new(Proxies::new(&config.http.trusted_proxies)),
        clock,
        large_answers: LargeAnswers::new(),
        uploads: Uploads::new(config.limits.packet_size.bytes()),
        hue: hue.clone(),
    });
    let head_timeout = Duration::from_secs(config.limits.connect_timeout_s.into());
    for listener in listeners {
        let stop = stop.clone();
        match listener.speaks {
            Speaks::Http => {
                let (router, room) = (router.clone(), Arc::clone(&http_room));
                essential.spawn_local(listen::serve_http(listener, router, head_timeout, room, stop));
            }
            Speaks::Mqtt => {
                let (shard, room) = (shard.clone(), Arc::clone(&mqtt_room));
                let serving = listen::serve_mqtt(listener, shard, room, stop);
                essential.spawn_local(serving.context("the system does not watch over a listener")?);
            }
        }
    }
    // Clients like any other: the set ends them when this function ends.
    let mut devices = JoinSet::new();
    let bridges = demo.iter().map(Demo::bridge).collect();
    if let Some(demo) = demo {
        demo.start(&mut devices)?;
    }
    print(&ready).context("standard output is closed")?;
    devices.spawn_local(hue.run(way_in.clone(), places.hue, bridges));
    let mut recorder = JoinSet::new();
    if let Some(broker) = way_in.filter(|_| config.record.enabled || with_demo) {
        let settings = record::settings(&config.record, broker, places.history);
        recorder.spawn_local(record::run(settings, last.clone()));
    }

    let signal = select! {
        signal = signals.next() => signal,
        // A server that takes no connections or writes no answers is worse than none: whoever supervises it starts it
        // again. What panicked, and where, is in the log. A single link that fails does not come here.
        _ = essential.join_next() => bail!("an essential part of the program failed; please report what the log says"),
    };
    info!(?signal, "stopping");
    drop(devices);
    spawn_local(exit_at_once_on_ctrl_c(signals));
    stop.cancel();
    if timeout(limits::STOP_WITHIN, shard.stop()).await.is_err() {
        warn!("some clients did not take their goodbye in time");
    }
    last.cancel();
    if timeout(limits::LAST_VALUES_WITHIN, recorder.join_all()).await.is_err() {
        warn!("the disk did not take the last recorded values in time");
    }
    Ok(())
}

/// So that nobody has to wonder why the neighbours dim the lights, or why nobody gets in.
fn say_who_may_come(listener: &Listener, sign_in: &SignIn) {
    let address = listener.address;
    match sign_in.admits_from_elsewhere() {
        FromElsewhere::Everybody => {
            warn!(%address, "everybody who reaches this address controls the lights (auth.anonymous = true)");
        }
        FromElsewhere::Nobody => {
            warn!(
                %address,
                "nobody from other machines is let in: set auth.passwords (see luxwire passwd --help), \
                or auth.anonymous = true to let everybody in"
            );
        }
        FromElsewhere::Users => {}
    }
}

/// How a client of ours on this machine reaches the broker, and signs in.
fn way_in(listeners: &[Listener], sign_in: &SignIn) -> Option<Address> {
    let by = |speaks| listeners.iter().find(|listener| listener.speaks == speaks).map(|found| found.address);
    let tcp = |at: SocketAddr| Address {
        user: Some(OWN_USER.to_owned()),
        password: Some(sign_in.own_password().to_owned()),
        ..Address::tcp(own(at.ip()).to_string(), at.port())
    };
    let mqtt = by(Speaks::Mqtt).map(tcp);
    let websocket = |at| Address { scheme: Scheme::Ws, path: "/mqtt".to_owned(), ..tcp(at) };
    mqtt.or_else(|| by(Speaks::Http).map(websocket))
}

/// Where a listener is reached from its own machine.
fn own(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    }
}

fn machine_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// For somebody who waits at a terminal and has waited enough.
async fn exit_at_once_on_ctrl_c(mut signals: StopSignals) {
    while signals.next().await != StopSignal::Interrupt {}
    process::exit(1);
}

/// A contract: one line for each listener, then `ready`.
fn ready_lines(listeners: &[Listener], demo: Option<&Demo>) -> String {
    let mut lines = String::new();
    for listener in listeners {
        lines += &format!("listening {} {}\n", listener.speaks.as_str(), listener.address);
    }
    if let Some(demo) = demo {
        lines += &format!("listening hue-sim {}\n", demo.hub());
    }
    lines + "ready\n"
}

/// Whoever started us reads this through a pipe and waits for it.
fn print(lines: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(lines.as_bytes())?;
    out.flush()
}
