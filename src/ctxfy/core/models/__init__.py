"""
Frozen values that cross between the core and the shells.
"""
