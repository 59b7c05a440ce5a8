// The calls of CMPI.h by the MPI that compiles this:
//
//     mpicc -shared -fPIC -O2 -I../include -o libskipline-mpi.so skipline-mpi.c
//
// MPI-3.1 (2015) or newer: its non-blocking collective operations are chapter 5.12.

#include <mpi.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "CMPI.h"

// Work and words have communicators of their own, so that neither is taken for the other.
static MPI_Comm work = MPI_COMM_NULL;
static MPI_Comm words = MPI_COMM_NULL;
static int ranks;

// The word on its way to each rank.
typedef struct {
  MPI_Request request;
  char text[CMPI_LONGEST_TEXT];
} word;

static word *sent;

// A collective operation that is under way, with the lists that MPI reads until it is done (MPI-3.1, 5.12).
typedef struct {
  MPI_Request request;
  int lists[];
} operation;

static void copy_text(char *to, int room, const char *text) {
  if (room > 0) snprintf(to, (size_t)room, "%s", text);
}

// MPI_SUCCESS is 0 in every MPI (MPI-3.1, 8.4).
static int start(int *rank, int *size, int *serialized) {
  int provided = MPI_THREAD_SINGLE;
  int code = MPI_Init_thread(NULL, NULL, MPI_THREAD_SERIALIZED, &provided);
  if (code) return code;
  *serialized = provided >= MPI_THREAD_SERIALIZED;
  if ((code = MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN))) return code;
  // Copies inherit how errors are handled.
  if ((code = MPI_Comm_dup(MPI_COMM_WORLD, &work))) return code;
  if ((code = MPI_Comm_dup(MPI_COMM_WORLD, &words))) return code;
  if ((code = MPI_Comm_rank(work, rank))) return code;
  if ((code = MPI_Comm_size(work, size))) return code;
  ranks = *size;
  sent = malloc((size_t)ranks * sizeof *sent);
  if (!sent) return MPI_ERR_NO_MEM;
  for (int index = 0; index < ranks; index++) sent[index].request = MPI_REQUEST_NULL;
  return 0;
}

static int finish(void) {
  int code = MPI_Comm_free(&work);
  if (!code) code = MPI_Comm_free(&words);
  if (!code) code = MPI_Finalize();
  return code;
}

static void abandon(int status) {
  // The process that starts the ranks may be gone too.
  struct sigaction by_default = {.sa_handler = SIG_DFL};
  sigaction(SIGALRM, &by_default, NULL);
  sigset_t alarms;
  sigemptyset(&alarms);
  sigaddset(&alarms, SIGALRM);
  sigprocmask(SIG_UNBLOCK, &alarms, NULL);
  alarm(10);
  MPI_Abort(MPI_COMM_WORLD, status);
  _exit(status);
}

static void library_name(char *text, int room) {
  char name[MPI_MAX_LIBRARY_VERSION_STRING] = "";
  int length = 0;
  MPI_Get_library_version(name, &length);
  // MPICH goes on for lines about how it was built.
  for (char *at = name; *at; at++) {
    if (*at == '\n') *at = 0;
    else if (*at == '\t') *at = ' ';
  }
  copy_text(text, room, name);
}

static void host_name(char *text, int room) {
  char name[MPI_MAX_PROCESSOR_NAME] = "";
  int length = 0;
  MPI_Get_processor_name(name, &length);
  copy_text(text, room, name);
}

static void error_text(int code, char *text, int room) {
  char said[MPI_MAX_ERROR_STRING] = "";
  int length = 0;
  if (MPI_Error_string(code, said, &length)) snprintf(said, sizeof said, "error %d of MPI", code);
  copy_text(text, room, said);
}

// Room for a request and so many lists with a number for each rank; NULL where there is no memory.
static operation *begin(int lists) {
  operation *begun = malloc(sizeof *begun + (size_t)(lists * ranks) * sizeof begun->lists[0]);
  if (begun) begun->request = MPI_REQUEST_NULL;
  return begun;
}

static int *keep(operation *begun, int list, const int *numbers) {
  int *kept = begun->lists + list * ranks;
  memcpy(kept, numbers, (size_t)ranks * sizeof *kept);
  return kept;
}

