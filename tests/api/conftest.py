"""A server under test: the default model where it has been pulled, else a tiny golden one without a chat template."""
import pytest

from running_server import DEFAULT, TINY, Server


@pytest.fixture(scope="session")
def any_server(request):
    """The default model's server, or the tiny model's: for what needs no chat template."""
    if DEFAULT.is_file():
        yield request.getfixturevalue("default_server")
        return
    server = Server(request.getfixturevalue("baleen"), TINY)
    yield server
    server.kill()


@pytest.fixture
def tiny_server(baleen):
    """A server of the test's own, for what ends it."""
    servers = []

    def start(*arguments):
        servers.append(Server(baleen, TINY, *arguments))
        return servers[-1]

    yield start
    for server in servers:
        server.kill()
