// Why a system call failed, in words.

import Foundation

/// An error number of the system, and its text.
package struct SystemError: Error, CustomStringConvertible {
  package var number: Int32

  package init(number: Int32) { self.number = number }

  package var description: String { String(cString: strerror(number)) }
}
