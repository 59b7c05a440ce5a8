#define _GNU_SOURCE
#include "COpenBLAS.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

// Numbers of cblas.h.
enum { ROW_MAJOR = 101, AS_STORED = 111, TRANSPOSED = 112 };

// What openblas_get_parallel answers for a library that makes its threads by OpenMP.
enum { BY_OPENMP = 2 };

// Of a thread's buffer, bytes, and a little for what surrounds it.
static const size_t buffer_bytes = (128u << 20) + (4u << 20);

enum { MOST_BUFFERS = 256 };

static pthread_once_t once = PTHREAD_ONCE_INIT;
static char fault[512];

static void (*sgemm)(int order, int a_form, int b_form, int rows, int columns, int inner, float factor, const float *a,
                     int a_stride, const float *b, int b_stride, float kept, float *c, int c_stride);
static char *(*get_config)(void);
static char *(*get_corename)(void);
static int (*get_parallel)(void);
static void *(*take_buffer)(int unused);
static void (*give_buffer_back)(void *buffer);

static void set_to_one(const char *name) {
  const char *value = getenv(name);
  if (!value || strcmp(value, "1") != 0) setenv(name, "1", 1);
}

void openblas_keep_to_one_thread(void) {
  set_to_one("OPENBLAS_NUM_THREADS");
  set_to_one("OMP_NUM_THREADS");
}

#define PROCESSOR "OPENBLAS_CORETYPE"
#define ROOM "SKIPLINE_BLAS_ROOM"

extern char **environ;

static char **entry(const char *name) {
  size_t length = strlen(name);
  for (char **at = environ; at && *at; at++)
    if (strncmp(*at, name, length) == 0 && (*at)[length] == '=') return at;
  return NULL;
}

void openblas_keep_room(void) {
  if (!entry(PROCESSOR)) setenv(ROOM, "", 1);
}

int openblas_choose_processor(const char *name) {
  // Whoever looks through the environment finds the old text or the new one, both of which stay.
  static char text[64];
  char **place = entry(PROCESSOR);
  if (!place) place = entry(ROOM);
  if (!place || text[0] || strlen(PROCESSOR "=") + strlen(name) >= sizeof text) return 0;
  snprintf(text, sizeof text, PROCESSOR "=%s", name);
  __atomic_store_n(place, text, __ATOMIC_RELEASE);
  return 1;
}

// Leaves the environment alone: other threads may be reading it by now.
static void load(void) {
  void *library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
  if (!library) library = dlopen("libopenblas.so", RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    snprintf(fault, sizeof fault, "%s", dlerror());
    return;
  }
  *(void **)&sgemm = dlsym(library, "cblas_sgemm");
  *(void **)&get_config = dlsym(library, "openblas_get_config");
  *(void **)&get_corename = dlsym(library, "openblas_get_corename");
  // Not in its header, and not needed: without them the memory is only tried.
  *(void **)&take_buffer = dlsym(library, "blas_memory_alloc");
  *(void **)&give_buffer_back = dlsym(library, "blas_memory_free");
  int (*get_threads)(void);
  void (*set_threads)(int);
  *(void **)&get_parallel = dlsym(library, "openblas_get_parallel");
  *(void **)&get_threads = dlsym(library, "openblas_get_num_threads");
  *(void **)&set_threads = dlsym(library, "openblas_set_num_threads");
  if (!sgemm || !get_config || !get_corename || !get_parallel || !get_threads || !set_threads) {
    snprintf(fault, sizeof fault, "the library lacks functions of OpenBLAS");
    return;
  }
  if (get_threads() != 1) set_threads(1);
  // Its threads would give other bits for another number of them.
  if (get_parallel() == BY_OPENMP && get_threads() != 1) {
    snprintf(fault, sizeof fault, "it is built with OpenMP and takes %d threads", get_threads());
  }
}

const char *openblas_load(void) {
  pthread_once(&once, load);
  return fault[0] ? fault : NULL;
}

int openblas_reserve(int threads) {
  void *buffers[MOST_BUFFERS];
  int taken = 0;
  if (threads > MOST_BUFFERS) threads = MOST_BUFFERS;
  while (taken < threads) {
    void *room = mmap(NULL, buffer_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room == MAP_FAILED) break;
    munmap(room, buffer_bytes);
    buffers[taken] = take_buffer ? take_buffer(0) : NULL;
    taken++;
  }
  // It keeps them for the next who ask.
  for (int index = 0; index < taken; index++) {
    if (buffers[index] && give_buffer_back) give_buffer_back(buffers[index]);
  }
  return taken;
}

void openblas_multiply(int rows, int columns, int inner, const float *a, int a_stride, int a_transposed, const float *b,
                       int b_stride, int b_transposed, float *c, int accumulating) {
  sgemm(ROW_MAJOR, a_transposed ? TRANSPOSED : AS_STORED, b_transposed ? TRANSPOSED : AS_STORED, rows, columns, inner, 1,
        a, a_stride, b, b_stride, accumulating ? 1 : 0, c, columns);
}

const char *openblas_configuration(void) { return openblas_load() ? "" : get_config(); }

const char *openblas_processor(void) { return openblas_load() ? "" : get_corename(); }

int openblas_threading(void) { return openblas_load() ? -1 : get_parallel(); }
