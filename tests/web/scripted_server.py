"""Serves the chat page's own files and answers chat completions by script, so that tests know every event."""
import http.server
import json
import pathlib
import re
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PAGES = ROOT / "src/server/web"
LIBRARIES = {
    "/marked.js": ROOT / "build/web/node_modules/marked/lib/marked.esm.js",
    "/dompurify.js": ROOT / "build/web/node_modules/dompurify/dist/purify.es.mjs",
}
TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml",
         ".mjs": "text/javascript"}

MARKDOWN = """## Heading

A *list* with `code`:

- one
- two

```python
def add(a, b):
    return a + b
```

| a | b |
| - | - |
| 1 | 2 |

<img src=x onerror="document.title='owned'"><script>document.title='owned'</script>
[safe](https://example.org) [unsafe](javascript:document.title='owned') ![picture](https://example.org/track.png)
"""


def page_policy():
    """The Content-Security-Policy that the program sends, from its source."""
    source = (PAGES / "pages.cc").read_text()
    literal = re.search(r"kPagePolicy =((?:\s*\"[^\"]*\")+);", source).group(1)
    return "".join(re.findall(r'"([^"]*)"', literal))


class ScriptedServer(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests = []
        self.running = 0
        self.cancelled = 0
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def reply(self, status, content_type, body):
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", page_policy())
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path == "/v1/models":
            return self.reply(200, "application/json", b'{"object": "list", "data": [{"id": "scripted-model"}]}')
        path = LIBRARIES.get(self.path) or PAGES / ("index.html" if self.path == "/" else self.path[1:])
        if not path.is_file():
            return self.reply(404, "text/plain", b"not here")
        return self.reply(200, TYPES[path.suffix], path.read_bytes())

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append(request)
        said = request["messages"][-1]["content"]
        if said == "fail":
            error = {"message": "max_tokens: too many", "type": "invalid_request_error", "param": "max_tokens",
                     "code": None}
            return self.reply(400, "application/json", json.dumps({"error": error}).encode())
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self.server.running += 1
        try:
            self.stream(said)
        except (BrokenPipeError, ConnectionResetError):
            self.server.cancelled += 1
        finally:
            self.server.running -= 1

    def event(self, data):
        self.wfile.write(f"data: {data}\n\n".encode())
        self.wfile.flush()

    def chunk(self, delta, reason=None):
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        self.event(json.dumps({"object": "chat.completion.chunk", "choices": [choice], "usage": None}))

    def stream(self, said):
        words = {"markdown": re.findall(r"\S+\s*|\s+", MARKDOWN), "endless": None}.get(said, ["You said: ", said, "."])
        self.chunk({"role": "assistant", "content": ""})
        count = 0
        while words is None or count < len(words):
            self.chunk({"content": f"word {count} " if words is None else words[count]})
            count += 1
            time.sleep(0.02)
        self.chunk({}, "stop")
        usage = {"prompt_tokens": 5, "completion_tokens": count, "total_tokens": count + 5}
        self.event(json.dumps({"object": "chat.completion.chunk", "choices": [], "usage": usage}))
        self.event("[DONE]")
