#include "kernels/normalisation.h"
