// Durations as numbers.

import Support
import Testing

@Test(arguments: [
  (Duration.zero, 0.0, Int64(0)), (.milliseconds(1500), 1.5, 1500), (.microseconds(999), 0.000999, 0),
  (.seconds(-2), -2, -2000), (.seconds(3) + .nanoseconds(1), 3.000000001, 3000),
])
func `a duration in seconds and whole milliseconds`(duration: Duration, seconds: Double, milliseconds: Int64) {
  #expect(abs(duration.seconds - seconds) < 1e-12)
  #expect(duration.milliseconds == milliseconds)
}
