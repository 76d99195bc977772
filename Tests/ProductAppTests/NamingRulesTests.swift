import Wellspring
import WellspringTestKit
import XCTest

@testable import ProductApp

final class NamingRulesTests: XCTestCase {
    func test_a_category_is_created_once_and_keeps_the_name_it_got_since() throws {
        try Scenario<Category>()
            .when(CreateCategory(name: "Books")).then(.created(name: "Books"))
        try Scenario<Category>()
            .given(.created(name: "Books"), .renamed(name: "Literature"))
            .when(CreateCategory(name: "Books")).thenNothing()
    }

    func test_a_category_gets_another_name() throws {
        let books = Scenario<Category>().given(.created(name: "Books"))
        try books.when(RenameCategory(name: "Literature")).then(.renamed(name: "Literature"))
        try books.when(RenameCategory(name: "Books")).thenNothing()
        try books.when(RenameCategory(name: "")).thenRejected(.empty)
    }

    func test_a_category_that_does_not_exist_has_no_name_to_change() throws {
        try Scenario<Category>()
            .when(RenameCategory(name: "Books")).thenRejected(.nothingToRename)
        try Scenario<Category>()
            .when(CreateCategory(name: "")).thenRejected(.empty)
    }

    func test_a_brand_is_created_once_and_keeps_the_name_it_got_since() throws {
        try Scenario<Brand>().when(CreateBrand(name: "Acme")).then(.created(name: "Acme"))
        try Scenario<Brand>().given(.created(name: "Acme"), .renamed(name: "Acme & Sons"))
            .when(CreateBrand(name: "Acme")).thenNothing()
    }

    func test_a_brand_gets_another_name() throws {
        let acme = Scenario<Brand>().given(.created(name: "Acme"))
        try acme.when(RenameBrand(name: "Quill")).then(.renamed(name: "Quill"))
        try acme.when(RenameBrand(name: "Acme")).thenNothing()
        try acme.when(RenameBrand(name: "")).thenRejected(.empty)
        try Scenario<Brand>().when(RenameBrand(name: "Quill")).thenRejected(.nothingToRename)
        try Scenario<Brand>().when(CreateBrand(name: "")).thenRejected(.empty)
    }
}
