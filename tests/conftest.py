"""What the tests written in Python share: the program under test."""
import os
import pathlib

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def baleen():
    """The path of the built program: $BALEEN, else the release build."""
    path = pathlib.Path(os.environ.get("BALEEN", ROOT / "build/release/bin/baleen"))
    assert path.is_file(), f"{path} is not built"
    return path
