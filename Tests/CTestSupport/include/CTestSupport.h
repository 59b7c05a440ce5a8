// What tests need of the system that Swift does not import.

#pragma once

#include <sys/types.h>

/// From now on this thread opens files as another user (setfsuid(2)); root only. Returns the user before.
uid_t file_user_become(uid_t user);

/// Bytes of this thread's stack, as the C library knows it. The list of mappings does not do: it is read in parts while
/// other threads change it, and neighbors in it become one.
long own_stack_size(void);
