import Foundation
import XCTest

@testable import ProductApp

final class RatingTests: XCTestCase {
    private func rating(_ stars: Int...) -> Rating {
        var rating = Rating()
        for star in stars { rating.add(stars: star) }
        return rating
    }

    func test_the_higher_average_is_better_whatever_the_number_of_reviews() {
        XCTAssertTrue(rating(5).isBetter(than: rating(5, 5, 4)))
        XCTAssertFalse(rating(5, 5, 4).isBetter(than: rating(5)))
        XCTAssertTrue(rating(5, 4, 4).isBetter(than: rating(4, 4, 4, 4)))
    }

    func test_equal_averages_are_neither_better_nor_worse() {
        XCTAssertFalse(rating(4).isBetter(than: rating(3, 5)))
        XCTAssertFalse(rating(3, 5).isBetter(than: rating(4)))
    }

    func test_any_rating_is_better_than_none() {
        XCTAssertTrue(rating(1).isBetter(than: rating()))
        XCTAssertFalse(rating().isBetter(than: rating(1)))
        XCTAssertFalse(rating().isBetter(than: rating()))
    }

    func test_numbers_beyond_all_measure_are_compared_without_trapping() throws {
        func made(stars: Int, reviews: Int) throws -> Rating {
            let json = #"{"stars":\#(stars),"reviews":\#(reviews)}"#
            return try JSONDecoder().decode(Rating.self, from: Data(json.utf8))
        }
        let more = try made(stars: .max, reviews: .max - 1)
        let less = try made(stars: .max - 1, reviews: .max)
        XCTAssertTrue(more.isBetter(than: less))
        XCTAssertFalse(try made(stars: .min, reviews: 1).isBetter(than: less))
    }
}
