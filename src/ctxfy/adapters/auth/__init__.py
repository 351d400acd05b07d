"""
Who may do what: the gate, the keys behind it, and the headers around every answer.
"""
