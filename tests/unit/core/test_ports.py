"""
The ports: which there are, and that each says what it promises.
"""

import inspect
from importlib import import_module

import pytest


PORTS = {
    "prompt_ports": {
        "ArgumentValidatorPort",
        "CatalogCommandPort",
        "CompiledPromptPort",
        "PromptCatalogPort",
        "PromptCommandPort",
        "PromptFunctionPort",
        "PromptQueryPort",
        "TemplateEnginePort",
    },
    "auth_ports": {
        "ApiKeyStorePort",
        "AuthCommandPort",
        "AuthQueryPort",
        "KeyMaterialPort",
        "KeySetSourcePort",
        "PersonDirectoryPort",
        "RateLimiterPort",
        "SessionStorePort",
    },
    "audit_ports": {
        "AuditPort",
        "AuditProofPort",
        "AuditQueryPort",
        "AuditWatcherPort",
        "AuditWriterPort",
        "PersonStorePort",
        "RetentionPort",
    },
    "monitoring_ports": {
        "HealthProbePort",
        "LoggingPort",
        "MetricsPort",
        "TracerPort",
    },
}
ALL = [(module, port) for module, ports in PORTS.items() for port in sorted(ports)]


@pytest.mark.parametrize("module", PORTS)
def test_the_ports_are_those_of_the_design(module: str) -> None:
    """
    None is missing, and none came without being written down here.
    """
    found = vars(import_module(f"ctxfy.core.ports.{module}"))
    here = {
        name
        for name, value in found.items()
        if name.endswith("Port") and value.__module__.endswith(module)
    }
    assert here == PORTS[module]


@pytest.mark.parametrize(("module", "port"), ALL)
def test_every_method_of_a_port_says_what_it_promises(module: str, port: str) -> None:
    """
    Whoever implements it reads the promise there, and nowhere else.
    """
    protocol = getattr(import_module(f"ctxfy.core.ports.{module}"), port)
    methods = [
        member
        for name, member in vars(protocol).items()
        if not name.startswith("_") and (inspect.isfunction(member) or isinstance(member, property))
    ]
    assert methods
    assert all(inspect.getdoc(method) for method in methods)
