#define _GNU_SOURCE
#include "CResources.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static atomic_int signal_descriptor = -1;

static int argument_count;
static char **arguments;

// The C library hands them to constructors as it does to main.
__attribute__((constructor)) static void keep_arguments(int count, char **values) {
  argument_count = count;
  arguments = values;
}

int resources_argument_count(void) { return argument_count; }

const char *resources_argument(int index) { return arguments[index]; }

int resources_allowed_processors(void) {
  // The kernel refuses a set that is too small for the processors that it may have.
  for (int most = 1024; most <= 1 << 18; most *= 4) {
    cpu_set_t *set = CPU_ALLOC(most);
    if (!set) break;
    size_t size = CPU_ALLOC_SIZE(most);
    int count = sched_getaffinity(0, size, set) == 0 ? CPU_COUNT_S(size, set) : 0;
    CPU_FREE(set);
    if (count > 0) return count;
  }
  return 0;
}

void resources_name_thread(const char *name) {
  char shortened[16];
  snprintf(shortened, sizeof shortened, "%s", name);
  pthread_setname_np(pthread_self(), shortened);
}

static void note(int number) {
  int descriptor = atomic_load(&signal_descriptor);
  if (descriptor < 0) return;
  int before = errno;
  unsigned char byte = (unsigned char)number;
  // A full pipe holds more signals than anybody counts.
  ssize_t written = write(descriptor, &byte, 1);
  (void)written;
  errno = before;
}

int resources_note_signal(int number) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = note;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  return sigaction(number, &action, NULL) == 0 ? 0 : errno;
}

void resources_note_signals_at(int descriptor) { atomic_store(&signal_descriptor, descriptor); }

int resources_make_pipe(int ends[2]) {
  if (pipe2(ends, O_CLOEXEC) != 0) return errno;
  fcntl(ends[1], F_SETFL, fcntl(ends[1], F_GETFL) | O_NONBLOCK);
  return 0;
}

void resources_init_condition(pthread_cond_t *condition) {
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_init(condition, &attributes);
  pthread_condattr_destroy(&attributes);
}

void resources_wait_condition(pthread_cond_t *condition, pthread_mutex_t *mutex, long long nanoseconds) {
  struct timespec end;
  clock_gettime(CLOCK_MONOTONIC, &end);
  nanoseconds += end.tv_nsec;
  end.tv_sec += nanoseconds / 1000000000;
  end.tv_nsec = nanoseconds % 1000000000;
  pthread_cond_timedwait(condition, mutex, &end);
}
