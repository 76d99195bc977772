import Wellspring

extension ModelRun {
    /// Cuts a stream off in the store and in the model.
    func truncate(_ stream: Int, keeping count: Int, _ belief: ModelBelief) async throws {
        let (version, first) = (model.version(of: stream), model.first(of: stream))
        let before = UInt64(max(0, Int(version) + 1 - count))
        let request = TruncationRequest(
            ModelEvents.name(of: stream), before: count == 0 ? nil : StreamVersion(before),
            expecting: belief.expected(at: version))
        let isRight = request.expected.allows(StreamVersion(version))
        let isThere = before <= version + 1
        let goesFurther = before > first
        let position = LogPosition(model.head + 1)
        do throws(EventStoreError) {
            let receipt = try await truncating.truncate(request)
            guard isRight, isThere, receipt.firstVersion.rawValue == max(before, first),
                (receipt.position == position) == goesFurther
            else { throw .storage(reason: "it was accepted: \(receipt)") }
            if goesFurther { model.truncate(stream, before: before) }
        } catch {
            switch error {
            case .conflict where !isRight, .invalidRequest where !isThere: break
            case .notStored where isDisturbed, .storageFull where isDisturbed: break
            case .outcomeUnknown where isDisturbed:
                try await reopen(after: error, count: goesFurther ? 1 : 0) {
                    $0.truncate(stream, before: before)
                }
            case .poisoned where isDisturbed:
                try await reopen(after: error, count: 0)
            default: throw error
            }
        }
    }
}
