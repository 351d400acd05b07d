"""
Schema validation of prompt arguments, with pydantic.
"""
