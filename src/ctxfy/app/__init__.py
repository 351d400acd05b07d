"""
Wiring: settings in, an ASGI application and a command out.
"""
