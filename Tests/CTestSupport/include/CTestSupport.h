// What tests need of the system that Swift does not import.

#pragma once

#include <sys/types.h>

/// From now on this thread opens files as another user (setfsuid(2)); root only. Returns the user before.
uid_t file_user_become(uid_t user);
