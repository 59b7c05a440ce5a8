// The registry of networks: a row a family. Adding a family is a file in this folder and a row here.

import Messages

/// A network of the registry.
public struct Architecture: Sendable {
  static let families: [any NetworkFamily.Type] = [
    ResNet.self, WideBottleneckResNet.self, ResNeXt.self, ResNetD.self, SEResNet.self,
    CIFARResNet.self, PlainNet.self, VGG.self, ResNet9.self, AlexNet.self, SqueezeNet.self,
    GoogLeNet.self, WideResNet.self, LeNet.self,
  ]

  let network: any NetworkFamily

  /// - Throws: `NetworkError.unknownName`.
  public init(name: String) throws {
    for family in Self.families {
      if let network = family.init(name: name.lowercased()) {
        self.network = network
        return
      }
    }
    throw NetworkError.unknownName(name)
  }

  /// Names to offer; some families have more (`otherNames`).
  public static let examples = families.flatMap { $0.examples }

  /// The names in a few words, for the help of commands.
  public static let overview = families.map { $0.overview }.joined(separator: ", ")

  /// What to say of the names that `examples` leaves out, after a list of those: `, or cifarN ...`; may be empty.
  static var otherNames: String {
    let patterns = families.compactMap { $0.pattern }
    return patterns.isEmpty
      ? ""
      : ", or \(patterns.joined(separator: " and ")) with N = 6n + 2 up to \(CIFARResNet.deepest), "
        + "or \(WideResNet.pattern)"
  }

  /// Names to compare a file of weights with that has so many blocks in its first stage, the first of which has so many
  /// channels inside.
  public static func candidates(blocksInFirstStage blocks: Int, channels: Int) -> [String] {
    examples + families.compactMap { $0.name(blocksInFirstStage: blocks, channels: channels) }
  }

  /// What is known of the input that published weights of it expect, where that is not what others expect.
  public var inputNote: String? { network.inputNote }

  /// What it is usually trained on: the side of an image in pixels, and classes.
  public var usual: (imageSize: Int, classes: Int) { network.usual }
}

extension Architecture: Equatable {
  public static func == (left: Architecture, right: Architecture) -> Bool { left.network.equals(right.network) }
}

extension NetworkFamily {
  fileprivate func equals(_ other: any NetworkFamily) -> Bool { other as? Self == self }
}
