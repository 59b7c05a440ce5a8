// Which folders of a dataset are its class folders, and which split each is for. Folders are told by their names and by
// what they hold; what could be two things is refused with the option that says which it is. Splits that the user named
// are in DatasetLayout+Named.swift.

import Messages

/// A folder that holds images of one class, for one split or for all.
struct ClassFolder {
  var name: String
  /// Relative to the dataset's folder.
  var path: String
  /// The split that folder names give it; nil where the rule decides.
  var part: Split?
  var isLink: Bool
}

/// Which folders of a dataset are its class folders.
struct DatasetLayout {
  var splitByFolder = false
  var folders: [ClassFolder] = []
  /// Folders whose content is divided into classes, from the root down: nothing that lies in them directly is an image
  /// of a class.
  var holders: [String] = []
  var findings: [DatasetFinding] = []

  /// - Parameter named: the folders that the user named for splits.
  /// - Throws: `DatasetError.unclearLayout` where the folders could mean two things, or nothing; `.splitFolder` where a
  ///   named one is none.
  init(root: String, named: SplitFolders?) throws(DatasetError) {
    var reader = LayoutReader(root: root)
    let plan = if let named { try reader.plan(named) } else { try reader.plan() }
    switch plan {
    case .classes(let base):
      holders.append(base)
      for entry in reader.survey.glance(base)?.folders ?? [] {
        add(entry, in: base, split: nil)
      }
    case .splits(let parts):
      splitByFolder = true
      for part in parts {
        holders.append(part.path)
        for entry in reader.classFolders(of: part, among: parts) { add(entry, in: part.path, split: part.split) }
      }
    case .splitsInClasses(let base, let parts):
      splitByFolder = true
      holders.append(base)
      for (name, inner) in parts {
        let path = FolderSurvey.joined(base, name)
        holders.append(path)
        for part in inner {
          folders.append(
            ClassFolder(name: name, path: "\(path)/\(part.name)", part: part.split, isLink: part.isLink))
        }
      }
    }
    for folder in reader.entered where !holders.contains(where: { $0.hasSameBytes(as: folder) }) {
      holders.append(folder)
    }
    findings = reader.findings
  }

  private mutating func add(_ entry: FolderEntry, in base: String, split: Split?) {
    folders.append(
      ClassFolder(
        name: entry.name, path: FolderSurvey.joined(base, entry.name), part: split,
        isLink: entry.kind == .linkedFolder))
  }
}

/// A folder that is a split.
struct SplitPart {
  /// Relative to the dataset's folder; empty for that itself.
  var path: String
  var split: Split
}

/// What a dataset's folders are.
enum LayoutPlan {
  /// The folders in `base` are classes.
  case classes(base: String)
  case splits([SplitPart])
  /// The folders in `base` are classes, and in each are the splits.
  case splitsInClasses(base: String, [(name: String, parts: [InnerPart])])

  struct InnerPart {
    var name: String
    var split: Split
    var isLink: Bool
  }
}

/// Makes the plan of a dataset's folder.
struct LayoutReader {
  let root: String
  var survey: FolderSurvey
  /// Folders that were gone through on the way to those of the plan.
  private(set) var entered: [String] = []
  private(set) var findings: [DatasetFinding] = []

  /// Folders in folders, before it is given up.
  private static let deepest = 8
  /// A folder of more folders than that is one of classes: they are not searched for datasets.
  private static let mostDatasets = 64

  init(root: String) {
    self.root = root
    survey = FolderSurvey(root: root)
  }

  mutating func plan() throws(DatasetError) -> LayoutPlan { try plan(at: "", depth: 0) }

  private mutating func plan(at base: String, depth: Int) throws(DatasetError) -> LayoutPlan {
    guard depth < Self.deepest, let entries = survey.glance(base)?.folders, !entries.isEmpty else {
      return .classes(base: base)
    }
    if let plan = try planByNames(entries, in: base, depth: depth) { return plan }
    if let plan = try planWithSplitsInClasses(entries, in: base) { return plan }
    return try planOfWrapper(entries, in: base, depth: depth)
  }

