//! A WIZnet W5500 as its pins show it: SPI with chip select, the interrupt pin, the reset pin. Only socket 0 in MACRAW mode
//! with all 16 KiB each way, which is all that a driver for raw Ethernet touches; anything else is reported.
//! Registers: W5500 datasheet 1.0.x, chapters 3 and 4.

const BLOCK = { COMMON: 0, SOCKET: 1, TRANSMIT: 2, RECEIVE: 3 };
const COMMON = { MODE: 0x00, ADDRESS: 0x09, SOCKET_INTERRUPTS: 0x18, PHY: 0x2e, VERSION: 0x39 };
const SOCKET = {
  MODE: 0x00, COMMAND: 0x01, INTERRUPT: 0x02, STATUS: 0x03, RX_SIZE: 0x1e, TX_SIZE: 0x1f,
  TX_FREE: 0x20, TX_READ: 0x22, TX_WRITE: 0x24, RX_RECEIVED: 0x26, RX_READ: 0x28, RX_WRITE: 0x2a, INTERRUPT_MASK: 0x2c,
};
const COMMAND = { OPEN: 0x01, CLOSE: 0x10, SEND: 0x20, RECEIVE: 0x40 };
const INTERRUPT = { RECEIVED: 0x04, SENT: 0x10 };
const BUFFER = 16384;
const MACRAW = 0x42;

export class W5500 {
  /** `send(frame)` puts a frame on the wire, `interrupt(active)` drives the pin, `complain(text)` reports misuse. */
  constructor({ send, interrupt, complain }) {
    Object.assign(this, { send, interrupt, complain });
    this.plugged = true; // whether the cable is in: the PHY's link
    this.held = false; // reset pin low
    this.frames = { received: 0, sent: 0, overrun: 0 };
    this.reset();
  }

  reset() {
    this.common = new Uint8Array(0x40);
    this.common[COMMON.VERSION] = 0x04;
    this.socket = new Uint8Array(0x30);
    this.transmit = new Uint8Array(BUFFER);
    this.receive = new Uint8Array(BUFFER);
    this.open = false;
    this.pointers();
    this.selected = false;
    this.at = 0;
    this.interrupt(false);
  }

  pointers() {
    this.txRead = this.txWrite = this.rxRead = this.rxTaken = this.rxWrite = 0;
  }

  /** The reset pin. */
  hold(low) {
    this.held = low;
    if (low) this.reset();
  }

  /** The chip select pin: each access begins with its falling edge. */
  select(low) {
    this.selected = low;
    this.at = 0;
  }

  /** One byte each way. */
  transfer(out) {
    if (!this.selected) {
      this.complain('bytes for the W5500 while it is not selected');
      return 0xff;
    }
    if (this.held) return 0;
    const at = this.at++;
    if (at === 0) this.address = out << 8;
    else if (at === 1) this.address |= out;
    else if (at === 2) {
      this.block = out >> 3;
      this.writes = (out & 4) !== 0;
      if ((out & 3) !== 0) this.complain('the W5500 is used in fixed length mode');
      if (this.block > BLOCK.RECEIVE) this.complain(`the W5500's socket ${this.block >> 2} is used`);
    } else {
      const address = this.address;
      this.address = (address + 1) & 0xffff;
      if (this.writes) this.write(address, out);
      else return this.read(address);
    }
    return 0;
  }

  read(address) {
    const half = (value) => (address & 1 ? value : value >> 8) & 0xff;
    switch (this.block) {
      case BLOCK.TRANSMIT: return this.transmit[address % BUFFER];
      case BLOCK.RECEIVE: return this.receive[address % BUFFER];
      case BLOCK.COMMON: return address === COMMON.PHY ? 0xbe | (this.plugged ? 1 : 0) : this.common[address] ?? 0;
      default:
    }
    switch (address & ~1) {
      case SOCKET.TX_FREE: return half(BUFFER - ((this.txWrite - this.txRead) & 0xffff));
      case SOCKET.TX_READ: return half(this.txRead);
      case SOCKET.TX_WRITE: return half(this.txWrite);
      case SOCKET.RX_RECEIVED: return half((this.rxWrite - this.rxTaken) & 0xffff);
      case SOCKET.RX_READ: return half(this.rxRead);
      case SOCKET.RX_WRITE: return half(this.rxWrite);
      default:
    }
    if (address === SOCKET.STATUS) return this.open ? MACRAW : 0;
    return this.socket[address] ?? 0;
  }

