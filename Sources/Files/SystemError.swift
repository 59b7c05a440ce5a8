// Why a system call failed, in words.

import Glibc

/// An error number of the system, as in `errno.h`, and its text.
public struct SystemError: Error, Equatable, Sendable, CustomStringConvertible {
  public var number: Int32

  public init(number: Int32) { self.number = number }

  public var description: String { String(cString: strerror(number)) }
}
