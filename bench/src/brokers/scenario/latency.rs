//! How long a message takes: while nothing else happens, and while the broker does half of what it can do.
//!
//! Who asks is a process of its own, so that its times are the broker's and not those of the generator's queue.

use super::{
    super::{
        figure::{Figure, Figures},
        load::{Link, Load, Over, Packet, Packets, Stamp, packets},
        peer::Running,
        relay::client_id,
        usage::Moment,
    },
    Extent,
    flow::Flow,
};
use crate::statistics::percentile;
use anyhow::{Context as _, Result, ensure};
use mqttbytes::QoS;
use serde::{Deserialize, Serialize};
use std::{
    net::SocketAddr,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Asks for so long at this QoS; beside it, `background` goes on at half of the rate that it reaches alone.
pub(super) fn measure(
    qos: QoS,
    background: Option<&Flow>,
    broker: &Running,
    extent: &Extent,
) -> Result<Figures> {
    let mut load = Load::new()?;
    let mut rate = 0.0;
    if let Some(flow) = background {
        flow.build(&mut load, broker)?;
        load.run(extent.warm_up)?;
        let (began, delivered) = (Instant::now(), load.delivered());
        load.run(extent.warm_up.max(Duration::from_millis(500)))?;
        rate = (load.delivered() - delivered) as f64 / began.elapsed().as_secs_f64();
        load.pace(rate / 2.0);
        // What was under way at full speed is gone before anybody asks.
        load.run(extent.warm_up)?;
    }
    let (moment, delivered) = (Moment::take(broker.process, &extent.cores.used())?, load.delivered());
    let answer = ask(qos, broker, extent, &mut load)?;
    let span = Moment::take(broker.process, &extent.cores.used())?.since(&moment);

    let seconds = span.time.as_secs_f64();
    let mut figures = Figures::from([
        (Figure::HalfWithinUs, answer.half_us),
        (Figure::MostWithinUs, answer.most_us),
        (Figure::NearlyAllWithinUs, answer.nearly_all_us),
        (Figure::GeneratorCores, span.generator.as_secs_f64() / seconds),
    ]);
    if background.is_some() {
        let delivered = (load.delivered() - delivered) as f64 / seconds;
        figures.insert(Figure::BackgroundPerS, delivered);
        ensure!(delivered > rate / 8.0, "the background stopped");
    }
    if let Some(broker) = span.broker {
        figures.insert(Figure::BrokerCores, broker.as_secs_f64() / seconds);
    }
    Ok(figures)
}

/// What the prober tells.
#[derive(Debug, Serialize, Deserialize)]
struct Answer {
    half_us: f64,
    most_us: f64,
    nearly_all_us: f64,
}

/// Starts the prober and keeps the background going until it is done.
fn ask(qos: QoS, broker: &Running, extent: &Extent, load: &mut Load) -> Result<Answer> {
    let Over::Tcp(address) = &broker.tcp else { anyhow::bail!("the prober speaks TCP") };
    let ourselves = std::env::current_exe().context("where is this program itself?")?;
    let mut command = if may_go_first() {
        let mut command = Command::new("chrt");
        command.args(["--fifo", "1"]).arg(ourselves);
        command
    } else {
        Command::new(ourselves)
    };
    command.arg("prober").arg(address.to_string()).arg((qos as u8).to_string());
    command.arg(extent.time.as_secs_f64().to_string());
    let mut prober = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .context("the prober cannot be started")?;
    let end = Instant::now() + extent.time + PATIENCE;
    while prober.try_wait().context("the prober is lost")?.is_none() {
        if Instant::now() > end {
            prober.kill().context("the prober cannot be ended")?;
        }
        load.run(Duration::from_millis(20))?;
    }
    let output = prober.wait_with_output().context("the prober is lost")?;
    ensure!(output.status.success(), "the prober failed: a message did not arrive");
    serde_json::from_slice(&output.stdout).context("the prober tells nothing")
}

/// The longest that a single message may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// Whether the kernel lets a program run before all others on its core: otherwise it would wait for the generator.
fn may_go_first() -> bool {
    let mut trial = Command::new("chrt");
    trial.args(["--fifo", "1", "true"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    trial.status().is_ok_and(|status| status.success())
}

/// One message after the other, from itself to itself, for so long.
#[derive(Debug, clap::Args)]
pub(crate) struct Prober {
    address: SocketAddr,
    qos: u8,
    seconds: f64,
}

impl Prober {
    /// Asks, and tells on standard output.
    pub(crate) fn run(&self) -> Result<()> {
        let qos = mqttbytes::qos(self.qos).ok().context("there is no such QoS")?;
        let over = Over::Tcp(self.address);
        let mut subscriber = Link::open(&over, &client_id(GROUP, 's', 0))?;
        subscriber.subscribe(&["bench/prober".to_owned()], qos)?;
        let mut publisher = Link::open(&over, &client_id(GROUP, 'p', 0))?;
        let mut messages = Packets::default();
        messages.push("bench/prober", qos, PAYLOAD_LEN, 0)?;
        let place = messages.place(0).context("a packet is there")?;

        let began = Instant::now();
        let mut times_us = Vec::new();
        let mut number = 0;
        while began.elapsed().as_secs_f64() < self.seconds {
            // An odd rhythm, so that it does not keep step with anything.
            thread::sleep(Duration::from_micros(1_700 + u64::from(number) * 7_919 % 2_600));
            let id = (number % 60_000 + 1) as u16;
            messages.patch(place, Stamp { stream: 0, sequence: number, sent_ns: 0 }, id);
            let sent = Instant::now();
            publisher.send(messages.between(place, place))?;
            let received = subscriber.wait(|packet| match packet {
                Packet::Publish { id, payload, .. } => {
                    let ours = Stamp::of(payload).is_some_and(|stamp| stamp.sequence == number);
                    ours.then_some((Instant::now(), id))
                }
                _ => None,
            });
            let (received, id) = received?;
            times_us.push(received.duration_since(sent).as_secs_f64() * 1e6);
            if qos == QoS::AtLeastOnce {
                subscriber.send(&packets::acknowledgement(packets::PUBACK, id))?;
                publisher.wait(|packet| matches!(packet, Packet::Puback).then_some(()))?;
            }
            number += 1;
        }
        times_us.sort_by(f64::total_cmp);
        let part = |part| percentile(&times_us, part).context("nothing was asked");
        let answer = Answer { half_us: part(0.5)?, most_us: part(0.99)?, nearly_all_us: part(0.999)? };
        println!("{}", serde_json::to_string(&answer)?);
        Ok(())
    }
}

/// Nobody else's.
const GROUP: usize = 1_000_000;
const PAYLOAD_LEN: usize = 64;
