// From what Examples say of their class to names: image/class/text, else the name that labels.txt gives
// image/class/label, else that number itself.

import Messages
import Support

/// The classes of a set of shards, in the order in which they were met.
struct ClassNames {
  private(set) var names: [String] = []
  private let labels: LabelsFile
  private var indices: [ClassName: Int] = [:]
  /// The same by the bytes of the shards, so that a name is made canonical once.
  private var indicesOfBytes: [[UInt8]: Int] = [:]
  /// The labels that came with each name.
  private var numbers: [Set<Int64>] = []

  init(labels: LabelsFile) { self.labels = labels }

  /// The index in `names` of an Example's class.
  /// - Parameter example: has a text or a label.
  mutating func index(of example: ImageExample) -> Int {
    let bytes = example.text ?? Array((example.label.map { labels.names[$0] ?? "\($0)" } ?? "").utf8)
    let index: Int
    if let known = indicesOfBytes[bytes] {
      index = known
    } else {
      let name = ClassName(example.text.map { String(pathBytes: $0) } ?? String(decoding: bytes, as: UTF8.self))
      if let known = indices[name] {
        index = known
      } else {
        index = names.count
        indices[name] = index
        names.append(name.text)
        numbers.append([])
      }
      indicesOfBytes[bytes] = index
    }
    if let label = example.label { numbers[index].insert(label) }
    return index
  }

  /// Where texts, labels and labels.txt contradict each other.
  var findings: [DatasetFinding] {
    var findings: [DatasetFinding] = []
    func note(_ severity: DatasetFinding.Severity, _ name: String?, _ message: String, _ advice: String) {
      findings.append(
        DatasetFinding(kind: .damagedShard, severity: severity, subject: name, message: message, advice: advice))
    }
    for (name, numbers) in zip(names, numbers).sorted(by: { NaturalOrder.precedes($0.0, $1.0) }) {
      let sorted = numbers.sorted()
      if sorted.count > 1 {
        let shown = sorted.prefix(3).map(String.init).joined(separator: ", ") + (sorted.count > 3 ? ", ..." : "")
        note(
          .warning, name,
          "\"\(name)\" is the class text of \(sorted.count) labels (\(shown)): it is taken as one class",
          "if they are different things, rewrite the shards with different texts")
      }
      for number in sorted {
        guard let listed = labels.names[number], Self.line(listed) != Self.line(name) else { continue }
        note(
          .warning, name, "label \(number) is \"\(name)\" in the shards and \"\(listed)\" in \(LabelsFile.name)",
          "the shards' text is used; correct \(LabelsFile.name)")
      }
    }
    let used = Set(names.map(Self.line))
    let unused = labels.names.sorted { $0.key < $1.key }.map(\.value).filter { !used.contains(Self.line($0)) }
    if !unused.isEmpty {
      let shown = unused.prefix(5).joined(separator: ", ") + (unused.count > 5 ? ", ..." : "")
      findings.append(
        DatasetFinding(
          kind: .emptyClass, severity: .note,
          message: "of the classes in \(LabelsFile.name), \(unused.count) \(unused.count == 1 ? "has" : "have") "
            + "no images: \(shown)", advice: ""))
    }
    return findings
  }

  /// A class's name as a line of labels.txt can hold it.
  private static func line(_ name: String) -> [UInt8] { LabelsFile.line(ClassName.canonical(name)) }
}
