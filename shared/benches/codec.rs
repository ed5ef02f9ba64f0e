//! PUBLISH through our codec and through `mqttbytes`, side by side in one run.
//!
//! `cargo bench -p luxwire-shared --bench codec`
//!
//! Each library is used as an edge would use it. Decoding starts with the whole packets that reading has brought into a
//! `BytesMut` (64 KiB, or 64 packets where these are larger) and ends when each was looked at and dropped; encoding
//! appends to one buffer that is used again. `elem` in the output is a packet. Nothing but PUBLISH is measured: no other
//! packet comes often enough to matter.

use bytes::{Bytes, BytesMut};
use criterion::{
    BatchSize, BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime,
};
use luxwire_shared::mqtt::{
    Delivery, Framer, Packet, PacketId, Publish, PublishRef, PublishTopic, QoS, TopicName, Version,
};
use std::hint::black_box;

const TOPIC: &str = "lights/kitchen/intensity";
const PAYLOAD_SIZES: [usize; 3] = [16, 256, 16 * 1024];
const QUALITIES: [QoS; 2] = [QoS::AtMostOnce, QoS::AtLeastOnce];
const VERSIONS: [Version; 2] = [Version::V3_1_1, Version::V5];
const READ_SIZE: usize = 64 * 1024;
const READ_PACKETS_MIN: usize = 64;
const PACKET_SIZE_MAX: u32 = 1024 * 1024;
/// How many packets are written before the buffer is used again.
const WRITTEN_BATCH: u64 = 64;

fn publish(qos: QoS, payload_len: usize) -> Publish {
    let topic = TopicName::try_from(TOPIC).expect("a topic name");
    let payload = Bytes::from(vec![b'x'; payload_len]);
    Publish { delivery: Delivery::first(qos, PacketId::MIN), ..Publish::new(topic, payload) }
}

/// As many packets as reading brings.
fn one_read(publish: &Publish, version: Version) -> (BytesMut, u64) {
    let packet = Packet::Publish(publish.clone());
    let len = packet.encoded_len(version).expect("can be written");
    let count = (READ_SIZE / len).max(READ_PACKETS_MIN);
    let mut bytes = BytesMut::new();
    for _ in 0..count {
        packet.encode(version, &mut bytes).expect("can be written");
    }
    (bytes, count as u64)
}

fn decode(criterion: &mut Criterion) {
    each_case(criterion, "decode", |group, version, publish, name| {
        let (bytes, count) = one_read(publish, version);
        group.throughput(Throughput::Elements(count));
        group.bench_function(format!("{name}/ours"), |bencher| {
            let mut framer = Framer::new(PACKET_SIZE_MAX);
            bencher.iter_batched(
                || BytesMut::from(&bytes[..]),
                |mut read| {
                    framer.push(read.split().freeze());
                    let mut packets = 0;
                    while let Ok(Some(ref packet)) = framer.next_packet(version) {
                        black_box(packet);
                        packets += 1;
                    }
                    assert_eq!(packets, count);
                    read
                },
                BatchSize::SmallInput,
            );
        });
        group.bench_function(format!("{name}/mqttbytes"), |bencher| {
            bencher.iter_batched(
                || BytesMut::from(&bytes[..]),
                |mut read| {
                    let mut packets = 0;
                    match version {
                        Version::V5 => {
                            while let Ok(ref packet) =
                                mqttbytes::v5::read(&mut read, PACKET_SIZE_MAX as usize)
                            {
                                black_box(packet);
                                packets += 1;
                            }
                        }
                        Version::V3_1 | Version::V3_1_1 => {
                            while let Ok(ref packet) =
                                mqttbytes::v4::read(&mut read, PACKET_SIZE_MAX as usize)
                            {
                                black_box(packet);
                                packets += 1;
                            }
                        }
                    }
                    assert_eq!(packets, count);
                    read
                },
                BatchSize::SmallInput,
            );
        });
    });
}

fn encode(criterion: &mut Criterion) {
    each_case(criterion, "encode", |group, version, publish, name| {
        group.throughput(Throughput::Elements(WRITTEN_BATCH));
        let mut out = BytesMut::new();
        let packet = Packet::Publish(publish.clone());
        group.bench_function(format!("{name}/ours"), |bencher| {
            bencher.iter(|| {
                out.clear();
                for _ in 0..WRITTEN_BATCH {
                    black_box(&packet).encode(version, &mut out).expect("can be written");
                }
                black_box(&out);
            });
        });
        let PublishTopic::Name(topic) = &publish.topic else { unreachable!("made with a name") };
        let parts = PublishRef {
            delivery: publish.delivery,
            retain: false,
            topic: PublishTopic::Name(topic.borrowed()),
            properties: None,
            message_expiry_interval_s: None,
            subscription_ids: &[],
            set_at: None,
            payload: &publish.payload,
        };
        group.bench_function(format!("{name}/ours from parts"), |bencher| {
            bencher.iter(|| {
                out.clear();
                for _ in 0..WRITTEN_BATCH {
                    black_box(&parts).encode(version, &mut out).expect("can be written");
                }
                black_box(&out);
            });
        });
        let qos = mqttbytes::qos(publish.qos().number()).expect("0, 1 or 2");
        let mut v4 = mqttbytes::v4::Publish::from_bytes(TOPIC, qos, publish.payload.clone());
        v4.pkid = publish.delivery.packet_id().map_or(0, PacketId::number);
        let mut v5 = mqttbytes::v5::Publish::from_bytes(TOPIC, qos, publish.payload.clone());
        v5.pkid = v4.pkid;
        group.bench_function(format!("{name}/mqttbytes"), |bencher| {
            bencher.iter(|| {
                out.clear();
                for _ in 0..WRITTEN_BATCH {
                    match version {
                        Version::V5 => black_box(&v5).write(&mut out).expect("can be written"),
                        Version::V3_1 | Version::V3_1_1 => {
                            black_box(&v4).write(&mut out).expect("can be written")
                        }
                    };
                }
                black_box(&out);
            });
        });
    });
}

fn each_case(
    criterion: &mut Criterion,
    what: &str,
    mut bench: impl FnMut(&mut BenchmarkGroup<'_, WallTime>, Version, &Publish, &str),
) {
    let mut group = criterion.benchmark_group(what);
    for version in VERSIONS {
        for qos in QUALITIES {
            for payload_len in PAYLOAD_SIZES {
                let name = format!("{version:?} QoS {} {payload_len} B", qos.number());
                bench(&mut group, version, &publish(qos, payload_len), &name);
            }
        }
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().without_plots();
    targets = decode, encode
}
criterion_main!(benches);
