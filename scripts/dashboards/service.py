"""
Whether people are served, how quickly, and how the server is.
"""

from scripts.dashboards.panels import Dashboard, Panel, Row, figure, quantile, rate


PROMPTS = r'endpoint=~"/mcp/?|/prompts/[^/]+/execute"'
PEOPLE = 'endpoint!~"/health.*|/metrics"'
REQUEST_SECONDS = "ctxfy_http_request_duration_seconds"

SERVICE = Dashboard(
    uid="ctxfy-service",
    title="ctxfy: service",
    shows="Whether people are served, how quickly, and how the server is.",
    variables={
        "job": 'label_values(up{job=~"ctxfy.*"}, job)',
        "instance": 'label_values(up{job=~"$job"}, instance)',
    },
    rows=(
        Row(
            title="Targets",
            panels=(
                figure(
                    "Errors in three days",
                    "Share of answers that are the server's fault; 0.1 % is the target.",
                    "percentunit",
                    'max(job:ctxfy_availability_errors:ratio_rate3d{job=~"$job"})',
                    0.001,
                ),
                figure(
                    "Prompts beyond 200 ms",
                    "Share in three days; 5 % is the target.",
                    "percentunit",
                    'max(job:ctxfy_prompts_slow:ratio_rate3d{job=~"$job"})',
                    0.05,
                ),
                figure(
                    "Authentication beyond 50 ms",
                    "Share in three days; 5 % is the target.",
                    "percentunit",
                    'max(job:ctxfy_authentication_slow:ratio_rate3d{job=~"$job"})',
                    0.05,
                ),
                figure(
                    "Health beyond 10 ms",
                    "Share in three days; 5 % is the target.",
                    "percentunit",
                    'max(job:ctxfy_health_slow:ratio_rate3d{job=~"$job"})',
                    0.05,
                ),
                figure(
                    "Instances",
                    "How many are scraped.",
                    "none",
                    'sum(up{job=~"$job"})',
                ),
                figure(
                    "Alerts firing",
                    "Of those that ship with ctxfy.",
                    "none",
                    'count(ALERTS{alertname=~"Ctxfy.*",alertstate="firing"}) or vector(0)',
                    1,
                ),
            ),
        ),
        Row(
            title="Traffic",
            panels=(
                Panel(
                    title="Requests",
                    shows="Answered a second, by status; probes and scrapes are left out.",
                    unit="reqps",
                    asks={"{{status}}": rate("ctxfy_http_requests_total", "status", PEOPLE)},
                ),
                Panel(
                    title="Time to answer",
                    shows="Quantiles over all but probes and scrapes.",
                    unit="s",
                    asks={
                        f"{share:.0%}": quantile(share, REQUEST_SECONDS, where=PEOPLE)
                        for share in (0.5, 0.95, 0.99)
                    },
                ),
                Panel(
                    title="Time to answer, targets",
                    shows="95 of 100 are quicker; 200, 50 and 10 ms are the targets.",
                    unit="s",
                    asks={
                        "prompts": quantile(0.95, REQUEST_SECONDS, where=PROMPTS),
                        "authentication": quantile(
                            0.95, REQUEST_SECONDS, where='endpoint="/auth/api-keys/current"'
                        ),
                        "health": quantile(0.95, REQUEST_SECONDS, where='endpoint=~"/health.*"'),
                    },
                ),
                Panel(
                    title="Errors",
                    shows="Answers that are the server's fault, by route.",
                    unit="reqps",
                    asks={
                        "{{endpoint}} {{status}}": rate(
                            "ctxfy_http_requests_total",
                            "endpoint, status",
                            f'{PEOPLE},status=~"5.."',
                        )
                    },
                ),
                Panel(
                    title="MCP",
                    shows="Requests over MCP a second, by method.",
                    unit="reqps",
                    asks={"{{method}}": rate("ctxfy_mcp_requests_total", "method")},
                ),
                Panel(
                    title="Time to answer over MCP",
                    shows="95 of 100 are quicker, by method.",
                    unit="s",
                    asks={
                        "{{method}}": quantile(0.95, "ctxfy_mcp_request_duration_seconds", "method")
                    },
                ),
                Panel(
                    title="At once",
                    shows="Requests being served.",
                    unit="none",
                    asks={"{{instance}}": "ctxfy_http_requests_in_progress{<>}"},
                ),
                Panel(
                    title="Bytes",
                    shows="Bodies of requests and of answers.",
                    unit="Bps",
                    asks={
                        "in": "sum(rate(ctxfy_http_request_bytes_total{<>}[$__rate_interval]))",
                        "out": "sum(rate(ctxfy_http_response_bytes_total{<>}[$__rate_interval]))",
                    },
                ),
                Panel(
                    title="Turned away",
                    shows="Refused by limits, by which.",
                    unit="reqps",
                    asks={
                        "{{policy}}": rate(
                            "ctxfy_rate_limit_decisions_total", "policy", 'outcome="refused"'
                        )
                    },
                ),
            ),
        ),
        Row(
            title="Parts",
            panels=(
                Panel(
                    title="Health",
                    shows="0 while a part is well, 1 while it warns, 2 while it fails.",
                    unit="none",
                    asks={"{{check}}": "max by (check) (ctxfy_health_check_level{<>})"},
                ),
                Panel(
                    title="Memory",
                    shows="Used, of the container or the machine, and by this process alone.",
                    unit="bytes",
                    asks={
                        "{{instance}} used": "ctxfy_memory_used_bytes{<>}",
                        "{{instance}} limit": "ctxfy_memory_limit_bytes{<>}",
                        "{{instance}} process": "process_resident_memory_bytes{<>}",
                    },
                ),
                Panel(
                    title="Processor",
                    shows="Share used of what one process can use.",
                    unit="percentunit",
                    asks={"{{instance}}": "ctxfy_processor_used_ratio{<>}"},
                ),
                Panel(
                    title="Lateness of the event loop",
                    shows="99 of 100 looks were less late.",
                    unit="s",
                    asks={
                        "{{instance}}": quantile(0.99, "ctxfy_event_loop_lag_seconds", "instance")
                    },
                ),
                Panel(
                    title="Disk",
                    shows="Free beside the database, or the spool.",
                    unit="bytes",
                    asks={
                        "{{instance}} free": "ctxfy_disk_free_bytes{<>}",
                        "{{instance}} size": "ctxfy_disk_size_bytes{<>}",
                    },
                ),
                Panel(
                    title="Files",
                    shows="Share of the file descriptors that are open.",
                    unit="percentunit",
                    asks={"{{instance}}": "process_open_fds{<>} / process_max_fds{<>}"},
                ),
                Panel(
                    title="Certificate",
                    shows="Time until it expires; nothing without TLS.",
                    unit="s",
                    asks={
                        "{{instance}}": (
                            "(ctxfy_certificate_expiry_timestamp_seconds{<>} > 0) - time()"
                        )
                    },
                ),
                Panel(
                    title="Age",
                    shows="Since the process began.",
                    unit="s",
                    asks={"{{instance}}": "time() - process_start_time_seconds{<>}"},
                ),
                Panel(
                    title="Versions",
                    shows="How many instances run which version.",
                    unit="none",
                    asks={"{{version}}": "count by (version) (ctxfy_build_info{<>})"},
                ),
            ),
        ),
        Row(
            title="Audit trail",
            panels=(
                Panel(
                    title="Events",
                    shows="A second, by what became of them.",
                    unit="ops",
                    asks={"{{fate}}": rate("ctxfy_audit_events_total", "fate")},
                ),
                Panel(
                    title="Time to commit",
                    shows="95 of 100 transactions that keep events were quicker.",
                    unit="s",
                    asks={
                        "{{instance}}": quantile(
                            0.95, "ctxfy_audit_commit_duration_seconds", "instance"
                        )
                    },
                ),
                Panel(
                    title="Waiting",
                    shows="Events in line to be written.",
                    unit="none",
                    asks={"{{instance}}": "ctxfy_audit_waiting_events{<>}"},
                ),
                Panel(
                    title="Spool",
                    shows="What waits for the database on the disk.",
                    unit="bytes",
                    asks={"{{instance}}": "ctxfy_audit_spool_bytes{<>}"},
                ),
                Panel(
                    title="Checkpoint",
                    shows="Since the last one was signed; an hour is as it should be.",
                    unit="s",
                    asks={"{{instance}}": "ctxfy_audit_checkpoint_age_seconds{<>}"},
                ),
                Panel(
                    title="Broken chains",
                    shows="Found by the last verification of the whole trail.",
                    unit="none",
                    asks={"{{instance}}": "ctxfy_audit_chain_faults{<>}"},
                ),
                Panel(
                    title="Verified",
                    shows="Since the whole trail was last verified; a day is as it should be.",
                    unit="s",
                    asks={
                        "{{instance}}": "time() - (ctxfy_audit_verified_timestamp_seconds{<>} > 0)"
                    },
                ),
                Panel(
                    title="Away",
                    shows="1 while the database is out of reach for events.",
                    unit="none",
                    asks={"{{instance}}": "ctxfy_audit_away{<>}"},
                ),
            ),
        ),
    ),
)
