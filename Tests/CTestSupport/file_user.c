#include "CTestSupport.h"

#include <sys/fsuid.h>

uid_t file_user_become(uid_t user) { return (uid_t)setfsuid(user); }
