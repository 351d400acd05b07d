"""
The Grafana dashboards that ship.
"""
