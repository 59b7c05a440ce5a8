// What the program was built from: known only while it is compiled.
#pragma once

/// The commit's abbreviated hash; empty where SKIPLINE_COMMIT was not set for the build.
const char *build_commit(void);
/// The commit's date, `2026-11-28`; empty likewise. Not the date of the build, so that builds of a commit are alike.
const char *build_date(void);
