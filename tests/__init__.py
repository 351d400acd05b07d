"""
The suite: unit, integration and e2e, and what they share.
"""
