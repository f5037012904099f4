"""The chat page in a real browser, served by the program itself with the default model."""
import pytest
from playwright.sync_api import expect

from chat_page import answers, send

ANSWER = 60_000  # milliseconds for a whole answer on a busy machine


def test_two_turns_and_a_stop(real_page, default_server):
    send(real_page, "Say hello in one short sentence.")
    expect(answers(real_page)).to_contain_text("tokens/s", timeout=ANSWER)
    assert len(answers(real_page).inner_text().split()) > 3
    send(real_page, "Write a very long story about a whale, at least two thousand words.")
    second = answers(real_page).nth(1)
    expect(second).to_have_attribute("aria-busy", "true")
    real_page.get_by_role("button", name="Stop").click()
    expect(second).to_contain_text("stopped")
    assert default_server.becomes_idle(5)
    send(real_page, "What did I ask you first?")
    expect(answers(real_page).nth(2)).to_contain_text("tokens/s", timeout=ANSWER)


@pytest.mark.parametrize("scheme, width", [("light", 1200), ("dark", 1200), ("light", 390)])
def test_looks(real_page, scheme, width, tmp_path):
    """The page fits its window; pytest keeps the pictures of its last runs for eyes (--basetemp says where)."""
    real_page.emulate_media(color_scheme=scheme)
    real_page.set_viewport_size({"width": width, "height": 800})
    real_page.get_by_role("button", name="Settings").click()
    real_page.get_by_label("tokens").fill("40")
    real_page.get_by_role("button", name="Done").click()
    send(real_page, "List three colours as a markdown list.")
    expect(answers(real_page)).to_contain_text("tokens/s", timeout=ANSWER)
    assert real_page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    real_page.screenshot(path=tmp_path / f"{scheme}-{width}.png")
