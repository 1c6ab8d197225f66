// swift-tools-version: 6.1
// SPDX-License-Identifier: Apache-2.0
// Aloft: an offline-first application platform. See ARCHITECTURE.md for what each target is for.
import PackageDescription

let package = Package(
  name: "aloft",
  platforms: [.macOS(.v15)],
  products: [
    .library(name: "AloftCore", targets: ["AloftCore"]),
    .library(name: "AloftStore", targets: ["AloftStore"]),
    .library(name: "AloftTesting", targets: ["AloftTesting"]),
    .executable(name: "aloft", targets: ["aloft"]),
    .executable(name: "aloft-engine", targets: ["aloft-engine"]),
    .executable(name: "field-visits-engine", targets: ["field-visits-engine"]),
    .executable(name: "sim", targets: ["sim"]),
    .executable(name: "sim-engine", targets: ["sim-engine"]),
    .executable(name: "text-bench", targets: ["text-bench"]),
    .executable(name: "text-engine", targets: ["text-engine"]),
    .executable(name: "text-module", targets: ["text-module"]),
  ],
  dependencies: [
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    // What Hummingbird is made of, for the places where AloftServer speaks to it directly.
    .package(url: "https://github.com/apple/swift-http-types.git", from: "1.8.0", traits: []),
    .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.0.0"),
  ],
  targets: [
    // The engine: pure, imports nothing, also compiled as Embedded Swift for WebAssembly.
    .target(name: "AloftCore"),
    .target(name: "FieldVisits", dependencies: ["AloftCore"], path: "Examples/FieldVisits/Sources"),
    // Browser side. CAloftRuntime supplies what Embedded Swift needs from libc.
    .target(name: "CAloftRuntime"),
    .target(name: "AloftWeb", dependencies: ["AloftCore", "CAloftRuntime"]),
    .executableTarget(name: "aloft-engine", dependencies: ["AloftWeb"]),
    .executableTarget(name: "field-visits-engine", dependencies: ["AloftWeb", "FieldVisits"]),
    .executableTarget(name: "text-module", dependencies: ["AloftCore", "CAloftRuntime"]),
    // The simulator: both engines in one deterministic world. `sim` builds without the server, `sim-engine` is for wasm.
    .target(name: "AloftSim", dependencies: ["AloftCore"]),
    .target(
      name: "AloftSimCommand",
      dependencies: ["AloftCore", "AloftSim", .product(name: "ArgumentParser", package: "swift-argument-parser")]),
    .executableTarget(name: "sim", dependencies: ["AloftSimCommand"]),
    .executableTarget(name: "sim-engine", dependencies: ["AloftSim", "CAloftRuntime"]),
    // Server side. CZlib is the system's zlib.
    .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
    .target(name: "AloftStore", dependencies: ["AloftCore"]),
    .target(
      name: "AloftSQLite",
      dependencies: ["AloftCore", "AloftStore", .product(name: "GRDBSQLite", package: "GRDB.swift")]),
    .target(
      name: "AloftServer",
      dependencies: [
        "AloftCore", "AloftStore", "AloftSQLite",
        "CZlib",
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "HummingbirdCore", package: "hummingbird"),
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "_CryptoExtras", package: "swift-crypto"),
        .product(name: "Logging", package: "swift-log"),
      ]),
    .executableTarget(
      name: "aloft",
      dependencies: [
        "AloftServer", "AloftSimCommand", "FieldVisits", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    .testTarget(name: "AloftCoreTests", dependencies: ["AloftCore", "AloftTesting", "FieldVisits"]),
    .testTarget(name: "AloftTextTests", dependencies: ["AloftCore", "TextTraces"]),
    // For authors of apps: a lab and the scenarios of the field.
    .target(name: "AloftTesting", dependencies: ["AloftCore"]),
    .testTarget(name: "AloftTestingTests", dependencies: ["AloftCore", "AloftTesting", "FieldVisits"]),
    .testTarget(name: "FieldVisitsTests", dependencies: ["AloftTesting", "FieldVisits"]),
    .testTarget(name: "AloftSimTests", dependencies: ["AloftSim", "sim"]),
    .testTarget(name: "AloftStoreTests", dependencies: ["AloftStore", "AloftSQLite"]),
    .testTarget(
      name: "AloftServerTests",
      dependencies: ["AloftServer", "FieldVisits", "LoopbackHTTP", "aloft", .product(name: "Crypto", package: "swift-crypto")]),
    // What the server is measured and tested with.
    .target(name: "LoopbackHTTP", path: "Benchmarks/LoopbackHTTP"),
    .target(name: "TextTraces", dependencies: ["AloftCore", "CZlib"], path: "Benchmarks/TextTraces"),
    .target(name: "TextParity", dependencies: ["AloftCore"], path: "Benchmarks/TextParity"),
    .target(name: "Allocations", path: "Benchmarks/Allocations"),
    .executableTarget(
      name: "text-bench", dependencies: ["Allocations", "AloftCore", "TextParity", "TextTraces"], path: "Benchmarks/TextBench"),
    .executableTarget(name: "text-engine", dependencies: ["TextParity", "CAloftRuntime"]),
    .executableTarget(
      name: "server-bench",
      dependencies: ["AloftServer", "LoopbackHTTP", .product(name: "GRDBSQLite", package: "GRDB.swift")],
      path: "Benchmarks/ServerBench"),
  ]
)
