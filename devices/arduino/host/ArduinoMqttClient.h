// The interface of the library ArduinoMqttClient 0.1.8, without its network code: what it would send goes straight to the
// broker in surroundings.h. Functions, overloads, defaults and constness are the library's, so that a sketch that compiles
// here means the same there; so is what a sketch can observe: who waits for whom and for how long, when a connection counts
// as lost, that a message of QoS 1 is acknowledged once it has been read to its end, that the payload buffer has 256 bytes.
#pragma once

#include "Client.h"

#define MQTT_CONNECTION_REFUSED -2
#define MQTT_CONNECTION_TIMEOUT -1
#define MQTT_SUCCESS 0

class MqttClient : public Client {
public:
  MqttClient(Client *client);
  MqttClient(Client &client);
  virtual ~MqttClient();

  void onMessage(void (*callback)(int));

  int parseMessage();
  String messageTopic() const;
  int messageDup() const;
  int messageQoS() const;
  int messageRetain() const;

  int beginMessage(const char *topic, unsigned long size, bool retain = false, uint8_t qos = 0, bool dup = false);
  int beginMessage(const String &topic, unsigned long size, bool retain = false, uint8_t qos = 0, bool dup = false);
  int beginMessage(const char *topic, bool retain = false, uint8_t qos = 0, bool dup = false);
  int beginMessage(const String &topic, bool retain = false, uint8_t qos = 0, bool dup = false);
  int endMessage();

  int beginWill(const char *topic, unsigned short size, bool retain, uint8_t qos);
  int beginWill(const String &topic, unsigned short size, bool retain, uint8_t qos);
  int beginWill(const char *topic, bool retain, uint8_t qos);
  int beginWill(const String &topic, bool retain, uint8_t qos);
  int endWill();

  int subscribe(const char *topic, uint8_t qos = 0);
  int subscribe(const String &topic, uint8_t qos = 0);

  void poll();

  virtual int connect(IPAddress ip, uint16_t port = 1883);
  virtual int connect(const char *host, uint16_t port = 1883);
  virtual size_t write(uint8_t);
  virtual size_t write(const uint8_t *buffer, size_t size);
  virtual int available();
  virtual int read();
  virtual int read(uint8_t *buffer, size_t size);
  virtual int peek();
  virtual void flush();
  virtual void stop();
  virtual uint8_t connected();
  virtual operator bool();

  void setId(const char *id);
  void setId(const String &id);

  void setUsernamePassword(const char *username, const char *password);
  void setUsernamePassword(const String &username, const String &password);

  void setCleanSession(bool cleanSession);

  void setKeepAliveInterval(unsigned long interval);
  void setConnectionTimeout(unsigned long timeout);
  void setTxPayloadSize(unsigned short size);

  int connectError() const;
  int subscribeQoS() const;

private:
  int signIn(int linked);
  void receive();

  Client *client_;
  void (*on_message_)(int) = nullptr;
  std::string id_, username_, password_;
  bool clean_session_ = true;
  unsigned long keep_alive_ms_ = 60000, timeout_ms_ = 30000;
  size_t payload_max_ = 256;
  bool connected_ = false;
  int connect_error_ = MQTT_SUCCESS, subscribe_qos_ = 0;
  unsigned long last_heard_ms_ = 0, last_ping_ms_ = 0;

  // What write() writes to.
  enum class Writing { Nothing, Will, Message } writing_ = Writing::Nothing;
  std::string topic_, payload_, will_topic_, will_payload_;
  bool retain_ = false, dup_ = false, has_will_ = false, will_retain_ = false;
  uint8_t qos_ = 0, will_qos_ = 0;

  // The message that is being read.
  bool receiving_ = false;
  std::string incoming_topic_, incoming_;
  size_t incoming_left_ = 0;
  bool incoming_retain_ = false;
  uint8_t incoming_qos_ = 0;
};
