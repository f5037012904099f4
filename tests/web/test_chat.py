"""The chat page in a real browser, against a scripted server."""
import time

from playwright.sync_api import expect

from chat_page import answers, send


def wait_until(condition, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("not in time")


def test_an_answer_streams_and_says_how_fast(page, server):
    expect(page.get_by_text("scripted-model")).to_be_visible()
    expect(page.get_by_role("button", name="Send")).to_be_disabled()
    send(page, "hello")
    expect(answers(page)).to_contain_text("You said: hello.")
    expect(answers(page)).to_contain_text("3 tokens")
    expect(answers(page)).to_contain_text("tokens/s")
    expect(page.get_by_label("Your message")).to_have_value("")
    assert server.requests[0]["stream"] is True


def test_the_text_grows_while_it_comes(page):
    send(page, "endless")
    expect(answers(page)).to_contain_text("word 3")
    early = len(answers(page).inner_text())
    expect(answers(page)).to_contain_text("word 20")
    assert len(answers(page).inner_text()) > early
    expect(answers(page)).to_have_attribute("aria-busy", "true")
    page.get_by_role("button", name="Stop").click()
    expect(answers(page)).to_have_attribute("aria-busy", "false")


def test_stop_closes_the_request(page, server):
    send(page, "endless")
    expect(answers(page)).to_contain_text("word 3")
    assert server.running == 1
    page.get_by_role("button", name="Stop").click()
    wait_until(lambda: server.running == 0)
    assert server.cancelled == 1
    expect(answers(page)).to_contain_text("stopped")
    expect(page.get_by_role("button", name="Send")).to_be_visible()
    expect(page.get_by_label("Your message")).to_be_focused()


def test_escape_stops_too(page, server):
    send(page, "endless")
    expect(answers(page)).to_contain_text("word 3")
    page.keyboard.press("Escape")
    wait_until(lambda: server.cancelled == 1)


def test_a_second_turn_knows_the_first(page, server):
    send(page, "one")
    expect(answers(page)).to_contain_text("tokens")
    send(page, "two")
    expect(answers(page).nth(1)).to_contain_text("You said: two.")
    assert server.requests[1]["messages"] == [
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": "You said: one."},
        {"role": "user", "content": "two"},
    ]


def test_what_was_stopped_is_remembered_and_a_new_chat_is_not(page, server):
    send(page, "endless")
    expect(answers(page)).to_contain_text("word 3")
    page.keyboard.press("Escape")
    expect(answers(page)).to_contain_text("stopped")
    send(page, "again")
    expect(answers(page).nth(1)).to_contain_text("You said: again.")
    assert server.requests[1]["messages"][1]["content"].startswith("word 0 word 1")
    page.get_by_role("button", name="New chat").click()
    expect(answers(page)).to_have_count(0)
    send(page, "fresh")
    expect(answers(page)).to_contain_text("You said: fresh.")
    assert server.requests[2]["messages"] == [{"role": "user", "content": "fresh"}]


def test_a_new_chat_stops_the_answer(page, server):
    send(page, "endless")
    expect(answers(page)).to_contain_text("word 3")
    page.get_by_role("button", name="New chat").click()
    wait_until(lambda: server.cancelled == 1)
    send(page, "fresh")
    expect(answers(page)).to_contain_text("You said: fresh.")
    assert server.requests[1]["messages"] == [{"role": "user", "content": "fresh"}]


def test_markdown_is_shown_and_harmless(page):
    send(page, "markdown")
    expect(answers(page).get_by_role("heading", name="Heading")).to_be_visible()
    expect(answers(page)).to_contain_text("tokens/s")
    expect(answers(page).get_by_role("listitem")).to_have_count(2)
    expect(answers(page).get_by_role("table")).to_be_visible()
    expect(answers(page).locator("pre code")).to_contain_text("return a + b")
    assert answers(page).locator("img, script").count() == 0
    expect(answers(page)).to_contain_text("<script>")
    safe = answers(page).get_by_role("link", name="safe", exact=True)
    expect(safe).to_have_attribute("rel", "noopener noreferrer")
    assert answers(page).locator("a[href^=javascript]").count() == 0
    assert page.title() == "Baleen"


def test_code_is_copied(page):
    send(page, "markdown")
    expect(answers(page)).to_contain_text("tokens/s")
    page.get_by_role("button", name="Copy code").click()
    expect(page.get_by_role("button", name="Copy code")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == "def add(a, b):\n    return a + b\n"
    page.get_by_role("button", name="Copy answer").click()
    assert page.evaluate("navigator.clipboard.readText()").startswith("## Heading")


def test_an_error_says_what_and_can_be_tried_again(page, server):
    page.expected_errors = 2  # the browser logs a failed request as an error
    send(page, "fail")
    expect(page.get_by_role("alert")).to_contain_text("max_tokens: too many")
    page.get_by_role("button", name="Try again").click()
    wait_until(lambda: len(server.requests) == 2)
    expect(page.get_by_role("alert")).to_have_count(1)


def test_shift_enter_starts_a_line_and_settings_are_sent(page, server):
    page.get_by_role("button", name="Settings").click()
    page.get_by_label("System prompt").fill("Be brief.")
    page.get_by_label("Temperature").fill("0.2")
    page.get_by_label("Longest answer").fill("77")
    page.get_by_role("button", name="Done").click()
    field = page.get_by_label("Your message")
    field.fill("one")
    field.press("Shift+Enter")
    field.press_sequentially("two")
    field.press("Enter")
    expect(answers(page)).to_contain_text("tokens")
    request = server.requests[0]
    assert request["temperature"] == 0.2 and request["max_tokens"] == 77
    assert request["messages"] == [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "one\ntwo"}]
    page.reload()
    page.get_by_role("button", name="Settings").click()
    expect(page.get_by_label("System prompt")).to_have_value("Be brief.")


def test_a_phone_shows_it_all(chromium, server):
    context = chromium.new_context(viewport={"width": 360, "height": 640}, has_touch=True)
    page = context.new_page()
    page.goto(server.url)
    send(page, "markdown")
    expect(answers(page)).to_contain_text("tokens/s")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    expect(page.get_by_role("button", name="Settings")).to_be_in_viewport()
    expect(page.get_by_role("button", name="Send")).to_be_in_viewport()
    context.close()
