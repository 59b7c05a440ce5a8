// OpenBLAS, loaded when the first product is asked for and kept to one thread.
//
// Linked in the usual way it makes a thread for each processor before main begins, although none is ever used here;
// where memory or threads are short these never come to be, and the process hangs at its end, waiting for them. So the
// number of threads is put into the environment first, and the library is loaded after that.
#pragma once

/// Puts into the environment that the library may have one thread, for a program to do before it has threads of its
/// own: others may read the environment meanwhile. Loading the library does what is left of it. It is never done before
/// main: a variable that is added moves the environment, and the Swift runtime, where it is linked in statically, looks
/// for the program's arguments beside the environment as it was, in a constructor of its own.
void openblas_keep_to_one_thread(void);

/// Makes room in the environment for the name of a processor, for openblas_choose_processor: to be called as early as
/// openblas_keep_to_one_thread. Nobody else reads what it puts there.
void openblas_keep_room(void);

/// Has the library, when it is loaded, compute as on this processor (OPENBLAS_CORETYPE), whose instructions the present
/// one must have. Other threads may read the environment meanwhile: nothing in it moves.
/// Returns 0 where there is no room for it; a library that is loaded already stays as it is.
int openblas_choose_processor(const char *name);

/// Loads the library, once; for any thread.
/// Returns NULL, or why it cannot be loaded or used.
const char *openblas_load(void);

/// Takes the memory that so many threads need to multiply at the same time: the library waits for ever for memory that
/// it does not get, so whether it is there is tried first. To be called by one thread, after openblas_load.
/// Returns for how many threads there is memory, 0 if for none.
int openblas_reserve(int threads);

/// c = a * b, or c += a * b, row by row: a [rows, inner] and b [inner, columns] after they were transposed, where that
/// is asked for, and c [rows, columns]. The strides are floats from one stored row to the next. After openblas_load.
void openblas_multiply(int rows, int columns, int inner, const float *a, int a_stride, int a_transposed, const float *b,
                       int b_stride, int b_transposed, float *c, int accumulating);

/// Name, version and options of the library, and the processor that it computes for; empty if it cannot be loaded.
const char *openblas_configuration(void);
const char *openblas_processor(void);
/// How it was built to use threads: 0 for none, 1 for threads of the system's, 2 for OpenMP; -1 if it cannot be loaded.
int openblas_threading(void);
