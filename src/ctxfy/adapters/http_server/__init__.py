"""
What stands below the application: connections, and how long and how much a client may take.
"""
