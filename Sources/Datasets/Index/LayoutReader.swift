// Makes out which folders of a dataset are classes and which are splits, by their names and by what they hold. What
// could be two things is refused, with the option that says which it is. Datasets that lie deeper, and splits within
// classes, are in LayoutReader+Deeper.swift; splits that the user named in LayoutReader+Named.swift.

import Messages
import Support

/// Makes the plan of a dataset's folder.
struct LayoutReader {
  let root: String
  var survey: FolderSurvey
  /// Folders that were gone through on the way to those of the plan.
  var entered: [String] = []
  var findings: [DatasetFinding] = []
  /// Whether it was said which folder the dataset is read from.
  var hasToldEntering = false

  /// Folders in folders, before it is given up.
  static let deepest = 8
  /// A folder of more folders than that is one of classes: they are not searched for datasets.
  static let mostDatasets = 64

  init(root: String) {
    self.root = root
    survey = FolderSurvey(root: root)
  }

  mutating func plan() throws(DatasetError) -> LayoutPlan { try plan(at: "", depth: 0) }

  mutating func plan(at base: String, depth: Int) throws(DatasetError) -> LayoutPlan {
    guard depth < Self.deepest, let entries = survey.glance(base)?.folders, !entries.isEmpty else {
      return .classes(base: base)
    }
    if let plan = try planByNames(entries, in: base, depth: depth) { return plan }
    if let plan = try planWithSplitsInClasses(entries, in: base) { return plan }
    return try planOfWrapper(entries, in: base, depth: depth)
  }

  // MARK: Folders whose names are roles

  /// A folder that may be a split.
  struct Candidate {
    var name: String
    var reading: SplitFolderName
    /// The folder that holds the classes: the folder itself, or one in it of the same name.
    var path = ""
    var content = Content.empty

    enum Content {
      /// Folders with images: classes.
      case classes
      /// Images, and no folder with images.
      case images
      case empty
      /// Folders that are splits themselves.
      case dataset
    }
  }

  mutating func planByNames(
    _ entries: [FolderEntry], in base: String, depth: Int
  ) throws(DatasetError) -> LayoutPlan? {
    let candidates = entries.flatMap { entry in
      SplitFolderName.readings(of: entry.name).map { Candidate(name: entry.name, reading: $0) }
    }
    if candidates.isEmpty { return nil }
    let byPattern = Dictionary(grouping: candidates, by: \.reading.pattern)
    func splits(_ group: [Candidate]) -> Int {
      let roles = group.map(\.reading.role)
      return Set(roles.map { $0.split(among: roles) }).count
    }
    let plain = byPattern[SplitFolderName.plain] ?? []
    let pairs = byPattern.filter { !($0.value.first?.reading.isPlain ?? true) && splits($0.value) > 1 }
      .sorted { $0.key < $1.key }.map(\.value)
    if splits(plain) > 1 { return try plan(ofSplits: plain, candidates, entries, in: base) }
    if pairs.count > 1 {
      throw unclear(
        base,
        pairs.map { listed($0.map(\.name)) }.joined(separator: ", and ") + " look like splits of different "
          + "datasets", "name those of one: " + options(pairs[0], in: base))
    }
    if let pair = pairs.first { return try plan(ofSplits: pair, candidates, entries, in: base) }
    if !plain.isEmpty { return try plan(ofLone: plain, candidates, entries, in: base, depth: depth) }
    // A bullet_train among cars is a class; alone, or with classes in it, it may be no class.
    var distinct: [Candidate] = []
    for candidate in candidates {
      let looked = looked(at: candidate, in: base)
      if looked.content == .dataset || survey.imageFolders(in: looked.path, atMost: 2).count > 1 {
        distinct.append(candidate)
      }
    }
    return distinct.isEmpty ? nil : try plan(ofLone: distinct, candidates, entries, in: base, depth: depth)
  }

