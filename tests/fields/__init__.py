"""What the table of fields means to a test: sound definitions, one fault each, and the proof of every effect."""
