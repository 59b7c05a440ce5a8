// HOME and the XDG variables: what is empty or no path from the root counts as unset.

import Testing

@testable import Files

@Test func `variables decide, and those that are empty or relative do not`() {
  func folders(_ variables: [String: String]) -> UserFolders { UserFolders { variables[$0] } }
  let plain = folders(["HOME": "/home/ann"])
  #expect(plain.configuration == "/home/ann/.config" && plain.cache == "/home/ann/.cache")
  #expect(plain.state == "/home/ann/.local/state")
  let stated = folders([
    "HOME": "/home/ann", "XDG_CONFIG_HOME": "/c", "XDG_CACHE_HOME": "/d", "XDG_STATE_HOME": "/e",
  ])
  #expect(stated.configuration == "/c" && stated.cache == "/d" && stated.state == "/e")
  for value in ["", "relative", "./x"] {
    let odd = folders([
      "HOME": "/home/ann", "XDG_CONFIG_HOME": value, "XDG_CACHE_HOME": value, "XDG_STATE_HOME": value,
    ])
    #expect(odd.configuration == plain.configuration && odd.cache == plain.cache && odd.state == plain.state)
    // As if it were not set: then the system's list of users decides.
    #expect(folders(["HOME": value]).home == folders([:]).home)
    #expect(folders(["HOME": value]).home?.hasPrefix("/") ?? true)
  }
}
