// swift-tools-version: 6.3

import PackageDescription

// No package dependencies, ever: what Wellspring needs beyond the standard library comes with the
// toolchain. The two applications of `Examples/` are executables of this package, so that
// `swift run OrderApp` is all it takes to see the library at work.
let package = Package(
    name: "Wellspring",
    platforms: [.macOS(.v15), .iOS(.v18)],
    products: [
        .library(name: "Wellspring", targets: ["Wellspring"]),
        .library(name: "WellspringTestKit", targets: ["WellspringTestKit"]),
        .executable(name: "wellspringctl", targets: ["wellspringctl"]),
    ],
    traits: [
        .trait(
            name: "SQLite",
            description: "Builds what needs the system's libsqlite3: rows of the benchmarks."),
        .default(enabledTraits: []),
    ],
    dependencies: [],
    targets: [
        // Imports form a fan: WellspringLog <- Wellspring <- everything else. The target in C is for
        // one instruction of the processor and one system call, which Swift has no names for.
        .target(name: "CWellspring"),
        .target(name: "WellspringLog", dependencies: ["CWellspring"]),
        .target(name: "Wellspring", dependencies: ["WellspringLog"]),
        .target(name: "WellspringTestKit", dependencies: ["Wellspring", "WellspringLog"]),

        .systemLibrary(
            name: "CSQLite", providers: [.apt(["libsqlite3-dev"]), .brew(["sqlite3"])]),
        .executableTarget(
            name: "WellspringBenchmarks",
            dependencies: [
                "Wellspring", "WellspringLog",
                .target(name: "CSQLite", condition: .when(traits: ["SQLite"])),
            ]),

        // The command-line tool for stores on disk. It reads its arguments as the applications do.
        .executableTarget(
            name: "wellspringctl", dependencies: ["Wellspring", "WellspringLog", "ExampleSupport"]),

        // What the programs share has nothing to do with event sourcing: CSV, options, tables.
        .target(name: "ExampleSupport", path: "Examples/Support"),
        .executableTarget(
            name: "OrderApp", dependencies: ["Wellspring", "ExampleSupport"],
            path: "Examples/OrderApp"),
        .executableTarget(
            name: "ProductApp", dependencies: ["Wellspring", "ExampleSupport"],
            path: "Examples/ProductApp"),
        // The program of the README.
        .executableTarget(name: "Bank", dependencies: ["Wellspring"], path: "Examples/Bank"),

        .testTarget(
            name: "WellspringLogTests", dependencies: ["WellspringLog", "WellspringTestKit"]),
        .testTarget(
            name: "WellspringTests",
            dependencies: ["Wellspring", "WellspringLog", "WellspringTestKit"]),
        .testTarget(
            name: "WellspringTestKitTests",
            dependencies: ["Wellspring", "WellspringLog", "WellspringTestKit"]),
        .target(name: "ExampleTestSupport", path: "Tests/ExampleTestSupport"),
        // The program whose processes the tests kill, and which looks at what they leave.
        .executableTarget(
            name: "CrashTrials", dependencies: ["Wellspring", "WellspringLog", "ExampleSupport"],
            path: "Tests/CrashTrials"),
        .testTarget(
            name: "CrashTrialsTests",
            dependencies: ["CrashTrials", "ExampleTestSupport", "Wellspring"]),
        .testTarget(
            name: "WellspringCtlTests",
            dependencies: ["wellspringctl", "ExampleTestSupport", "Wellspring", "WellspringLog"]),
        .testTarget(
            name: "WellspringBenchmarksTests",
            dependencies: ["WellspringBenchmarks", "Wellspring", "ExampleTestSupport"]),
        .testTarget(name: "ExampleSupportTests", dependencies: ["ExampleSupport"]),
        .testTarget(
            name: "OrderAppTests",
            dependencies: [
                "OrderApp", "ExampleSupport", "ExampleTestSupport", "Wellspring",
                "WellspringTestKit",
            ]),
        .testTarget(
            name: "ProductAppTests",
            dependencies: [
                "ProductApp", "ExampleSupport", "ExampleTestSupport", "Wellspring",
                "WellspringTestKit",
            ]),
        .testTarget(
            name: "DocumentationTests",
            dependencies: ["Bank", "ExampleTestSupport", "Wellspring", "WellspringTestKit"]),
        .testTarget(name: "TidyTests"),
    ],
    swiftLanguageModes: [.v6]
)

// A build of the library and its tests alone, for the sanitizers: what instruments code takes its time.
if Context.environment["WELLSPRING_ONLY_LIBRARY"] != nil {
    let library: Set = [
        "CWellspring", "WellspringLog", "Wellspring", "WellspringTestKit",
        "WellspringLogTests", "WellspringTests", "WellspringTestKitTests",
    ]
    package.targets.removeAll { !library.contains($0.name) }
    package.products.removeAll { $0.name == "wellspringctl" }
}

for target in package.targets where target.type != .system {
    target.swiftSettings = [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    ]
}

// Optimising the tests of a release build takes longer than running them without: their time is spent
// in the library. The simulations of the log have loops of their own.
for target in package.targets where target.type == .test && target.name != "WellspringLogTests" {
    target.swiftSettings?.append(.unsafeFlags(["-Onone"], .when(configuration: .release)))
}
