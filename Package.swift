// swift-tools-version: 6.2
// Skipline: a terminal workbench for training residual networks on folders of images.
// ARCHITECTURE.md says what each target is for and who may import whom.

import PackageDescription

/// Every Swift target: Swift 6 mode comes from the tools version; a warning is an error.
let strict: [SwiftSetting] = [.treatAllWarnings(as: .error)]

/// Targets whose loops run over millions of numbers: optimized in debug builds too, so that the tests run at
/// the speed of the program.
let numeric: [SwiftSetting] = strict + [.unsafeFlags(["-O"], .when(configuration: .debug))]

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")

/// What the environment says of the commit that is built; without it nothing is said.
let buildInfo: [CSetting] = ["SKIPLINE_COMMIT", "SKIPLINE_DATE"].compactMap { name in
  Context.environment[name].map { .define(name, to: "\"\($0)\"") }
}

/// A library of the system, as its module map in Sources/Libraries names it.
func library(_ name: String, pkgConfig: String? = nil, package: String) -> Target {
  .systemLibrary(
    name: name, path: "Sources/Libraries/\(name)", pkgConfig: pkgConfig, providers: [.apt([package])])
}

func tests(
  _ module: String, with more: [Target.Dependency] = [], resources: [Resource] = [],
  settings: [SwiftSetting] = strict
) -> Target {
  .testTarget(
    name: module + "Tests", dependencies: [.byName(name: module)] + more, resources: resources,
    swiftSettings: settings)
}

