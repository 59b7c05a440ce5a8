// Maps of bytes: activations rounded to 8 bits, each byte a multiple of one step. How large the step is, somebody else has
// measured.

import CKernels

/// What bytes stand for: (byte - zero) * scale.
public struct ByteFormat: Sendable, Hashable, Codable {
  /// The step, above 0.
  public let scale: Float
  /// The byte that stands for 0: 0 for values that are never below it, else 128.
  public let zero: Int

  /// The format of values of so large a magnitude, at most.
  public init(magnitude: Float, isSigned: Bool) {
    zero = isSigned ? 128 : 0
    scale = max(magnitude, .leastNormalMagnitude * 256) / (isSigned ? 127 : 255)
  }
}

/// A map [N, H, W, C] of bytes. Copies share them; who has made them writes them, and nobody else.
public struct ByteMap: Sendable {
  /// [N, H, W, C].
  public let shape: [Int]
  public let format: ByteFormat
  let bytes: PooledArray<UInt8>

  /// Undefined until written. Three bytes more may be read, which are in no map: a pixel's channels are read by fours.
  init(uninitialized shape: [Int], _ format: ByteFormat) {
    (self.shape, self.format) = (shape, format)
    bytes = PooledArray(uninitialized: shape.reduce(1, *) + 4)
  }

  public var count: Int { bytes.count - 4 }

  /// A copy of the bytes.
  public var values: [UInt8] {
    bytes.withValues { Array(UnsafeBufferPointer(start: $0, count: count)) }
  }
}

extension Ops {
  /// The nearest byte of each value; what lies beyond the format's ends becomes the last one there.
  public func rounded(_ x: Tensor, to format: ByteFormat) -> ByteMap {
    let map = ByteMap(uninitialized: x.shape, format)
    let factor = 1 / format.scale
    x.read { x in
      map.bytes.withValues { bytes in
        pool.run(over: map.count, chunks: ThreadPool.chunks(of: map.count)) { part in
          ck_round_bytes(
            x + part.lowerBound, part.count, factor, Int32(format.zero), bytes + part.lowerBound)
        }
      }
    }
    return map
  }

  /// What the bytes stand for.
  public func floats(_ map: ByteMap) -> Tensor {
    var output = Tensor(uninitialized: map.shape)
    map.bytes.withValues { bytes in
      output.write { y in
        pool.run(over: map.count, chunks: ThreadPool.chunks(of: map.count)) { part in
          ck_unround_bytes(
            bytes + part.lowerBound, part.count, map.format.scale, Int32(map.format.zero), y + part.lowerBound)
        }
      }
    }
    return output
  }

  /// The maximum of each window of a map; padding never wins. Of bytes it is that of what they stand for.
  public func maxima(_ x: ByteMap, _ window: MaxPoolWindow) -> ByteMap {
    let geometry = window.geometry(of: x.shape)
    let shape = [x.shape[0], Int(geometry.out_height), Int(geometry.out_width), x.shape[3]]
    let output = ByteMap(uninitialized: shape, x.format)
    let (inputImage, outputImage) = (x.shape[1...].reduce(1, *), shape[1...].reduce(1, *))
    x.bytes.withValues { x in
      output.bytes.withValues { y in
        pool.run(chunks: shape[0]) { image in
          withUnsafePointer(to: geometry) { ck_max_pool_bytes($0, x + image * inputImage, y + image * outputImage) }
        }
      }
    }
    return output
  }
}
