"""
A result is valid exactly if it holds no mistake.
"""

from ctxfy.core.models.validation_models import ErrorCode, ValidationError, ValidationResult


def test_is_valid() -> None:
    """
    Validity is told by the mistakes, so that the two cannot disagree.
    """
    mistake = ValidationError(field="a", message="x", code=ErrorCode.MISSING)
    assert ValidationResult().is_valid
    assert not ValidationResult(errors=(mistake,)).is_valid
