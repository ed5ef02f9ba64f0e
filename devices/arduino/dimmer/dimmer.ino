// A dimmer of Luxwire: a potentiometer that sets lights/ID/intensity (percent as text, retained).
//
// Wiring: the potentiometer's outer pins to 3V3 (Uno R4: 5V) and GND, its middle pin to A0. Fill in secrets.h first.
// Needs the library ArduinoMqttClient. Boards: ESP8266, ESP32, Uno R4 WiFi, Nano 33 IoT. Guide: docs/arduino.md.

#include <ArduinoMqttClient.h>
#if defined(ARDUINO_ARCH_ESP8266)
#include <ESP8266WiFi.h>
#elif defined(ARDUINO_ARCH_ESP32)
#include <WiFi.h>
#elif defined(ARDUINO_UNOR4_WIFI)
#include <WiFiS3.h>
#else
#include <WiFiNINA.h>
#endif
#include "secrets.h"

const int knobPin = A0;
#if defined(ARDUINO_ARCH_ESP8266)
const int32_t adcMax = 1024;  // Its converter has 10 bits, and says 1024 at the very top.
#else
const int32_t adcMax = 4095;  // 12 bits, see setup().
#endif
const int32_t band = adcMax / 256;  // A knob at rest wanders less than that many counts.
const int32_t margin = 2 * band;    // So close to an end is the end.
const uint32_t sampleMs = 10;       // Between readings.
const uint32_t intervalMs = 100;    // Between messages, at least.
const int stillSamples = 32;        // So many readings in a row within the band: the knob has come to rest.

const char intensityTopic[] = "lights/" LIGHT_ID "/intensity";
const char availabilityTopic[] = "dimmers/" LIGHT_ID "/availability";

WiFiClient network;
MqttClient mqtt(network);
uint32_t lastAttemptMs = 0;
uint32_t pauseMs = 0;  // Before the next attempt to connect: 1 s, 2 s, 4 s, up to 64 s.

bool started = false;      // Whether there was a reading.
uint32_t lastSampleMs = 0;
int32_t newer, older;      // The two readings before this one.
int32_t sum;               // Four times the smoothed value.
int32_t anchor;            // The middle of the dead band.
int quiet = 0;             // Readings in a row within the dead band.
bool still = false;        // The knob rests, and its last value was said.
int said;                  // The last percentage …
uint32_t saidMs;           // … and when.
int owed = -1;             // A last value that has not reached the broker; -1 for none.

int percent(int32_t value) {
  if (value <= margin) return 0;
  if (value >= adcMax - margin) return 100;
  const int32_t span = adcMax - 2 * margin;
  int rounded = ((value - margin) * 100 + span / 2) / span;
  return rounded < 1 ? 1 : rounded > 99 ? 99 : rounded;
}

// Publishes, retained (true). At QoS 1 it waits for the broker's answer.
bool publish(const char *topic, const String &payload, int qos) {
  return mqtt.beginMessage(topic, true, qos) && mqtt.print(payload) && mqtt.endMessage();
}

// The last value of a turn must arrive (QoS 1), if need be after the next connect. Others are soon followed by another.
void say(int value, bool last) {
  if (last) owed = value;
  if (!mqtt.connected()) return;
  bool arrived = publish(intensityTopic, String(value), last ? 1 : 0);
  if (last && arrived) owed = -1;
  if (!arrived) network.stop();  // Nobody answers: connect again.
}

// One reading, and what follows from it.
void readKnob(uint32_t now) {
  int32_t raw = analogRead(knobPin);
  if (raw > adcMax) return;
  if (!started) {
    started = true;
    newer = older = anchor = raw;
    sum = 4 * raw;
    said = percent(raw);
    saidMs = now - intervalMs;
    return;
  }
  // The middle one of three readings takes single spikes away; then a quarter of the way to it smooths the rest.
  int32_t low = newer < older ? newer : older, high = newer < older ? older : newer;
  int32_t median = raw < low ? low : raw > high ? high : raw;
  older = newer;
  newer = raw;
  sum = sum - sum / 4 + median;
  int32_t value = sum / 4;

  if (value > anchor + band || value < anchor - band) {
    anchor = value;
    quiet = 0;
    still = false;
  } else if (!still) {
    quiet++;
  }
  if (still || now - saidMs < intervalMs) return;
  bool last = quiet >= stillSamples;
  if (last) {
    anchor = value;
    still = true;
  } else if (percent(anchor) == said) {
    return;
  }
  said = percent(anchor);
  saidMs = now;
  say(said, last);
}

// One attempt to reach the network and the broker. What fails is said, and tried again after a pause.
bool goOnline() {
  if (WiFi.status() != WL_CONNECTED) {
    Serial.println("Looking for the network " WIFI_NAME);
    WiFi.begin(WIFI_NAME, WIFI_PASSWORD);
    for (int i = 0; i < 100 && WiFi.status() != WL_CONNECTED; i++) delay(100);
    if (WiFi.status() != WL_CONNECTED) return false;
  }
  if (!mqtt.connect(BROKER, BROKER_PORT)) {
    Serial.print("No connection to the broker " BROKER ", error ");
    Serial.println(mqtt.connectError());  // -2 not there, -1 no answer, 4 or 5 wrong user or password
    return false;
  }
  if (!publish(availabilityTopic, "online", 1)) {
    Serial.println("The broker does not answer");
    network.stop();
    return false;
  }
  Serial.println("Connected: setting lights/" LIGHT_ID);
  if (owed >= 0) say(owed, true);
  return true;
}

void setup() {
  Serial.begin(115200);
#if !defined(ARDUINO_ARCH_ESP8266)
  analogReadResolution(12);
#endif

  mqtt.setId("luxwire-dimmer-" LIGHT_ID);  // Two boards with the same one would throw each other out.
  mqtt.setUsernamePassword(BROKER_USER, BROKER_PASSWORD);
  mqtt.setKeepAliveInterval(15000);  // Milliseconds. After 1.5 times that in silence the broker takes us for dead …
  mqtt.beginWill(availabilityTopic, true, 1);  // … and publishes this in our name, retained, at QoS 1.
  mqtt.print("offline");
  mqtt.endWill();
  mqtt.setConnectionTimeout(5000);
}

void loop() {
  mqtt.poll();  // Says now and then that we live.
  uint32_t now = millis();
  if (!mqtt.connected() && now - lastAttemptMs >= pauseMs) {
    bool connected = goOnline();
    now = lastAttemptMs = millis();
    if (connected || pauseMs == 0) pauseMs = 1000;
    else if (pauseMs < 60000) pauseMs *= 2;
  }
  if (now - lastSampleMs >= sampleMs) {
    lastSampleMs = now;
    readKnob(now);
  }
}