  /// Folders of two or more splits, named alike.
  mutating func plan(
    ofSplits group: [Candidate], _ candidates: [Candidate], _ entries: [FolderEntry], in base: String
  ) throws(DatasetError) -> LayoutPlan {
    let group = group.map { looked(at: $0, in: base) }
    let roles = group.map(\.reading.role)
    func split(_ candidate: Candidate) -> Split { candidate.reading.role.split(among: roles) }
    if let divided = group.first(where: { $0.content == .dataset }) {
      var folders = SplitFolders()
      for part in splits(in: divided.path, ofClasses: true)?.parts ?? [] {
        folders[part.split] = FolderSurvey.joined(divided.path, part.name)
      }
      for other in group where !other.name.hasSameBytes(as: divided.name) {
        folders[split(other)] = folders[split(other)] ?? FolderSurvey.joined(base, other.name)
      }
      throw unclear(
        base, "\(divided.name)/ is divided itself, and lies beside " + listed(others(group, than: divided)),
        "say which folders are the splits, as with " + folders.optionWords.joined(separator: " "))
    }
    var parts: [SplitPart] = []
    var used: [String] = []
    for wanted in Split.allCases {
      let members = group.filter { split($0) == wanted }
      let full = members.filter { $0.content == .classes }
      if full.count > 1 {
        throw unclear(
          base, listed(full.map(\.name)) + (full.count == 2 ? " both" : " all") + " mean \(wanted.title) images",
          "say which is to be used: "
            + full.map { shellOption("--\(wanted.rawValue)", FolderSurvey.joined(base, $0.name)) }
            .joined(separator: " or "))
      }
      guard let part = full.first ?? members.first(where: { $0.content == .empty }) else {
        if wanted == .train || group.allSatisfy({ $0.content != .classes }), let flat = members.first {
          throw flatError(flat, base)
        }
        continue
      }
      parts.append(SplitPart(path: part.path, split: wanted))
      used.append(part.name)
      if part.content == .empty, !survey.isUnreadable(part.path) {
        findings.append(
          DatasetFinding(
            kind: .layout, severity: .warning, subject: part.path,
            message: "\(part.path)/ holds no images that can be read",
            advice: "put them there, or remove the folder"))
      }
    }
    guard group.contains(where: { $0.content == .classes }) else { return .splits(parts) }
    used += addOthers(candidates, to: &parts, besides: group, in: base)
    let rest = entries.map(\.name).filter { name in !used.contains { $0.hasSameBytes(as: name) } }
    if !roles.contains(.train), !parts.contains(where: { $0.split == .train }) {
      let strangers = rest.filter { name in !group.contains { $0.name.hasSameBytes(as: name) } }
      if let sibling = strangers.first(where: { survey.holdsImages(FolderSurvey.joined(base, $0)) }) {
        throw withoutTraining(parts, beside: sibling, in: base)
      }
    }
    leaveOut(rest, in: base, beside: parts)
    noteEntered(parts, in: base)
    return .splits(parts)
  }

  /// Adds splits that are missing, under names of another kind, where they have the classes of the others.
  /// - Returns: the names of those that were added.
  mutating func addOthers(
    _ candidates: [Candidate], to parts: inout [SplitPart], besides group: [Candidate], in base: String
  ) -> [String] {
    let classes = parts.flatMap { survey.imageFolders(in: $0.path) }
    let roles = group.map(\.reading.role)
    let taken = Set(roles.map { $0.split(among: roles) })
    var added: [String] = []
    for missing in Split.allCases where !taken.contains(missing) {
      let found = candidates.filter { candidate in
        candidate.reading.role.split(among: roles + [candidate.reading.role]) == missing
          && !group.contains { $0.name.hasSameBytes(as: candidate.name) }
      }.map { looked(at: $0, in: base) }.filter { sharesClasses($0, with: classes) }
      if let only = found.first, found.count == 1 {
        parts.append(SplitPart(path: only.path, split: missing))
        added.append(only.name)
      }
    }
    return added
  }

  /// One split alone, or several folders that all mean the same one.
  mutating func plan(
    ofLone group: [Candidate], _ candidates: [Candidate], _ entries: [FolderEntry], in base: String, depth: Int
  ) throws(DatasetError) -> LayoutPlan? {
    let full = group.map { looked(at: $0, in: base) }.filter { $0.content != .empty }
    let siblings = entries.map(\.name).filter { name in
      !group.contains { $0.name.hasSameBytes(as: name) } && survey.holdsImages(FolderSurvey.joined(base, name))
    }
    guard let part = full.first else { return nil }
    let split = part.reading.role.split(among: [part.reading.role])
    let partOption = shellOption("--\(split.rawValue)", FolderSurvey.joined(base, part.name))
    let asClasses = "if all of them are classes, " + allClasses(in: base)
    guard full.count == 1 else {
      throw unclear(
        base, listed(full.map(\.name)) + (full.count == 2 ? " both" : " all") + " mean \(split.title) images",
        "say which is to be used, as with \(partOption); \(asClasses)")
    }
    if siblings.isEmpty {
      switch part.content {
      case .dataset:
        return try enter(FolderSurvey.joined(base, part.name), from: base, depth: depth)
      case .images where part.reading.isPlain: throw flatError(part, base)
      case .images, .empty: return nil
      case .classes: break
      }
      leaveOut(entries.map(\.name).filter { !$0.hasSameBytes(as: part.name) }, in: base, beside: [])
      let found = [SplitPart(path: part.path, split: split)]
      noteEntered(found, in: base)
      return .splits(found)
    }
    let classes = survey.imageFolders(in: part.path)
    // Among other folders of images, one that is called train may be any of three things.
    if split == .train, part.reading.isPlain, part.content != .dataset {
      let namesakes = siblings.filter { name in classes.contains { $0 == name } }
      let strangers = siblings.filter { name in
        let inner = survey.imageFolders(in: FolderSurvey.joined(base, name))
        return !inner.contains { classes.contains($0) }
      }
      if classes.count > 1, namesakes.isEmpty, strangers.count < 2 {
        var found = [SplitPart(path: part.path, split: split)]
        let used = [part.name] + addOthers(candidates, to: &found, besides: group, in: base)
        let rest = entries.map(\.name).filter { name in !used.contains { $0.hasSameBytes(as: name) } }
        leaveOut(rest, in: base, beside: found)
        noteEntered(found, in: base)
        return .splits(found)
      }
      if classes.count < 2, siblings.count > 1 {
        takeForClass(part.name, like: siblings, option: partOption)
        return nil
      }
    } else if part.content == .images, part.name.lowercased() == "valid" {
      // What is valid lies beside what is not, unless there is something to train on.
      takeForClass(part.name, like: siblings, option: partOption)
      return nil
    } else if split != .train, part.content == .classes || part.content == .dataset {
      throw withoutTraining([SplitPart(path: part.path, split: split)], beside: siblings[0], in: base)
    }
    throw unclear(
      base,
      "\(part.name)/ reads as \(split.title) images, and beside it "
        + (siblings.count == 1 ? "lies \(siblings[0])/ with images" : "lie \(listed(siblings)) with images"),
      "if it is that, say \(partOption); \(asClasses)")
  }

