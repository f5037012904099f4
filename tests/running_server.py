"""One `baleen serve` as a child process, and the models that tests serve."""
import os
import pathlib
import re
import signal
import subprocess
import time

import openai

ROOT = pathlib.Path(__file__).resolve().parent.parent
TINY = ROOT / "tests/golden/gguf/llama-gqa-f32.gguf"
HOME = pathlib.Path(os.environ.get("BALEEN_HOME") or pathlib.Path.home() / ".local/share/baleen")
DEFAULT = HOME / "models/SmolLM2-135M-Instruct.Q4_1.gguf"


class Server:
    """One `baleen serve` on a free port. stop() returns its exit code."""

    def __init__(self, baleen, model, *arguments):
        self.process = subprocess.Popen([baleen, "serve", model, "--port", "0", *arguments], text=True,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.url = None
        for line in self.process.stdout:
            if found := re.match(r"Serving on (http://[^ ]+:(\d+))$", line.rstrip()):
                self.url, self.port = found[1], int(found[2])
                break
        assert self.url, f"the server ended with {self.process.wait()}"

    def client(self, **options):
        return openai.OpenAI(base_url=self.url + "/v1", api_key="none", **{"max_retries": 0, "timeout": 120, **options})

    def async_client(self):
        return openai.AsyncOpenAI(base_url=self.url + "/v1", api_key="none", max_retries=0, timeout=120)

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def threads(self):
        return len(os.listdir(f"/proc/{self.process.pid}/task"))

    def becomes_idle(self, seconds=20):
        """Whether within that time there is half a second in which it computes nearly nothing."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            before = self.cpu_seconds()
            time.sleep(0.5)
            if self.cpu_seconds() - before < 0.05:
                return True
        return False

    def stop(self, number=signal.SIGTERM, timeout=40):
        self.process.send_signal(number)
        return self.process.wait(timeout)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
