// `exclude`, `include`, `relabel`, `decisions` and `split`, run as a shell runs them; and that nothing the program does
// changes a dataset.

import Foundation
import Messages
import Support
import Testing

@Suite struct DecisionCommandTests {
  private static let disc = "train/disc/disc-0001.png"

  @Test func `an image is excluded everywhere, and comes back`() async throws {
    let workspace = try Workspace()
    let excluded = try await workspace.skipline("exclude", "data", Self.disc, "data/train/disc/disc-0002.png")
    #expect(excluded.status == 0)
    #expect(
      excluded.outputLines == [
        "excluded: \(Self.disc)", "excluded: train/disc/disc-0002.png",
        "to undo it: skipline include data \(Self.disc) train/disc/disc-0002.png",
      ])
    let report = try await workspace.skipline("check", "data", "--json").decoded(DatasetReport.self)
    #expect(report.excluded == 2 && report.counts.total == Workspace.imageCount - 2)
    let train = try await workspace.train(epochs: 1)
    #expect(train.errors.contains("38 training"))

    let listing = try await workspace.skipline("decisions", "data")
    #expect(listing.outputLines.first == "exclude  \(Self.disc)")
    #expect(listing.output.contains("kept in \(workspace.folder)/.config/skipline/decisions/data-"))
    let again = try await workspace.skipline("exclude", "data", Self.disc)
    #expect(again.outputLines == ["nothing to do: \(Self.disc)"])

