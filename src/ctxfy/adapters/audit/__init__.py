"""
What is remembered of requests, how it is read and proved, and what is held about people.
"""
