"""A headless Chromium and a page in it."""
import os

import pytest
from playwright.sync_api import sync_playwright

from scripted_server import ScriptedServer

# Without these Chromium asks hosts on the internet at every start.
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]


@pytest.fixture(scope="module")
def chromium():
    with sync_playwright() as playwright:
        executable = os.environ.get("CHROMIUM", "/usr/bin/chromium")
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def server():
    scripted = ScriptedServer()
    yield scripted
    scripted.shutdown()


@pytest.fixture
def page(chromium, server):
    """The chat page of the scripted server."""
    yield from chat_page(chromium, server.url)


@pytest.fixture
def real_page(chromium, default_server):
    """The chat page of `baleen serve` with the default model."""
    yield from chat_page(chromium, default_server.url)


def chat_page(chromium, url):
    """Whatever goes to the console as an error, policy violations included, fails the test."""
    context = chromium.new_context(permissions=["clipboard-read", "clipboard-write"])
    tab = context.new_page()
    tab.set_default_timeout(15_000)
    errors = []
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.on("console", lambda message: message.type == "error" and errors.append(message.text))
    tab.expected_errors = 0
    tab.goto(url)
    yield tab
    context.close()
    assert len(errors) == tab.expected_errors, errors
