"""
OpenAPI and the explorer: what the server can do, described from what it is made of.
"""
