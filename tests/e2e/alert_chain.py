"""
Prometheus and Alertmanager as processes of their own, with the rules that ship.
"""

import json
import subprocess
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import yaml

from tests.monitoring_tools import RULE_FILES, SHIPPED, free_port, tool


class Inbox:
    """
    What receivers were sent: listens where PagerDuty and Slack would.
    """

    def __init__(self) -> None:
        inbox = self
        self.received: list[tuple[str, Any]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                size = int(self.headers["Content-Length"])
                inbox.received.append((self.path, json.loads(self.rfile.read(size))))
                self.send_response(202)
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - as inherited
                pass  # pytest's output is for something else

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def texts(self, path: str) -> list[str]:
        """
        Give what came to a path, each as JSON.
        """
        return [json.dumps(body) for at, body in self.received if at == path]


class AlertChain:
    """
    Both programs, from scrape to receiver, with the shipped files made impatient.

    Only times are another: intervals are half a second, and `for` and waiting for groups a second.
    """

    def __init__(self, folder: Path, *, target: str, key: str, inbox: Inbox) -> None:
        self._folder = folder
        self._prometheus, self._alertmanager = free_port(), free_port()
        self._running: list[subprocess.Popen[bytes]] = []
        (folder / "ctxfy.key").write_text(key)
        for path in RULE_FILES:
            self._write(path.name, _impatient(_read(path)))
        self._write("prometheus.yaml", self._scraping(target))
        self._write("alertmanager.yaml", self._routing(inbox.url))
        self.url = f"http://127.0.0.1:{self._prometheus}"

    def __enter__(self) -> Self:
        self._start(
            "prometheus-alertmanager",
            "--config.file=alertmanager.yaml",
            f"--web.listen-address=127.0.0.1:{self._alertmanager}",
            "--cluster.listen-address=",
            "--storage.path=alertmanager",
        )
        self._start(
            "prometheus",
            "--config.file=prometheus.yaml",
            f"--web.listen-address=127.0.0.1:{self._prometheus}",
            "--storage.tsdb.path=prometheus",
        )
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._running:
            process.kill()
            process.wait()

    @property
    def log(self) -> str:
        """
        What both wrote.
        """
        return (self._folder / "chain.log").read_text()

    def _start(self, program: str, *arguments: str) -> None:
        with (self._folder / "chain.log").open("ab") as log:
            self._running.append(
                subprocess.Popen(
                    [tool(program), *arguments],
                    cwd=self._folder,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                )
            )

    def _scraping(self, target: str) -> Mapping[str, Any]:
        config: dict[str, Any] = _read(SHIPPED / "prometheus.yaml")
        config["global"] = {"scrape_interval": "500ms", "evaluation_interval": "500ms"}
        config["scrape_configs"][0]["static_configs"] = [{"targets": [target]}]
        managers = [{"targets": [f"127.0.0.1:{self._alertmanager}"]}]
        config["alerting"]["alertmanagers"] = [{"static_configs": managers}]
        return config

    def _routing(self, inbox: str) -> Mapping[str, Any]:
        config: dict[str, Any] = _read(SHIPPED / "alertmanager.yaml")
        config["route"] = _impatient(config["route"])
        for receiver in config["receivers"]:
            for pager in receiver.get("pagerduty_configs", ()):
                pager["routing_key_file"] = self._secret("page-routing-key", "r" * 32)
                pager["url"] = f"{inbox}/page"
            for chat in receiver.get("slack_configs", ()):
                name = receiver["name"]
                chat["api_url_file"] = self._secret(f"{name}-url", f"{inbox}/{name}")
        return config

    def _secret(self, name: str, text: str) -> str:
        path = self._folder / name
        path.write_text(text)
        return str(path)

    def _write(self, name: str, data: object) -> None:
        (self._folder / name).write_text(yaml.safe_dump(data))


def _read(path: Path) -> Any:  # noqa: ANN401 - whatever the YAML holds
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def _impatient(data: Any) -> Any:  # noqa: ANN401 - as above
    """
    Shorten what is waited for, however deep it stands.
    """
    if isinstance(data, list):
        return [_impatient(each) for each in data]
    if isinstance(data, dict):
        waits = ("for", "group_wait", "group_interval")
        return {key: "1s" if key in waits else _impatient(value) for key, value in data.items()}
    return data
