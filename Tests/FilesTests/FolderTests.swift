// Paths and folders: taking paths apart, making folders, listing names, telling files apart.

import Files
import Foundation
import Messages
import Support
import TestSupport
import Testing

@Suite struct FolderTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test(arguments: [
    ("a", ".", "a"), ("/a", "/", "a"), ("b/a", "b", "a"), ("/c/b/a", "/c/b", "a"), ("b/", "b", ""), ("", ".", ""),
  ])
  func `a path is taken apart into folder and name`(path: String, above: String, name: String) {
    let parts = FilePath.split(path)
    #expect(parts.folder == above && parts.name == name)
  }

  @Test func `folders are made with those above them, and what exists is fine`() throws {
    let path = folder.file("a/b/" + String(pathBytes: [0xc3]))
    try Folder.make(path)
    try Folder.make(path)
    try Folder.make(path + "/")
    #expect(FilePath.isFolder(path) == true)
  }

  @Test func `a file in a folder's place is told`() throws {
    let file = try folder.write([], to: "file")
    #expect(throws: FileOperationError(path: file, step: .makeFolder, code: ENOTDIR)) { try Folder.make(file) }
    let below = file + "/a/b"
    #expect(throws: FileOperationError.self) { try Folder.make(below) }
    #expect(throws: FileOperationError(path: file, step: .listFolder, code: ENOTDIR)) {
      try Folder.names(in: file)
    }
  }

  @Test func `all names are listed in one order, hidden ones too`() throws {
    for name in ["b", "a", ".c", "B"] { try folder.write([], to: name) }
    #expect(try Folder.names(in: folder.path) == [".c", "B", "a", "b"])
  }

  @Test func `a file is the same by every path, and another one with the same content is not`() throws {
    let first = try folder.write([1], to: "first")
    let second = try folder.write([1], to: "second")
    try folder.link("link", to: first)
    let identity = try #require(FileIdentity(path: first))
    #expect(FileIdentity(path: folder.file("link")) == identity)
    #expect(FileIdentity(path: second) != identity)
    #expect(FileIdentity(path: folder.file("none")) == nil)
    #expect(FileIdentity(folder: first) == nil)
    #expect(FileIdentity(folder: folder.path + "/.") == FileIdentity(path: folder.path))
    let descriptor = open(first, O_RDONLY)
    defer { close(descriptor) }
    #expect(FileIdentity(descriptor: descriptor) == identity)
  }

  @Test(arguments: [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (5 << 20, "5.0 MiB"), (3 << 40, "3.0 TiB")])
  func `bytes are told in units of 1024`(count: Int, text: String) { #expect(bytesText(count) == text) }
}
