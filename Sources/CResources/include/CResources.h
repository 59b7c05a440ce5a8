// What of threads, signals and arguments Swift cannot ask for, or cannot promise.
#pragma once

#include <pthread.h>

/// How many processors the calling thread may run on; 0 where that is not known.
int resources_allowed_processors(void);

/// Gives the calling thread a name, of which the system keeps 15 bytes.
void resources_name_thread(const char *name);

/// From now on a signal of this number is written, as one byte, to the descriptor that resources_note_signals_at names.
/// Returns 0 or an error number.
int resources_note_signal(int number);

/// Where the numbers of signals are written, without waiting; -1 for nowhere: they are then ignored.
void resources_note_signals_at(int descriptor);

/// The program's arguments as the system gave them, with the program's name in front, for as long as the process lives.
/// Swift's own, where its runtime is linked in statically, are none where /proc is not mounted.
int resources_argument_count(void);
const char *resources_argument(int index);

/// A pipe whose ends are closed in other programs, and whose second end never waits.
/// Returns 0 or an error number.
int resources_make_pipe(int ends[2]);

/// Makes a condition variable whose waits are measured by the clock that nobody can set.
void resources_init_condition(pthread_cond_t *condition);

/// Waits as pthread_cond_wait does, at most for so many nanoseconds.
void resources_wait_condition(pthread_cond_t *condition, pthread_mutex_t *mutex, long long nanoseconds);
