"""The execution agent (STENG): it proves a mail connection from the very node that will use it.

No Django, no settings, no database: a frozen request comes in, a frozen report goes out.
"""

__version__ = "0.1.0"
