// Schedules as text: what is accepted, what it means, and what is said about the rest.

import Messages
import Testing

@Suite struct ScheduleTextTests {
  @Test(arguments: [
    ("constant", Schedule.constant), ("cosine:0.05", .cosine(warmUp: 0.05)), ("cosine:0.0", .cosine(warmUp: 0)),
    ("step:30,60:0.1", .step(epochs: [30, 60], factor: 0.1)), ("step:1:0.5", .step(epochs: [1], factor: 0.5)),
    ("plateau:0.1:5", .plateau(factor: 0.1, patience: 5)), ("plateau:1e-05:1", .plateau(factor: 1e-5, patience: 1)),
    ("linear:0.25", .linear(warmUp: 0.25)), ("one-cycle:0.3:25.0", .oneCycle(warmUp: 0.3, divisor: 25)),
    ("restarts:10:2", .restarts(epochs: 10, factor: 2)),
  ])
  func `a schedule is read, and described by the same text`(text: String, schedule: Schedule) throws {
    #expect(try Schedule(argument: text) == schedule)
    #expect(schedule.description == text)
  }

  @Test func `numbers that are left out have defaults`() throws {
    #expect(try Schedule(argument: "cosine") == .cosine(warmUp: 0.05))
    #expect(try Schedule(argument: "step:30,60") == .step(epochs: [30, 60], factor: 0.1))
    #expect(try Schedule(argument: "linear") == .linear(warmUp: 0.2))
    #expect(try Schedule(argument: "one-cycle") == .oneCycle(warmUp: 0.3, divisor: 25))
    #expect(try Schedule(argument: "one-cycle:0.5") == .oneCycle(warmUp: 0.5, divisor: 25))
    #expect(try Schedule(argument: "restarts:10") == .restarts(epochs: 10, factor: 1))
    #expect(try Schedule(argument: "plateau") == .plateau(factor: 0.1, patience: 5))
    #expect(try Schedule(argument: "plateau:0.5") == .plateau(factor: 0.5, patience: 5))
  }

  @Test(arguments: [
    "", ":", "line", "constant:1", "linear:1", "linear:", "linear:0.1:2", "one-cycle:1", "one-cycle:0.3:0.5",
    "one-cycle:0.3:inf", "one-cycle:0.3:25:1", "onecycle", "restarts", "restarts:0", "restarts:1:0",
    "restarts:1:1.5",
    "restarts:1:1001", "restarts:1:2:3", "cosine:", "cosine:1", "cosine:-0.1", "cosine:nan", "cosine:a",
    "cosine:0.1:2",
    "step", "step:", "step:0", "step:-1", "step:60,30", "step:30,30", "step:30,,60", "step:30,", "step:1.5",
    "step:30:0", "step:30:1", "step:30:inf", "step:30:0.1:2", "plateau:", "plateau:0.1:0", "plateau:0.1:x",
    "plateau:2", "plateau:0.1:5:6", "step:9223372036854775807", "step:1000001", "plateau:0.1:9223372036854775807",
    "step:1e400", "plateau:1e-400", "Cosine", "cosine 0.1", " constant",
  ])
  func `what is no schedule is refused with what was expected`(text: String) throws {
    let error = #expect(throws: ScheduleTextError.self) { try Schedule(argument: text) }
    #expect(error?.description.hasPrefix("\"\(text)\" is not a schedule: write ") == true)
  }

  @Test func `the error says which part is wrong`() {
    #expect(
      throws: ScheduleTextError(
        argument: "cosine:2", expected: "a warm-up share, a number 0 or more and below 1, in place of \"2\"")
    ) { try Schedule(argument: "cosine:2") }
    #expect(
      throws: ScheduleTextError(
        argument: "step:9:7", expected: "a factor, a number above 0 and below 1, in place of \"7\"")
    ) { try Schedule(argument: "step:9:7") }
  }
}
