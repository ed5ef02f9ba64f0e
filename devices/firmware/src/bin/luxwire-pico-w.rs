//! The firmware of a Raspberry Pi Pico W.
#![no_std]
#![no_main]