  // MARK: Folders whose names are roles

  /// A folder that may be a split.
  private struct Candidate {
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

  private mutating func planByNames(
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
    if !plain.isEmpty { return try plan(ofLone: plain, entries, in: base, depth: depth) }
    // A bullet_train among cars is a class; alone, or with classes in it, it may be no class.
    var distinct: [Candidate] = []
    for candidate in candidates {
      let looked = looked(at: candidate, in: base)
      if looked.content == .dataset || survey.imageFolders(in: looked.path, atMost: 2).count > 1 {
        distinct.append(candidate)
      }
    }
    return distinct.isEmpty ? nil : try plan(ofLone: distinct, entries, in: base, depth: depth)
  }

  /// Folders of two or more splits, named alike.
  private mutating func plan(
    ofSplits group: [Candidate], _ candidates: [Candidate], _ entries: [FolderEntry], in base: String
  ) throws(DatasetError) -> LayoutPlan {
    let group = group.map { looked(at: $0, in: base) }
    let roles = group.map(\.reading.role)
    func split(_ candidate: Candidate) -> Split { candidate.reading.role.split(among: roles) }
    if let divided = group.first(where: { $0.content == .dataset }) {
      throw unclear(
        base, "\(divided.name)/ is divided itself, and lies beside " + listed(others(group, than: divided)),
        "say which folders are the splits, as with " + options(group, in: base))
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
      if part.content == .empty {
        findings.append(
          DatasetFinding(
            kind: .layout, severity: .warning, subject: part.path,
            message: "\(part.path)/ holds no images that can be read",
            advice: "put them there, or remove the folder"))
      }
    }
    guard group.contains(where: { $0.content == .classes }) else { return .splits(parts) }
    // A missing split under another name, where it has the classes of the others.
    let classes = parts.flatMap { survey.imageFolders(in: $0.path) }
    for missing in Split.allCases where !parts.contains(where: { $0.split == missing }) {
      guard !group.contains(where: { split($0) == missing }) else { continue }
      let found = candidates.filter { candidate in
        candidate.reading.role.split(among: roles) == missing
          && !used.contains { $0.hasSameBytes(as: candidate.name) }
      }.map { looked(at: $0, in: base) }.filter { sharesClasses($0, with: classes) }
      if let only = found.first, found.count == 1 {
        parts.append(SplitPart(path: only.path, split: missing))
        used.append(only.name)
      }
    }
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

  /// One split alone, or several folders that all mean the same one.
  private mutating func plan(
    ofLone group: [Candidate], _ entries: [FolderEntry], in base: String, depth: Int
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
        let found = [SplitPart(path: part.path, split: split)]
        leaveOut(entries.map(\.name).filter { !$0.hasSameBytes(as: part.name) }, in: base, beside: found)
        noteEntered(found, in: base)
        return .splits(found)
      }
      if classes.count < 2, siblings.count > 1 {
        findings.append(
          DatasetFinding(
            kind: .layout, severity: .warning, subject: part.name,
            message: "the folder \(part.name)/ is taken for a class, like \(listed(siblings)) beside it",
            advice: "if it holds the training images, say \(partOption)"))
        return nil
      }
    } else if split != .train, part.content == .classes || part.content == .dataset {
      throw withoutTraining([SplitPart(path: part.path, split: split)], beside: siblings[0], in: base)
    }
    throw unclear(
      base,
      "\(part.name)/ reads as \(split.title) images, and beside it "
        + (siblings.count == 1 ? "lies \(siblings[0])/ with images" : "lie \(listed(siblings)) with images"),
      "if it is that, say \(partOption); \(asClasses)")
  }

