//! Sockets and time for the shared client: opens what it wants opened, writes what it wants written, hands over what is
//! read. What is said is the business of `conversation.rs`.

use crate::{
    Board,
    board::seed,
    clock::{board_time, now},
    conversation::Conversation,
    knob::{Knob, TURNED},
    limits, say,
    sign::{self, Sign},
};
use alloc::{collections::VecDeque, vec};
use bytes::{Buf as _, Bytes};
use embassy_futures::{
    join::join,
    select::{Either, Either4, select, select4},
};
use embassy_net::{IpEndpoint, Stack, dns::DnsQueryType, tcp::TcpSocket};
use embassy_time::{Duration, Timer};
use luxwire_board_settings::{Broker, Settings};
use luxwire_shared::client::Action;

/// Serves the lights of the settings for ever.
pub async fn serve(board: Board, settings: &Settings, stack: Stack<'static>) -> ! {
    let Board { knob, lamp } = board;
    let conversation = Conversation::new(settings, lamp, seed(settings.mac));
    let watched: Option<Knob> = settings.roles.dimmer().is_some().then_some(knob);
    let (_, never) = join(
        async {
            if let Some(knob) = watched {
                knob.watch().await;
            }
        },
        talk(conversation, &settings.broker, stack),
    )
    .await;
    never
}

async fn talk(mut conversation: Conversation, broker: &Broker, stack: Stack<'static>) -> ! {
    let (mut received, mut sent) = (vec![0; limits::SOCKET_BUFFER], vec![0; limits::SOCKET_BUFFER]);
    let mut socket = TcpSocket::new(stack, &mut received, &mut sent);
    // Each packet is small and meant to arrive at once.
    socket.set_nagle_enabled(false);
    let mut unwritten = VecDeque::new();
    loop {
        conversation.attend();
        match conversation.client.poll_action() {
            Some(Action::Open) => {
                socket.abort();
                unwritten.clear();
                open(&mut conversation, &mut socket, broker, stack).await;
            }
            Some(Action::Write(bytes)) => unwritten.push_back(bytes),
            Some(Action::Close) => close(&mut socket, &mut unwritten).await,
            None => next(&mut conversation, &mut socket, &mut unwritten).await,
        }
    }
}

/// Waits for the first of: bytes to read, room to write, a turn of the knob, the client's next deadline.
async fn next(conversation: &mut Conversation, socket: &mut TcpSocket<'_>, unwritten: &mut VecDeque<Bytes>) {
    let deadline = conversation.client.next_deadline();
    let mut buffer = [0; limits::READ];
    let is_open = socket.may_recv() || socket.may_send() || socket.recv_queue() > 0;
    let (mut reader, mut writer) = socket.split();
    let read = async {
        match is_open {
            true => reader.read(&mut buffer).await,
            false => core::future::pending().await,
        }
    };
    let write = async {
        match unwritten.front() {
            Some(bytes) if is_open => writer.write(bytes).await,
            Some(_) | None => core::future::pending().await,
        }
    };
    let alarm = async {
        match deadline {
            Some(deadline) => Timer::at(board_time(deadline)).await,
            None => core::future::pending().await,
        }
    };
    match select4(read, write, TURNED.wait(), alarm).await {
        // The end, or a reset.
        Either4::First(Ok(0) | Err(_)) | Either4::Second(Err(_)) => {
            unwritten.clear();
            socket.abort();
            conversation.client.transport_closed(now());
        }
        Either4::First(Ok(len)) => {
            let bytes = buffer.get(..len).unwrap_or_default();
            conversation.client.receive(Bytes::copy_from_slice(bytes), now());
        }
        Either4::Second(Ok(len)) => {
            if let Some(bytes) = unwritten.front_mut() {
                bytes.advance(len.min(bytes.len()));
                if bytes.is_empty() {
                    unwritten.pop_front();
                }
            }
        }
        Either4::Third(publish) => conversation.turned(publish),
        Either4::Fourth(()) => conversation.client.tick(now()),
    }
}

/// Opens the transport, or tells the client that it cannot be opened; gives up at the client's deadline.
async fn open(
    conversation: &mut Conversation,
    socket: &mut TcpSocket<'_>,
    broker: &Broker,
    stack: Stack<'static>,
) {
    let deadline = conversation.client.next_deadline().unwrap_or_else(now);
    let opened = select(connect(socket, broker, stack), Timer::at(board_time(deadline))).await;
    match opened {
        Either::First(true) => conversation.client.transport_opened(now()),
        Either::First(false) => conversation.client.transport_closed(now()),
        Either::Second(()) => conversation.client.tick(now()),
    }
}

async fn connect(socket: &mut TcpSocket<'_>, broker: &Broker, stack: Stack<'static>) -> bool {
    sign::show(Sign::Searching);
    if !stack.is_config_up() {
        let what = if stack.is_link_up() { "an address" } else { "the network" };
        say!("waiting for {what}");
        stack.wait_config_up().await;
    }
    let host = broker.host.as_str();
    let address = match stack.dns_query(host, DnsQueryType::A).await {
        Ok(addresses) if !addresses.is_empty() => addresses.first().copied(),
        Ok(_) | Err(_) => None,
    };
    let Some(address) = address else {
        say!("the network does not know {host}");
        return false;
    };
    match stack.config_v4() {
        Some(config) => say!("connecting to {host}, port {}, from {}", broker.port, config.address),
        None => return false,
    }
    socket.connect(IpEndpoint::new(address, broker.port)).await.is_ok()
}

/// Lets the last words go out, but not for long.
async fn close(socket: &mut TcpSocket<'_>, unwritten: &mut VecDeque<Bytes>) {
    let last_words = async {
        while let Some(bytes) = unwritten.front_mut() {
            let Ok(len) = socket.write(bytes).await else { return };
            bytes.advance(len.min(bytes.len()));
            if bytes.is_empty() {
                unwritten.pop_front();
            }
        }
        socket.close();
        let _ = socket.flush().await;
    };
    select(last_words, Timer::after(GOODBYE)).await;
    unwritten.clear();
    socket.abort();
}

const GOODBYE: Duration = Duration::from_millis(500);
