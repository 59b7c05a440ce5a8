// Ranks as processes of mpirun: the same sums on any number of them, and an end for all when one is lost.

import Foundation
import Testing

@Suite("Ranks under mpirun", .serialized, .enabled(if: Installation.isAny, Installation.absence))
struct ProbeTests {
  @Test(arguments: Installation.all) func `sums in a fixed order are the same bits on 1 to 4 ranks`(
    mpi: Installation
  ) async throws {
    var sums: Set<Substring> = []
    for ranks in 1...4 {
      let (status, output, errors) = try await mpi.run(ranks, "sum")
      try #require(status == 0, "\(errors)")
      let words = output.split(separator: " ")
      try #require(words.first == "sum" && words.count == 7, "\(output)\(errors)")
      sums.insert(words[1])
      #expect(output.contains("from rank 0 ranks \(ranks)"))
    }
    #expect(sums.count == 1)
  }

  @Test(arguments: Installation.all, [0, 1, 2]) func `a rank that is killed ends all, at once`(
    mpi: Installation, rank: Int
  ) async throws {
    let began = try mpi.start(3, ["go", "--silence", "5"])
    let processes = try await began.processes()
    try #require(processes.count == 3)
    let (status, _, seconds) = try await ending(of: began, processes) { kill(processes[rank], SIGKILL) }
    #expect(status != 0)
    #expect(seconds < 25)
  }

  @Test(arguments: Installation.all, [0, 1, 2])
  func `a rank that is stopped ends all in bounded time, with one message`(mpi: Installation, rank: Int)
    async throws
  {
    let began = try mpi.start(3, ["go", "--silence", "4"])
    let processes = try await began.processes()
    try #require(processes.count == 3)
    let (status, errors, seconds) = try await ending(of: began, processes) { kill(processes[rank], SIGSTOP) }
    #expect(status != 0)
    #expect(errors.matches(of: /probe: rank \d on \S+ has not been heard of for \d s/).count == 1, "\(errors)")
    #expect(errors.contains("probe: rank \(rank) on "))
    // The limit, half as long again where it is rank 0, and what a busy machine takes.
    #expect(seconds < 30)
  }

  @Test(arguments: Installation.all) func `all ranks suspended and continued go on`(mpi: Installation) async throws
  {
    let began = try mpi.start(3, ["go", "--silence", "3"])
    let processes = try await began.processes()
    for process in processes { kill(process, SIGSTOP) }
    try await Task.sleep(for: .seconds(5))
    for process in processes { kill(process, SIGCONT) }
    try await Task.sleep(for: .seconds(2))
    #expect(processes.allSatisfy { kill($0, 0) == 0 }, "\(began.errors)")
    let (_, errors, _) = try await ending(of: began, processes) { kill(processes[0], SIGKILL) }
    #expect(!errors.contains("heard of"))
  }

  @Test(arguments: Installation.all, [0, 2]) func `a rank that cannot go on has rank 0 say so, once`(
    mpi: Installation, rank: Int
  ) async throws {
    let (status, _, errors) = try await mpi.run(3, "go", "--deed", "giveUp", "--by", "\(rank)")
    #expect(status != 0)
    #expect(errors.matches(of: /probe: .*the disk is full/).count == 1, "\(errors)")
    if rank != 0 { #expect(errors.contains("probe: rank \(rank) on ")) }
  }

  @Test(arguments: Installation.all, [0, 1]) func `a rank that leaves without a word ends all`(
    mpi: Installation, rank: Int
  ) async throws {
    let began = try mpi.start(3, ["go", "--deed", "end", "--by", "\(rank)", "--silence", "5"])
    let (status, _, seconds) = try await ending(of: began, try await began.processes()) {}
    #expect(status != 0)
    #expect(seconds < 25)
  }

  @Test(arguments: Installation.all) func `a rank that lives but hangs ends all after the patience is over`(
    mpi: Installation
  ) async throws {
    let (status, _, errors) = try await mpi.run(3, "go", "--deed", "hang", "--by", "1", "--patience", "3")
    #expect(status != 0)
    #expect(errors.contains("one of them hangs"), "\(errors)")
  }

  /// Does something to the ranks and waits for their end.
  private func ending(
    of began: StartedRanks, _ processes: [Int32], _ deed: () -> Void
  ) async throws -> (status: Int32, errors: String, seconds: Double) {
    let start = ContinuousClock.now
    deed()
    let (status, _, errors) = try await began.finish()
    let took = ContinuousClock.now - start
    // Nobody is left behind. Those that were killed may take a moment to be gone.
    for _ in 0..<100 where processes.contains(where: { kill($0, 0) == 0 }) {
      try await Task.sleep(for: .milliseconds(50))
    }
    #expect(processes.allSatisfy { kill($0, 0) != 0 })
    return (status, errors, Double(took.components.seconds))
  }
}
