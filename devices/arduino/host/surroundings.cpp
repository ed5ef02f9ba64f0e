#include "surroundings.h"

#include <cstdarg>
#include <cstdio>

Surroundings surroundings;

void report(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vprintf(format, arguments);
  va_end(arguments);
  putchar('\n');
}

std::string hex(const std::string &bytes) {
  std::string digits;
  for (unsigned char byte : bytes) {
    digits += "0123456789abcdef"[byte >> 4];
    digits += "0123456789abcdef"[byte & 15];
  }
  return digits.empty() ? "-" : digits;
}

void Surroundings::pass(uint32_t ms) {
  now_ms += ms;
  broker.time_passed();
}

bool Broker::open() {
  open_ = surroundings.wireless_joined && manner != Manner::Absent;
  return open_;
}

void Broker::close() {
  if (open_) cut();
}

void Broker::cut() {
  open_ = false;
  bury();
}

std::optional<int> Broker::connect(const Connect &connect) {
  std::string will = "-";
  if (connect.will) {
    const Message &last = *connect.will;
    will = last.topic + ":" + hex(last.payload) + ":" + (last.retain ? "1" : "0") + ":" + std::to_string(last.qos);
  }
  report("connect %s|%d|%lu|%s|%s|%s", connect.id.c_str(), connect.clean_session, connect.keep_alive_s, will.c_str(),
         connect.user.c_str(), connect.password.c_str());
  if (manner == Manner::Silent) return {};
  if (refusal != 0) return refusal;
  bury();  // Of the same identifier: the new connection takes over.
  session_ = connect;
  outbox_.clear();
  unacknowledged_ = 0;
  subscriptions_.clear();
  heard();
  return 0;
}

bool Broker::publish(const Message &message) {
  report("publish %s|%d|%d|%s", message.topic.c_str(), message.retain, message.qos, hex(message.payload).c_str());
  if (manner == Manner::Silent) return false;
  heard();
  return true;
}

std::optional<int> Broker::subscribe(const std::string &topic, uint8_t qos) {
  report("subscribe %s|%d", topic.c_str(), qos);
  if (manner == Manner::Silent) return {};
  heard();
  if (denies_subscriptions) return 0x80;
  subscriptions_.insert(topic);
  auto retained = retained_.find(topic);
  if (retained != retained_.end()) outbox_.push_back(retained->second);
  return qos;
}

bool Broker::ping() {
  report("ping");
  if (manner == Manner::Silent) return false;
  heard();
  return true;
}

void Broker::acknowledge() {
  if (manner == Manner::Silent) return;
  heard();
  if (unacknowledged_ > 0) unacknowledged_--;
}

void Broker::disconnect() {
  report("disconnect");
  if (manner != Manner::Silent) session_.reset();
}

std::optional<Message> Broker::deliver() {
  if (!open_ || !session_ || manner == Manner::Silent || outbox_.empty() || unacknowledged_ >= UNACKNOWLEDGED_MAX) {
    return {};
  }
  Message message = outbox_.front();
  outbox_.pop_front();
  if (message.qos > 0) unacknowledged_++;
  return message;
}

void Broker::said_by_others(const Message &message) {
  retained_[message.topic] = message;
  retained_[message.topic].retain = true;
  if (session_ && subscriptions_.count(message.topic)) outbox_.push_back(message);
}

void Broker::time_passed() {
  if (!session_ || manner == Manner::Silent) return;
  if (uint32_t(surroundings.now_ms - heard_ms_) * 2 > session_->keep_alive_s * 1000 * 3) {
    report("timeout");
    cut();
  }
}

void Broker::heard() { heard_ms_ = surroundings.now_ms; }

void Broker::bury() {
  if (session_ && session_->will) {
    const Message &will = *session_->will;
    report("will %s|%d|%d|%s", will.topic.c_str(), will.retain, will.qos, hex(will.payload).c_str());
  }
  session_.reset();
}
