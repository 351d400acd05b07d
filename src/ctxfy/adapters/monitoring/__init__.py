"""
Logging, metrics and health: the adapters behind the ports in `core.ports.monitoring_ports`.
"""
