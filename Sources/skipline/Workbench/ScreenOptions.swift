// How the screen is to be: the options that all commands with a screen share.

import ArgumentParser
import Terminal

struct ScreenOptions: ParsableArguments {
  @Option(
    help:
      "The theme to begin with: dark, light, monochrome, or a file's name in a themes folder. (default: the one last chosen, else dark or light as the terminal's background)"
  )
  var theme: String?
  @Option(
    help: "How pictures are shown: auto, kitty, sixel, blocks or none; auto takes the best that the terminal has.")
  var pictures = PictureChoice.auto
  @Flag(
    inversion: .prefixedNo,
    help: "Whether clicks and the wheel do something; without, the terminal itself selects text.")
  var mouse = true
}

extension PictureChoice: ExpressibleByArgument {}
