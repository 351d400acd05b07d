"""
Headers that every answer carries unless its route sets them itself.
"""

SECURITY_HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-frame-options", b"DENY"),  # for browsers that know no frame-ancestors
)
"""
For answers that are data. Strict-Transport-Security is not here: it is sent only where this server
itself speaks TLS; whoever ends TLS in front of it knows for how long it will.
"""


def page_headers(policy: str) -> dict[str, str]:
    """
    Give what an HTML page sends in place of the above, with its own part of the policy.

    The referrer stays within the server, and is not dropped altogether: a browser that is to send
    none calls the Origin of a form `null`, and then no form could be told from a foreign one.
    """
    strict = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"
    return {
        "content-security-policy": f"{strict}; {policy}",
        "referrer-policy": "same-origin",
    }
