import Foundation

/// Brings home what a task hands to the system's threads from a thread of a `SeededExecutor`.
///
/// A task that yields goes by way of the global executor even when it prefers another one, and
/// `Task { }` does not keep to the executor at all. The runtime offers a hook for just that.
enum GlobalJobs {
    private typealias Original = @convention(thin) (UnownedJob) -> Void
    private typealias Hook = @convention(thin) (UnownedJob, Original) -> Void
    private static let key = "wellspring.executor"

    /// Sets the hook, once.
    static let areCaught: Bool = {
        guard let symbol = dlsym(dlopen(nil, RTLD_NOW), "swift_task_enqueueGlobal_hook") else {
            return false
        }
        symbol.assumingMemoryBound(to: Hook?.self).pointee = { job, original in
            let executor = Thread.current.threadDictionary[key] as? SeededExecutor
            if let executor { executor.enqueue(stray: job) } else { original(job) }
        }
        return true
    }()

    /// Has `executor` do what the calling thread hands to others while `body` runs.
    static func keep<Value>(on executor: SeededExecutor, _ body: () -> Value) -> Value {
        precondition(areCaught, "the runtime has no hook for global jobs")
        let dictionary = Thread.current.threadDictionary
        dictionary[key] = executor
        defer { dictionary.removeObject(forKey: key) }
        return body()
    }
}
