"""
What the parts of one request cost by themselves, in this process: `make bench-micro`.

Nothing here judges a time: the figures are for whoever changes one of these parts.
"""

import asyncio
import time
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.auth import opened_keys
from ctxfy.adapters.auth.rate_limiter import MemoryRateLimiter
from ctxfy.adapters.mcp_prompts.template_engine import MiniJinjaEngine
from ctxfy.adapters.monitoring.log_lines import json_line
from ctxfy.adapters.monitoring.log_pipeline import LineFormatter, OurRecord
from ctxfy.adapters.monitoring.log_shapes import LogShape, Service, json_form
from ctxfy.adapters.validation.schema_validator import SchemaValidator
from ctxfy.app.bootstrap import opened_storage
from ctxfy.app.config import Settings
from ctxfy.app.storage_settings import StorageSettings
from ctxfy.core.models.auth_models import RateLimit
from ctxfy.core.models.limit_models import Charge
from tests.builders import NOON, SAMPLE_VALUES, make_template, told


BATCH = 32
TEMPLATE = make_template("Review {{ text }}.\n{% for item in items %}- {{ item }}\n{% endfor %}")
ARGUMENTS = {"text": "abc", "items": '["a", "b"]', "count": "3", "flag": "true"}
REQUEST: dict[str, object] = {
    "request_id": "777ebb7d390743d398bec33778ae66e1",
    "endpoint": "/mcp",
    "latency_ms": 2.809,
    "user_id": "u_898c096ef2033c9f",
    "method": "POST",
    "status_code": 200,
    "key_id": "3KL8wqbjQHPX",
    "prompt": "hello",
    "prompt_version": "1",
    "client_name": "claude-code",
    "protocol_version": "2026-07-28",
    "bytes_in": 88,
    "bytes_out": 282,
    "rpc_method": "prompts/get",
    "render_ms": 0.412,
}


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    """
    An event loop of its own.
    """
    with asyncio.Runner() as runner:
        yield runner


def at_once[Result](work: Coroutine[Any, Any, Result]) -> Result:
    """
    Finish what waits for nothing, without an event loop around it.
    """
    try:
        work.send(None)
    except StopIteration as end:
        found: Result = end.value
        return found
    message = "it waits for something"
    raise RuntimeError(message)


def test_verify(benchmark: BenchmarkFixture, runner: asyncio.Runner, tmp_path: Path) -> None:
    """
    A key that is in the cache is parsed, digested, compared and judged.
    """
    opened = opened_keys(tmp_path)
    keys, valid = runner.run(opened.__aenter__())
    assert runner.run(keys.validate_api_key(valid))
    assert benchmark(lambda: at_once(keys.validate_api_key(valid)))
    runner.run(opened.__aexit__(None, None, None))


def test_limit(benchmark: BenchmarkFixture) -> None:
    """
    A request is counted for a key and for its bytes.
    """
    limiter = MemoryRateLimiter(time.monotonic_ns)
    limit = RateLimit(requests=1_000_000_000, seconds=60)
    charges = [Charge(subject="key:a", limit=limit), Charge(subject="bytes:a", limit=limit)]
    decisions = benchmark(lambda: at_once(limiter.take(charges)))
    assert all(decision.allowed for decision in decisions)


def test_validate(benchmark: BenchmarkFixture) -> None:
    """
    Arguments become values.
    """
    validator = SchemaValidator()
    outcome = benchmark(validator.validate, TEMPLATE, ARGUMENTS)
    assert outcome.result.is_valid


def test_render(benchmark: BenchmarkFixture) -> None:
    """
    Values become messages.
    """
    compiled = MiniJinjaEngine().compile(TEMPLATE)
    assert len(benchmark(compiled.render, SAMPLE_VALUES)) == 1


@pytest.mark.parametrize("shape", ["ctxfy", "ecs", "datadog"])
def test_encode_a_log_line(benchmark: BenchmarkFixture, shape: LogShape) -> None:
    """
    The line of a request is laid out, redacted and written as JSON.
    """
    formatter = LineFormatter(json_form(shape, Service("ctxfy", "1")), lambda: NOON)
    line = benchmark(lambda: formatter.format(OurRecord(20, "request_served", REQUEST)))
    assert "request_served" in line


def test_encode(benchmark: BenchmarkFixture) -> None:
    """
    Fields become JSON.
    """
    assert benchmark(json_line, REQUEST).startswith("{")


def test_append_to_the_audit_trail(
    benchmark: BenchmarkFixture, runner: asyncio.Runner, tmp_path: Path
) -> None:
    """
    Events that come together are sealed, chained and committed to SQLite on a disk.
    """
    settings = Settings(storage=StorageSettings(url=f"sqlite:///{tmp_path}/ctxfy.db"))
    opened = opened_storage(settings, create=True)
    storage = runner.run(opened.__aenter__())

    async def append() -> int:
        return len(await asyncio.gather(*(storage.trail.append(told(NOON)) for _ in range(BATCH))))

    assert benchmark(lambda: runner.run(append())) == BATCH
    runner.run(opened.__aexit__(None, None, None))
