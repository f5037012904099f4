"""What the tests written in Python share: the program under test, and a server of the default model."""
import os
import pathlib

import pytest

from running_server import DEFAULT, Server

ROOT = pathlib.Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def baleen():
    """The path of the built program: $BALEEN, else the release build."""
    path = pathlib.Path(os.environ.get("BALEEN", ROOT / "build/release/bin/baleen"))
    assert path.is_file(), f"{path} is not built"
    return path


@pytest.fixture(scope="session")
def default_server(baleen):
    if not DEFAULT.is_file():
        pytest.skip("the default model has not been pulled (baleen pull default)")
    server = Server(baleen, DEFAULT)
    yield server
    code = server.stop()
    server.kill()
    assert code == 0
