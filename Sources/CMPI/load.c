#include "CMPI.h"

#include <dlfcn.h>
#include <stdio.h>

const cmpi_functions *cmpi_load(const char *path, char *why, int room) {
  // Open MPI loads parts of its own that look for the symbols of its libraries, which a local one would hide.
  void *library = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
  if (!library) {
    snprintf(why, (size_t)room, "%s", dlerror());
    return NULL;
  }
  const cmpi_functions *(*functions)(void);
  *(void **)&functions = dlsym(library, "skipline_mpi");
  if (!functions) {
    snprintf(why, (size_t)room, "%s is no library of Skipline's", path);
    return NULL;
  }
  if (functions()->version != CMPI_VERSION) {
    snprintf(why, (size_t)room, "%s is of another version of Skipline (%d, where %d is needed)", path,
             functions()->version, CMPI_VERSION);
    return NULL;
  }
  return functions();
}
