// Small WebP files of every kind, made by Pillow. The picture is 32x16: red and green above, blue and near white below,
// each 16x8, in the colors of `JPEGFile`.

import Foundation

package enum WebPFile: String, CaseIterable {
  case lossy, lossless, lossyAlpha, losslessAlpha
  /// With EXIF data that say orientation 6.
  case turned
  /// Two pictures; of the first, which is transparent further out, the file keeps columns 8..<24 of rows 4..<12.
  case animation

  package func bytes() -> [UInt8] { [UInt8](Data(base64Encoded: text) ?? Data()) }

  private var text: String {
    switch self {
    case .lossy:
      """
      UklGRlIAAABXRUJQVlA4IEYAAACQAgCdASogABAAAMASJaACdMoR2j4B+AH7AARGMAD++7Lv//i9Y/86YHaZ/3no/+44Aya+lv/WM3//\
      +QXZuX9uOh9mGAAA
      """
    case .lossless:
      """
      UklGRkYAAABXRUJQVlA4TDkAAAAvH8ADAB8gJCBuWWqnZItAgJjRpFSYBDEN8Quo/yQQYf6jDzkpQJBtM8lJTvIAF4jof1Rt208V4AcA
      """
    case .losslessAlpha:
      """
      UklGRlAAAABXRUJQVlA4TEMAAAAvH8ADELkyRPQ/dhUvePQ/YKRtpOETcSJe7FsePEomDLGAbpnFEYFA0sYCS/P+0Q5CghRicwK6gu33\
      wxbMm6Duo/YFAA==
      """
    case .lossyAlpha:
      """
      UklGRoAAAABXRUJQVlA4WAoAAAAQAAAAHwAADwAAQUxQSBMAAAAFDzAIERFCIJD4Sx/AAhH9j/ACAFZQOCBGAAAAkAIAnQEqIAAQAADA\
      EiWgAnTKEdo+AfgB+wAERjAA/vuy7//4vWP/OmB2mf956P/uOAMmvpb/1jN///kF2bl/bjofZhgAAA==
      """
    case .turned:
      """
      UklGRnoAAABXRUJQVlA4WAoAAAAIAAAAHwAADwAAVlA4TDkAAAAvH8ADAB8gJCBuWWqnZItAgJjRpFSYBDEN8Quo/yQQYf6jDzkpQJBt\
      M8lJTvIAF4jof1Rt208V4AcARVhJRhoAAABNTQAqAAAACAABARIAAwAAAAEABgAAAAAAAA==
      """
    case .animation:
      """
      UklGRgQBAABXRUJQVlA4WAoAAAASAAAAHwAADwAAQU5JTQYAAAAAAAAAAABBTk1GgAAAAAQAAAIAAA8AAAcAAGQAAAJWUDhMZwAAAC8P\
      wAEQ/0AkANEtMcJOi2wygQtkASYS44ikO9JIRkQWYPIPK4gggxhERGLBFO8MK4JJmmo7hvy+0HXeI6kk7ZcCgwAAktDdXcr/qyyI6H9A\
      TLnU1odU2ljnfw8QYUIZF3Ptc3/3+QUAQU5NRlAAAAAAAAAAAAAfAAAPAABkAAAAVlA4TDgAAAAvH8ADAB8gECB2tGlRp05IQHTZCNut\
      FBIQV82VjZHnP7AB3wkE2TaTnOQlB3CBiP7Htqn+AKpuAQ==
      """
    }
  }
}
