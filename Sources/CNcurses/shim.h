// ncurses with wide characters; the inline functions reach what Swift cannot import (macros).
#pragma once
#define NCURSES_WIDECHAR 1
#include <ncurses.h>
