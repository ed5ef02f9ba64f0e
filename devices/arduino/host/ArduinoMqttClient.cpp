#include "ArduinoMqttClient.h"

#include "surroundings.h"

static Broker &broker = surroundings.broker;

MqttClient::MqttClient(Client *client) : client_(client) {}
MqttClient::MqttClient(Client &client) : MqttClient(&client) {}
MqttClient::~MqttClient() {}

void MqttClient::onMessage(void (*callback)(int)) { on_message_ = callback; }

int MqttClient::parseMessage() {
  receiving_ = false;
  poll();
  return receiving_ ? incoming_left_ : 0;
}

String MqttClient::messageTopic() const { return receiving_ ? incoming_topic_.c_str() : ""; }
int MqttClient::messageDup() const { return receiving_ ? 0 : -1; }
int MqttClient::messageQoS() const { return receiving_ ? incoming_qos_ : -1; }
int MqttClient::messageRetain() const { return receiving_ ? incoming_retain_ : -1; }

int MqttClient::beginMessage(const char *topic, unsigned long, bool retain, uint8_t qos, bool dup) {
  return beginMessage(topic, retain, qos, dup);
}
int MqttClient::beginMessage(const String &topic, unsigned long, bool retain, uint8_t qos, bool dup) {
  return beginMessage(topic.c_str(), retain, qos, dup);
}
int MqttClient::beginMessage(const String &topic, bool retain, uint8_t qos, bool dup) {
  return beginMessage(topic.c_str(), retain, qos, dup);
}
int MqttClient::beginMessage(const char *topic, bool retain, uint8_t qos, bool dup) {
  topic_ = topic;
  retain_ = retain;
  qos_ = qos;
  dup_ = dup;
  payload_.clear();
  writing_ = Writing::Message;
  return 1;
}

int MqttClient::endMessage() {
  writing_ = Writing::Nothing;
  if (!client_->connected() || qos_ > 2) {
    stop();
    return 0;
  }
  bool answered = broker.publish({topic_, payload_, retain_, qos_, payload_.size()});
  if (qos_ == 0) return 1;
  for (unsigned long waited = 0; waited < timeout_ms_ && client_->connected(); waited++) {
    poll();
    if (answered) {
      last_heard_ms_ = millis();
      return 1;
    }
    delay(1);
  }
  return 0;
}

int MqttClient::beginWill(const char *topic, unsigned short, bool retain, uint8_t qos) {
  will_topic_ = topic;
  will_payload_.clear();
  will_retain_ = retain;
  will_qos_ = qos;
  writing_ = Writing::Will;
  return 0;
}
int MqttClient::beginWill(const String &topic, unsigned short size, bool retain, uint8_t qos) {
  return beginWill(topic.c_str(), size, retain, qos);
}
int MqttClient::beginWill(const char *topic, bool retain, uint8_t qos) {
  return beginWill(topic, payload_max_, retain, qos);
}
int MqttClient::beginWill(const String &topic, bool retain, uint8_t qos) {
  return beginWill(topic.c_str(), retain, qos);
}
int MqttClient::endWill() {
  has_will_ = true;
  writing_ = Writing::Nothing;
  return 1;
}

int MqttClient::subscribe(const String &topic, uint8_t qos) { return subscribe(topic.c_str(), qos); }
int MqttClient::subscribe(const char *topic, uint8_t qos) {
  if (qos > 2) return 0;
  subscribe_qos_ = 0x80;
  if (client_->connected()) {
    std::optional<int> answer = broker.subscribe(topic, qos);
    for (unsigned long waited = 0; waited < timeout_ms_ && client_->connected(); waited++) {
      poll();
      if (answer) {
        subscribe_qos_ = *answer;
        last_heard_ms_ = millis();
        return subscribe_qos_ <= 2;
      }
      delay(1);
    }
  }
  stop();
  return 0;
}

void MqttClient::poll() {
  if (!client_->connected()) {
    receiving_ = false;
    connected_ = false;
    return;
  }
  receiving_ = false;  // What was not read of the last message is lost, and stays unacknowledged.
  receive();
  if (!connected_) return;
  unsigned long now = millis();
  if (uint32_t(now - last_ping_ms_) >= keep_alive_ms_) {
    last_ping_ms_ = now;
    if (broker.ping()) last_heard_ms_ = now;
  } else if (uint32_t(now - last_heard_ms_) >= keep_alive_ms_ * 2) {
    stop();
  }
}

