"""
The section `tls`.
"""

from pathlib import Path

from pydantic import Field

from ctxfy.app.setting_section import Section


class TlsSettings(Section):
    """
    TLS served by ctxfy itself, version 1.3 alone; without a certificate it speaks plain HTTP.
    """

    certificate: Path | None = Field(
        default=None, description="PEM file of the certificate, with those between it and a root."
    )
    key: Path | None = Field(
        default=None, description="PEM file of its key, without a passphrase, for its owner alone."
    )
    reload_seconds: int = Field(
        default=60, ge=1, le=86_400, description="How often both are looked at for a renewal."
    )
    hsts_seconds: int = Field(
        default=63_072_000,
        ge=0,
        description="How long browsers keep to TLS here (Strict-Transport-Security); 0: not told.",
    )
