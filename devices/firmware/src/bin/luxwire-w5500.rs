//! The firmware of a board with a W5500 network chip: WIZnet W5500-EVB-Pico, or a Raspberry Pi Pico with a W5500 module.
//!
//! GP16 MISO, GP17 chip select, GP18 clock, GP19 MOSI, GP20 reset, GP21 interrupt, as wired on the W5500-EVB-Pico.
#![no_std]
#![no_main]

use embassy_executor::Spawner;
use embassy_net::StackResources;
use embassy_net_wiznet::{Device, Runner, State, chip::W5500};
use embassy_rp::{
    bind_interrupts, dma,
    gpio::{Input, Level, Output, Pull},
    peripherals::{DMA_CH0, DMA_CH1, SPI0},
    spi::{self, Async, Spi},
};
use embassy_time::Delay;
use embedded_hal_bus::spi::ExclusiveDevice;
use luxwire_firmware::{
    Board,
    board::{self, seed},
    log, memory, network, say,
    sign::{self, Heartbeat, Sign},
};
use static_cell::StaticCell;

bind_interrupts!(struct Interrupts {
    DMA_IRQ_0 => dma::InterruptHandler<DMA_CH0>, dma::InterruptHandler<DMA_CH1>;
});

type Bus = ExclusiveDevice<Spi<'static, SPI0, Async>, Output<'static>, Delay>;

/// The chip takes up to 80 MHz; half of our 125 MHz is the fastest that the RP2040 gives, and long wires take less.
const SPI_HZ: u32 = 31_250_000;

#[embassy_executor::main(executor = "embassy_rp::executor::Executor", entry = "cortex_m_rt::entry")]
async fn main(spawner: Spawner) {
    memory::prepare();
    let chip = embassy_rp::init(embassy_rp::config::Config::default());
    log::open(chip.UART0, chip.PIN_0);
    say!("Luxwire {} for W5500 boards", env!("CARGO_PKG_VERSION"));
    let heartbeat = Heartbeat::new(chip.WATCHDOG);
    let led = Output::new(chip.PIN_25, Level::Low);
    spawner.spawn(beat(heartbeat, led).expect("spawned once"));

    let settings = match board::settings(chip.FLASH) {
        Ok(settings) => settings,
        Err(error) => {
            say!("{error}: write them with `luxwire firmware settings` and copy the file to this board");
            return sign::show(Sign::Stuck);
        }
    };
    let board = Board::new(chip.ADC, chip.PIN_26, chip.PWM_SLICE7, chip.PIN_15);

    let mut config = spi::Config::default();
    config.frequency = SPI_HZ;
    let spi = Spi::new(
        chip.SPI0,
        chip.PIN_18,
        chip.PIN_19,
        chip.PIN_16,
        chip.DMA_CH0,
        chip.DMA_CH1,
        Interrupts,
        config,
    );
    let select = Output::new(chip.PIN_17, Level::High);
    let bus = ExclusiveDevice::new(spi, select, Delay).expect("a pin of our own cannot fail");
    let interrupt = Input::new(chip.PIN_21, Pull::Up);
    let reset = Output::new(chip.PIN_20, Level::High);
    static STATE: StaticCell<State<4, 4>> = StaticCell::new();
    let state = STATE.init(State::new());
    let (device, runner) =
        match embassy_net_wiznet::new(settings.mac.octets(), state, bus, interrupt, reset).await {
            Ok(parts) => parts,
            Err(error) => {
                say!("the W5500 does not answer ({error:?}): check its wires and its power");
                return sign::show(Sign::Stuck);
            }
        };
    spawner.spawn(ethernet(runner).expect("spawned once"));

    static RESOURCES: StaticCell<StackResources<{ network::SOCKETS }>> = StaticCell::new();
    let resources = RESOURCES.init(StackResources::new());
    let (stack, runner) = embassy_net::new(device, network::config(&settings), resources, seed(settings.mac));
    spawner.spawn(internet(runner).expect("spawned once"));

    luxwire_firmware::serve(board, &settings, stack).await
}

#[embassy_executor::task]
async fn beat(mut heartbeat: Heartbeat, mut led: Output<'static>) -> ! {
    loop {
        led.set_level(heartbeat.next().await.into());
    }
}

#[embassy_executor::task]
async fn ethernet(runner: Runner<'static, W5500, Bus, Input<'static>, Output<'static>>) -> ! {
    runner.run().await
}

#[embassy_executor::task]
async fn internet(mut runner: embassy_net::Runner<'static, Device<'static>>) -> ! {
    runner.run().await
}
