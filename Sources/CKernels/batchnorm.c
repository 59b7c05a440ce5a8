#include "kernels/batchnorm.h"
