"""A camera's results are exported by a dialog on its page."""

from playwright.sync_api import Page, expect


def test_it_works(camera_page: Page) -> None:
    camera_page.get_by_role("button", name="Export results").click()
    dialog = camera_page.get_by_role("dialog", name="Export results")
    expect(dialog.get_by_label("From")).not_to_have_value("")
    with camera_page.expect_download() as download:
        dialog.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename.endswith(".csv")
    assert download.value.path().read_text().startswith("captured_at,camera,label,")
    expect(dialog).to_be_hidden()


def test_what_cannot_be_exported_is_said_in_the_dialog(camera_page: Page) -> None:
    camera_page.get_by_role("button", name="Export results").click()
    dialog = camera_page.get_by_role("dialog", name="Export results")
    dialog.get_by_label("From").fill("2020-01-01T00:00")
    dialog.get_by_role("button", name="Download").click()
    expect(dialog.get_by_role("alert")).to_contain_text("at most 31 days")
    dialog.get_by_label("To").fill("2019-01-01T00:00")
    dialog.get_by_role("button", name="Download").click()
    expect(dialog.get_by_role("alert")).to_contain_text("later than it begins")
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_be_hidden()
