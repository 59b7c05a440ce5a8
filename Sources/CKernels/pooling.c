#include "kernels/pooling.h"
