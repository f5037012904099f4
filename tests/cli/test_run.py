"""baleen run: continuations in a pipe, a chat in a pseudo-terminal."""
import json
import os
import pathlib
import pty
import re
import select
import signal
import subprocess
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TINY = ROOT / "tests/golden/gguf/llama-gqa-f32.gguf"
REAL = ROOT.parent / "shared/golden/real/real.json"
DEFAULT = "SmolLM2-135M-Instruct.Q4_1.gguf"


@pytest.fixture(scope="session")
def default_model():
    home = pathlib.Path(os.environ.get("BALEEN_HOME") or pathlib.Path.home() / ".local/share/baleen")
    path = home / "models" / DEFAULT
    if not path.is_file():
        pytest.skip(f"{path} has not been pulled (baleen pull default)")
    return path


@pytest.fixture
def run(baleen):
    def run(*arguments, text=None, **options):
        return subprocess.run([baleen, "run", *map(str, arguments)], input=text, capture_output=True, text=True,
                              stdin=None if text is not None else subprocess.DEVNULL, timeout=120, **options)

    return run


def test_the_continuation_alone_on_stdout(run):
    arguments = [TINY, "--raw", "-p", "hello", "--temperature", 0, "--ignore-eos"]
    short, long = (run(*arguments, "--max-tokens", count) for count in (5, 12))
    assert short.returncode == 0 and short.stdout
    assert long.stdout.startswith(short.stdout.rstrip("\N{REPLACEMENT CHARACTER}"))
    assert re.fullmatch(r"\[5 tokens, [\d.]+ tokens/s; prompt of \d+, [\d.]+ tokens/s\]\n", short.stderr)


def test_as_the_reference_continues(run, default_model):
    if not REAL.is_file():
        pytest.skip(f"no reference data in {REAL}")
    for prompt in json.loads(REAL.read_text())["prompts"]:
        sure = next((i for i, margin in enumerate(prompt["greedy_margins"]) if margin < 0.3), 40)
        if sure == 0:
            continue
        answer = run(default_model, "--raw", "-p", prompt["text"], "--temperature", 0, "--max-tokens", sure)
        assert answer.stdout and prompt["greedy_text"].startswith(answer.stdout)


def test_a_seed_makes_the_answer(run):
    def draw(seed):
        return run(TINY, "--raw", "-p", "hello", "--temperature", 1, "--max-tokens", 12, "--seed", seed).stdout

    assert draw(1) == draw(1) != draw(2)


def test_a_question_from_a_pipe(run, default_model):
    options = [default_model, "--temperature", 0, "--max-tokens", 8]
    piped = run(*options, text="What are the three primary colours?")
    assert piped.returncode == 0
    assert piped.stdout == run(*options, "-p", "What are the three primary colours?").stdout
    assert piped.stdout.startswith("The three primary colours are")


@pytest.mark.parametrize("arguments, code", [
    (["--temperature", "-1"], 2),
    (["--top-p", "2"], 2),
    (["--max-tokens", "0"], 2),
    (["--kv-type", "f8"], 2),
    (["--isa", "mmx"], 2),
    (["no-such-model"], 3),
    ([ROOT / "README.md"], 3),
])
def test_exit_codes(run, arguments, code):
    answer = run(*arguments, "-p", "x")
    assert answer.returncode == code
    assert answer.stdout == ""
    if code == 3:
        assert re.fullmatch(r"error: [^\n]+\n", answer.stderr)


def test_a_prompt_that_cannot_fit(run):
    answer = run(TINY, "--raw", "-p", "x" * 100, "--ctx", 32)
    assert answer.returncode == 2
    assert answer.stderr.startswith("error: the prompt has ")


def test_an_empty_question_is_one(baleen, default_model):
    """On a terminal a chat would begin without it."""
    keyboard, terminal = pty.openpty()
    try:
        done = subprocess.run([baleen, "run", default_model, "-p", "", "--max-tokens", "2"], stdin=terminal,
                              capture_output=True, text=True, timeout=60)
    finally:
        os.close(keyboard)
        os.close(terminal)
    assert done.returncode == 0 and done.stdout


