// Runs a sketch in virtual surroundings, driven over standard input and output.
//
// A command a line; each is answered by what the board did meanwhile, a line each, and then a line with a single point.
//
//   setup                     the board starts: setup() runs
//   loop MS [COUNT]           COUNT times (1): MS milliseconds pass, then loop() runs
//   clock MS                  millis() says MS
//   adc N                     the converter of A0 says N
//   publish TOPIC HEX         somebody else publishes, retained, at QoS 1
//   break TOPIC HEX SIZE      the same, announced with SIZE bytes; the link breaks after those given
//   wireless up|down          the wireless network can be reached, or not
//   broker answers|silent|absent
//   refuse CODE               the broker answers a CONNECT with CODE (0: it lets in)
//   deny 0|1                  whether the broker refuses subscriptions
//   cut                       the connection ends
//
// What the board does:
//
//   baud N · serial TEXT      its serial port (serial-closed: before it was opened)
//   output PIN · duty PIN|N · write-bits PIN|N (-1: all pins) · read-bits N
//   join NAME|PASSWORD · dial HOST|PORT|MS
//   connect ID|CLEAN|KEEP_ALIVE_S|WILL|USER|PASSWORD   with WILL = TOPIC:HEX:RETAIN:QOS, or -
//   publish TOPIC|RETAIN|QOS|HEX · subscribe TOPIC|QOS · ping · disconnect
//
// What the broker does about it: will TOPIC|RETAIN|QOS|HEX · timeout (the keep alive has run out).
#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <sstream>

#include "Arduino.h"
#include "surroundings.h"

// A sketch that hangs must not hang the test.
static const unsigned LONGEST_RUN_S = 240;

static std::string bytes(const std::string &digits) {
  std::string bytes;
  if (digits == "-") return bytes;
  for (size_t i = 0; i + 1 < digits.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

static bool obey(const std::string &command, std::istringstream &words) {
  Broker &broker = surroundings.broker;
  std::string word, topic;
  if (command == "setup") {
    setup();
  } else if (command == "loop") {
    uint32_t ms;
    int count = 1;
    if (!(words >> ms)) return false;
    words >> count;
    for (int i = 0; i < count; i++) {
      surroundings.pass(ms);
      loop();
    }
  } else if (command == "clock") {
    words >> surroundings.now_ms;
  } else if (command == "adc") {
    words >> surroundings.volts;
  } else if (command == "publish" || command == "break") {
    if (!(words >> topic >> word)) return false;
    Message message{topic, bytes(word), false, 1, 0};
    message.size = message.payload.size();
    words >> message.size;
    broker.said_by_others(message);
  } else if (command == "wireless") {
    words >> word;
    surroundings.wireless_in_reach = word == "up";
    if (!surroundings.wireless_in_reach) {
      surroundings.wireless_joined = false;
      broker.cut_unnoticed();
    }
  } else if (command == "broker") {
    words >> word;
    broker.manner = word == "silent"   ? Broker::Manner::Silent
                    : word == "absent" ? Broker::Manner::Absent
                                       : Broker::Manner::Answers;
    if (word == "absent") broker.cut();
  } else if (command == "refuse") {
    words >> broker.refusal;
  } else if (command == "deny") {
    words >> broker.denies_subscriptions;
  } else if (command == "cut") {
    broker.cut();
  } else {
    return false;
  }
  return true;
}

int main() {
  alarm(LONGEST_RUN_S);
  std::string line;
  while (std::getline(std::cin, line)) {
    std::istringstream words(line);
    std::string command;
    words >> command;
    if (!obey(command, words)) {
      std::cerr << "no such command: " << line << "\n";
      return 2;
    }
    puts(".");
    fflush(stdout);
  }
  return 0;
}
