// Requests and decisions that must never be dropped in silence: lists of another form or another dataset, errors before
// training, decisions about data that were moved, a home that may not be read, and classes in two spellings.

import Foundation
import Messages
import Testing

@Suite struct FollowingTests {
  private func shell(_ script: String, in workspace: Workspace) async throws -> FinishedProgram {
    try await RunningProgram(["bash", "-c", script], in: workspace).finish()
  }

  private static let tiny = Workspace.tinyNetwork.joined(separator: " ") + " --epochs 1"

  @Test func `a class in two spellings is trained, evaluated and decided about as one`() async throws {
    let workspace = try Workspace()
    let script = """
      mv data/train/disc data/train/$'caf\\u00e9' && mv data/val/disc data/val/$'cafe\\u0301' && \
      mv data/test/disc data/test/$'cafe\\u0301'
      """
    #expect(try await shell(script, in: workspace).status == 0)
    let check = try await workspace.skipline("check", "data", "--json").decoded(DatasetReport.self)
    #expect(check.classes.count == 8 && !check.findings.contains { $0.severity == .error })
    let cafe = try #require(check.classes.firstIndex { $0.name == "caf\u{e9}" })
    #expect(check.classes[cafe].counts == SplitCounts(train: 5, validation: 1, test: 2))
    let relabel = try await shell(
      "skipline relabel data train/star/star-0001.png --to $'cafe\\u0301' && skipline decisions data", in: workspace
    )
    #expect(relabel.output.contains("relabel  train/star/star-0001.png  from star to caf\u{e9}"))
    let train = try await workspace.train(epochs: 1)
    #expect(train.status == 0, "\(train.errors)")
    let evaluation = try await workspace.skipline("evaluate", "runs/tiny", "--split", "val", "--json")
    let report = try evaluation.decoded(EvaluationReport.self)
    #expect(report.images == 8 && report.classes.count == 8 && report.classes[cafe].support == 1)
    // The figures of the run and of the evaluation are of the same images.
    let best = try #require(train.output.split(separator: "accuracy ").last?.prefix { $0 != "%" })
    #expect(Double(String(best)).map { abs($0 - 100 * report.top1) < 0.01 } == true, "\(best) \(report.top1)")
  }

  @Test func `lists that name nothing, or little, end with 65 and no run`() async throws {
    let workspace = try Workspace()
    #expect(try await workspace.skipline("split", "data", "--export", "lists", "--exact").status == 0)
    let foreign = try await shell(
      "sed -i 's#^#x#' lists/*.txt; skipline train data --split lists \(Self.tiny)", in: workspace)
    #expect(foreign.status == 65 && foreign.errors.contains("lists/train.txt, line 1: x"), "\(foreign.errors)")
    #expect(try await workspace.skipline("check", "data", "--split", "lists").status == 65)
    let partial = try await shell(
      "sed -i 's#^x##' lists/train.txt lists/val.txt; skipline train data --split lists \(Self.tiny)", in: workspace
    )
    #expect(partial.status == 65 && partial.errors.contains("--accept-errors"), "\(partial.errors)")
    #expect(!workspace.exists("runs"))
    let accepted = try await shell("skipline train data --split lists \(Self.tiny) --accept-errors", in: workspace)
    #expect(accepted.status == 0, "\(accepted.errors)")
    let absolute = try await shell(
      "sed -i -e \"s#^x*#$PWD/./data/#\" -e 's#$# 7#' lists/*.txt; skipline train data --split lists \(Self.tiny)",
      in: workspace)
    #expect(absolute.status == 0, "\(absolute.errors)")
  }

  @Test func `training does not start on errors, and says what accepts them`() async throws {
    let workspace = try Workspace()
    #expect(try await shell("rm -r data/train/disc", in: workspace).status == 0)
    let refused = try await workspace.train()
    #expect(refused.status == 65 && refused.errors.contains("\"disc\" has no training images"))
    #expect(refused.errors.contains("--accept-errors") && !workspace.exists("runs"))
    let accepted = try await workspace.train("taken", epochs: 1, "--accept-errors")
    #expect(accepted.status == 0 && accepted.errors.contains("disc"), "\(accepted.errors)")
    let record = try workspace.text("runs/taken/run.json").filter { $0 != " " }
    #expect(record.contains("\"acceptsErrors\":true"))
    #expect(try await workspace.skipline("train", "--resume", "runs/taken", "--epochs", "2").status == 0)
  }