def test_ctrl_c_stops_the_one_answer(baleen, default_model):
    process = subprocess.Popen([baleen, "run", default_model, "-p", "Count to a million.", "--ignore-eos"],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout.read(1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 1
    assert b"the answer was stopped" in err


class Terminal:
    """The program in a pseudo-terminal of its own."""

    def __init__(self, home, *command):
        self.seen = ""
        self.pid, self.file = pty.fork()
        if self.pid == 0:
            os.execve(command[0], list(map(str, command)),
                      {**os.environ, "BALEEN_HOME": str(home), "TERM": "xterm", "LC_ALL": "C.UTF-8"})

    def type(self, text):
        os.write(self.file, text.encode())

    def until(self, pattern, seconds=60):
        """What appeared up to the pattern's end; it will not be matched again."""
        deadline = time.monotonic() + seconds
        while not (match := re.search(pattern, self.seen)):
            ready, _, _ = select.select([self.file], [], [], max(0, deadline - time.monotonic()))
            assert ready, f"no {pattern!r} in {self.seen!r}"
            try:
                self.seen += os.read(self.file, 4096).decode(errors="replace")
            except OSError:
                raise AssertionError(f"ended without {pattern!r}: {self.seen!r}")
        before, self.seen = self.seen[:match.end()], self.seen[match.end():]
        return before

    def exit_code(self):
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
            if select.select([self.file], [], [], 0.05)[0]:
                try:
                    self.seen += os.read(self.file, 4096).decode(errors="replace")
                except OSError:
                    pass
        os.kill(self.pid, signal.SIGKILL)
        raise AssertionError(f"still running: {self.seen!r}")


SPEED = r"\[\d+ tokens[^\]]*\]\r\n"
PROMPT = r"> "


@pytest.fixture
def chat(baleen, default_model, tmp_path):
    terminals = []

    def start(*options):
        terminal = Terminal(tmp_path, baleen, "run", default_model, "--temperature", "0", *options)
        terminals.append(terminal)
        terminal.until(r"/help shows the commands\.\r\n")
        terminal.until(PROMPT)
        return terminal

    yield start
    for terminal in terminals:
        os.close(terminal.file)


def test_a_chat_of_several_turns(chat):
    terminal = chat("--max-tokens", "12")
    terminal.type("What are the three primary colours?\r")
    assert "primary colours are" in terminal.until(SPEED)
    terminal.until(PROMPT)
    terminal.type("And why?\r")
    second = terminal.until(SPEED)
    prompt_tokens = int(re.search(r"prompt of (\d+)", second)[1])
    assert prompt_tokens > 50  # the first turn is part of it
    terminal.until(PROMPT)
    terminal.type("/clear\r")
    terminal.until(r"a new conversation")
    terminal.until(PROMPT)
    terminal.type("And why?\r")
    assert int(re.search(r"prompt of (\d+)", terminal.until(SPEED))[1]) < 40
    terminal.until(PROMPT)
    terminal.type("\x04")
    assert terminal.exit_code() == 0


def test_commands(chat):
    terminal = chat("--max-tokens", "3")
    terminal.type("/help\r")
    terminal.until(r"/clear .*start a new conversation")
    terminal.until(PROMPT)
    terminal.type("/wat\r")
    terminal.until(r"There is no command /wat")
    terminal.until(PROMPT)
    terminal.type("/system Answer in French.\r")
    terminal.until(r"a new conversation")
    terminal.until(PROMPT)
    terminal.type("/exit\r")
    assert terminal.exit_code() == 0


def test_editing_and_history(chat):
    terminal = chat("--max-tokens", "3")
    terminal.type("/helq\x7fp\r")  # a backspace
    terminal.until(r"/clear .*start")
    terminal.until(PROMPT)
    terminal.type("\x1b[A\r")  # arrow up
    terminal.until(r"/clear .*start")
    terminal.until(PROMPT)
    terminal.type("/exit\r")
    assert terminal.exit_code() == 0
    again = chat("--max-tokens", "3")
    again.type("\x1b[A\x1b[A\r")  # kept from the last time
    again.until(r"/clear .*start")
    again.until(PROMPT)
    again.type("\x04")
    assert again.exit_code() == 0


def test_ctrl_c_stops_the_answer_and_clears_a_line(chat):
    terminal = chat("--ignore-eos")
    terminal.type("Count to a million.\r")
    terminal.until(r"million\.\r\n[^\r]*\w+")  # the answer has begun
    terminal.type("\x03")
    terminal.until(SPEED)
    terminal.until(PROMPT)
    terminal.type("never sent\x03")  # clears the line
    terminal.until(PROMPT)
    terminal.type("\x03")
    terminal.until(r"Ctrl-C again leaves")
    terminal.until(PROMPT)
    terminal.type("\x03")
    assert terminal.exit_code() == 0


def test_ctrl_c_twice_leaves_a_running_answer(chat):
    terminal = chat("--ignore-eos")
    terminal.type("Count to a million.\r")
    terminal.until(r"million\.\r\n[^\r]*\w+")
    terminal.type("\x03")
    terminal.until(SPEED)
    terminal.until(PROMPT)
    terminal.type("\x03")
    assert terminal.exit_code() == 0


def test_ctrl_c_on_an_empty_line_asks_once(chat):
    terminal = chat()
    terminal.type("\x03")
    terminal.until(r"Ctrl-C again leaves")
    terminal.until(PROMPT)
    terminal.type("/help\r")
    terminal.until(r"/clear .*start")
    terminal.until(PROMPT)
    terminal.type("\x03")
    terminal.until(r"Ctrl-C again leaves")
    terminal.until(PROMPT)
    terminal.type("\x03")
    assert terminal.exit_code() == 0
