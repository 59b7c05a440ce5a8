// The few calls of MPI that ranks need, as a table of functions that a library of its own holds.
//
// MPI has no binary interface: what a rank count or a request is, differs between Open MPI and MPICH, and only a
// machine's own mpicc knows. So the one file that includes mpi.h, library/skipline-mpi.c, is compiled by mpicc into a
// library, and a program that was started as several ranks loads it. No other program does, and none needs MPI.
//
// Every function but `error_text` gives back 0 or an error code of MPI. No function waits for another rank, except
// `start` and `finish`; none may be called while another is under way in another thread.
#pragma once

/// Raised with every change of the table: a library of another version is not used.
#define CMPI_VERSION 1

/// Of `say`: longer texts are cut off.
#define CMPI_LONGEST_TEXT 4000

typedef struct {
  int version;

  /// Joins the other processes: MPI_Init_thread. `*serialized` is 0 where the library allows calls from the first
  /// thread alone. Errors are codes from then on and end no process.
  int (*start)(int *rank, int *size, int *serialized);
  /// Leaves: MPI_Finalize. It waits for the others.
  int (*finish)(void);
  /// Ends all processes with this status, at the latest after ten seconds this one.
  void (*abandon)(int status);

  /// The MPI's name and version, and this machine's name; each ends with a zero byte.
  void (*library_name)(char *text, int room);
  void (*host_name)(char *text, int room);
  /// What MPI says of an error code.
  void (*error_text)(int code, char *text, int room);

  /// Begin. Buffers stay the caller's and in place until `test` has said that the request is done; counts and offsets,
  /// in floats or bytes, one for each rank, are read at once. A request that is not NULL must be tested until done.

  /// Part k of `send` goes to rank k, and what rank k sends comes to part k of `receive`: MPI_Ialltoallv.
  int (*exchange)(const float *send, const int *send_counts, const int *send_offsets, float *receive,
                  const int *receive_counts, const int *receive_offsets, void **request);
  /// What every rank sends, on every rank: MPI_Iallgatherv.
  int (*gather)(const void *send, int count, void *receive, const int *counts, const int *offsets, void **request);
  /// Rank 0's bytes on every rank: MPI_Ibcast.
  int (*broadcast)(void *bytes, int count, void **request);
  /// Whether the request is done; it is freed then.
  int (*test)(void *request, int *done);

  /// Words between ranks beside their work. A word to a rank that has not taken the last one is not begun.
  int (*say)(int to, int kind, const char *text, int length, int *begun);
  /// Whether all words that were begun are on their way, and their memory is free.
  int (*said)(int *done);
  /// The next word that has come; `*from` is -1 where there is none. Ends with a zero byte.
  int (*hear)(int *from, int *kind, char *text, int room);
} cmpi_functions;

/// Loads the library at this path, or finds it by name.
/// Returns NULL where it cannot be used; `why` then says why.
const cmpi_functions *cmpi_load(const char *path, char *why, int room);