  write(address, value) {
    const half = (old) => (address & 1 ? (old & 0xff00) | value : (old & 0xff) | (value << 8));
    if (this.block === BLOCK.TRANSMIT) this.transmit[address % BUFFER] = value;
    else if (this.block === BLOCK.COMMON) {
      if (address === COMMON.MODE && value & 0x80) this.reset();
      else this.common[address] = value;
    } else if (this.block === BLOCK.SOCKET) {
      if (address === SOCKET.COMMAND) this.command(value);
      else if (address === SOCKET.INTERRUPT) this.socket[address] &= ~value; // a 1 clears
      else if ((address & ~1) === SOCKET.TX_WRITE) this.txWrite = half(this.txWrite);
      else if ((address & ~1) === SOCKET.RX_READ) this.rxRead = half(this.rxRead);
      else this.socket[address] = value;
      this.signal();
    }
  }

  command(command) {
    if (command === COMMAND.OPEN) {
      this.open = (this.socket[SOCKET.MODE] & 0x0f) === 0x04;
      if (!this.open) this.complain('the W5500 is opened in a mode other than MACRAW');
      if (this.socket[SOCKET.RX_SIZE] !== 16 || this.socket[SOCKET.TX_SIZE] !== 16) {
        this.complain('the W5500 is opened with buffers other than 16 KiB');
      }
      this.pointers();
    } else if (command === COMMAND.CLOSE) this.open = false;
    else if (command === COMMAND.SEND && this.open) {
      const length = (this.txWrite - this.txRead) & 0xffff;
      const frame = Buffer.alloc(Math.max(60, length)); // Ethernet's shortest frame, without its checksum
      for (let i = 0; i < length; i++) frame[i] = this.transmit[(this.txRead + i) % BUFFER];
      this.txRead = this.txWrite;
      this.socket[SOCKET.INTERRUPT] |= INTERRUPT.SENT;
      if (this.plugged) {
        this.frames.sent++;
        this.send(frame);
      }
    } else if (command === COMMAND.RECEIVE) {
      this.rxTaken = this.rxRead;
      if (this.rxWrite !== this.rxRead) this.socket[SOCKET.INTERRUPT] |= INTERRUPT.RECEIVED;
    } else this.complain(`the W5500 gets the unexpected command ${command}`);
  }

  /** A frame from the wire. */
  arrive(frame) {
    const own = this.common.subarray(COMMON.ADDRESS, COMMON.ADDRESS + 6);
    const forAll = (frame[0] & 1) === 1;
    if (!this.open || !this.plugged || (!forAll && Buffer.compare(frame.subarray(0, 6), own) !== 0)) return;
    const length = frame.length + 2; // which stands before it
    if (((this.rxWrite - this.rxTaken) & 0xffff) + length > BUFFER) {
      this.frames.overrun++;
      return;
    }
    for (const byte of [length >> 8, length & 0xff, ...frame]) {
      this.receive[this.rxWrite % BUFFER] = byte;
      this.rxWrite = (this.rxWrite + 1) & 0xffff;
    }
    this.frames.received++;
    this.socket[SOCKET.INTERRUPT] |= INTERRUPT.RECEIVED;
    this.signal();
  }

  signal() {
    const wanted = this.socket[SOCKET.INTERRUPT] & this.socket[SOCKET.INTERRUPT_MASK] & 0x1f;
    this.interrupt(wanted !== 0 && (this.common[COMMON.SOCKET_INTERRUPTS] & 1) === 1);
  }
}
