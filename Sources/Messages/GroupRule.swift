// What makes images a group that is not to be divided among splits: frames of one clip, pictures of one patient.

import Support

/// How an image's path says which group it is of.
public enum GroupRule: Sendable, Equatable {
  /// The folder right below the class folder.
  case folder
  /// What a pattern's group matches in the path below the dataset's folder.
  case pattern(PathPattern)

  /// - Throws: `SettingRefusal` with what would be right.
  public init(_ text: String) throws(SettingRefusal) {
    if text == "folder" {
      self = .folder
      return
    }
    do throws(PathPattern.Fault) { self = .pattern(try PathPattern(text)) } catch {
      throw SettingRefusal(
        "it must be 'folder', or a pattern with the group's name in parentheses, as 'clip_(\\d+)': \(error.reason)")
    }
  }

  /// Why a text is none; nil where it is one.
  public static let refusal: @Sendable (String) -> SettingRefusal? = { text in
    do throws(SettingRefusal) {
      _ = try GroupRule(text)
      return nil
    } catch {
      return error
    }
  }

  /// The name of an image's group, in canonical form; nil for an image that stands alone. It does not depend on the
  /// class: a patient with pictures in two classes is one group.
  /// - Parameters:
  ///   - path: below the dataset's folder.
  ///   - inner: the part of it below the class folder.
  public func group(of path: String, inner: Substring) -> String? {
    switch self {
    case .folder:
      guard let end = inner.utf8.firstIndex(of: UInt8(ascii: "/")), end > inner.startIndex else { return nil }
      return ClassName.canonical(String(inner[..<end]))
    case .pattern(let pattern): return pattern.captured(in: path).map { ClassName.canonical($0) }
    }
  }
}