let package = Package(
  name: "skipline",
  products: [
    .executable(name: "skipline", targets: ["skipline"]),
    .executable(name: "skipline-sample", targets: ["skipline-sample"]),
    .executable(name: "skipline-fuzz", targets: ["skipline-fuzz"]),
    // For Benchmarks, a package of its own.
    .library(
      name: "SkiplineEngine",
      targets: [
        "Support", "Ranks", "Tensors", "Messages", "Files", "Images", "Datasets", "Networks", "WeightFiles",
        "Training",
      ]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
  ],
  targets: [
    library("CNcurses", package: "libncursesw5-dev"),
    library("CPNG", pkgConfig: "libpng", package: "libpng-dev"),
    library("CJPEG", pkgConfig: "libjpeg", package: "libjpeg-dev"),
    library("CWebP", pkgConfig: "libwebpdemux", package: "libwebp-dev"),
    library("CGIF", package: "libgif-dev"),
    .target(name: "CKernels", cSettings: [.unsafeFlags(["-O3", "-Wall", "-Wextra", "-Werror"])]),

    .target(
      name: "COpenBLAS", cSettings: [.unsafeFlags(["-O2", "-Wall", "-Wextra", "-Werror"])],
      linkerSettings: [.linkedLibrary("dl")]),
    .target(name: "CResources", cSettings: [.unsafeFlags(["-O2", "-Wall", "-Wextra", "-Werror"])]),
    .target(name: "CBuildInfo", cSettings: buildInfo + [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])]),
    // The library that mpicc compiles; nothing of MPI is needed to build the program.
    .target(
      name: "CMPI", exclude: ["library"], cSettings: [.unsafeFlags(["-O2", "-Wall", "-Wextra", "-Werror"])],
      linkerSettings: [.linkedLibrary("dl")]),
    .target(name: "CTerminal", cSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])]),
    .target(
      name: "CImageShims", dependencies: ["CJPEG", "CPNG"],
      cSettings: [.unsafeFlags(["-O2", "-Wall", "-Wextra", "-Werror"])],
      linkerSettings: [.linkedLibrary("jpeg"), .linkedLibrary("png16"), .linkedLibrary("z")]),

    .target(name: "Resources", dependencies: ["CResources"], swiftSettings: strict),
    .target(name: "Support", dependencies: ["CKernels", "Resources"], swiftSettings: numeric),
    .target(name: "Ranks", dependencies: ["Resources"], swiftSettings: strict),
    .target(name: "MPIRanks", dependencies: ["CMPI", "Ranks", "Resources"], swiftSettings: strict),
    .target(name: "Messages", dependencies: ["Support"], swiftSettings: strict),
    .target(name: "Files", dependencies: ["Resources", "Support"], swiftSettings: strict),
    .target(name: "Protobuf", swiftSettings: numeric),
    .target(name: "Tensors", dependencies: ["CKernels", "COpenBLAS", "Resources"], swiftSettings: numeric),
    .target(
      name: "Images",
      dependencies: ["CGIF", "CImageShims", "CKernels", "CWebP", "Files", "Messages", "Resources", "Support"],
      swiftSettings: numeric),
    .target(
      name: "Datasets", dependencies: ["Files", "Images", "Messages", "Protobuf", "Resources", "Support"],
      swiftSettings: numeric),
    .target(
      name: "WeightFiles", dependencies: ["CImageShims", "Files", "Images", "Protobuf", "Resources", "Support"],
      swiftSettings: strict),
    .target(
      name: "Networks", dependencies: ["Messages", "Support", "Tensors"], swiftSettings: numeric),
    .target(
      name: "Training",
      dependencies: [
        "Datasets", "Files", "Images", "Messages", "Networks", "Protobuf", "Ranks", "Resources", "Support",
        "Tensors", "WeightFiles", logging,
      ],
      swiftSettings: numeric),
    .target(
      name: "Inspection",
      dependencies: [
        "Datasets", "Files", "Images", "Messages", "Networks", "Support", "Tensors", "Training", "WeightFiles",
      ],
      swiftSettings: strict),
    .target(
      name: "Exports",
      dependencies: [
        "Datasets", "Files", "Messages", "Networks", "Protobuf", "Tensors", "Training", "WeightFiles",
      ],
      swiftSettings: strict),
    .target(
      name: "Reports", dependencies: ["Datasets", "Files", "Images", "Messages", "Support", "Training"],
      swiftSettings: strict),
    .target(name: "Transport", dependencies: ["Files", "Resources", "Support"], swiftSettings: strict),
    .target(
      name: "Engine",
      dependencies: [
        "Datasets", "Files", "Images", "Inspection", "Messages", "Networks", "Reports", "Resources", "Support",
        "Tensors", "Training", "Transport",
      ],
      swiftSettings: strict),
    .target(name: "Canvas", swiftSettings: strict),
    .target(name: "Workbench", dependencies: ["Messages", "Canvas", "Support"], swiftSettings: strict),
    .target(name: "Terminal", dependencies: ["Canvas", "CNcurses", "CTerminal"], swiftSettings: strict),
    .executableTarget(
      name: "skipline",
      dependencies: [
        "CBuildInfo", "CResources", "Canvas", "Datasets", "Engine", "Exports", "Files", "Images", "Inspection",
        "MPIRanks", "Messages", "Networks", "Ranks", "Reports", "Resources", "Support", "Tensors", "Transport",
        "Terminal", "Training", "WeightFiles", "Workbench", argumentParser,
      ],
      swiftSettings: strict),
    .target(name: "SampleData", dependencies: ["Support", "CPNG"], swiftSettings: numeric),
    .executableTarget(
      name: "skipline-sample", dependencies: ["SampleData", argumentParser], swiftSettings: strict),
    // `make soak`: a test, but not one of those that run before every change.
    .executableTarget(
      name: "skipline-soak",
      dependencies: [
        "Canvas", "Engine", "Messages", "Resources", "SampleData", "Support", "TestSupport", "Training",
        "Transport", "WeightFiles", argumentParser,
      ],
      path: "Tests/skipline-soak", swiftSettings: strict),

    .target(
      name: "Fuzzing",
      dependencies: [
        "Datasets", "Images", "Inspection", "Messages", "Support", "TestSupport", "Training", "WeightFiles",
      ],
      path: "Tests/Fuzzing", swiftSettings: strict),
    .executableTarget(
      name: "skipline-fuzz", dependencies: ["Fuzzing", "Images", argumentParser], path: "Tests/skipline-fuzz",
      swiftSettings: strict),

    tests("Support", with: ["Messages", "Resources", "TestSupport"]),
    tests("Messages", with: ["Support", "TestSupport"]),
    tests("Resources", with: ["CTestSupport", "TestSupport"]),
    tests("Files", with: ["TestSupport"]),
    tests("Ranks", with: ["TestSupport"]),
    .executableTarget(
      name: "ranks-probe", dependencies: ["MPIRanks", "Ranks", argumentParser], path: "Tests/ranks-probe",
      swiftSettings: strict),
    tests("MPIRanks", with: ["TestSupport", "ranks-probe"]),
    tests("Tensors", with: ["Resources", "TestSupport"]),
    .executableTarget(
      name: "kernel-check", dependencies: ["CKernels"], path: "Tests/kernel-check",
      cSettings: [.unsafeFlags(["-O3", "-Wall", "-Wextra", "-Werror"])], linkerSettings: [.linkedLibrary("m")]),
    .target(
      name: "TestSupport",
      dependencies: ["CPNG", "Files", "Messages", "Protobuf", "Ranks", "Resources", "Support"],
      path: "Tests/TestSupport",
      swiftSettings: strict),
    tests(
      "Images", with: ["CKernels", "Fuzzing", "TestSupport"], resources: [.copy("References")], settings: numeric),
    .target(name: "CTestSupport", path: "Tests/CTestSupport"),
    tests(
      "Datasets", with: ["CTestSupport", "Files", "Images", "Resources", "TestSupport"],
      resources: [.copy("Fixtures")]),
    // Their loops are slow enough when they are optimized.
    .target(
      name: "NaiveNetworks", dependencies: ["Messages", "Networks", "Support", "Tensors"],
      path: "Tests/NaiveNetworks", swiftSettings: numeric),
    tests("Networks", with: ["Messages", "NaiveNetworks", "Support", "Tensors"], resources: [.copy("References")]),
    tests(
      "WeightFiles", with: ["Files", "Protobuf", "Support", "TestSupport"], resources: [.copy("Fixtures")],
      settings: numeric),
    tests(
      "Training",
      with: ["Datasets", "Files", "Images", "Protobuf", "Ranks", "Resources", "TestSupport", "WeightFiles"]),
    tests(
      "Inspection",
      with: [
        "Datasets", "Exports", "Files", "Images", "Messages", "Networks", "Support", "Tensors", "TestSupport",
        "Training", "WeightFiles",
      ]),
    tests("Reports", with: ["Files", "Messages", "TestSupport", "Training"]),
    tests(
      "Engine", with: ["Datasets", "Messages", "Resources", "Support", "TestSupport", "Training", "Transport"]),
    tests("Exports", with: ["Datasets", "Protobuf", "TestSupport", "Training", "WeightFiles"]),
    tests("Canvas"),
    tests("Workbench", with: ["Canvas", "Messages"], resources: [.copy("Snapshots")]),
    tests("Terminal"),
    tests("SampleData", with: ["CPNG", "Support"]),
    tests(
      "skipline",
      with: [
        "Engine", "Files", "Messages", "SampleData", "Support", "TestSupport", "Training", "Transport",
        "WeightFiles",
      ]),
  ])