  /// Splits for measuring beside folders of which one, or all, are there to train on.
  private mutating func withoutTraining(
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

  private mutating func looked(at candidate: Candidate, in base: String) -> Candidate {
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

  private mutating func sharesClasses(_ candidate: Candidate, with classes: [String]) -> Bool {
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

  // MARK: Splits within classes

  /// DATA/<class>/{train,test}/<images>
  private mutating func planWithSplitsInClasses(
    _ entries: [FolderEntry], in base: String
  ) throws(DatasetError) -> LayoutPlan? {
    var division: (name: String, pattern: String)?
    // Where there are many folders, the first tells whether it is worth looking at all.
    for entry in entries.prefix(entries.count > Self.mostDatasets ? 1 : .max) where division == nil {
      division = splits(in: FolderSurvey.joined(base, entry.name), ofClasses: false).map {
        (entry.name, $0.pattern)
      }
    }
    guard let division else { return nil }
    var classes: [(name: String, parts: [LayoutPlan.InnerPart])] = []
    for entry in entries {
      let path = FolderSurvey.joined(base, entry.name)
      guard survey.holdsImages(path), let folders = survey.glance(path)?.folders else { continue }
      let full = folders.filter { survey.holdsImages(FolderSurvey.joined(path, $0.name)) }
      let readings = full.map { folder in
        SplitFolderName.readings(of: folder.name).first { $0.pattern == division.pattern }
      }
      let roles = readings.compactMap { $0?.role }
      guard survey.glance(path)?.hasImages == false, roles.count == full.count else {
        throw unclear(
          base, "\(division.name)/ is divided into splits, and \(entry.name)/ is not, or not wholly",
          "divide all classes in the same way, or none")
      }
      let parts = zip(full, roles).map {
        LayoutPlan.InnerPart(name: $0.name, split: $1.split(among: roles), isLink: $0.kind == .linkedFolder)
      }
      for split in Split.allCases where parts.count(where: { $0.split == split }) > 1 {
        throw unclear(
          base,
          "in \(entry.name)/ several folders mean \(split.title) images: "
            + listed(parts.filter { $0.split == split }.map(\.name)), "leave one of them")
      }
      classes.append((entry.name, parts))
    }
    return classes.count > 1 ? .splitsInClasses(base: base, classes) : nil
  }

  /// The splits that a folder is divided into, if its folders are two or more of them.
  /// - Parameter ofClasses: whether they hold classes, or images.
  private mutating func splits(
    in path: String, ofClasses: Bool
  ) -> (pattern: String, parts: [LayoutPlan.InnerPart])? {
    guard let glance = survey.glance(path), glance.author == nil else { return nil }
    let readings = glance.folders.flatMap { entry in
      SplitFolderName.readings(of: entry.name).map { (entry: entry, reading: $0) }
    }
    for (pattern, group) in Dictionary(grouping: readings, by: \.reading.pattern).sorted(by: { $0.key < $1.key }) {
      let roles = group.map(\.reading.role)
      let parts = group.map {
        LayoutPlan.InnerPart(
          name: $0.entry.name, split: $0.reading.role.split(among: roles), isLink: $0.entry.kind == .linkedFolder)
      }
      guard Set(parts.map(\.split)).count > 1 else { continue }
      let full = parts.filter { part in
        let inner = innermost(FolderSurvey.joined(path, part.name))
        let holdsClasses = !survey.imageFolders(in: inner, atMost: 1).isEmpty
        return ofClasses ? holdsClasses : !holdsClasses && survey.holdsImages(inner)
      }
      if !full.isEmpty, ofClasses || full.count == parts.count { return (pattern, parts) }
    }
    return nil
  }

  private mutating func holdsSplits(_ path: String, ofClasses: Bool) -> Bool {
    splits(in: path, ofClasses: ofClasses) != nil
  }

  // MARK: One folder too many

  private mutating func planOfWrapper(
    _ entries: [FolderEntry], in base: String, depth: Int
  ) throws(DatasetError) -> LayoutPlan {
    guard entries.count <= Self.mostDatasets else { return .classes(base: base) }
    var datasets: [String] = []
    for entry in entries where holdsDataset(FolderSurvey.joined(base, entry.name)) { datasets.append(entry.name) }
    let full = survey.imageFolders(in: base, atMost: 2)
    if datasets.count > 1 {
      throw unclear(
        base, "\(listed(datasets)) are datasets of their own, each with its splits",
        "give one of them, as " + shellQuoted("\(root)/\(FolderSurvey.joined(base, datasets[0]))"))
    }
    if let dataset = datasets.first {
      let path = FolderSurvey.joined(base, dataset)
      leaveOut(entries.map(\.name).filter { !$0.hasSameBytes(as: dataset) }, in: base, beside: [])
      return try enter(path, from: base, depth: depth)
    }
    guard let only = full.first, full.count == 1 else { return .classes(base: base) }
    let path = FolderSurvey.joined(base, only)
    guard let inner = folderOfClasses(path) else { return .classes(base: base) }
    let people = entries.filter { survey.author(of: FolderSurvey.joined(base, $0.name)) == nil }
    // Splits without classes are told as such.
    if people.count == 1 || splits(in: inner, ofClasses: false) != nil {
      leaveOut(entries.map(\.name).filter { !$0.hasSameBytes(as: only) }, in: base, beside: [])
      return try enter(path, from: base, depth: depth)
    }
    throw unclear(
      base, "all images lie in one of the \(entries.count) folders, \(only)/",
      "if the folders in that are the classes, give " + shellQuoted("\(root)/\(inner)"))
  }

  /// Whether a folder, or a folder that is alone in it, holds splits of classes.
  private mutating func holdsDataset(_ path: String) -> Bool {
    var path = path
    for _ in 0..<Self.deepest {
      if holdsSplits(path, ofClasses: true) { return true }
      guard let glance = survey.glance(path), !glance.hasImages else { return false }
      let inner = survey.imageFolders(in: path, atMost: 2)
      guard let name = inner.first, inner.count == 1 else { return false }
      path = FolderSurvey.joined(path, name)
    }
    return false
  }

  /// The folder with two or more folders of images that a folder is or leads to.
  private mutating func folderOfClasses(_ path: String) -> String? {
    var path = path
    for _ in 0..<Self.deepest {
      guard let glance = survey.glance(path), !glance.hasImages else { return nil }
      let inner = survey.imageFolders(in: path, atMost: 2)
      if inner.count > 1 { return path }
      guard let name = inner.first else { return nil }
      path = FolderSurvey.joined(path, name)
    }
    return nil
  }

  private mutating func enter(_ path: String, from base: String, depth: Int) throws(DatasetError) -> LayoutPlan {
    entered.append(base)
    let plan = try plan(at: path, depth: depth + 1)
    // Of several on the way the last is told.
    if !findings.contains(where: { $0.kind == .layout && $0.severity == .note }) {
      findings.append(
        DatasetFinding(
          kind: .layout, severity: .note, subject: path,
          message: "the dataset is read from the folder \(path)/ in it",
          advice: "to do without this, give " + shellQuoted("\(root)/\(path)")))
    }
    return plan
  }

  // MARK: What is told

  /// Notes the folders that were passed on the way from a split's folder to its classes.
  mutating func noteEntered(_ parts: [SplitPart], in base: String) {
    entered.append(base)
    for part in parts {
      var path = part.path
      while let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) {
        path = String(path[..<slash])
        if path.utf8.count <= base.utf8.count { break }
        entered.append(path)
      }
    }
  }

  /// Names folders beside the splits.
  mutating func leaveOut(_ names: [String], in base: String, beside parts: [SplitPart]) {
    let classes = parts.flatMap { survey.imageFolders(in: $0.path) }
    var plain: [String] = []
    for name in names {
      let path = FolderSurvey.joined(base, name)
      if let author = survey.author(of: path) {
        findings.append(Self.outputFinding([(path, author)]))
      } else if survey.glance(path) == nil {
        findings.append(
          DatasetFinding(
            kind: .unreadableFolder, severity: .error, subject: path, paths: [path],
            message: "the folder \(path) cannot be read", advice: "its images are left out; check its permissions"))
      } else if survey.holdsImages(path) {
        let inner = innermost(path)
        if !SplitFolderName.readings(of: name).isEmpty, survey.imageFolders(in: inner, atMost: 1).isEmpty {
          findings.append(
            DatasetFinding(
              kind: .layout, severity: .warning, subject: path, paths: [path],
              message: "left out: \(survey.imageCount(inner)) that lie in \(inner)/ directly, not in class folders",
              advice: "to measure on them, put those of each class in a folder of their own, \(inner)/CLASS/"))
          continue
        }
        let isLike = survey.imageFolders(in: path).contains { classes.contains($0) }
        findings.append(
          DatasetFinding(
            kind: .layout, severity: .warning, subject: path, paths: [path],
            message: "left out: the folder \(path)/ with \(survey.imageCount(path)), which lies beside the splits",
            advice: isLike
              ? "if it is one, say so with " + shellOption("--val", path) + " or " + shellOption("--test", path)
              : "if it is none, move it away"))
      } else {
        plain.append("\(path)/")
      }
    }
    if !plain.isEmpty {
      findings.append(
        DatasetFinding(
          kind: .layout, severity: .note, message: "left out, for holding no images: " + Self.shortened(plain),
          advice: ""))
    }
  }

  static func outputFinding(_ outputs: [(path: String, author: String)]) -> DatasetFinding {
    DatasetFinding(
      kind: .layout, severity: .note,
      message: "left out, for being what a program wrote: "
        + shortened(outputs.map { "\($0.path)/ (\($0.author))" }),
      advice: "")
  }

  func unclear(_ base: String, _ reason: String, _ advice: String) -> DatasetError {
    .unclearLayout(path: survey.absolute(base), reason: reason, advice: advice)
  }

  private mutating func flatError(_ candidate: Candidate, _ base: String) -> DatasetError {
    unclear(
      base, "\(candidate.path)/ holds \(survey.imageCount(candidate.path)) directly, not in class folders",
      "put the images of each class in a folder of their own, \(candidate.path)/CLASS/; if \(candidate.name)/ is a class "
        + "itself, " + allClasses(in: base))
  }

  /// How to say that no folder in `base` is a split.
  private func allClasses(in base: String) -> String {
    base.isEmpty ? "say --train ." : "give \(shellQuoted(survey.absolute(base))) and say --train ."
  }

  /// The options that would name a group, one folder for each split.
  private func options(_ group: [Candidate], in base: String) -> String {
    let roles = group.map(\.reading.role)
    var folders = SplitFolders()
    for candidate in group {
      let split = candidate.reading.role.split(among: roles)
      folders[split] = folders[split] ?? FolderSurvey.joined(base, candidate.name)
    }
    return folders.optionWords.joined(separator: " ")
  }

  private func others(_ group: [Candidate], than one: Candidate) -> [String] {
    group.map(\.name).filter { !$0.hasSameBytes(as: one.name) }
  }

  /// `a/, b/ and c/`
  private func listed(_ names: [String]) -> String {
    let names = names.map { "\($0)/" }
    guard names.count > 1 else { return names.first ?? "" }
    if names.count > Self.namesShown { return Self.shortened(names) }
    return names.dropLast().joined(separator: ", ") + " and " + (names.last ?? "")
  }

  private static let namesShown = 5

  private static func shortened(_ names: [String]) -> String {
    names.prefix(namesShown).joined(separator: ", ")
      + (names.count > namesShown ? " and \(names.count - namesShown) more" : "")
  }
}

extension Split {
  var title: String {
    switch self {
    case .train: "training"
    case .validation: "validation"
    case .test: "test"
    }
  }
}
