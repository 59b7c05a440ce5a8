// The suite that all journeys at a terminal belong to. One after another: each has a shell, the program and its
// threads, which together would only wait for one another.

import Testing

@Suite(
  .serialized,
  .enabled(if: TerminalJourney.isPossible, "tmux is not installed (apt-get install tmux): no screen can be tested"))
enum Journeys {}
