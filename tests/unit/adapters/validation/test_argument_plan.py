"""
Texts that are right take the short way, and nobody can tell by the outcome.
"""

import gc

from hypothesis import given
from hypothesis import strategies as st

from ctxfy.adapters.validation.argument_plan import ArgumentLimits, ArgumentPlan
from ctxfy.adapters.validation.per_prompt import PerPrompt
from ctxfy.adapters.validation.schema_validator import SchemaValidator
from ctxfy.core.models.prompt_models import ArgumentType, PromptArgument, PromptTemplate
from tests.strategies import TEXTS
from tests.unit.adapters.validation.validation_kit import KINDS, template_of


LIMITS = ArgumentLimits(argument_bytes=12, total_bytes=20)
NUMBERS = ("3", " 3 ", "-1", "0", "2.0", "1.5", "-0", "inf", "9" * 19, "9" * 20)
JSON = ("x, y", "1,2", '["x"]', "[1, 2]", "[1", '{"k": 1}', "{", "null", "[" * 9000, '["\\ud800"]')
SIZES = ("", " ", "\u00e9" * 6, "\u00e9" * 7, "\u20ac" * 4, "x" * 12, "x" * 13, "\ud800")
VALUES = st.sampled_from([*NUMBERS, *JSON, *SIZES, "x", "y", "X", "true", "No"]) | TEXTS
BOUNDS = st.none() | st.integers(0, 4)


class OtherText(str):
    """
    A text that is none to the plan, so that the model judges it.
    """

    __slots__ = ()


@st.composite
def arguments(draw: st.DrawFn, name: str) -> PromptArgument:
    """
    Any argument as an author may declare it.
    """
    kind, items = KINDS[draw(st.sampled_from(sorted(KINDS)))]
    is_number = kind in {ArgumentType.INTEGER, ArgumentType.NUMBER}
    is_sized = kind in {ArgumentType.STRING, ArgumentType.LIST}
    return PromptArgument(
        name=name,
        type=kind,
        items=items,
        required=draw(st.booleans()),
        choices=("x", "y") if kind is ArgumentType.ENUM else (),
        min_length=draw(BOUNDS) if is_sized else None,
        max_length=draw(BOUNDS) if is_sized else None,
        pattern=draw(st.sampled_from([None, "^x"])) if kind is ArgumentType.STRING else None,
        minimum=draw(BOUNDS) if is_number else None,
        maximum=draw(BOUNDS) if is_number else None,
    )


@given(
    declared=st.tuples(arguments("a"), arguments("b")),
    raw=st.dictionaries(st.sampled_from("abc"), VALUES),
)
def test_the_short_way_leads_to_the_same(
    declared: tuple[PromptArgument, ...], raw: dict[str, str]
) -> None:
    """
    What a plan takes, the model of all arguments takes too, and makes the same of it; and it takes
    all texts that the model takes.
    """
    template = template_of(*declared)
    judged = SchemaValidator(LIMITS).validate(
        template, {name: OtherText(text) for name, text in raw.items()}
    )
    taken = ArgumentPlan(declared).take(raw, LIMITS)
    outcome = SchemaValidator(LIMITS).validate(template, raw)
    assert (taken is not None) is judged.result.is_valid
    assert outcome == judged
    assert repr(outcome.values) == repr(judged.values)  # 1 and 1.0 and true are alike, but not here


def test_what_was_prepared_goes_with_its_prompt() -> None:
    """
    Once nobody holds a prompt, nothing of what was made of it is left; others keep theirs.
    """
    plans = PerPrompt[ArgumentPlan](lambda template: ArgumentPlan(template.arguments))
    kept, replaced = PromptTemplate(name="a", version="1"), PromptTemplate(name="a", version="1")
    plan = plans.of(kept)
    assert plans.of(replaced) is not plan
    assert plans.of(kept) is plan
    del replaced
    gc.collect()
    assert len(plans) == 1
    assert plans.of(kept) is plan


def test_no_model_is_built_for_texts_that_are_right() -> None:
    """
    A model takes a third of a millisecond and some memory; most prompts never need theirs.
    """
    plan = ArgumentPlan((PromptArgument(name="a", required=True),))
    assert plan.take({"a": "x"}, LIMITS) is not None
    assert "model" not in vars(plan)
    assert plan.model is plan.model
