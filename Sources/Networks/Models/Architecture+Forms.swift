// Every way to build a network that names and shapes of its arrays can tell apart: what a file of weights is compared
// with. An option that changes arrays belongs into `forms`; widths are measured from a file and are not here.

import Messages

extension Architecture {
  /// A network's forms, the usual ones first. Of the options that are not asked for here nothing changes an array's
  /// name, or its shape other than by widths.
  public static func forms(of name: String) -> [NetworkSettings] {
    guard let architecture = try? Architecture(name: name) else { return [] }
    let plain = NetworkSettings(name: name)
    guard let blocks = architecture.network.blockDefaults(imageSize: architecture.usual.imageSize) else {
      return architecture.canBeWhitened ? [false, true].map { plain.with(\.isWhitened, $0) } : [plain]
    }
    let shortcuts: [Shortcut?] =
      blocks.shortcut.map { usual in [nil] + Shortcut.allCases.filter { $0 != usual } } ?? [nil]
    let versions: [BlockVersion?] = blocks.version == .v2 ? [nil] : [nil, .v2]
    let stems = [blocks.stem] + Stem.allCases.filter { $0 != blocks.stem }
    return versions.flatMap { version in
      shortcuts.flatMap { shortcut in
        stems.map { plain.with(\.version, version).with(\.shortcut, shortcut).with(\.stem, $0) }
      }
    }
  }

  /// The image size at which arrays are those of files: any for most networks, and the usual one where dense layers
  /// stand on a map of one size.
  public var sizeOfFiles: Int { takesAnySize ? 224 : usual.imageSize }
}

extension NetworkSettings {
  fileprivate func with<Value>(_ path: WritableKeyPath<NetworkSettings, Value>, _ value: Value) -> NetworkSettings {
    var changed = self
    changed[keyPath: path] = value
    return changed
  }
}
