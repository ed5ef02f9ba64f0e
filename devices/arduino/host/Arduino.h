// What a sketch sees of its board, on a PC: the declarations of the boards' own Arduino.h, as far as the sketches need them,
// with the same types, so that what compiles here compiles there. Which board it is, the compiler is told as the Arduino IDE
// tells it (ARDUINO_ARCH_ESP32 …), since the boards differ in the types of their pins and in how resolutions are set.
//
// Time is virtual: it passes in delay() and between two runs of loop(). See surroundings.h for the world around the board.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#define DEC 10

typedef bool boolean;
typedef uint8_t byte;

class String {
public:
  String(const char *text = "") : text_(text) {}
  explicit String(int number, unsigned char = DEC) : text_(std::to_string(number)) {}
  const char *c_str() const { return text_.c_str(); }
  unsigned int length() const { return text_.size(); }

private:
  std::string text_;
};

class Print {
public:
  virtual ~Print() {}
  virtual size_t write(uint8_t) = 0;
  virtual size_t write(const uint8_t *buffer, size_t size);
  size_t write(const char *text) { return write(reinterpret_cast<const uint8_t *>(text), strlen(text)); }

  size_t print(const String &text) { return write(text.c_str()); }
  size_t print(const char text[]) { return write(text); }
  size_t print(char letter) { return write(static_cast<uint8_t>(letter)); }
  size_t print(int number, int = DEC) { return print(String(number)); }
  size_t println(const String &text) { return print(text) + println(); }
  size_t println(const char text[]) { return print(text) + println(); }
  size_t println(int number, int = DEC) { return print(number) + println(); }
  size_t println(void) { return write("\r\n"); }
};

class Stream : public Print {
public:
  virtual int available() = 0;
  virtual int read() = 0;
  virtual int peek() = 0;
  void setTimeout(unsigned long) {}
};

class SerialPort : public Stream {
public:
  void begin(unsigned long baud);
  size_t write(uint8_t) override;
  using Print::write;
  int available() override { return 0; }
  int read() override { return -1; }
  int peek() override { return -1; }
  operator bool() { return true; }
};
extern SerialPort Serial;

#if defined(ARDUINO_ARCH_ESP8266)
#define OUTPUT 0x01
static const uint8_t A0 = 17;
void pinMode(uint8_t pin, uint8_t mode);
int analogRead(uint8_t pin);
void analogWrite(uint8_t pin, int value);
void analogWriteResolution(int bits);
#elif defined(ARDUINO_ARCH_ESP32)
#define OUTPUT 0x03
static const uint8_t A0 = 36;
void pinMode(uint8_t pin, uint8_t mode);
uint16_t analogRead(uint8_t pin);
void analogReadResolution(uint8_t bits);
void analogWrite(uint8_t pin, int value);
#if ESP_ARDUINO_VERSION_MAJOR >= 3
void analogWriteResolution(uint8_t pin, uint8_t bits);
#else
void analogWriteResolution(uint8_t bits);
#endif
#elif defined(ARDUINO_UNOR4_WIFI) || defined(ARDUINO_SAMD_NANO_33_IOT)
typedef enum { INPUT = 0x0, OUTPUT = 0x1, INPUT_PULLUP = 0x2 } PinMode;
static const uint8_t A0 = 14;
void pinMode(uint8_t pin, PinMode mode);
#if defined(ARDUINO_UNOR4_WIFI)
int analogRead(uint8_t pin);
void analogWrite(uint8_t pin, int value);
#else
uint32_t analogRead(uint32_t pin);
void analogWrite(uint32_t pin, uint32_t value);
#endif
void analogReadResolution(int bits);
void analogWriteResolution(int bits);
#else
#error "Name a board: ARDUINO_ARCH_ESP8266, ARDUINO_ARCH_ESP32, ARDUINO_UNOR4_WIFI or ARDUINO_SAMD_NANO_33_IOT"
#endif

unsigned long millis();
void delay(unsigned long ms);
void yield();

void setup();
void loop();
