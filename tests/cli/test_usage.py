"""What the program says of a command line that it does not understand."""
import subprocess

import pytest

SERVE = ": `baleen serve --help` says more\n"
CASES = [
    ([], "error: A subcommand is required: `baleen --help` says more\n"),
    (["frobnicate"], "error: there is no command frobnicate: `baleen --help` lists them\n"),
    (["run", "--frob"], "error: The following argument was not expected: --frob: `baleen run --help` says more\n"),
    (["serve", "--kv-memory", "0"], "error: --kv-memory: Value 0 not in range 1 to 70368744177664" + SERVE),
    (["serve", "--kv-memory", "-1"], "error: --kv-memory: Value -1 not in range 1 to 70368744177664" + SERVE),
    (["pull", "pypi:--index-url=http://x"], "error: --index-url=http://x: not a package, an option of pip\n"),
]


@pytest.mark.parametrize("arguments, message", CASES)
def test_wrong_usage(baleen, arguments, message):
    done = subprocess.run([baleen, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr == message
