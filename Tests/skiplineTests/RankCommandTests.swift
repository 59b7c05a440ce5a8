// The program started as one of several: refused where each would do the same.

import Foundation
import Testing

@Suite struct RankCommandTests {
  private static let hasLibrary = FileManager.default.fileExists(
    atPath: "\(Program.folder)/libskipline-mpi.so")

  private func launched(_ workspace: Workspace, _ words: String...) async throws -> FinishedProgram {
    try await RunningProgram(["env"] + words, in: workspace).finish()
  }

  @Test(
    .enabled(if: !hasLibrary, "the library of MPI lies beside the program"),
    arguments: ["OMPI_COMM_WORLD_SIZE=4", "PMI_SIZE=4", "SLURM_STEP_NUM_TASKS=4"])
  func `a program without MPI does not train as one of several, and says how to make it one`(
    variable: String
  ) async throws {
    let workspace = try Workspace()
    let refused = try await launched(workspace, variable, "skipline", "train", "data")
    #expect(refused.status == 1)
    #expect(refused.errors.hasPrefix("skipline: started 4 times by "))
    #expect(refused.errors.contains("'make build MPI=1'"))
    #expect(!workspace.exists("runs"))
  }

  @Test func `a library that is not there is named`() async throws {
    let workspace = try Workspace()
    let refused = try await launched(
      workspace, "PMI_SIZE=2", "SKIPLINE_MPI=/no/such.so", "skipline", "train", "data")
    #expect(refused.status == 1 && refused.errors.contains("/no/such.so"))
    #expect(!workspace.exists("runs"))
  }

  @Test func `other commands are refused too, but for help`() async throws {
    let workspace = try Workspace()
    let refused = try await launched(workspace, "PMI_SIZE=2", "skipline", "check", "data")
    #expect(refused.status == 1 && refused.errors.contains("only 'train' runs on several ranks"))
    #expect(refused.output.isEmpty)
    #expect(try await launched(workspace, "PMI_SIZE=2", "skipline", "--version").status == 0)
  }

  @Test func `one process of a launcher is a program alone`() async throws {
    let workspace = try Workspace()
    let checked = try await launched(
      workspace, "OMPI_COMM_WORLD_SIZE=1", "SLURM_NTASKS=8", "skipline", "check", "data")
    #expect(checked.status == 0)
  }
}
