"""
Protocols that the adapters implement; structural, never inherited.
"""
