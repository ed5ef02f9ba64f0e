// The name by which one family of boards includes its wireless network.
#pragma once

#include "WiFi.h"
