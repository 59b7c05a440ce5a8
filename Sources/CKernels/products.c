#include "kernels/products.h"
