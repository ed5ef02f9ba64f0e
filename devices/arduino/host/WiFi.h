// The wireless network, as ESP8266WiFi.h, WiFi.h, WiFiS3.h and WiFiNINA.h offer it alike.
#pragma once

#include "Client.h"

typedef enum { WL_IDLE_STATUS = 0, WL_CONNECTED = 3, WL_CONNECT_FAILED = 4, WL_DISCONNECTED = 6 } wl_status_t;

class Wireless {
public:
#if defined(ARDUINO_ARCH_ESP8266) || defined(ARDUINO_ARCH_ESP32)
  wl_status_t begin(const char *name, const char *password = nullptr);
  wl_status_t status();
#else
  int begin(const char *name);
  int begin(const char *name, const char *password);
  uint8_t status();
#endif
};
extern Wireless WiFi;

// A link to the broker. It carries no bytes here: MqttClient asks only whether it is there.
class WiFiClient : public Client {
public:
  int connect(IPAddress ip, uint16_t port) override;
  int connect(const char *host, uint16_t port) override;
  size_t write(uint8_t) override { return 0; }
  size_t write(const uint8_t *, size_t) override { return 0; }
  using Print::write;
  int available() override { return 0; }
  int read() override { return -1; }
  int read(uint8_t *, size_t) override { return 0; }
  int peek() override { return -1; }
  void flush() override {}
  void stop() override;
  uint8_t connected() override;
  operator bool() override { return connected(); }
};
