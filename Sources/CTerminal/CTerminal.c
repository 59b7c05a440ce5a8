#include "CTerminal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { TEXT_LIMIT = 16384, STACK_BYTES = 65536 };

static const int fatal_signals[] = {SIGSEGV, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE};
enum { FATAL_COUNT = sizeof fatal_signals / sizeof *fatal_signals };

static const int ending_signals[] = {SIGHUP, SIGTERM, SIGINT};
enum { ENDING_COUNT = sizeof ending_signals / sizeof *ending_signals };

static struct {
  atomic_int active;
  int descriptor;
  struct termios settings;
  char restore[TEXT_LIMIT];
  size_t restore_length;
  char message[TEXT_LIMIT];
  size_t message_length;
  struct sigaction previous[FATAL_COUNT];
  int installed;
} guard;

static char handler_stack[STACK_BYTES];

static struct {
  atomic_int counts[ENDING_COUNT];
  atomic_int wake_descriptor;
  struct sigaction previous[ENDING_COUNT];
  int installed;
} endings;

static void write_all(int descriptor, const char *text, size_t length) {
  while (length > 0) {
    ssize_t written = write(descriptor, text, length);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text += written;
    length -= (size_t)written;
  }
}

static void on_fatal(int number) {
  // Exchanged, so that a second thread that crashes meanwhile does not restore twice.
  if (atomic_exchange(&guard.active, 0)) {
    write_all(guard.descriptor, guard.restore, guard.restore_length);
    tcsetattr(guard.descriptor, TCSANOW, &guard.settings);
    // Mouse reports on their way would otherwise be typed into the shell.
    tcflush(guard.descriptor, TCIFLUSH);
    write_all(guard.descriptor, guard.message, guard.message_length);
  }
  // Not to the handler from before: Swift's own would draw a backtrace over the shell and wait for a key there.
  signal(number, SIG_DFL);
  // The signal is blocked in its own handler: this one is delivered at return.
  raise(number);
}

static size_t copy_text(char *to, const char *from, size_t length) {
  size_t taken = length < TEXT_LIMIT ? length : TEXT_LIMIT;
  memcpy(to, from, taken);
  return taken;
}

int terminal_guard_begin(
    int descriptor, const struct termios *settings, const char *restore, size_t restore_length, const char *message,
    size_t message_length) {
  guard.descriptor = descriptor;
  guard.settings = *settings;
  guard.restore_length = copy_text(guard.restore, restore, restore_length);
  guard.message_length = copy_text(guard.message, message, message_length);

  // A stack overflow leaves no room for a handler on the same stack. One that is there already is kept.
  stack_t current;
  if (sigaltstack(NULL, &current) == 0 && (current.ss_flags & SS_DISABLE)) {
    stack_t own = {.ss_sp = handler_stack, .ss_size = sizeof handler_stack, .ss_flags = 0};
    if (sigaltstack(&own, NULL) != 0) return -1;
  }
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_fatal;
  action.sa_flags = SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  if (!guard.installed) {
    for (int i = 0; i < FATAL_COUNT; i++) {
      if (sigaction(fatal_signals[i], &action, &guard.previous[i]) != 0) {
        while (i-- > 0) sigaction(fatal_signals[i], &guard.previous[i], NULL);
        return -1;
      }
    }
    guard.installed = 1;
  }
  atomic_store(&guard.active, 1);
  return 0;
}

void terminal_guard_set_active(int active) {
  atomic_store(&guard.active, active && guard.installed);
}

void terminal_guard_end(void) {
  atomic_store(&guard.active, 0);
  if (!guard.installed) return;
  for (int i = 0; i < FATAL_COUNT; i++) sigaction(fatal_signals[i], &guard.previous[i], NULL);
  guard.installed = 0;
}

static void on_ending(int number) {
  int saved = errno;
  for (int i = 0; i < ENDING_COUNT; i++) {
    if (ending_signals[i] == number) atomic_fetch_add(&endings.counts[i], 1);
  }
  char byte = 1;
  // A full pipe wakes as well.
  ssize_t ignored = write(atomic_load(&endings.wake_descriptor), &byte, 1);
  (void)ignored;
  errno = saved;
}

int terminal_signals_begin(int wake_descriptor) {
  if (endings.installed) terminal_signals_end();
  for (int i = 0; i < ENDING_COUNT; i++) atomic_store(&endings.counts[i], 0);
  atomic_store(&endings.wake_descriptor, wake_descriptor);
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_ending;
  // Without SA_RESTART, but no call of other threads should fail for it either: they do not get these signals
  // first.
  sigemptyset(&action.sa_mask);
  for (int i = 0; i < ENDING_COUNT; i++) {
    if (sigaction(ending_signals[i], NULL, &endings.previous[i]) != 0) return -1;
    if (endings.previous[i].sa_handler == SIG_IGN) continue;
    if (sigaction(ending_signals[i], &action, NULL) != 0) {
      while (i-- > 0) sigaction(ending_signals[i], &endings.previous[i], NULL);
      return -1;
    }
  }
  endings.installed = 1;
  return 0;
}

int terminal_signals_take(void) {
  for (int i = 0; i < ENDING_COUNT; i++) {
    int count = atomic_load(&endings.counts[i]);
    while (count > 0) {
      if (atomic_compare_exchange_weak(&endings.counts[i], &count, count - 1)) return ending_signals[i];
    }
  }
  return 0;
}

void terminal_signals_end(void) {
  if (!endings.installed) return;
  for (int i = 0; i < ENDING_COUNT; i++) sigaction(ending_signals[i], &endings.previous[i], NULL);
  endings.installed = 0;
}

void terminal_stop_job(void) {
  struct sigaction standard, previous;
  memset(&standard, 0, sizeof standard);
  standard.sa_handler = SIG_DFL;
  sigemptyset(&standard.sa_mask);
  // ncurses has a handler of its own here, which would end its screen a second time.
  sigaction(SIGTSTP, &standard, &previous);
  kill(0, SIGTSTP);
  sigaction(SIGTSTP, &previous, NULL);
}

int terminal_is_at_end(int descriptor) {
  struct pollfd state = {.fd = descriptor, .events = POLLIN, .revents = 0};
  if (poll(&state, 1, 0) <= 0) return 0;
  if (state.revents & (POLLERR | POLLNVAL)) return 1;
  int waiting = 0;
  if (ioctl(descriptor, FIONREAD, &waiting) != 0) return 1;
  return waiting == 0;
}
