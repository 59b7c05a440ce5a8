// Datasets that do not begin at their folder: a folder too many above, several datasets side by side, and splits that
// lie within the classes.

import Messages
import Support

extension LayoutReader {
  // MARK: Splits within classes

  /// DATA/<class>/{train,test}/<images>
  mutating func planWithSplitsInClasses(
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
  mutating func splits(
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

  mutating func holdsSplits(_ path: String, ofClasses: Bool) -> Bool {
    splits(in: path, ofClasses: ofClasses) != nil
  }

  // MARK: One folder too many

  mutating func planOfWrapper(
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
    guard let only = full.first, full.count == 1 else {
      try refuseRepeatedClasses(entries, in: base)
      return .classes(base: base)
    }
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

  /// Folders whose folders have the same names may be splits by names that nobody knows, or classes, by place or by
  /// year: nothing tells which, unless images lie in them directly.
  /// - Throws: `DatasetError.unclearLayout`.
  private mutating func refuseRepeatedClasses(_ entries: [FolderEntry], in base: String) throws(DatasetError) {
    var insides: [(name: String, classes: Set<String>)] = []
    var hasImages = false
    for entry in entries {
      let path = FolderSurvey.joined(base, entry.name)
      guard survey.holdsImages(path) else { continue }
      insides.append((entry.name, Set(survey.imageFolders(in: path))))
      hasImages = hasImages || survey.glance(path)?.hasImages == true
    }
    let names = Set(insides.map(\.name))
    func warn(_ message: String, _ folders: SplitFolders) {
      findings.append(
        DatasetFinding(
          kind: .layout, severity: .warning, subject: base.isEmpty ? nil : base, message: message,
          advice: "if these are splits, say " + folders.optionWords.joined(separator: " ")))
    }
    if let inner = insides.first(where: { $0.classes.intersection(names).count > 1 }) {
      let path = FolderSurvey.joined(base, inner.name)
      warn(
        "\(inner.name)/ is taken for a class, and holds folders of the same names as those beside it",
        SplitFolders(train: base.isEmpty ? "." : base, test: path))
      return
    }
    guard insides.count > 1, let first = insides.first else { return }
    let common = insides.dropFirst().reduce(first.classes) { $0.intersection($1.classes) }
    guard common.count > 1 else { return }
    // One may lack a class or two.
    if !hasImages, insides.allSatisfy({ 2 * common.count >= $0.classes.count }) {
      let guess = SplitGuess.folders(insides.map(\.name))
      let words = guess.map { folders in
        var folders = folders
        for (split, name) in folders.named { folders[split] = FolderSurvey.joined(base, name) }
        return folders.optionWords.joined(separator: " ")
      }
      throw unclear(
        base,
        listed(insides.map(\.name)) + " hold folders of the same names ("
          + Self.shortened(common.sorted { NaturalOrder.precedes($0, $1) }) + "): they may be splits or classes",
        "if they are splits, say " + (words ?? "which is which, with --train FOLDER --val FOLDER --test FOLDER")
          + "; if all of them are classes, " + allClasses(in: base))
    }
    warn(
      listed(insides.map(\.name)) + " are taken for classes, and hold folders of the same names",
      SplitFolders(
        train: FolderSurvey.joined(base, first.name), test: FolderSurvey.joined(base, insides[1].name)))
  }

  /// Whether a folder, or a folder that is alone in it, holds splits of classes.
  mutating func holdsDataset(_ path: String) -> Bool {
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
  mutating func folderOfClasses(_ path: String) -> String? {
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

  mutating func enter(_ path: String, from base: String, depth: Int) throws(DatasetError) -> LayoutPlan {
    entered.append(base)
    let plan = try plan(at: path, depth: depth + 1)
    // Of several on the way the last is told.
    if !hasToldEntering {
      hasToldEntering = true
      findings.append(
        DatasetFinding(
          kind: .layout, severity: .note, subject: path,
          message: "the dataset is read from the folder \(path)/ in it",
          advice: "to do without this, give " + shellQuoted("\(root)/\(path)")))
    }
    return plan
  }
}
