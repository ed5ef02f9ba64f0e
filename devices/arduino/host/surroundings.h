// The world around a board: a clock, a voltage on a pin, a wireless network, and a broker that can misbehave.
//
// What the board does to its surroundings is reported, a line each; main.cpp lists the lines.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>

// A line of the protocol's output.
void report(const char *format, ...) __attribute__((format(printf, 1, 2)));
// Bytes as hexadecimal digits; "-" for none.
std::string hex(const std::string &bytes);

struct Message {
  std::string topic, payload;
  bool retain = false;
  uint8_t qos = 0;
  // As announced. More than the payload has: the link breaks before the rest.
  size_t size = 0;
};

struct Connect {
  std::string id, user, password;
  bool clean_session = true;
  unsigned long keep_alive_s = 0;
  std::optional<Message> will;
};

// Judges like a broker: keep alive, wills, retained messages, at most 20 unacknowledged messages at a time.
class Broker {
public:
  enum class Manner { Answers, Silent, Absent };
  Manner manner = Manner::Answers;
  int refusal = 0;             // CONNACK's code.
  bool denies_subscriptions = false;

  // The client's side of the TCP connection.
  bool open();
  bool is_open() const { return open_; }
  void close();
  // The connection ends without a word. Unnoticed: only the client knows.
  void cut();
  void cut_unnoticed() { open_ = false; }

  // Packets. What is empty or false stays unanswered.
  std::optional<int> connect(const Connect &connect);
  bool publish(const Message &message);
  std::optional<int> subscribe(const std::string &topic, uint8_t qos);
  bool ping();
  void acknowledge();
  void disconnect();
  std::optional<Message> deliver();

  // Somebody else publishes, retained.
  void said_by_others(const Message &message);
  void time_passed();

private:
  static constexpr size_t UNACKNOWLEDGED_MAX = 20;

  void heard();
  void bury();

  bool open_ = false;
  std::optional<Connect> session_;
  unsigned long heard_ms_ = 0;
  std::map<std::string, Message> retained_;
  std::set<std::string> subscriptions_;
  std::deque<Message> outbox_;
  size_t unacknowledged_ = 0;
};

struct Surroundings {
  uint32_t now_ms = 0;
  int volts = 0;               // What the converter says, in counts.
  bool wireless_in_reach = true;
  bool wireless_joined = false;
  Broker broker;

  void pass(uint32_t ms);
};
extern Surroundings surroundings;
