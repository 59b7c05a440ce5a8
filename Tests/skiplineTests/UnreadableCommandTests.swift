// What the commands say of data of which a part may not be read, as another user finds them: never figures of the rest
// as if they were of all. Skipped for anybody but root, who alone can become somebody else.

import Foundation
import Testing

@Suite(.enabled(if: geteuid() == 0, "what another user may read is tried as another user, which takes root"))
struct UnreadableCommandTests {
  private func asOther(_ command: String, in workspace: Workspace) async throws -> FinishedProgram {
    try await RunningProgram(
      [
        "timeout", "120", "bash", "-c",
        "mkdir -p -m 777 home; export HOME=\"$PWD/home\"; exec setpriv --reuid 65534 --regid 65534 --clear-groups skipline "
          + command,
      ], in: workspace
    ).finish()
  }

  @Test func `a class that may not be read stops what gives figures, unless that is accepted`() async throws {
    let workspace = try Workspace()
    chmod(workspace.folder, 0o755)
    // Where the build lies in a folder of root's alone there is nothing to try.
    guard try await asOther("--help", in: workspace).status == 0 else { return }
    #expect(try await workspace.train("tiny", epochs: 1).status == 0)
    for folder in ["runs", "runs/tiny", "runs/tiny/checkpoints", "runs/tiny/evaluations"] {
      chmod("\(workspace.folder)/\(folder)", 0o777)
    }
    chmod("\(workspace.folder)/data/test/star", 0)
    defer { chmod("\(workspace.folder)/data/test/star", 0o755) }
    for command in [
      "evaluate runs/tiny", "evaluate runs/tiny --data data", "split data", "split data --export home/lists",
      "cache data --tfrecord home/shards", "check data", "predict runs/tiny data/test",
      "train data \(Workspace.tinyNetwork.joined(separator: " ")) --epochs 1 --project home/runs",
    ] {
      let ended = try await asOther(command, in: workspace)
      let told = ended.errors + ended.output
      #expect(ended.status == 65, "\(command): \(told)")
      #expect(
        told.contains("test/star cannot be read (Permission denied)") && told.contains("chmod"),
        "\(command): \(told)")
      #expect(!workspace.exists("home/lists") && !workspace.exists("home/shards"), "\(command)")
    }
    let evaluated = try await asOther("evaluate runs/tiny --accept-errors", in: workspace)
    #expect(evaluated.status == 0 && evaluated.errors.contains("test/star"), "\(evaluated.errors)")
    let lists = try await asOther("split data --export home/lists --accept-errors", in: workspace)
    #expect(lists.status == 0 && lists.errors.contains("test/star"), "\(lists.errors)")
  }

  @Test func `a folder that may not be read is not one without images, nor a run one that may not be read`()
    async throws
  {
    let workspace = try Workspace()
    chmod(workspace.folder, 0o755)
    guard try await asOther("--help", in: workspace).status == 0 else { return }
    #expect(try await workspace.train("tiny", epochs: 1).status == 0)
    let resumed = try await asOther("train --resume runs/tiny --epochs 2", in: workspace)
    #expect(resumed.status != 0 && resumed.errors.contains("cannot write"), "\(resumed.errors)")
    #expect(!resumed.errors.contains("may not read"), "\(resumed.errors)")
    chmod("\(workspace.folder)/data", 0)
    defer { chmod("\(workspace.folder)/data", 0o755) }
    for command in ["predict runs/tiny data", "check data", "evaluate runs/tiny", "decisions data"] {
      let ended = try await asOther(command, in: workspace)
      #expect(ended.status == 65, "\(command): \(ended.errors)")
      #expect(
        ended.errors.contains("Permission denied") && !ended.errors.contains("no images"),
        "\(command): \(ended.errors)")
    }
  }
}
