// ncurses with wide characters; the constants and inline functions reach what Swift cannot import: macros with
// arguments, and variables that any thread might write.
#pragma once
#define NCURSES_WIDECHAR 1
#include <ncurses.h>
#include <stdio.h>
#include <wchar.h>

static const attr_t shim_bold = A_BOLD;
static const attr_t shim_dim = A_DIM;
static const attr_t shim_underline = A_UNDERLINE;
static const attr_t shim_reverse = A_REVERSE;

static const mmask_t shim_left_pressed = BUTTON1_PRESSED;
static const mmask_t shim_wheel_up = BUTTON4_PRESSED;
static const mmask_t shim_wheel_down = BUTTON5_PRESSED;

/// A screen on standard output and input for the terminal that TERM names; NULL when terminfo does not know it.
static inline SCREEN *shim_new_screen(void) { return newterm(NULL, stdout, stdin); }

/// The window that covers the current screen.
static inline WINDOW *shim_standard_window(void) { return stdscr; }

/// How many colours the current screen has, and how many pairs of them; after `start_color`.
static inline int shim_colour_count(void) { return COLORS; }
static inline int shim_pair_count(void) { return COLOR_PAIRS; }

/// A terminfo string; NULL where the terminal has none, for either reason.
static inline const char *shim_terminfo_string(const char *name) {
  const char *value = tigetstr(name);
  return value == (const char *)-1 ? NULL : value;
}

/// `wcwidth` for a scalar, by the locale of the process.
static inline int shim_width(unsigned int scalar) { return wcwidth((wchar_t)scalar); }
