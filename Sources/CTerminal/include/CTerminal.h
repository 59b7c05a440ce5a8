// What the screen needs of signals and must have in C: a handler may only call async-signal-safe functions, and
// Swift promises that for none of its code. No ncurses here; the texts to write are handed over beforehand.
#pragma once

#include <stddef.h>
#include <termios.h>

/// Makes the fatal signals (SIGSEGV, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE) restore the terminal: the handler
/// runs on a stack of its own, writes `restore`, sets `settings`, writes `message` and raises the signal again for
/// whoever handled it before. Both texts are copied; each is cut at 16,384 bytes.
///
/// Returns 0, or -1 with `errno`.
int terminal_guard_begin(
    int descriptor, const struct termios *settings, const char *restore, size_t restore_length, const char *message,
    size_t message_length);

/// Whether a fatal signal finds a screen to restore: 0 while the program has given the terminal back for a time.
void terminal_guard_set_active(int active);

/// Puts the handlers of before back.
void terminal_guard_end(void);

/// Counts SIGHUP, SIGTERM and SIGINT from now on instead of dying of them, and writes a byte to `wake_descriptor`
/// (which must not block) for each. One that was ignored, as under nohup, stays ignored.
///
/// Returns 0, or -1 with `errno`.
int terminal_signals_begin(int wake_descriptor);

/// One signal that came and was not taken yet, or 0.
int terminal_signals_take(void);

/// Puts the handlers of before back.
void terminal_signals_end(void);

/// Stops the whole job as ctrl-z does, and returns when it is continued. To be called on the main thread.
void terminal_stop_job(void);

/// Whether a descriptor has reached its end: readable, yet with nothing to read, or hung up.
int terminal_is_at_end(int descriptor);
