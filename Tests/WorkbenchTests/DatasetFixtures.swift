// The invented dataset after a look into every file: findings of each severity, figures, and decisions. Also a small
// engine that keeps decisions, since the answers to `.decide` belong to it.

import Canvas
import Messages

@testable import Workbench

extension Fixtures {
  static let findings = [
    DatasetFinding(
      kind: .undecodable, severity: .error, subject: "zero/IMG_1107.JPG", paths: ["zero/IMG_1107.JPG"],
      message: "zero/IMG_1107.JPG does not decode: the file ends after 2,048 of its bytes",
      advice: "copy it again from where it came, or exclude it"),
    DatasetFinding(
      kind: .labelConflict, severity: .error, subject: nil, paths: ["six/IMG_1106.JPG", "eight/IMG_1115.JPG"],
      message: "the same picture is in two classes, six and eight: six/IMG_1106.JPG, eight/IMG_1115.JPG",
      advice: "look at it and exclude the one in the wrong class, or relabel it"),
    DatasetFinding(
      kind: .fewTrainingImages, severity: .warning, subject: "seven",
      message: "the class \"seven\" has 9 test images: its metrics will be uncertain",
      advice: "add images or choose another split"),
    DatasetFinding(
      kind: .nearDuplicateAcrossSplits, severity: .warning,
      paths: ["two/IMG_1102.JPG", "two/IMG_1109.JPG", "two/IMG_2390.JPG"],
      message: "3 images look the same (difference hash, 64 bits) and are in training and test images",
      advice: "keep them in one split, or exclude all but one"),
    DatasetFinding(
      kind: .ignoredFile, severity: .note, paths: ["notes.txt", "Thumbs.db"],
      message: "2 files are no images and are ignored: notes.txt, Thumbs.db", advice: ""),
  ]

  static let statistics = DatasetStatistics(
    images: 2021, undecodable: ["zero/IMG_1107.JPG"], bytes: 82_345_678,
    width: .init(least: 48, median: 100, greatest: 3024), height: .init(least: 64, median: 100, greatest: 4032),
    aspect: .init(least: 0.5, median: 1, greatest: 1.78),
    commonSizes: [(100, 100, 1890), (128, 96, 84), (3024, 4032, 31), (64, 64, 9), (48, 96, 7)].map {
      .init(size: .init(width: $0.0, height: $0.1), count: $0.2)
    },
    formats: [.init(name: "JPEG", count: 1920), .init(name: "PNG", count: 101)],
    channels: [.init(name: "color", count: 1985), .init(name: "gray", count: 36)],
    mean: [0.6129, 0.5763, 0.5618], std: [0.1881, 0.2054, 0.2117])

  /// The dataset as a file check reports it.
  static let inspected: DatasetReport = {
    var report = dataset
    (report.findings, report.statistics) = (findings, statistics)
    return report
  }()

  /// One image of the first class is excluded, one of the second is there by a person's word.
  static let decided: DatasetReport = {
    var keeper = DecisionKeeper(report: inspected)
    keeper.carryOut([.exclude(path: "zero/IMG_1114.JPG"), .relabel(path: "seven/IMG_1114.JPG", to: "zero")])
    return keeper.report
  }()
}

/// Does to a report what the engine does with decisions.
struct DecisionKeeper {
  var report: DatasetReport

  mutating func carryOut(_ changes: [DecisionChange]) {
    for change in changes {
      switch change {
      case .exclude(let path): set(.excluded, of: path)
      case .include(let path): set(nil, of: path)
      case .relabel(let path, let to): relabel(path, to: to)
      case .confirm(let path, let name): report.confirmed.append(ConfirmedLabel(path: path, className: name))
      case .doubt(let path): report.confirmed.removeAll { $0.path == path }
      }
    }
    for index in report.classes.indices {
      let images = report.classes[index].images
      report.classes[index].excluded = images.count { $0.decision == .excluded }
      report.classes[index].counts = images.filter { $0.decision != .excluded }
        .reduce(into: SplitCounts()) { $0[$1.split] += 1 }
    }
  }

  /// Answers every `.decide` among the effects as the engine does: with names alone.
  mutating func answer(_ effects: [Effect], _ state: inout WorkbenchState, checkingFiles: Bool = false) {
    for case .browse(.decide(_, _, let changes)) in effects {
      carryOut(changes)
      var answer = report
      if !checkingFiles { (answer.statistics, answer.findings) = (nil, []) }
      state.hear(.dataset(answer))
    }
  }

  private mutating func set(_ decision: ImageDecision?, of path: String) {
    for index in report.classes.indices {
      for place in report.classes[index].images.indices where report.classes[index].images[place].path == path {
        report.classes[index].images[place].decision = decision
      }
    }
  }

  private mutating func relabel(_ path: String, to name: String) {
    guard let from = report.classes.firstIndex(where: { $0.images.contains { $0.path == path } }),
      let to = report.classes.firstIndex(where: { $0.name == name }),
      let place = report.classes[from].images.firstIndex(where: { $0.path == path })
    else { return }
    var image = report.classes[from].images.remove(at: place)
    let folder = String(path.prefix { $0 != "/" })
    image.decision = folder == name ? nil : .relabeled(from: folder)
    report.classes[to].images.append(image)
    report.classes[to].images.sort { $0.path < $1.path }
  }
}

extension WorkbenchState {
  /// With the dataset looked into.
  static func inspected(size: Size = Size(width: 80, height: 24)) -> WorkbenchState {
    var state = WorkbenchState.opened(size: size)
    state.hear(.dataset(Fixtures.inspected))
    return state
  }
}
