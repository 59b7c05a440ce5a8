// swift-tools-version: 6.2
// Measurements of speed; apart from the main package, so that nobody builds them to use Skipline.

import PackageDescription

let package = Package(
  name: "benchmarks",
  dependencies: [
    .package(name: "skipline", path: ".."),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
  ],
  targets: [
    .executableTarget(
      name: "training-step",
      dependencies: [
        .product(name: "SkiplineEngine", package: "skipline"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], path: "Sources/TrainingStep", swiftSettings: [.treatAllWarnings(as: .error)]),
    .executableTarget(
      name: "loader",
      dependencies: [
        .product(name: "SkiplineEngine", package: "skipline"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], path: "Sources/Loader", swiftSettings: [.treatAllWarnings(as: .error)]),
  ])