    // Copied from what was printed.
    let words = try #require(excluded.outputLines.last?.split(separator: ":").last)
    let back = try await RunningProgram(["sh", "-c", String(words)], in: workspace).finish()
    #expect(back.status == 0)
    let none = try await workspace.skipline("decisions", "data")
    #expect(none.outputLines == ["nothing is decided about the images of data"])
    let full = try await workspace.skipline("check", "data", "--json").decoded(DatasetReport.self)
    #expect(full.counts.total == Workspace.imageCount)
  }

  @Test func `an image is relabeled, and comes back`() async throws {
    let workspace = try Workspace()
    let relabeled = try await workspace.skipline("relabel", "data", Self.disc, "--to", "star")
    #expect(relabeled.outputLines.first == "relabeled as star: \(Self.disc)")
    let report = try await workspace.skipline("check", "data", "--json").decoded(DatasetReport.self)
    let star = try #require(report.classes.first { $0.name == "star" })
    #expect(star.counts.train == 6)
    #expect(star.images.compactMap(\.decision) == [.relabeled(from: "disc")])
    let words = try #require(relabeled.outputLines.last?.split(separator: ":").last)
    #expect(words == " skipline relabel data --to disc \(Self.disc)")
    let back = try await RunningProgram(["sh", "-c", String(words)], in: workspace).finish()
    #expect(back.status == 0)
    #expect(back.outputLines.first == "no longer relabeled, and of its folder's class disc again: \(Self.disc)")
    #expect(back.outputLines.last == "to undo it: skipline relabel data --to star \(Self.disc)")
    #expect(try await workspace.skipline("decisions", "data").output.hasPrefix("nothing is decided"))
    // From one class to another: what takes it back is the one before.
    _ = try await workspace.skipline("relabel", "data", Self.disc, "--to", "star")
    let test = "test/disc/disc-0007.png"
    let other = try await workspace.skipline("relabel", "data", Self.disc, test, "--to", "cross")
    #expect(other.outputLines.last == "to undo it: skipline relabel data --to star \(Self.disc)")
    #expect(other.errors.hasPrefix("! 1 test image changed: ") && !relabeled.errors.contains("test image"))
  }

  @Test func `decisions hold for a folder within, and what looks alike can be ignored`() async throws {
    let workspace = try Workspace()
    _ = try await workspace.skipline("exclude", "data", Self.disc)
    let inner = try await workspace.skipline("decisions", "data/train")
    #expect(inner.output.contains("exclude  disc/disc-0001.png") && inner.output.contains("another level"))
    let again = try await RunningProgram(
      ["bash", "-c", "cp -r data again; for f in again/*/*/*.png; do printf x >> $f; done"], in: workspace
    ).finish()
    #expect(again.status == 0)
    let told = try await workspace.skipline("split", "again")
    #expect(told.errors.contains("--ignore"), "\(told.errors)")
    let ignored = try await workspace.skipline("decisions", "again", "--ignore", "data")
    #expect(ignored.status == 0 && ignored.output.contains("ignored from now on"), "\(ignored.errors)")
    #expect(!(try await workspace.skipline("split", "again")).errors.contains("decisions about"))
    let none = try await workspace.skipline("decisions", "again", "--ignore", "nowhere")
    #expect(none.status == 66)
  }

  @Test func `shares that are none and folders that are not there are told as that`() async throws {
    let workspace = try Workspace()
    let missing = try await workspace.skipline("split", "data", "--split", "nope")
    #expect(
      missing.status == 66 && missing.errors.contains("--split nope: there is no such folder"), "\(missing.errors)")
    for text in ["33.3/33.3/33.4", "80:10:10", "nan/0/0"] {
      let wrong = try await workspace.skipline("split", "data", "--split", text)
      #expect(wrong.status == 64 && wrong.errors.contains("add up to 100"), "\(wrong.errors)")
    }
  }

  @Test func `what is unknown is refused by name, and changes nothing`() async throws {
    let workspace = try Workspace()
    let file = try await workspace.skipline("exclude", "data", Self.disc, "train/disc/none.png")
    #expect(file.status == 66)
    #expect(file.errors.contains("train/disc/none.png is not an image of data"))
    let name = try await workspace.skipline("relabel", "data", Self.disc, "--to", "Disc")
    #expect(name.status == 65)
    #expect(name.errors.contains("no class \"Disc\"") && name.errors.contains("disc, "))
    #expect(try await workspace.skipline("exclude", "nowhere", Self.disc).status == 66)
    #expect(try await workspace.skipline("exclude", "data").status == 64)
    #expect(try await workspace.skipline("decisions", "data").output.hasPrefix("nothing is decided"))
  }

  @Test func `a list on standard input is taken, and malformed decisions stop everything`() async throws {
    let workspace = try Workspace()
    let piped = try await RunningProgram(
      ["sh", "-c", "ls data/train/disc/* | skipline exclude data -- - --json"], in: workspace
    ).finish()
    #expect(piped.status == 64 || piped.status == 66, "--json after -- is a file")
    let list = try await RunningProgram(
      ["sh", "-c", "ls data/train/disc/* | skipline exclude data - --json"], in: workspace
    ).finish()
    struct Listing: Decodable {
      var file: String
      var excluded: [String]
    }
    let listing = try list.decoded(Listing.self)
    #expect(listing.excluded == (1...5).map { "train/disc/disc-000\($0).png" })

    let file = String(listing.file.dropFirst(workspace.folder.count + 1))
    let decisions = try workspace.text(file)
    let line = decisions.count { $0 == "\n" } + 1
    try workspace.write(Array((decisions + "exclude a b\n").utf8), to: file)
    for words in [["check", "data"], ["train", "data"], ["include", "data", Self.disc]] {
      let result = try await workspace.skipline(words)
      #expect(result.status == 65)
      #expect(result.errors.contains("\(file), line \(line): "), "\(result.errors)")
    }
  }

  @Test func `names of any bytes are checked, decided about, split and trained on`() async throws {
    let workspace = try Workspace()
    // Named by the shell: Foundation cannot write such names.
    let script = """
      mkdir odd && mv data/train/disc odd/$'latin1_\\xe9' && mv data/train/star odd/star && \
      mv odd/star/star-0001.png odd/star/$'\\xff\\n\\e]0;x\\a.png'
      """
    let made = try await RunningProgram(["bash", "-c", script], in: workspace).finish()
    #expect(made.status == 0, "\(made.errors)")
    let check = try await workspace.skipline("check", "odd", "--json").decoded(DatasetReport.self)
    let name = String(pathBytes: Array("latin1_".utf8) + [0xe9])
    #expect(check.classes.map(\.name) == [name, "star"])
    #expect(!check.findings.contains { $0.kind == .undecodable })

    let odd = #"skipline exclude odd $'star/\xff\n\x1b]0;x\x07.png'"#
    let excluded = try await RunningProgram(["bash", "-c", odd], in: workspace).finish()
    #expect(excluded.status == 0, "\(excluded.errors)")
    #expect(excluded.outputLines.first == "excluded: star/\u{FFFD}␊␛]0;x␇.png")
    let words = try #require(excluded.outputLines.last?.split(separator: ": ", maxSplits: 1).last)
    let back = try await RunningProgram(["bash", "-c", String(words)], in: workspace).finish()
    #expect(back.outputLines.first == "included: star/\u{FFFD}␊␛]0;x␇.png")
    let relabel = try await RunningProgram(
      ["bash", "-c", #"skipline relabel odd star/star-0002.png --to $'latin1_\xe9'"#], in: workspace
    ).finish()
    #expect(relabel.status == 0, "\(relabel.errors)")

    let split = try await RunningProgram(
      ["bash", "-c", "mv odd $'odd\\xe9' && skipline split $'odd\\xe9' --export lists --exact"], in: workspace
    ).finish()
    #expect(split.status == 0, "\(split.errors)")
    #expect(split.outputLines.last == #"to train with it: skipline train $'odd\xe9' --split lists"#)
    let training = (["skipline", "train", #"$'odd\xe9'"#] + Workspace.tinyNetwork).joined(separator: " ")
    let train = try await RunningProgram(
      ["bash", "-c", training + " --split lists --epochs 1 --name odd"], in: workspace
    ).finish()
    #expect(train.status == 0, "\(train.errors)")
    let evaluate = try await workspace.skipline("evaluate", "runs/odd", "--split", "train")
    #expect(evaluate.status == 0, "\(evaluate.errors)")
    // Foundation cannot remove such names either.
    let removed = try await RunningProgram(["bash", "-c", "rm -r odd*"], in: workspace).finish()
    #expect(removed.status == 0)
  }

  @Test func `lists are written, refused where they are, and honored`() async throws {
    let workspace = try Workspace()
    let written = try await workspace.skipline(
      "split", "data", "--export", "lists", "--exact", "--split", "50/25/25")
    #expect(written.status == 0, "\(written.errors)")
    #expect(written.outputLines.last == "to train with it: skipline train data --split lists")
    #expect(try workspace.lines("lists/train.txt").count == 32)
    #expect(try workspace.lines("lists/val.txt").count == 16)
    let check = try await workspace.skipline("check", "data", "--split", "lists", "--json").decoded(
      DatasetReport.self)
    #expect(check.splitSource == .lists)
    #expect(check.classes.allSatisfy { $0.counts == SplitCounts(train: 4, validation: 2, test: 2) })
    #expect(try await workspace.skipline("split", "data", "--export", "lists").status == 64)
    #expect(try await workspace.skipline("split", "data", "--export", "data/lists").status == 64)
    #expect(try await workspace.skipline("split", "data", "--export", "lists", "--force").status == 0)
    #expect(try workspace.lines("lists/train.txt").count + workspace.lines("lists/val.txt").count == 48)
    #expect(try await workspace.skipline("check", "data", "--split", "no lists").status == 66)
    #expect(try await workspace.skipline("check", "data", "--split", "80/20").status == 64)
  }

  @Test func `a run keeps its lists, wherever it is resumed`() async throws {
    let workspace = try Workspace()
    _ = try await workspace.skipline("split", "data", "--export", "lists", "--exact", "--split", "50/25/25")
    let train = try await workspace.train("listed", epochs: 1, "--split", "lists")
    #expect(train.errors.contains("32 training and 16 validation"), "\(train.errors)")
    let resume = try await RunningProgram(
      ["sh", "-c", "mkdir elsewhere && cd elsewhere && skipline train --resume ../runs/listed"], in: workspace
    ).finish()
    #expect(resume.status == 0, "\(resume.errors)")
  }

  @Test func `nothing that is done changes a dataset`() async throws {
    let workspace = try Workspace()
    try workspace.truncate("data/train/disc/disc-0003.png")
    let before = try tree(workspace.folder + "/data")
    #expect(before.count > Workspace.imageCount)
    for words in [
      ["check", "data"], ["exclude", "data", Self.disc], ["relabel", "data", Self.disc, "--to", "star"],
      ["decisions", "data"], ["split", "data", "--export", "lists", "--exact"], ["include", "data", Self.disc],
      ["train", "data", "--epochs", "1", "--name", "tiny"] + Workspace.tinyNetwork, ["evaluate", "runs/tiny"],
      ["predict", "runs/tiny", "data/test/disc"], ["train", "--resume", "runs/tiny"],
      ["check", "data", "--split", "lists"],
    ] {
      let result = try await workspace.skipline(words)
      #expect(result.status == 0 || words[0] == "check" && result.status == 65, "\(words): \(result.errors)")
      #expect(try tree(workspace.folder + "/data") == before, "\(words)")
    }
  }

  /// Everything about a tree that can be changed: names, kinds, permissions, sizes, times of content and of status, and
  /// the content itself.
  private func tree(_ root: String) throws -> [String] {
    let names = try FileManager.default.subpathsOfDirectory(atPath: root).sorted()
    return try ([""] + names).map { name in
      let path = "\(root)/\(name)"
      var status = stat()
      try #require(lstat(path, &status) == 0)
      let isFile = status.st_mode & S_IFMT == S_IFREG
      let content = isFile ? try Data(contentsOf: URL(fileURLWithPath: path)).hashValue : 0
      return "\(name) \(status.st_mode) \(status.st_size) \(status.st_ino) \(status.st_nlink) "
        + "\(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec) \(status.st_ctim.tv_sec).\(status.st_ctim.tv_nsec) "
        + "\(content)"
    }
  }
}
