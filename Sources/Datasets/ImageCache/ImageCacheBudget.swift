// How large an image cache would be, and how large it may be.

import Files
import FoundationEssentials
import Images
import Messages
import Resources

/// What the machine has to spare.
enum ImageCacheBudget {
  /// Bytes that an image cache may have where the user sets no limit: half of what is free on the folder's disk, and
  /// half of the memory this process may use, so that the system can keep it there.
  static func standard(folder: String) -> Int {
    min(FileCalls.system.freeSpace(folder) ?? .max, memory) / 2
  }

  /// Bytes of memory: the machine's, or less where a control group sets a limit.
  static var memory: Int {
    // "max" is no number: there is no limit.
    let limits = ControlGroups().groups(of: "memory").compactMap {
      $0.number($0.isUnified ? "memory.max" : "memory.limit_in_bytes")
    }
    return limits.reduce(Int(clamping: ProcessInfo.processInfo.physicalMemory), min)
  }
}

extension Preprocessing {
  /// So many headers tell the mean size of the rest well enough.
  static let sampledHeaders = 256

  /// Bytes of pixels that the cached forms of these files have: exactly where all have one size, else from the headers
  /// of some at even distances.
  func storedByteCount(files: [String], workers: Int) -> Int {
    guard resize == .crop else { return files.count * imageSize * imageSize * 3 }
    let sampled = min(Self.sampledHeaders, files.count)
    let sizes = concurrentMap(count: sampled, workers: workers, state: { ImageDecoder() }) { index, decoder in
      (try? decoder.header(path: files[index * files.count / sampled])).map { header in
        let size = cachedSize(width: header.width, height: header.height)
        return size.width * size.height * 3
      }
    }.compactMap { $0 }
    guard !sizes.isEmpty else { return 0 }
    return Int(Double(sizes.reduce(0, +)) / Double(sampled) * Double(files.count))
  }
}
