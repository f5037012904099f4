"""What becomes of connections, signals and load: `baleen serve` as a process."""
import asyncio
import json
import re
import signal
import socket
import subprocess
import threading
import time

import pytest

from conftest import TINY

LONG = {"model": "default", "prompt": [5, 6, 7], "max_tokens": 2000, "ignore_eos": True}


def request(body, path="/v1/completions"):
    raw = json.dumps(body).encode()
    return (f"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            f"Content-Length: {len(raw)}\r\n\r\n").encode() + raw


def serve(baleen, *arguments):
    """A server that does not come up."""
    return subprocess.run([baleen, "serve", *arguments], capture_output=True, text=True, timeout=60)


def connect(server):
    return socket.create_connection(("127.0.0.1", server.port), timeout=60)


def read_all(connection):
    received = b""
    while piece := connection.recv(65536):
        received += piece
    return received


def test_each_event_leaves_in_one_write(any_server):
    with connect(any_server) as connection:
        connection.sendall(request({**LONG, "max_tokens": 30, "stream": True}))
        received = b""
        while piece := connection.recv(1 << 20):
            received += piece
            assert piece.endswith((b"\r\n\r\n", b"\n\n\r\n")), piece  # a head, an event, or the last chunk
    assert received.endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_leaves_stops_the_work(any_server, stream):
    assert any_server.becomes_idle()
    with connect(any_server) as connection:
        connection.sendall(request({**LONG, "n": 4, "stream": stream}))
        if stream:
            connection.recv(100)
        else:
            time.sleep(0.3)
    assert any_server.becomes_idle()


def test_more_than_512_requests_wait_their_turn(any_server):
    raw = request({"model": "default", "prompt": [5, 6, 7], "max_tokens": 2, "ignore_eos": True})
    threads = any_server.threads()

    async def one():
        reader, writer = await asyncio.open_connection("127.0.0.1", any_server.port)
        writer.write(raw)
        answer = await reader.read()
        writer.close()
        return answer.split()[1]

    async def many():
        return await asyncio.gather(*[one() for _ in range(560)])

    assert set(asyncio.run(many())) == {b"200"}
    assert any_server.threads() == threads
    children = subprocess.run(["pgrep", "-P", str(any_server.process.pid)], stdout=subprocess.PIPE)
    assert children.stdout == b""


def test_health_answers_while_models_compute(any_server):
    with connect(any_server) as busy:
        busy.sendall(request({**LONG, "n": 4}))
        time.sleep(0.2)
        with connect(any_server) as connection:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert read_all(connection).startswith(b"HTTP/1.1 200 OK")


def test_termination_lets_short_work_finish(tiny_server):
    server = tiny_server()
    with connect(server) as connection:
        connection.sendall(request({**LONG, "max_tokens": 200, "stream": True}))
        connection.recv(100)
        assert server.stop() == 0
        assert read_all(connection).endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")


def test_termination_ends_long_work_with_an_error_event(tiny_server):
    server = tiny_server("--drain-timeout", "1")
    began = time.monotonic()
    answers = []

    def ask():
        with connect(server) as connection:
            connection.sendall(request({**LONG, "n": 16, "max_tokens": 2000, "logprobs": 5, "stream": True}))
            answers.append(read_all(connection))

    clients = [threading.Thread(target=ask) for _ in range(8)]
    for client in clients:
        client.start()
    time.sleep(0.5)
    assert server.stop(signal.SIGINT) == 0
    assert time.monotonic() - began < 15
    for client in clients:
        client.join()
    for answer in answers:
        assert answer.endswith(b"\r\n0\r\n\r\n")
        assert b"data: [DONE]" in answer[-100:] or b'"error"' in answer[-400:]


def test_a_second_interrupt_ends_at_once(tiny_server):
    server = tiny_server("--drain-timeout", "60")
    with connect(server) as connection:
        connection.sendall(request({**LONG, "n": 16, "stream": True, "logprobs": 5}))
        connection.recv(100)
        server.process.send_signal(signal.SIGINT)
        time.sleep(0.1)
        began = time.monotonic()
        assert server.stop(signal.SIGINT) in (130, 0)
        assert time.monotonic() - began < 5


def test_a_port_in_use_is_said_before_anything_is_loaded(baleen, tiny_server):
    server = tiny_server()
    began = time.monotonic()
    done = serve(baleen, TINY, "--port", str(server.port))
    assert done.returncode == 1
    assert re.fullmatch(r"error: port \d+ of 127.0.0.1 is in use: .*\n", done.stderr)
    assert done.stdout == ""
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("arguments, code", [
    (["--port", "99999"], 2), (["--kv-memory", "much"], 2), (["--isa", "mmx"], 2), (["--kv-type", "f8"], 2),
    (["--ctx", "-1"], 2), (["--nonsense"], 2), (["/nowhere/model.gguf"], 3), (["--host", "no.such.host.invalid"], 1)])
def test_wrong_usage(baleen, arguments, code):
    model = [] if arguments[0].startswith("/") else [TINY]
    done = serve(baleen, *model, "--port", "0", *arguments)
    assert done.returncode == code, done.stderr
    assert done.stderr


def test_limits_given_on_the_command_line(tiny_server):
    server = tiny_server("--ctx", "64", "--kv-memory", "1MiB", "--model-name", "mine", "--threads", "1",
                         "--isa", "ref", "--kv-type", "f32")
    with server.client() as client:
        assert [model.id for model in client.models.list()] == ["mine"]
        answer = client.completions.create(model="mine", prompt=[5] * 60, max_tokens=100,
                                           extra_body={"ignore_eos": True})
        assert (answer.choices[0].finish_reason, answer.usage.total_tokens) == ("length", 64)
