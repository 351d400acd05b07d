"""
Which `If-None-Match` means that a client has the content already.
"""

import pytest

from ctxfy.adapters.api_docs.entity_tags import etag_of, is_named


TAG = etag_of(b"content")


@pytest.mark.parametrize(
    ("header", "named"),
    [
        (TAG, True),
        (f"W/{TAG}", True),
        (f'"other", {TAG}', True),
        ("*", True),
        ("", False),
        ('"other"', False),
        (TAG.strip('"'), False),
        (TAG.upper(), False),
    ],
)
def test_a_client_has_what_it_names(header: str, named: bool) -> None:
    """
    By any of its tags, weak ones too, and by a star; a tag has quotes and is compared as it is.
    """
    assert is_named(header, TAG) is named


def test_a_tag_is_of_the_content() -> None:
    """
    The same everywhere, and another for other content.
    """
    assert etag_of(b"content") == TAG
    assert etag_of(b"context") != TAG