void MqttClient::receive() {
  while (!receiving_) {
    std::optional<Message> message = broker.deliver();
    if (!message) return;
    last_heard_ms_ = millis();
    receiving_ = true;
    incoming_topic_ = message->topic;
    incoming_ = message->payload;
    incoming_left_ = message->size;
    incoming_retain_ = message->retain;
    incoming_qos_ = message->qos;
    if (!on_message_) return;
    on_message_(incoming_left_);
    if (receiving_ && incoming_left_ == 0) {
      if (incoming_qos_ > 0) broker.acknowledge();
      receiving_ = false;
    }
  }
}

int MqttClient::connect(IPAddress ip, uint16_t port) { return signIn(client_->connect(ip, port)); }
int MqttClient::connect(const char *host, uint16_t port) { return signIn(client_->connect(host, port)); }

int MqttClient::signIn(int linked) {
  receiving_ = false;
  connected_ = false;
  if (!linked) {
    connect_error_ = MQTT_CONNECTION_REFUSED;
    return 0;
  }
  Connect connect{id_, username_, password_, clean_session_, keep_alive_ms_ / 1000, {}};
  if (has_will_) connect.will = Message{will_topic_, will_payload_, will_retain_, will_qos_, will_payload_.size()};
  std::optional<int> answer = broker.connect(connect);
  last_heard_ms_ = millis();
  if (!answer) delay(timeout_ms_);
  connect_error_ = answer.value_or(MQTT_CONNECTION_TIMEOUT);
  connected_ = connect_error_ == MQTT_SUCCESS;
  if (!connected_) client_->stop();
  return connected_;
}

size_t MqttClient::write(uint8_t byte) { return write(&byte, 1); }
size_t MqttClient::write(const uint8_t *buffer, size_t size) {
  if (writing_ == Writing::Nothing) report("stray %zu", size);
  std::string &target = writing_ == Writing::Will ? will_payload_ : payload_;
  if (target.size() + size > payload_max_) size = payload_max_ - target.size();
  target.append(reinterpret_cast<const char *>(buffer), size);
  return size;
}

int MqttClient::available() { return receiving_ ? incoming_left_ : 0; }

int MqttClient::read() {
  uint8_t byte;
  return read(&byte, 1) == 1 ? byte : -1;
}

int MqttClient::read(uint8_t *buffer, size_t size) {
  if (!receiving_) return 0;
  if (incoming_.empty() && incoming_left_ > 0) {  // The rest never comes.
    broker.cut();
    return 0;
  }
  size_t length = incoming_.copy(reinterpret_cast<char *>(buffer), size);
  incoming_.erase(0, length);
  incoming_left_ -= length;
  if (length > 0 && incoming_left_ == 0) {
    if (incoming_qos_ > 0) broker.acknowledge();
    receiving_ = false;
  }
  return length;
}

int MqttClient::peek() { return receiving_ && !incoming_.empty() ? static_cast<uint8_t>(incoming_[0]) : -1; }

void MqttClient::flush() {}

void MqttClient::stop() {
  if (connected()) broker.disconnect();
  connected_ = false;
  client_->stop();
}

uint8_t MqttClient::connected() { return client_->connected() && connected_; }
MqttClient::operator bool() { return true; }

void MqttClient::setId(const char *id) { id_ = id; }
void MqttClient::setId(const String &id) { id_ = id.c_str(); }
void MqttClient::setUsernamePassword(const char *username, const char *password) {
  username_ = username;
  password_ = password;
}
void MqttClient::setUsernamePassword(const String &username, const String &password) {
  setUsernamePassword(username.c_str(), password.c_str());
}
void MqttClient::setCleanSession(bool cleanSession) { clean_session_ = cleanSession; }
void MqttClient::setKeepAliveInterval(unsigned long interval) { keep_alive_ms_ = interval; }
void MqttClient::setConnectionTimeout(unsigned long timeout) { timeout_ms_ = timeout; }
void MqttClient::setTxPayloadSize(unsigned short size) { payload_max_ = size; }
int MqttClient::connectError() const { return connect_error_; }
int MqttClient::subscribeQoS() const { return subscribe_qos_; }
