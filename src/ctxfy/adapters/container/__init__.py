"""
What surrounds the process: files that hold secrets.
"""
