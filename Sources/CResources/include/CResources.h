// What of threads and signals Swift cannot ask for, or cannot promise.
#pragma once

/// Gives the calling thread a name, of which the system keeps 15 bytes.
void resources_name_thread(const char *name);

/// From now on a signal of this number is written, as one byte, to the descriptor that resources_note_signals_at names.
/// Returns 0 or an error number.
int resources_note_signal(int number);

/// Where the numbers of signals are written, without waiting; -1 for nowhere: they are then ignored.
void resources_note_signals_at(int descriptor);

/// A pipe whose ends are closed in other programs, and whose second end never waits.
/// Returns 0 or an error number.
int resources_make_pipe(int ends[2]);
