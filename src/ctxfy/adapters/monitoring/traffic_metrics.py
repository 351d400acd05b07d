"""
Metrics of what requests bring, take away, and ask for over MCP.
"""

from ctxfy.adapters.monitoring.metric_factory import MetricFactory
from ctxfy.core.models.monitoring_models import RequestTraffic


class TrafficMetrics:
    """
    Bytes by endpoint, and requests by MCP method.
    """

    def __init__(self, make: MetricFactory) -> None:
        self._bytes_in = make.loop_counter(
            "ctxfy_http_request_bytes", "Bytes of the bodies of requests", "endpoint"
        )
        self._bytes_out = make.loop_counter(
            "ctxfy_http_response_bytes", "Bytes of the bodies of answers", "endpoint"
        )
        self._rpc_requests = make.loop_counter(
            "ctxfy_mcp_requests", "Requests over MCP", "method", "outcome"
        )
        self._rpc_seconds = make.loop_times(
            "ctxfy_mcp_request_duration_seconds",
            "From the first byte of a request over MCP to its answer's last",
            "method",
        )
        self._lanes = make.loop_counter(
            "ctxfy_mcp_lane",
            "Requests over MCP, by who answered: express (ctxfy itself) or fastmcp",
            "lane",
        )

    def record(self, endpoint: str, seconds: float, traffic: RequestTraffic) -> None:
        """
        Count one request.
        """
        if traffic.bytes_in:
            self._bytes_in.of(endpoint).inc(traffic.bytes_in)
        if traffic.bytes_out:
            self._bytes_out.of(endpoint).inc(traffic.bytes_out)
        if traffic.rpc_method:
            self._rpc_requests.of(traffic.rpc_method, traffic.rpc_outcome).inc()
            self._rpc_seconds.of(traffic.rpc_method).observe(seconds)
        if traffic.rpc_lane:
            self._lanes.of(traffic.rpc_lane).inc()
