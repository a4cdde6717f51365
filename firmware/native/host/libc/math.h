// For programs without a C library: libopus in fixed point includes this header and calls nothing of it but when it starts, if at all.
#pragma once

double floor(double value);
double sqrt(double value);
double exp(double value);
double log(double value);
double cos(double value);
