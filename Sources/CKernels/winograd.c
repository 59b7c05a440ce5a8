#include "kernels/winograd.h"
