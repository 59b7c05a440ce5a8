// swift-tools-version: 6.2
// Measurements of speed; apart from the main package, so that nobody builds them to use Skipline. NOTES.md says how to
// measure.

import PackageDescription

let strict: [SwiftSetting] = [.treatAllWarnings(as: .error)]
let engine: Target.Dependency = .product(name: "SkiplineEngine", package: "skipline")
let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
  name: "benchmarks",
  dependencies: [
    .package(name: "skipline", path: ".."),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
  ],
  targets: [
    .target(
      name: "CMeasuring", cSettings: [.unsafeFlags(["-O3", "-ffp-contract=fast", "-Wall", "-Wextra", "-Werror"])]),
    .target(name: "CAllocations", cSettings: [.unsafeFlags(["-O2", "-Wall", "-Wextra", "-Werror"])]),
    .target(name: "Measuring", dependencies: ["CMeasuring", engine], swiftSettings: strict),
    .executableTarget(
      name: "bench", dependencies: ["Measuring", engine, argumentParser], path: "Sources/Bench",
      swiftSettings: strict),
    .executableTarget(
      name: "layers", dependencies: ["Measuring", engine, argumentParser], path: "Sources/Layers",
      swiftSettings: strict),
    .executableTarget(
      name: "loops", dependencies: ["CAllocations", "CMeasuring", "Measuring", engine, argumentParser],
      path: "Sources/Loops", swiftSettings: strict),
    .executableTarget(
      name: "chunks", dependencies: ["Measuring", engine, argumentParser], path: "Sources/Chunks",
      swiftSettings: strict),
    .executableTarget(
      name: "training-step", dependencies: ["CAllocations", "Measuring", engine, argumentParser],
      path: "Sources/TrainingStep", swiftSettings: strict),
    .executableTarget(
      name: "loader", dependencies: [engine, argumentParser], path: "Sources/Loader", swiftSettings: strict),
  ])
