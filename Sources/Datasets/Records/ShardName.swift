// What the name of a file says of it as a shard: which set of shards it belongs to, and what it is for. Whether it
// really holds records is for its content to say.

/// The name of a file that may be a shard:
///
///     train-00000-of-00004            train-00000-of-00004.tfrecord    flowers_train_00000-of-00005.tfrecord
///     mnist-train.tfrecord-00000-of-00001            validation.tfrecord            images.tfrecords
struct ShardName: Equatable {
  /// One of several files that make up a whole.
  struct Place: Equatable {
    var number: Int
    var count: Int
  }

  /// The name as it is on disk.
  var name: String
  /// The name without number and extension, the same for all shards of a set.
  var stem: String
  /// nil where the name gives no number, or one that cannot be.
  var place: Place?
  /// Whether it ends in `.tfrecord` or another of the usual extensions: nothing else is called so.
  var hasExtension: Bool
  /// What a word of the name says of the images: the last one, as in `cars-test-train.tfrecord`.
  var role: SplitRole?

  private static let extensions = [".tfrecord", ".tfrecords", ".tfrec"]

  /// nil for a name that no shard has.
  init?(_ name: String) {
    self.name = name
    var rest = name[...]
    hasExtension = Self.removeExtension(&rest)
    let numbers = Self.removeNumbers(&rest)
    if numbers != nil, !hasExtension { hasExtension = Self.removeExtension(&rest) }
    guard hasExtension || numbers != nil else { return nil }
    place = numbers.flatMap { $0.number < $0.count ? $0 : nil }
    stem = String(rest)
    role = SplitFolderName.readings(of: stem).last?.role
  }

  private static func removeExtension(_ name: inout Substring) -> Bool {
    let lowercased = name.lowercased()
    guard let found = extensions.first(where: { lowercased.hasSuffix($0) && lowercased.count > $0.count }) else {
      return false
    }
    name = name.dropLast(found.count)
    return true
  }

  /// Takes `-00000-of-00004` off the end.
  private static func removeNumbers(_ name: inout Substring) -> Place? {
    guard let match = name.wholeMatch(of: /(.*?)[-_.]?([0-9]{1,9})-of-([0-9]{1,9})/),
      let number = Int(match.2), let count = Int(match.3)
    else { return nil }
    name = match.1
    return Place(number: number, count: count)
  }
}
