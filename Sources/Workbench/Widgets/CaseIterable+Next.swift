// What a key goes through: the cases of an enumeration, round and round.

extension CaseIterable where Self: Equatable {
  /// The case after it; after the last the first.
  var next: Self {
    let all = Array(Self.allCases)
    let place = all.firstIndex(of: self).map { $0 + 1 } ?? 0
    return all[place == all.count ? 0 : place]
  }
}