// Hands the operation to the caller, or frees it where it was not begun.
static int hand_over(operation *begun, int code, void **request) {
  if (code) {
    free(begun);
    begun = NULL;
  }
  *request = begun;
  return code;
}

static int exchange(const float *send, const int *send_counts, const int *send_offsets, float *receive,
                    const int *receive_counts, const int *receive_offsets, void **request) {
  operation *begun = begin(4);
  if (!begun) return MPI_ERR_NO_MEM;
  int code = MPI_Ialltoallv(send, keep(begun, 0, send_counts), keep(begun, 1, send_offsets), MPI_FLOAT, receive,
                            keep(begun, 2, receive_counts), keep(begun, 3, receive_offsets), MPI_FLOAT, work,
                            &begun->request);
  return hand_over(begun, code, request);
}

static int gather(const void *send, int count, void *receive, const int *counts, const int *offsets,
                  void **request) {
  operation *begun = begin(2);
  if (!begun) return MPI_ERR_NO_MEM;
  int code = MPI_Iallgatherv(send, count, MPI_BYTE, receive, keep(begun, 0, counts), keep(begun, 1, offsets), MPI_BYTE,
                             work, &begun->request);
  return hand_over(begun, code, request);
}

static int broadcast(void *bytes, int count, void **request) {
  operation *begun = begin(0);
  if (!begun) return MPI_ERR_NO_MEM;
  return hand_over(begun, MPI_Ibcast(bytes, count, MPI_BYTE, 0, work, &begun->request), request);
}

static int test(void *request, int *done) {
  operation *begun = request;
  *done = 0;
  int code = MPI_Test(&begun->request, done, MPI_STATUS_IGNORE);
  if (!code && *done) free(begun);
  return code;
}

static int say(int to, int kind, const char *text, int length, int *begun) {
  word *next = &sent[to];
  *begun = 0;
  if (next->request != MPI_REQUEST_NULL) {
    int taken = 0;
    int code = MPI_Test(&next->request, &taken, MPI_STATUS_IGNORE);
    if (code || !taken) return code;
  }
  if (length > CMPI_LONGEST_TEXT) length = CMPI_LONGEST_TEXT;
  memcpy(next->text, text, (size_t)length);
  *begun = 1;
  return MPI_Isend(next->text, length, MPI_BYTE, to, kind, words, &next->request);
}

static int said(int *done) {
  *done = 1;
  for (int index = 0; index < ranks; index++) {
    int taken = 1;
    if (sent[index].request != MPI_REQUEST_NULL) {
      int code = MPI_Test(&sent[index].request, &taken, MPI_STATUS_IGNORE);
      if (code) return code;
    }
    if (!taken) *done = 0;
  }
  return 0;
}

static int hear(int *from, int *kind, char *text, int room) {
  int has_come = 0;
  MPI_Status status;
  *from = -1;
  int code = MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, words, &has_come, &status);
  if (code || !has_come) return code;
  int length = 0;
  if ((code = MPI_Get_count(&status, MPI_BYTE, &length))) return code;
  // No word is longer, and it is taken whole.
  char taken[CMPI_LONGEST_TEXT + 1];
  if (length > CMPI_LONGEST_TEXT) return MPI_ERR_TRUNCATE;
  code = MPI_Recv(taken, length, MPI_BYTE, status.MPI_SOURCE, status.MPI_TAG, words, MPI_STATUS_IGNORE);
  if (code) return code;
  taken[length] = 0;
  copy_text(text, room, taken);
  *from = status.MPI_SOURCE;
  *kind = status.MPI_TAG;
  return 0;
}

static const cmpi_functions functions = {
    .version = CMPI_VERSION,
    .start = start,
    .finish = finish,
    .abandon = abandon,
    .library_name = library_name,
    .host_name = host_name,
    .error_text = error_text,
    .exchange = exchange,
    .gather = gather,
    .broadcast = broadcast,
    .test = test,
    .say = say,
    .said = said,
    .hear = hear,
};

const cmpi_functions *skipline_mpi(void);
const cmpi_functions *skipline_mpi(void) { return &functions; }
