#define _GNU_SOURCE
#include "CResources.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static atomic_int signal_descriptor = -1;

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
