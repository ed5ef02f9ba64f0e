// The board's pins, clock, serial port and radio, as declared in Arduino.h and WiFi.h.
#include "Arduino.h"
#include "WiFi.h"
#include "surroundings.h"

SerialPort Serial;
Wireless WiFi;

size_t Print::write(const uint8_t *buffer, size_t size) {
  for (size_t i = 0; i < size; i++) write(buffer[i]);
  return size;
}

static bool serial_open = false;

void SerialPort::begin(unsigned long baud) {
  serial_open = true;
  report("baud %lu", baud);
}

size_t SerialPort::write(uint8_t byte) {
  static std::string line;
  if (byte == '\n') {
    report("%s %s", serial_open ? "serial" : "serial-closed", line.c_str());
    line.clear();
  } else if (byte != '\r') {
    line += static_cast<char>(byte);
  }
  return 1;
}

static void pin_is_output(int pin) { report("output %d", pin); }
static void duty_on(int pin, long duty) { report("duty %d|%ld", pin, duty); }
static void bits_written(int pin, int bits) { report("write-bits %d|%d", pin, bits); }
#if !defined(ARDUINO_ARCH_ESP8266)
static void bits_read(int bits) { report("read-bits %d", bits); }
#endif
// Other pins than A0 have another voltage, one that would be noticed.
static int counts_of(int pin) { return pin == A0 ? surroundings.volts : 1; }

#if defined(ARDUINO_ARCH_ESP8266)
void pinMode(uint8_t pin, uint8_t mode) {
  if (mode == OUTPUT) pin_is_output(pin);
}
int analogRead(uint8_t pin) { return counts_of(pin); }
void analogWrite(uint8_t pin, int value) { duty_on(pin, value); }
void analogWriteResolution(int bits) { bits_written(-1, bits); }
#elif defined(ARDUINO_ARCH_ESP32)
void pinMode(uint8_t pin, uint8_t mode) {
  if (mode == OUTPUT) pin_is_output(pin);
}
uint16_t analogRead(uint8_t pin) { return counts_of(pin); }
void analogReadResolution(uint8_t bits) { bits_read(bits); }
void analogWrite(uint8_t pin, int value) { duty_on(pin, value); }
#if ESP_ARDUINO_VERSION_MAJOR >= 3
void analogWriteResolution(uint8_t pin, uint8_t bits) { bits_written(pin, bits); }
#else
void analogWriteResolution(uint8_t bits) { bits_written(-1, bits); }
#endif
#else
void pinMode(uint8_t pin, PinMode mode) {
  if (mode == OUTPUT) pin_is_output(pin);
}
#if defined(ARDUINO_UNOR4_WIFI)
int analogRead(uint8_t pin) { return counts_of(pin); }
void analogWrite(uint8_t pin, int value) { duty_on(pin, value); }
#else
uint32_t analogRead(uint32_t pin) { return counts_of(pin); }
void analogWrite(uint32_t pin, uint32_t value) { duty_on(pin, value); }
#endif
void analogReadResolution(int bits) { bits_read(bits); }
void analogWriteResolution(int bits) { bits_written(-1, bits); }
#endif

unsigned long millis() { return surroundings.now_ms; }

void delay(unsigned long ms) { surroundings.pass(ms); }

void yield() {}

static wl_status_t join(const char *name, const char *password) {
  report("join %s|%s", name, password ? password : "");
  surroundings.wireless_joined = surroundings.wireless_in_reach;
  return surroundings.wireless_joined ? WL_CONNECTED : WL_DISCONNECTED;
}

static wl_status_t joined() { return surroundings.wireless_joined ? WL_CONNECTED : WL_DISCONNECTED; }

#if defined(ARDUINO_ARCH_ESP8266) || defined(ARDUINO_ARCH_ESP32)
wl_status_t Wireless::begin(const char *name, const char *password) { return join(name, password); }
wl_status_t Wireless::status() { return joined(); }
#else
int Wireless::begin(const char *name) { return join(name, nullptr); }
int Wireless::begin(const char *name, const char *password) { return join(name, password); }
uint8_t Wireless::status() { return joined(); }
#endif

int WiFiClient::connect(IPAddress, uint16_t) { return surroundings.broker.open(); }

int WiFiClient::connect(const char *host, uint16_t port) {
  report("dial %s|%d|%lu", host, port, millis());
  return surroundings.broker.open();
}

void WiFiClient::stop() { surroundings.broker.close(); }

uint8_t WiFiClient::connected() { return surroundings.broker.is_open(); }
