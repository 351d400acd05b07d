"""
Which prompts are used and how they do, and what comes of the keys that are shown.
"""

from scripts.dashboards.panels import Dashboard, Panel, Row, figure, quantile, rate


_ANY_PROMPT = 'prompt=~"$prompt"'

PROMPTS_AND_KEYS = Dashboard(
    uid="ctxfy-prompts-and-keys",
    title="ctxfy: prompts and keys",
    shows="Which prompts are used and how they do, and what comes of the keys that are shown.",
    variables={
        "job": 'label_values(up{job=~"ctxfy.*"}, job)',
        "instance": 'label_values(up{job=~"$job"}, instance)',
        "prompt": 'label_values(ctxfy_prompt_executions_total{job=~"$job"}, prompt)',
    },
    rows=(
        Row(
            title="Prompts",
            panels=(
                figure("Served", "Prompts in the set.", "none", "max(ctxfy_catalog_prompts{<>})"),
                figure(
                    "Behind the folder",
                    "Instances that serve an old set, since the new one holds mistakes.",
                    "none",
                    "count(ctxfy_catalog_is_newest{<>} == 0) or vector(0)",
                    1,
                ),
                figure(
                    "Revisions",
                    "How many different sets are served; 1 is as it should be.",
                    "none",
                    "count(count by (revision) (ctxfy_catalog_info{<>}))",
                    2,
                ),
                figure(
                    "Age of the set",
                    "Since the prompts served were loaded.",
                    "s",
                    "time() - max(ctxfy_catalog_loaded_timestamp_seconds{<>})",
                ),
                figure(
                    "Executions",
                    "In a day.",
                    "none",
                    f"sum(increase(ctxfy_prompt_executions_total{{<>,{_ANY_PROMPT}}}[1d]))",
                ),
                figure(
                    "Failed",
                    "Share of the executions of a day that a template or function failed.",
                    "percentunit",
                    f'sum(increase(ctxfy_prompt_executions_total{{<>,{_ANY_PROMPT},outcome="failed"}}[1d]))'
                    f" / sum(increase(ctxfy_prompt_executions_total{{<>,{_ANY_PROMPT}}}[1d]))",
                    0.01,
                ),
                Panel(
                    title="Executions by prompt",
                    shows="A second; the ten most used.",
                    unit="ops",
                    asks={
                        "{{prompt}}": "topk(10, "
                        + rate("ctxfy_prompt_executions_total", "prompt", _ANY_PROMPT)
                        + ")"
                    },
                ),
                Panel(
                    title="Executions by outcome",
                    shows="ok, invalid (the arguments) or failed (the template or function).",
                    unit="ops",
                    asks={
                        "{{outcome}}": rate("ctxfy_prompt_executions_total", "outcome", _ANY_PROMPT)
                    },
                ),
                Panel(
                    title="Executions by model",
                    shows="The model that the prompt or the settings name.",
                    unit="ops",
                    asks={"{{model}}": rate("ctxfy_prompt_executions_total", "model", _ANY_PROMPT)},
                ),
                Panel(
                    title="Time to execute",
                    shows="95 of 100 are quicker, by prompt; the ten slowest.",
                    unit="s",
                    asks={
                        "{{prompt}}": "topk(10, "
                        + quantile(
                            0.95, "ctxfy_prompt_execution_duration_seconds", "prompt", _ANY_PROMPT
                        )
                        + ")"
                    },
                ),
                Panel(
                    title="Mistakes in arguments",
                    shows="A second, by prompt and kind.",
                    unit="ops",
                    asks={
                        "{{prompt}} {{code}}": rate(
                            "ctxfy_prompt_validation_failures_total", "prompt, code", _ANY_PROMPT
                        )
                    },
                ),
                Panel(
                    title="Reloads",
                    shows="Attempts in an hour, by what came of them.",
                    unit="none",
                    asks={
                        "{{outcome}}": "sum by (outcome)"
                        " (increase(ctxfy_catalog_reloads_total{<>}[1h]))"
                    },
                ),
                Panel(
                    title="Counted by arguments",
                    shows="What authors named under `metrics: {count_by: ...}`, in an hour.",
                    unit="none",
                    asks={
                        "{{prompt}} {{argument}}={{value}}": "sum by (prompt, argument, value)"
                        f" (increase(ctxfy_prompt_counts_total{{<>,{_ANY_PROMPT}}}[1h]))"
                    },
                    width=12,
                ),
                Panel(
                    title="Business events",
                    shows="What prompt functions count, in an hour.",
                    unit="none",
                    asks={
                        "{{event}} {{label}}={{value}}": "sum by (event, label, value)"
                        " (increase(ctxfy_business_events_total{<>}[1h]))"
                    },
                    width=12,
                ),
            ),
        ),
        Row(
            title="Keys",
            panels=(
                Panel(
                    title="Decisions about callers",
                    shows="A second: granted, or why not.",
                    unit="ops",
                    asks={"{{outcome}}": rate("ctxfy_authentications_total", "outcome")},
                ),
                Panel(
                    title="Use of keys",
                    shows="Requests with a valid key a second, by route.",
                    unit="reqps",
                    asks={"{{endpoint}}": rate("ctxfy_api_key_uses_total", "endpoint")},
                ),
                Panel(
                    title="Refused by limits",
                    shows="Share of the decisions of each limit.",
                    unit="percentunit",
                    asks={
                        "{{policy}}": rate(
                            "ctxfy_rate_limit_decisions_total", "policy", 'outcome="refused"'
                        )
                        + " / "
                        + rate("ctxfy_rate_limit_decisions_total", "policy")
                    },
                ),
                Panel(
                    title="Not let in",
                    shows="In an hour, by reason; what somebody who tries keys looks like.",
                    unit="none",
                    asks={
                        "{{outcome}}": "sum by (outcome)"
                        ' (increase(ctxfy_authentications_total{<>,outcome!="granted"}[1h]))'
                    },
                ),
                Panel(
                    title="Keys",
                    shows="How many there are, by state.",
                    unit="none",
                    asks={
                        "{{state}}": "max by (state)"
                        " (sum by (instance, state) (ctxfy_api_keys{<>}))"
                    },
                ),
                Panel(
                    title="Keys that end",
                    shows="Active keys by what is left of their lives.",
                    unit="none",
                    asks={
                        "{{expires}}": 'max by (expires) (ctxfy_api_keys{<>,state="active"})',
                    },
                ),
                Panel(
                    title="The key that is refused most",
                    shows="Answers 403 and 429 to it within a minute; the log says which it is.",
                    unit="none",
                    asks={"{{instance}}": "ctxfy_api_key_refusals_max{<>}"},
                ),
                Panel(
                    title="Newest admin key",
                    shows="Since a key that can administer the server was last made.",
                    unit="s",
                    asks={
                        "{{job}}": "time() -"
                        " (max by (job) (ctxfy_newest_admin_key_timestamp_seconds{<>}) > 0)"
                    },
                ),
                Panel(
                    title="Limits kept alone",
                    shows="1 while limits that should be shared are not.",
                    unit="none",
                    asks={"{{instance}}": "ctxfy_rate_limit_degraded{<>}"},
                ),
            ),
        ),
    ),
)
