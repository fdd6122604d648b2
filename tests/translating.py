"""Rows in the words of another system, as their forms translate them."""


def translated(form, **labels):
    """Return our values of a row; underscores stand for the blanks of its labels."""
    done = form.translate({label.replace("_", " "): value for label, value in labels.items()})
    return done.values | {f"! {name}": error[0].code for name, error in done.errors.items()}


def notes(form, **labels):
    done = form.translate({label.replace("_", " "): value for label, value in labels.items()})
    return {note.label: note.fate for note in done.notes}
