"""
Adapter for what must outlive the process: the database, its tables, and the stores over them.
"""
