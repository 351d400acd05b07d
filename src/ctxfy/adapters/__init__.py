"""
The imperative shell: each adapter implements core ports, none knows another.
"""
