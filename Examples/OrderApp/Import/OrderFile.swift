import ExampleSupport

/// A CSV file of orders, read some lines at a time.
struct OrderFile: Sendable {
    private var reader: CSVReader

    /// Opens the file and checks that its first line is the one expected.
    init(_ reader: CSVReader) throws {
        self.reader = reader
        guard let header = try self.reader.next(), header.fields == OrderRow.header else {
            throw Failure("the first line must be \(OrderRow.header.joined(separator: ","))")
        }
    }

    /// Which part of the file has been read, if its size is known.
    var fraction: Double? {
        reader.totalBytes.map { $0 > 0 ? Double(reader.consumedBytes) / Double($0) : 1 }
    }

    /// Returns the next lines, at most `limit`; none at the end.
    mutating func next(_ limit: Int) throws(CSVError) -> [ImportLine] {
        var lines: [ImportLine] = []
        while lines.count < limit, let line = try nextLine() { lines.append(line) }
        return lines
    }

    private mutating func nextLine() throws(CSVError) -> ImportLine? {
        do {
            return try reader.next().map(ImportLine.init)
        } catch .malformed(let number, let fault) {
            return ImportLine(number: number, content: .failure(.csv(fault)))
        } catch {
            throw error
        }
    }
}

/// A line of the file as it was read.
struct ImportLine: Sendable {
    let number: Int
    let content: Result<OrderRow, LineFault>
}

extension ImportLine {
    /// Makes sense of a record, or says what is wrong with it.
    init(_ record: CSVRecord) {
        number = record.line
        do throws(RowFault) {
            content = .success(try OrderRow(fields: record.fields))
        } catch {
            content = .failure(.row(error))
        }
    }
}
