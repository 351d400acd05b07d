"""
Hypothesis strategies that several tests share.
"""

from hypothesis import strategies as st

from ctxfy.core.models.auth_models import KeyId
from ctxfy.core.use_cases.auth_use_cases import BASE62, KEY_ID_LENGTH, SECRET_BYTES


KEY_IDS = st.text(BASE62, min_size=KEY_ID_LENGTH, max_size=KEY_ID_LENGTH).map(KeyId)
SECRETS = st.binary(min_size=SECRET_BYTES, max_size=SECRET_BYTES)

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
"""
Any text but halves of characters, which no encoder takes.
"""

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e9, 1e9) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)

_TEMPLATE_PARTS = (
    "{{ {% {# }} %} #} {{- -}} {%- -%} {%+ +%} {%raw%} {%-endraw-%} {%for\tx\tin\ty%} {%endfor%} "
    "{%macro\tm(a)%} {%endmacro%} {%set\tx=y~y%} {%include\t'p.md'%} {%include\tx%} ' \" \\' "
    '\\" \\ ( ) [ ] { } | ~ * + m(m( x y text | upper \n -- 1 {{x}} {{text*3}} <!--'
)

TEMPLATES = st.lists(st.sampled_from([*_TEMPLATE_PARTS.split(" "), " ", "\n"]), max_size=25).map(
    "".join
)
"""
Text that looks like a template and mostly is none.
"""
