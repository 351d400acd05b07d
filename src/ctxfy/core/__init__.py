"""
The functional core: it judges, over frozen values, and never awaits, reads or writes.
"""