  mutating func takeForClass(_ name: String, like siblings: [String], option: String) {
    findings.append(
      DatasetFinding(
        kind: .layout, severity: .warning, subject: name,
        message: "the folder \(name)/ is taken for a class, like \(listed(siblings)) beside it",
        advice: "if it is a split, say \(option)"))
  }

  /// Splits for measuring beside folders of which one, or all, are there to train on.
  mutating func withoutTraining(
    _ parts: [SplitPart], beside sibling: String, in base: String
  ) -> DatasetError {
    let classes = parts.flatMap { survey.imageFolders(in: $0.path) }
    let path = FolderSurvey.joined(base, sibling)
    let holdsClasses = survey.imageFolders(in: path).contains { classes.contains($0) }
    let training = holdsClasses ? path : base.isEmpty ? "." : base
    let words = SplitFolders(
      train: training, validation: parts.first { $0.split == .validation }?.path,
      test: parts.first { $0.split == .test }?.path
    ).optionWords.joined(separator: " ")
    let names = parts.map { "\($0.path)/" }.joined(separator: " and ")
    return unclear(
      base, "beside \(names) no folder reads as training images, and \(sibling)/ holds images",
      holdsClasses
        ? "if those are to train on, say \(words)"
        : "if the other folders are classes to train on, say \(words); if all of them are classes, "
          + allClasses(in: base))
  }

  mutating func looked(at candidate: Candidate, in base: String) -> Candidate {
    var candidate = candidate
    candidate.path = innermost(FolderSurvey.joined(base, candidate.name))
    if holdsSplits(candidate.path, ofClasses: true) {
      candidate.content = .dataset
    } else if !survey.imageFolders(in: candidate.path, atMost: 1).isEmpty {
      candidate.content = .classes
    } else if survey.holdsImages(candidate.path) {
      candidate.content = .images
    }
    return candidate
  }

  /// Goes down through folders in folders that only repeat a name, as in `train/train/cat`.
  mutating func innermost(_ path: String) -> String {
    var path = path
    for _ in 0..<Self.deepest {
      guard let glance = survey.glance(path), !glance.hasImages else { break }
      let inner = survey.imageFolders(in: path, atMost: 2)
      guard let name = inner.first, inner.count == 1 else { break }
      let outer = path.split(separator: "/").last.map(String.init) ?? path
      let roles = Set(SplitFolderName.readings(of: outer).map(\.role))
      let isRepeated =
        SplitFolderName.isNoun(name) || name.lowercased() == outer.lowercased()
        || SplitFolderName.readings(of: name).contains { $0.isPlain && roles.contains($0.role) }
      guard isRepeated else { break }
      path = FolderSurvey.joined(path, name)
    }
    return path
  }

  mutating func sharesClasses(_ candidate: Candidate, with classes: [String]) -> Bool {
    candidate.content == .classes && survey.imageFolders(in: candidate.path).contains { classes.contains($0) }
  }

  // MARK: Class folders

  /// The class folders of a split. Another split that lies among them is none of them.
  mutating func classFolders(of part: SplitPart, among parts: [SplitPart]) -> [FolderEntry] {
    let entries = survey.glance(part.path)?.folders ?? []
    let known = Set(entries.map(\.name))
    return entries.filter { entry in
      let path = FolderSurvey.joined(part.path, entry.name)
      if parts.contains(where: { $0.path.hasSameBytes(as: path) || $0.path.utf8.starts(with: "\(path)/".utf8) }) {
        return false
      }
      guard SplitFolderName.readings(of: entry.name).contains(where: \.isPlain) else { return true }
      // A class may be called train; one with the same classes once more is none.
      let inner = survey.imageFolders(in: path)
      guard inner.contains(where: { known.contains($0) }) else { return true }
      findings.append(
        DatasetFinding(
          kind: .layout, severity: .warning, subject: path, paths: [path],
          message:
            "left out: \(path)/ with \(survey.imageCount(path)), which has the classes of \(part.path)/ once more",
          advice: "if it is a split, name it with --train, --val or --test"))
      return false
    }
  }
}
