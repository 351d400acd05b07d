"""
The fields of a request, looked through once.
"""

from hypothesis import given
from hypothesis import strategies as st

from ctxfy.adapters.auth.request_head import read_head


NAMES = st.sampled_from(
    [
        *(b"host", b"origin", b"content-type", b"content-length", b"authorization", b"cookie"),
        *(b"x-api-key", b"x-csrf-token", b"access-control-request-method", b"mcp-name", b"accept"),
    ]
)
FIELDS = st.lists(st.tuples(NAMES, st.sampled_from([b"a", b"b", b"Text/Plain ; x=y"])), max_size=8)
SECRET = {b"authorization", b"cookie", b"x-api-key", b"x-csrf-token"}


@given(fields=FIELDS)
def test_no_field_is_lost_and_those_of_one_name_keep_their_order(
    fields: list[tuple[bytes, bytes]],
) -> None:
    """
    What proves who is calling stands by itself; nothing of it is in what is remembered.
    """
    head = read_head(fields)
    parted = [*head.usual, *head.own, *head.secret]
    for name in {name for name, _ in fields}:
        assert [each for each in parted if each[0] == name] == [
            each for each in fields if each[0] == name
        ]
    assert len(parted) == len(fields)
    assert {name for name, _ in head.secret} == SECRET & {name for name, _ in fields}


@given(fields=FIELDS)
def test_a_field_that_comes_twice_is_as_good_as_none(fields: list[tuple[bytes, bytes]]) -> None:
    """
    Of those that may come once; and several origins are one that nobody has.
    """
    head = read_head(fields)
    found: dict[bytes, list[str]] = {}
    for name, value in fields:
        found.setdefault(name, []).append(value.decode())

    def single(name: bytes) -> str | None:
        values = found.get(name, [])
        return values[0] if len(values) == 1 else None

    assert head.manner.host == single(b"host")
    assert head.announced == single(b"content-length")
    assert head.manner.preflight == single(b"access-control-request-method")
    assert head.manner.origin == (", ".join(found[b"origin"]) if b"origin" in found else None)
    media_type = (single(b"content-type") or "").partition(";")[0].strip().lower()
    assert head.manner.media_type == media_type