  @Test func `warnings of a kind are told once for all before training`() async throws {
    let workspace = try Workspace()
    let train = try await workspace.train(epochs: 1)
    let few = train.errors.split(separator: "\n").filter { $0.contains("training images; 80 or more") }
    #expect(
      few.count == 5
        && train.errors.contains("and 3 more of this kind: skipline check \(workspace.folder)/data\n"),
      "\(train.errors)")
  }

  @Test func `decisions follow a dataset that was moved, in every command`() async throws {
    let workspace = try Workspace()
    let disc = "train/disc/disc-0001.png"
    let exclude = try await workspace.skipline("exclude", "data", disc)
    #expect(exclude.status == 0)
    let test = try FileManager.default.contentsOfDirectory(atPath: workspace.folder + "/data/test/star").sorted()[0]
    #expect(try await workspace.skipline("exclude", "data", "test/star/\(test)").status == 0)
    #expect(try await workspace.train(epochs: 1).errors.contains("39 training"))
    #expect(try await shell("mv data moved", in: workspace).status == 0)
    let check = try await workspace.skipline("check", "moved")
    #expect(check.output.contains("2 decisions about these images were made when they lay in"), "\(check.output)")
    let train = try await shell("skipline train moved \(Self.tiny)", in: workspace)
    #expect(
      train.errors.contains("39 training") && train.errors.contains("were made when they lay in"), "\(train.errors)"
    )
    let evaluate = try await workspace.skipline("evaluate", "runs/tiny", "--data", "moved")
    #expect(
      evaluate.output.contains("15 images") && evaluate.errors.contains("were made when"), "\(evaluate.output)")
    let adopted = try await workspace.skipline("decisions", "moved", "--adopt", "data")
    #expect(
      adopted.status == 0 && adopted.output.hasPrefix("adopted: 2 decisions"), "\(adopted.output)\(adopted.errors)")
    #expect(adopted.output.contains("kept in \(workspace.folder)/.config/skipline/decisions/moved-"))
    let after = try await workspace.skipline("check", "moved")
    #expect(!after.output.contains("they lay in"))
    let nothing = try await workspace.skipline("decisions", "moved", "--adopt", "never")
    #expect(nothing.status == 66 && nothing.errors.contains("never"))
  }

  @Test func `an empty HOME is none, and a folder that may not be read is a warning`() async throws {
    let workspace = try Workspace()
    let empty = try await shell(
      "cd data && HOME= XDG_CACHE_HOME= XDG_CONFIG_HOME=\"$OLDPWD/c\" skipline exclude . train/disc/disc-0001.png && ls -A",
      in: workspace)
    #expect(empty.status == 0 && workspace.exists("c/skipline/decisions"), "\(empty.errors)")
    #expect(empty.outputLines.suffix(3) == ["test", "train", "val"])
    // Root may read everything; setpriv makes somebody else.
    guard geteuid() == 0, FileManager.default.isExecutableFile(atPath: "/usr/bin/setpriv") else { return }
    let other =
      "chmod 755 . && mkdir -p -m 700 locked && mkdir -p -m 777 open && cd open && HOME=\"$(realpath ../locked)\" "
      + "setpriv --reuid 65534 --regid 65534 --clear-groups "
    // Where the build or the test lies in a folder of root's alone there is nothing to try.
    let reachable = try await shell(other + "sh -c 'ls ../data && skipline --help'", in: workspace)
    guard reachable.status == 0 else { return }
    let check = try await shell(other + "skipline check ../data", in: workspace)
    #expect(check.status == 0 && check.output.contains("XDG_CONFIG_HOME"), "\(check.output)\(check.errors)")
    let train = try await shell(other + "skipline train ../data \(Self.tiny)", in: workspace)
    #expect(train.status == 0 && train.errors.contains("XDG_CONFIG_HOME"), "\(train.errors)")
    let decide = try await shell(other + "skipline exclude ../data train/disc/disc-0001.png", in: workspace)
    #expect(decide.status == 74 && decide.errors.contains("XDG_CONFIG_HOME"), "\(decide.errors)")
  }
}
