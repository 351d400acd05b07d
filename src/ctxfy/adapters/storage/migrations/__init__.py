"""
Alembic's environment and scripts; `migrate` runs them.
"""
