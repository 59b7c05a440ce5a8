// Filled in by the vector loops; see CKernels.c.
#pragma once
