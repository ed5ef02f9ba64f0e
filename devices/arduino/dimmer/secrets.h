// What only you know. Fill in, and keep the filled-in file to yourself.

#define WIFI_NAME "your network"
#define WIFI_PASSWORD "its password"

// The computer that runs the broker: its name or its address in your network (not 127.0.0.1, which is the board itself).
#define BROKER "192.168.1.10"
#define BROKER_PORT 1883
// Both empty if the broker asks for none.
#define BROKER_USER ""
#define BROKER_PASSWORD ""

// Which light this is: 1 to 64 letters or digits, the same name as in the page. Spaces are fine; / + # are not.
#define LIGHT_ID "Desk"
