// A lamp of Luxwire: an LED that follows lights/ID/intensity (percent as text: 0 to 100, up to two decimals).
//
// Wiring: pin 5, resistor of 330 ohm, LED, GND. Fill in secrets.h first. Needs the library ArduinoMqttClient.
// Boards: ESP8266, ESP32, Uno R4 WiFi, Nano 33 IoT. Guide: docs/arduino.md.

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

const int ledPin = 5;
#if defined(ARDUINO_ARCH_ESP8266)
const int pwmBits = 10;  // This board makes its PWM in software, no finer than that.
#else
const int pwmBits = 12;
#endif
const uint32_t pwmTop = (1UL << pwmBits) - 1;  // The count for "always on".

const char intensityTopic[] = "lights/" LIGHT_ID "/intensity";
const char availabilityTopic[] = "lights/" LIGHT_ID "/availability";

WiFiClient network;
MqttClient mqtt(network);
uint32_t lastAttemptMs = 0;
uint32_t pauseMs = 0;  // Before the next attempt to connect: 1 s, 2 s, 4 s, up to 64 s.

// Hundredths of a percent, 0 to 10000, or -1 for what is no percentage. Accepted are one to three digits, then at most a
// point and one or two digits.
int32_t parse(const char *text, int length) {
  int32_t number = 0;
  int digits = 0, decimals = 0;
  bool point = false;
  for (int i = 0; i < length; i++) {
    if (text[i] == '.' && !point) {
      point = true;
    } else if (text[i] >= '0' && text[i] <= '9') {
      number = number * 10 + (text[i] - '0');
      point ? decimals++ : digits++;
    } else {
      return -1;
    }
  }
  if (digits < 1 || digits > 3 || (point && decimals < 1) || decimals > 2) return -1;
  for (; decimals < 2; decimals++) number *= 10;
  return number <= 10000 ? number : -1;
}

// For how many counts of the PWM the LED is on: the CIE's lightness curve, so that 50 % looks half as bright as 100 %.
// Up to 8 % it is L / 903.3, then ((L + 16) / 116)^3. Half a divisor is added to round to the nearest count.
uint32_t duty(uint32_t hundredths) {
  if (hundredths == 0) return 0;
  uint64_t counts, base = hundredths + 1600;
  if (hundredths <= 800) {
    counts = (hundredths * pwmTop + 45165) / 90330;
  } else {
    counts = (base * base * base * pwmTop + 780448000000) / 1560896000000;
  }
  return counts == 0 ? 1 : counts;  // On is never dark.
}

// A message has arrived. All of it is read, however long: before that it does not count as received.
void follow(int size) {
  char text[7] = "";  // Room for 100.00.
  int length = 0;
  for (int c = mqtt.read(); c >= 0; c = mqtt.read()) {
    if (length < 7) text[length] = c;
    length++;
  }
  int32_t hundredths = length == size && length < 7 ? parse(text, length) : -1;
  if (hundredths >= 0) {
    analogWrite(ledPin, duty(hundredths));
  } else {
    Serial.print("Ignored a message of ");
    Serial.print(size);
    Serial.println(" bytes: no percentage from 0 to 100");
  }
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
  // The broker answers with the intensity that was published last. "online" is retained, too (true), at QoS 1.
  if (!mqtt.subscribe(intensityTopic, 1) || !mqtt.beginMessage(availabilityTopic, true, 1) || !mqtt.print("online") ||
      !mqtt.endMessage()) {
    Serial.println("The broker does not let us speak of lights/" LIGHT_ID);
    mqtt.stop();
    return false;
  }
  Serial.println("Connected: following lights/" LIGHT_ID);
  return true;
}

void setup() {
  Serial.begin(115200);
  pinMode(ledPin, OUTPUT);
#if defined(ARDUINO_ARCH_ESP32) && ESP_ARDUINO_VERSION_MAJOR >= 3
  analogWriteResolution(ledPin, pwmBits);
#else
  analogWriteResolution(pwmBits);
#endif
  analogWrite(ledPin, 0);

  mqtt.setId("luxwire-lamp-" LIGHT_ID);  // Two boards with the same one would throw each other out.
  mqtt.setUsernamePassword(BROKER_USER, BROKER_PASSWORD);
  mqtt.setKeepAliveInterval(15000);  // Milliseconds. After 1.5 times that in silence the broker takes us for dead …
  mqtt.beginWill(availabilityTopic, true, 1);  // … and publishes this in our name, retained, at QoS 1.
  mqtt.print("offline");
  mqtt.endWill();
  mqtt.setConnectionTimeout(5000);
  mqtt.onMessage(follow);
}

void loop() {
  mqtt.poll();  // Receives, and says now and then that we live.
  uint32_t now = millis();
  if (!mqtt.connected() && now - lastAttemptMs >= pauseMs) {
    bool connected = goOnline();
    lastAttemptMs = millis();
    if (connected || pauseMs == 0) pauseMs = 1000;
    else if (pauseMs < 60000) pauseMs *= 2;
  }
}
