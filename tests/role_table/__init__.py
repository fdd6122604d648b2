"""The table of roles: every door of the console with the act that it takes, and what each role gets there.

Its rows are made from what the doors declare. They are documentation (`python -m tests.role_table > docs/roles.md`)
and test: `tests/integration/test_roles.py` tries every cell.
"""
