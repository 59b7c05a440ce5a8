#include "kernels/resampling.h"
