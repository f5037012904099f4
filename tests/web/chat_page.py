"""What a reader of the chat page does and sees."""


def send(page, text):
    page.get_by_label("Your message").fill(text)
    page.keyboard.press("Enter")


def answers(page):
    return page.get_by_role("article", name="Answer")
