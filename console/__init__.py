"""The Django project: settings, addresses, and the command that runs it all; imported by no app."""
