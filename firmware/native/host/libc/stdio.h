// For programs without a C library: libopus includes this header for messages that it does not print here.
#pragma once
