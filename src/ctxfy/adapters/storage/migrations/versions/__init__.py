"""
One module per revision. What is released is never changed again.
"""
