#include "CBuildInfo.h"

#ifndef SKIPLINE_COMMIT
#define SKIPLINE_COMMIT ""
#endif
#ifndef SKIPLINE_DATE
#define SKIPLINE_DATE ""
#endif

const char *build_commit(void) { return SKIPLINE_COMMIT; }

const char *build_date(void) { return SKIPLINE_DATE; }
