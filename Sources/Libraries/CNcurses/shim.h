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

/// A screen on standard output and input for a terminal of this name, NULL for the one that TERM names; NULL when
/// terminfo does not know it.
static inline SCREEN *shim_new_screen(const char *name) { return newterm((char *)name, stdout, stdin); }

/// The window that covers the current screen.
static inline WINDOW *shim_standard_window(void) { return stdscr; }

/// How many colors the current screen has, and how many pairs of them; after `start_color`.
static inline int shim_color_count(void) { return COLORS; }
static inline int shim_pair_count(void) { return COLOR_PAIRS; }

/// A terminfo string; NULL where the terminal has none, for either reason.
static inline const char *shim_terminfo_string(const char *name) {
  const char *value = tigetstr((char *)name);
  return value == (const char *)-1 ? NULL : value;
}

// Of <term.h>, whose macros would rename half of what is included after it.
extern const char *const boolnames[];
extern const char *const numnames[];
extern const char *const strnames[];
extern int setupterm(const char *name, int descriptor, int *error);

/// The names of terminfo's standard capabilities in the order of its compiled form; NULL past the last.
static inline const char *shim_boolean_name(int index) { return boolnames[index]; }
static inline const char *shim_number_name(int index) { return numnames[index]; }
static inline const char *shim_string_name(int index) { return strnames[index]; }

/// Makes a terminal's entry the one that the questions are about, without a screen. Whether there is one.
static inline int shim_read_terminal(const char *name) {
  int error = 0;
  return setupterm(name, 1, &error) == OK;
}

/// `wcwidth` for a scalar, by the locale of the process.
static inline int shim_width(unsigned int scalar) { return wcwidth((wchar_t)scalar); }
