//! The firmware of a Raspberry Pi Pico W: the same, over Wi-Fi.
//!
//! The radio needs three files of its own (Infineon's, under their licence), which are not part of Luxwire: the build
//! takes them from the folder that `LUXWIRE_CYW43` names. Without that it compiles as well, and the board says what it lacks.
#![no_std]
#![no_main]

use cyw43::{Control, JoinOptions, NetDriver, PowerManagementMode, Runner, SpiBus, State, aligned_bytes};
use cyw43_pio::{DEFAULT_CLOCK_DIVIDER, PioSpi};
use embassy_executor::Spawner;
use embassy_futures::select::{Either, select};
use embassy_net::{Stack, StackResources};
use embassy_rp::{
    bind_interrupts, dma,
    gpio::{Level, Output},
    peripherals::{DMA_CH0, PIO0},
    pio::{self, Pio},
};
use embassy_time::{Duration, Timer};
use luxwire_board_settings::Wifi;
use luxwire_firmware::{
    Board,
    board::{self, seed},
    log, memory, network, say,
    sign::{self, Heartbeat, Sign},
};
use static_cell::StaticCell;

bind_interrupts!(struct Interrupts {
    PIO0_IRQ_0 => pio::InterruptHandler<PIO0>;
    DMA_IRQ_0 => dma::InterruptHandler<DMA_CH0>;
});

type Bus = SpiBus<Output<'static>, PioSpi<'static, PIO0, 0>>;

/// Between two attempts to join the network.
const JOIN_AGAIN: Duration = Duration::from_secs(5);
/// The board's LED hangs on the radio, not on the processor.
const LED: u8 = 0;

#[embassy_executor::main(executor = "embassy_rp::executor::Executor", entry = "cortex_m_rt::entry")]
async fn main(spawner: Spawner) {
    memory::prepare();
    let chip = embassy_rp::init(embassy_rp::config::Config::default());
    log::open(chip.UART0, chip.PIN_0);
    say!("Luxwire {} for the Pico W", env!("CARGO_PKG_VERSION"));
    let mut heartbeat = Heartbeat::new(chip.WATCHDOG);

    let firmware = aligned_bytes!(concat!(env!("OUT_DIR"), "/43439A0.bin"));
    let regions = aligned_bytes!(concat!(env!("OUT_DIR"), "/43439A0_clm.bin"));
    let tuning = aligned_bytes!(concat!(env!("OUT_DIR"), "/nvram_rp2040.bin"));
    if firmware.is_empty() || regions.is_empty() || tuning.is_empty() {
        say!("built without the radio's files: docs/firmware.md says how to build with them");
        return idle(heartbeat).await;
    }

    let Pio { mut common, sm0, irq0, .. } = Pio::new(chip.PIO0, Interrupts);
    let select = Output::new(chip.PIN_25, Level::High);
    let power = Output::new(chip.PIN_23, Level::Low);
    let dma = dma::Channel::new(chip.DMA_CH0, Interrupts);
    let spi =
        PioSpi::new(&mut common, sm0, DEFAULT_CLOCK_DIVIDER, irq0, select, chip.PIN_24, chip.PIN_29, dma);
    static STATE: StaticCell<State> = StaticCell::new();
    let (device, mut control, runner) =
        cyw43::new(STATE.init(State::new()), power, spi, firmware, tuning).await;
    spawner.spawn(radio(runner).expect("spawned once"));
    control.init(regions).await;
    // A dimmer is to be felt at once, and the board hangs on the mains.
    control.set_power_management(PowerManagementMode::None).await;

    let problem = match board::settings(chip.FLASH) {
        Ok(settings) if settings.wifi.is_some() => Ok(settings),
        Ok(_) => Err("the settings name no wireless network: write them with --wifi"),
        Err(error) => {
            say!("{error}");
            Err("write the settings with `luxwire firmware settings` and copy the file to this board")
        }
    };
    let settings = match problem {
        Ok(settings) => settings,
        Err(problem) => {
            say!("{problem}");
            sign::show(Sign::Stuck);
            loop {
                control.gpio_set(LED, heartbeat.next().await).await;
            }
        }
    };

    static RESOURCES: StaticCell<StackResources<{ network::SOCKETS }>> = StaticCell::new();
    let resources = RESOURCES.init(StackResources::new());
    let (stack, runner) = embassy_net::new(device, network::config(&settings), resources, seed(settings.mac));
    spawner.spawn(internet(runner).expect("spawned once"));
    if let Some(wifi) = settings.wifi.clone() {
        spawner.spawn(wireless(control, wifi, stack, heartbeat).expect("spawned once"));
    }

    let board = Board::new(chip.ADC, chip.PIN_26, chip.PWM_SLICE7, chip.PIN_15);
    luxwire_firmware::serve(board, &settings, stack).await
}

/// There is no LED to blink without the radio.
async fn idle(mut heartbeat: Heartbeat) {
    loop {
        heartbeat.next().await;
    }
}

#[embassy_executor::task]
async fn radio(runner: Runner<'static, Bus>) -> ! {
    runner.run().await
}

#[embassy_executor::task]
async fn internet(mut runner: embassy_net::Runner<'static, NetDriver<'static>>) -> ! {
    runner.run().await
}

/// Joins the network, again whenever it is lost, and blinks: both need the radio.
#[embassy_executor::task]
async fn wireless(
    mut control: Control<'static>,
    wifi: Wifi,
    stack: Stack<'static>,
    mut heartbeat: Heartbeat,
) -> ! {
    loop {
        say!("joining {:?}", wifi.ssid());
        let options = match wifi.password() {
            Some(password) => JoinOptions::new(password.as_bytes()),
            None => JoinOptions::new_open(),
        };
        let joined = match select(control.join(wifi.ssid(), options), beats(&mut heartbeat)).await {
            Either::First(joined) => joined,
            Either::Second(never) => never,
        };
        match joined {
            Ok(()) => {
                while stack.is_link_up() {
                    control.gpio_set(LED, heartbeat.next().await).await;
                }
                say!("the wireless network is lost");
            }
            Err(error) => {
                say!("cannot join: {error:?}");
                let pause = Timer::after(JOIN_AGAIN);
                select(pause, beats(&mut heartbeat)).await;
            }
        }
    }
}

/// The watchdog is fed while the radio is busy.
async fn beats(heartbeat: &mut Heartbeat) -> ! {
    loop {
        heartbeat.next().await;
    }
}
